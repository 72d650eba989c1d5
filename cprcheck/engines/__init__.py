# SPDX-License-Identifier: Apache-2.0
"""Engines: a System in, answers out.  They never print, and they never see how a model was written."""
