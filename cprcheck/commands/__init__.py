# SPDX-License-Identifier: Apache-2.0
"""One file for each command; each answers with an exit code."""

from cprcheck.commands.check import check
from cprcheck.commands.compare import compare
from cprcheck.commands.expect import expect
from cprcheck.commands.interleavings import interleavings
from cprcheck.commands.look import list_models, show, step
from cprcheck.commands.outcomes import outcomes
from cprcheck.commands.replay import replay
from cprcheck.commands.report import report

COMMANDS = (check, compare, expect, interleavings, list_models, outcomes, replay, report, show, step)
"""All of them, for the command line to add."""
