# SPDX-License-Identifier: Apache-2.0
"""cprcheck: a model checker for QEMU live update (CPR) with VFIO devices.

from cprcheck import Bool, Model, check, model

@model
def light(switches: int = 1) -> Model: ...

assert check(light(switches=2)).ok
"""

from importlib.metadata import version
from typing import TYPE_CHECKING

from cprcheck.domains import Bool, OneOf, Range
from cprcheck.errors import CprcheckError, DisagreementError, ModelError, UsageError
from cprcheck.language.control import idle
from cprcheck.language.declare import any_of
from cprcheck.language.decorator import c, model
from cprcheck.language.model import Model
from cprcheck.language.terms import count, every, implies, ite, some
from cprcheck.report.text import describe
from cprcheck.system import Fairness
from cprcheck.verdict import Report, Status, Verdict

if TYPE_CHECKING:
    from cprcheck.checking import Options, check

NONE, WEAK, STRONG = Fairness
__version__ = version("cprcheck")

__all__ = [
    "NONE",
    "STRONG",
    "WEAK",
    "Bool",
    "CprcheckError",
    "DisagreementError",
    "Fairness",
    "Model",
    "ModelError",
    "OneOf",
    "Options",
    "Range",
    "Report",
    "Status",
    "UsageError",
    "Verdict",
    "any_of",
    "c",
    "check",
    "count",
    "describe",
    "every",
    "idle",
    "implies",
    "ite",
    "model",
    "some",
]


def __getattr__(name: str) -> object:
    """Load the engines, and z3 with them, only when somebody checks something."""
    if name in ("check", "Options"):
        import importlib

        return getattr(importlib.import_module("cprcheck.checking"), name)
    raise AttributeError(name)
