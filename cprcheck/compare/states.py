# SPDX-License-Identifier: Apache-2.0
"""All reachable states of a System, for those who go on with its graph."""

from __future__ import annotations

from cprcheck import checking
from cprcheck.engines import explicit
from cprcheck.errors import DisagreementError, UsageError
from cprcheck.language.model import Model
from cprcheck.passes.safety import goal
from cprcheck.system import Kind, System


def all_states(
    system: System, limits: explicit.Limits, use: str, progress: explicit.Progress | None = None
) -> explicit.Search:
    """A search of the whole `system`.

    Where `stopped` says something there is no graph: a limit was reached, or there are more edges than `use` allows
    ("are counted").  Where `found` has something a value leaves its domain: that step is missing from the graph.
    """
    inside = [goal(system, prop) for prop in system.properties if prop.kind is Kind.IN_DOMAIN]
    result = explicit.search(system, inside, limits, progress, whole=True)
    result.stopped = result.stopped or checking.too_large(result, use)
    return result


def searched(
    model: Model | System, system: System, limits: explicit.Limits, use: str, tell: checking.Progress, *, native: bool
) -> explicit.Search:
    """The same, once the author's own code has been heard.  `system` is that of `model` after passes.

    Raises UsageError when it has no initial state, or lets a value leave its domain; DisagreementError when Python,
    running the author's own code for a while (with `native`), does something else.
    """

    def progress(states: int, depth: int) -> None:
        tell(f"explicit: {states} states, depth {depth}")

    checking.require_start(system)
    if isinstance(model, Model) and native and (difference := checking.listen(model, tell)):
        raise DisagreementError(difference)
    found = all_states(system, limits, use, progress)
    if found.found:
        raise UsageError(f"in {system.name} a value can leave its domain; check values_in_domain first")
    return found
