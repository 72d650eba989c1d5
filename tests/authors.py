"""Writing models as an author would, from text, so that messages can show the author's own file and line."""

from __future__ import annotations

import linecache
import textwrap
from itertools import count

import pytest

from cprcheck.errors import ModelError
from cprcheck.language.model import Model

_NUMBERS = count()
HEAD = """\
from enum import Enum
from cprcheck import *
class Proc(Enum):
    OLD = 0
    NEW = 1
class Vaddr(Enum):
    NONE = 0
    GOOD = 1
m = Model("mine")
m.var("owner", Proc, init=Proc.OLD)
m.var("n", Range(0, 3), init=0)
m.var("b", Bool, init=False)
m.array("v", (0, 1), Vaddr, init=Vaddr.GOOD)
l = m.lock("l")
g = m.group("g")
"""
HEAD_LINES = HEAD.count("\n")


def written(body: str, head: str = HEAD) -> Model:
    """The model that `head` and `body` write into the variable `m`."""
    text = head + textwrap.dedent(body)
    filename = f"mine{next(_NUMBERS)}.py"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    namespace: dict[str, object] = {"__name__": "mine"}
    exec(compile(text, filename, "exec"), namespace)
    made = namespace["m"]
    assert isinstance(made, Model)
    return made


def process(steps: str, before: str = "") -> str:
    """A body with one process `p` that does `steps`."""
    return f"{textwrap.dedent(before)}\n@m.process\ndef p(s):\n{textwrap.indent(textwrap.dedent(steps), '    ')}"


def refusal(body: str, head: str = HEAD) -> tuple[str, str]:
    """(the sentence, the author's line) of the error that building the model raises."""
    with pytest.raises(ModelError) as caught:
        _ = written(body, head).system
    error = caught.value
    assert error.source is not None, error
    assert error.source.file.startswith("mine"), error
    assert str(error).startswith(f"{error.source.file}:{error.source.line}: {error.sentence}\n    ")
    return error.sentence, error.source.text()
