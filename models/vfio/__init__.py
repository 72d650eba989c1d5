# SPDX-License-Identifier: Apache-2.0
"""The parts that designs are made of: kernel, topology, QEMU, environment, properties."""
