# SPDX-License-Identifier: Apache-2.0
"""Passes: functions from a System to a System, or to a plainer form of its properties."""
