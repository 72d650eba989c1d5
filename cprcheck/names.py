# SPDX-License-Identifier: Apache-2.0
"""Characters that no name may have: they act on terminals, end lines, hide the order of a text, or are none alone."""

from __future__ import annotations

import re

ODD = r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]"
"""Control characters, halves of characters, and what turns the direction of writing by force; as a pattern."""
_IN_NAME, _IN_TEXT = re.compile(ODD), re.compile(r"(?![\t\n])" + ODD)


def odd(name: str) -> str:
    """The first character of `name` that no name may have; empty when there is none."""
    found = _IN_NAME.search(name)
    return found[0] if found else ""


def escaped(text: str) -> str:
    r"""`text`, of one or more lines, with every other character that no name may have as an escape such as \x1b."""
    return _IN_TEXT.sub(lambda found: ascii(found[0])[1:-1], text)
