# SPDX-License-Identifier: Apache-2.0
"""Which models are designs, which of them are meant, and what each is called beside the others.

A design is a model that takes a kernel, a topology and an environment, and that says by its outcomes what has become
of the guest, the vaddrs and the update.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from cprcheck import catalog
from cprcheck.compare.view import ASPECTS, unsaid
from cprcheck.errors import UsageError

PARAMETERS = ("kernel", "topology", "env")
"""What every design takes, and what is set for all of them."""
COMBINATION = "combination"
"""The shipped model that has all designs in it."""
_VARIANT = re.compile(r"(.+?):(?=\w+=)(.*)")
_COMMA = re.compile(r",(?=\w+=)")


@dataclass(frozen=True)
class Design:
    """A model with the values of its `params`, as text, and the `title` that no other design beside it has."""

    model: catalog.Found
    params: tuple[tuple[str, str], ...] = ()
    title: str = ""

    @property
    def file(self) -> str:
        """The model's file."""
        return self.model.function.__code__.co_filename

    @property
    def spec(self) -> str:
        """What `catalog.find` finds the model by, in whatever folder it is asked."""
        return f"{self.file}::{self.model.name}"


def designs(names: Sequence[str], params: Mapping[str, str] | None = None) -> list[Design]:
    """The designs that `names` mean, in their order; without names all shipped ones but the combination.

    A name is what `catalog.find` finds, with `:NAME=VALUE[,NAME=VALUE…]` behind it for values of its own; `params` are
    those of every design.  Raises UsageError for a model that is no design, for a design that is named twice, for a
    value of a parameter that is set for all of them, and when no design is shipped.
    """
    shared = dict(params or {})
    _refuse_places(shared, "-p ")
    return _titled(_named(names, shared) if names else _shipped(shared))


def _refuse_places(given: Mapping[str, str], before: str) -> None:
    """Raise UsageError when a value is `given` of a parameter that is set for all designs; `before` is how."""
    for name in PARAMETERS:
        if name in given:
            option = f"write --{name} VALUE" if name != "env" else "the environment is part of what is measured"
            raise UsageError(f"{before}{name}={given[name]}: {option}")


def _named(names: Sequence[str], shared: Mapping[str, str]) -> list[Design]:
    found: dict[Hashable, tuple[str, Design]] = {}
    for text in names:
        variant = _VARIANT.fullmatch(text)
        name, own = (variant[1], variant[2]) if variant else (text, "")
        given = dict(part.split("=", 1) for part in _COMMA.split(own) if part)
        _refuse_places(given, f"{name}:")
        model, given = catalog.find(name), {**shared, **given}
        lacking = _lacking(model, given)
        if lacking:
            raise UsageError(f"{model.name} cannot be compared: {lacking}")
        key = model, frozenset({**_defaults(model), **catalog.values_of(model, given)}.items())
        if key in found:
            said = f"{found[key][0]} and {text} are one design"
            raise UsageError(f"{said}: name it once, or set a parameter of one: {name}:NAME=VALUE")
        found[key] = text, Design(model, tuple(given.items()))
    return [design for _, design in found.values()]


def _shipped(shared: Mapping[str, str]) -> list[Design]:
    ours = [model for path, model in catalog.shipped() if path.parent.name == "designs" and model.name != COMBINATION]
    found = [Design(model, tuple(shared.items())) for model in ours if not _lacking(model, shared)]
    if not found:
        raise UsageError(f"no shipped design has outcomes of {', '.join(ASPECTS)}; name the models to compare")
    return found


def _defaults(model: catalog.Found) -> dict[str, Hashable]:
    """The values that parameters have when nobody gives any; some may have none."""
    return {name: each.default for name, each in model.signature.parameters.items()}


def _lacking(model: catalog.Found, given: Mapping[str, str]) -> str:
    """What a model would need to be a design; empty for a design.  Values of parameters it has not are left out."""
    for name in PARAMETERS:
        if name not in model.signature.parameters:
            return f"it has no parameter {name!r}"
    known = {name: value for name, value in given.items() if name in model.signature.parameters}
    return unsaid(catalog.bind(model, known).system)


def _titled(found: Iterable[Design]) -> list[Design]:
    """Each design with its title: the name with the parameters given, and a number where several would have one."""
    named = [replace(each, title=_title(each)) for each in found]
    times, used = Counter(each.title for each in named), Counter[str]()
    made = []
    for each in named:
        used[each.title] += 1
        number = f" ({used[each.title]})" if times[each.title] > 1 else ""
        made.append(replace(each, title=f"{each.title}{number}"))
    return made


def _title(design: Design) -> str:
    given = ", ".join(f"{name}={value}" for name, value in design.params)
    return f"{design.model.name}({given})" if given else design.model.name
