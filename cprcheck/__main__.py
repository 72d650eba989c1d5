# SPDX-License-Identifier: Apache-2.0
"""`python -m cprcheck` is `cprcheck`."""

from cprcheck.cli import main

main()
