# SPDX-License-Identifier: Apache-2.0
"""State expressions as authors write them: Python's operators, with guard rails.

A `Term` is an expression node with the domain of its value and the stamp of the step in which it was read.  It
is not a value: it cannot be hashed, printed, counted with or compared by `is`, and every such use is refused
with a sentence that says what to write.  Asking for its truth (`if`, `and`, `or`, `not`) splits the step.

`every`, `some`, `count`, `ite` and `implies` make one expression without splitting.  They work on plain values
too, so that the same code can be run by Python itself.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from enum import Enum
from types import FunctionType, MethodType
from typing import NoReturn, Self, TypeVar

from cprcheck import expr
from cprcheck.analysis import tabulate
from cprcheck.domains import Bool, Domain, domain_of, show_value
from cprcheck.expr import Const, Expr, truth
from cprcheck.language.path import Stamp
from cprcheck.language.place import breach
from cprcheck.system import Slot, render

T = TypeVar("T")

INT = Domain("an integer", "int", (0,))
"""The domain of arithmetic: any integer."""


class Term:
    """A state expression: `node` with the `domain` of its value.

    `stamp` is the step it belongs to; None for a constant.
    """

    __slots__ = ("domain", "node", "slots", "stamp")

    def __init__(self, node: Expr, domain: Domain, stamp: Stamp | None, slots: Sequence[Slot]) -> None:
        self.node, self.domain, self.stamp, self.slots = node, domain, stamp, slots

    def __deepcopy__(self, memo: object) -> Self:
        return self

    # ---- what splits the step -------------------------------------------------------------------------------

    def __bool__(self) -> bool:
        if self.domain.kind != "bool":
            raise breach(f"{self._shown()} is {_kind(self.domain)}, not a truth value; compare it with something")
        stamp = current(self)
        assert stamp is not None, "a constant is no Term"
        return stamp.decide(self.node)

    # ---- what makes another expression ----------------------------------------------------------------------

    def __eq__(self, other: object) -> Term:  # type: ignore[override]
        return _comparison(self, other, expr.equal)

    def __ne__(self, other: object) -> Term:  # type: ignore[override]
        return _comparison(self, other, lambda a, b: expr.neg(expr.equal(a, b)))

    def __lt__(self, other: object) -> Term:
        return _ordering(self, other, expr.less)

    def __gt__(self, other: object) -> Term:
        return _ordering(self, other, lambda a, b: expr.less(b, a))

    def __le__(self, other: object) -> Term:
        return _ordering(self, other, lambda a, b: expr.neg(expr.less(b, a)))

    def __ge__(self, other: object) -> Term:
        return _ordering(self, other, lambda a, b: expr.neg(expr.less(a, b)))

    def __add__(self, other: object) -> Term:
        return _arithmetic(self, other, expr.plus)

    def __radd__(self, other: object) -> Term:
        return _arithmetic(self, other, expr.plus)

    def __sub__(self, other: object) -> Term:
        return _arithmetic(self, other, expr.minus)

    def __rsub__(self, other: object) -> Term:
        return _arithmetic(self, other, lambda a, b: expr.minus(b, a))

    def __and__(self, other: object) -> Term:
        return _connective(self, other, expr.conj)

    def __rand__(self, other: object) -> Term:
        return _connective(self, other, lambda a, b: expr.conj(b, a))

    def __or__(self, other: object) -> Term:
        return _connective(self, other, expr.disj)

    def __ror__(self, other: object) -> Term:
        return _connective(self, other, lambda a, b: expr.disj(b, a))

    # ---- what is refused --------------------------------------------------------------------------------------

    def __hash__(self) -> int:
        raise breach(
            f"{self._shown()} has no value while the model is read, so it cannot be looked up in a dict or a set; "
            "write if and elif, or ite"
        )

    def __format__(self, spec: str = "") -> NoReturn:
        raise breach(f"{self._shown()} has no value while the model is read, so it cannot be put into a text")

    __str__ = __repr__ = __format__

    def __mul__(self, other: object) -> NoReturn:
        raise breach(f"{self._shown()}: numbers of the state can only be added, subtracted and compared")

    __rmul__ = __floordiv__ = __rfloordiv__ = __truediv__ = __rtruediv__ = __mod__ = __rmod__ = __mul__
    __pow__ = __rpow__ = __lshift__ = __rlshift__ = __rshift__ = __rrshift__ = __divmod__ = __rdivmod__ = __mul__

    def __neg__(self) -> NoReturn:
        self.__mul__(None)

    __pos__ = __abs__ = __neg__

    def __xor__(self, other: object) -> NoReturn:
        raise breach(
            f"^ is not a word of the language; for one or the other, but not both, write {self._shown()} != ..."
        )

    __rxor__ = __xor__

    def __invert__(self) -> NoReturn:
        raise breach(f"~ of a truth value means something else in plain Python; write not {self._shown()}")

    def __index__(self) -> NoReturn:
        raise breach(f"{self._shown()} has no value while the model is read, so it cannot be used as a number here")

    __int__ = __float__ = __index__

    def __iter__(self) -> NoReturn:
        raise breach(f"{self._shown()} is one value, not a collection")

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise breach(f"{self._shown()} has no attribute {name!r}; it is {_kind(self.domain)}")

    def _shown(self) -> str:
        return render(self.node, tuple(self.slots), self.domain)


def quote(value: object) -> str:
    """`value` for a message; a state expression is shown as what it reads."""
    if isinstance(value, Term):
        return f"<state expression {value._shown()}>"
    return f"the function {value.__name__}" if isinstance(value, (FunctionType, MethodType)) else repr(value)


def parts(value: object) -> Iterator[object]:
    """`value`, and what it holds if it is a collection."""
    yield value
    if isinstance(value, dict):
        value = (*value, *value.values())
    if isinstance(value, (tuple, list, set, frozenset)):
        for item in value:
            yield from parts(item)


def _kind(domain: Domain) -> str:
    return {"bool": "a truth value", "int": "a number", "name": f"one of {domain.name}"}[domain.kind]


def current(*terms: object) -> Stamp | None:
    """The step that all `terms` belong to.  Raises ModelError when one belongs to a step that is over."""
    found: Stamp | None = None
    for term in terms:
        if not isinstance(term, Term) or term.stamp is None:
            continue
        if term.stamp.closed or (found is not None and found is not term.stamp):
            raise breach(
                f"{term._shown()} was read in an earlier step; after a yield the state may be another: read it again"
            )
        found = term.stamp
    return found


def lift(value: object, like: Term) -> Expr:
    """`value`, a term or a constant, as a node that may be compared with `like`."""
    if isinstance(value, Term):
        if not _comparable(value.domain, like.domain):
            raise breach(f"{value._shown()} is {_kind(value.domain)}, {like._shown()} is {_kind(like.domain)}")
        return value.node
    return constant(value, like.domain)


def constant(value: object, domain: Domain) -> Expr:
    """The constant `value` of `domain` as a node.  Any integer will do for an integer domain."""
    if domain.kind == "bool" and isinstance(value, bool):
        return truth(value)
    if domain.kind == "int" and type(value) is int:
        return Const(value)
    if domain.kind == "name" and value in domain:
        assert isinstance(value, Hashable)
        return Const(domain.encode(value))
    raise breach(f"{_quote(value)} is not {_kind(domain)}{_members(domain)}")


def _members(domain: Domain) -> str:
    if domain.kind != "name" or domain.size > 12:
        return ""
    return ": " + ", ".join(show_value(value) for value in domain.values)


def _quote(value: object) -> str:
    return f"{type(value).__name__}.{show_value(value)}" if type(value).__module__ != "builtins" else repr(value)


def _comparable(a: Domain, b: Domain) -> bool:
    return a.kind == b.kind == "int" or a == b


def _term(node: Expr, domain: Domain, *parts: object) -> Term:
    like = next(part for part in parts if isinstance(part, Term))
    return Term(tabulate(node, like.slots), domain, current(*parts), like.slots)


def _comparison(a: Term, b: object, make: object) -> Term:
    return _term(make(a.node, lift(b, a)), Bool, a, b)  # type: ignore[operator]


def _ordering(a: Term, b: object, make: object) -> Term:
    for side in (a, b):
        if isinstance(side, Term) and side.domain.kind != "int":
            raise breach(f"{side._shown()} is {_kind(side.domain)}; only numbers have an order")
    return _comparison(a, b, make)


def _arithmetic(a: Term, b: object, make: object) -> Term:
    for side in (a, b):
        if isinstance(side, Term) and side.domain.kind != "int":
            raise breach(f"{side._shown()} is {_kind(side.domain)}; only numbers can be added (use count, or ite)")
    return _term(make(a.node, lift(b, a)), INT, a, b)  # type: ignore[operator]


def _connective(a: Term, b: object, make: object) -> Term:
    for side in (a, b):
        if isinstance(side, Term) and side.domain.kind != "bool":
            raise breach(
                f"{side._shown()} is {_kind(side.domain)}, not a truth value (mind the brackets around comparisons)"
            )
    return _comparison(a, b, make)


# ---- asking without splitting -------------------------------------------------------------------------------


def _nodes(conditions: Iterable[object]) -> tuple[list[object], list[Expr]] | None:
    """The conditions with their nodes; None when none of them is a state expression."""
    listed = list(conditions)
    for condition in listed:
        if isinstance(condition, Term) and condition.domain.kind != "bool":
            raise breach(f"{condition._shown()} is {_kind(condition.domain)}, not a truth value")
        if not isinstance(condition, (Term, bool)):
            raise breach(f"{quote(condition)} is not a truth value; compare it, call it, or write every(...) of it")
    if not any(isinstance(condition, Term) for condition in listed):
        return None
    return listed, [c.node if isinstance(c, Term) else truth(bool(c)) for c in listed]


def every(conditions: Iterable[object]) -> bool:
    """Whether all `conditions` hold, as one expression: the step does not split."""
    listed = list(conditions)
    found = _nodes(listed)
    return all(listed) if found is None else _term(expr.conj(*found[1]), Bool, *found[0])  # type: ignore[return-value]


def some(conditions: Iterable[object]) -> bool:
    """Whether one or more of `conditions` hold, as one expression: the step does not split."""
    listed = list(conditions)
    found = _nodes(listed)
    return any(listed) if found is None else _term(expr.disj(*found[1]), Bool, *found[0])  # type: ignore[return-value]


def count(conditions: Iterable[object]) -> int:
    """How many of `conditions` hold, as one expression."""
    listed = list(conditions)
    found = _nodes(listed)
    if found is None:
        return sum(map(bool, listed))
    ones = (expr.ite(node, Const(1), Const(0)) for node in found[1])
    return _term(expr.plus(*ones), INT, *found[0])  # type: ignore[return-value]


def ite(condition: object, yes: T, no: T) -> T:
    """`yes` where `condition` holds, else `no`, as one expression.  Both are evaluated."""
    found = _nodes([condition])
    if found is None:
        return yes if condition else no
    assert isinstance(condition, Term)
    like = next((side for side in (yes, no) if isinstance(side, Term)), None)
    domain = like.domain if like is not None else _constant_domain(yes, no)
    ruler = like if like is not None else Term(Const(0), domain, None, condition.slots)
    node = expr.ite(condition.node, lift(yes, ruler), lift(no, ruler))
    return _term(node, INT if domain.kind == "int" else domain, condition, yes, no)  # type: ignore[return-value]


def _constant_domain(yes: object, no: object) -> Domain:
    if isinstance(yes, bool) and isinstance(no, bool):
        return Bool
    if type(yes) is int and type(no) is int:
        return INT
    if type(yes) is type(no) and isinstance(yes, Enum):
        return domain_of(type(yes))
    if type(yes) is type(no):
        raise breach(f"ite cannot tell the domain of {_quote(yes)} and {_quote(no)}; make them members of an Enum")
    raise breach(f"the branches of ite are {_quote(yes)} and {_quote(no)}; give both the same kind of value")


def implies(condition: object, conclusion: object) -> bool:
    """Whether `conclusion` holds wherever `condition` does, as one expression."""
    found = _nodes([condition, conclusion])
    if found is None:
        return not condition or bool(conclusion)
    (listed, (first, second)) = found
    return _term(expr.disj(expr.neg(first), second), Bool, *listed)  # type: ignore[return-value]
