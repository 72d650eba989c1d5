# SPDX-License-Identifier: Apache-2.0
"""Lowerings: a System in another notation.  They read the same expressions that `semantics` evaluates."""
