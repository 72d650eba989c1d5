# SPDX-License-Identifier: Apache-2.0
"""Verdicts that are declared in a file, and the check that they are still so."""
