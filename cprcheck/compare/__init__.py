# SPDX-License-Identifier: Apache-2.0
"""Several systems side by side: what is measured about each of them, never which is better."""
