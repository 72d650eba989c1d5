# SPDX-License-Identifier: Apache-2.0
"""One or more reports as one file for a browser: the verdicts as a table, and every trace to step through.

The file needs no network and no server.  What a model says (names, docs, values) stays text: in the page by way of
jinja2's escaping, in the data by way of `embedded`; the script only ever makes text nodes of it.  A policy in the page
forbids every script and style but its own, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import version
from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from cprcheck.report import html_data, html_matrix, svg, text
from cprcheck.verdict import Report

_PAGE = files("cprcheck.report") / "page"
_ESCAPED = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&"})


def dumps(reports: Report | Sequence[Report]) -> str:
    """The text of an HTML file.  Raises ValueError when there is no report."""
    found = (reports,) if isinstance(reports, Report) else tuple(reports)
    if not found:
        raise ValueError("a page needs a report")
    page, css, script = (_PAGE.joinpath(f"page.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    css += svg.STYLE
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(page).render(
        policy=policy(css, script),
        css=css,
        script=script,
        data=embedded(html_data.data(found)),
        title=text.title(found[0].system) if len(found) == 1 else f"{len(found)} configurations",
        matrix=html_matrix.matrix(found),
        disagreements=[f"{text.title(each.system)}: {line}" for each in found for line in each.disagreements],
        versions=f"cprcheck {version('cprcheck')}, z3 {version('z3-solver')}",
    )


def policy(css: str, script: str) -> str:
    """A Content-Security-Policy that lets this style and this script in, and nothing else."""
    rules = {
        "default-src": "'none'",
        "style-src": _hash(css),
        "script-src": _hash(script),
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {allowed}" for name, allowed in rules.items())


def embedded(value: object) -> str:
    """`value` as JSON that can stand in a script element: no tag, no comment and no entity can begin or end in it."""
    return json.dumps(value, separators=(",", ":")).translate(_ESCAPED)


def _hash(text_: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text_.encode()).digest()).decode()}'"
