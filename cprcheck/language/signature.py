# SPDX-License-Identifier: Apache-2.0
"""Can a function of the author's be called with the state and its index arguments?"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from cprcheck.errors import ModelError
from cprcheck.language.rails import function_source


def check_signature(function: Callable[..., Any], args: Mapping[str, object], states: int = 1) -> None:
    """Refuse a function that cannot be called with the state and its index arguments."""
    try:
        inspect.signature(function).bind(*[None] * states, **args)
    except TypeError as error:
        takes = "the states before and after" if states == 2 else "the state"
        raise ModelError(
            f"{function.__name__}: {error}; it takes {takes}, and an argument for each index set",
            function_source(function),
        ) from None
