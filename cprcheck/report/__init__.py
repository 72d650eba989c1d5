# SPDX-License-Identifier: Apache-2.0
"""Reports: verdicts in, text or files out.  They never ask an engine."""
