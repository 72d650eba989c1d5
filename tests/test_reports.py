"""The report in this repository is that of the models in it."""

from __future__ import annotations

import re

import pytest
from console import ROOT, run

PAGE = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")
(COMMAND,) = re.findall(r"was made by\n\n```sh\n(cprcheck report .*)\n```", PAGE)


@pytest.mark.slow
def test_the_committed_report_is_up_to_date() -> None:
    """A changed model, a file that somebody has edited, or another set of configurations: write it again."""
    done = run(f"{COMMAND} --check", ROOT)
    said = [line for line in done.stdout.splitlines() if not line.startswith("note: ")]
    assert said == ["reports is up to date: 10 configurations, 149 files"]
    assert done.returncode == 0
