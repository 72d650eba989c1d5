# SPDX-License-Identifier: Apache-2.0
"""All reachable states of a System, for those who go on with its graph."""

from __future__ import annotations

from cprcheck import checking
from cprcheck.engines import explicit
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
