# SPDX-License-Identifier: Apache-2.0
"""The instructions of a flow, which locals each of them reads and sets, and which still matter where."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

RESULT = ".result"
"""The hidden local in which a helper generator leaves its result."""


@dataclass(frozen=True)
class Leaf:
    """A piece of the author's text to be run by Python.

    `parameters` are the locals that it takes, `sets` those that it gives a value.  `keeps` are those of `sets`
    that it may leave as they were: `:=` may stand in a part that does not run.
    """

    index: int
    parameters: tuple[str, ...]
    sets: frozenset[str]
    keeps: frozenset[str]


@dataclass(frozen=True)
class Instruction:
    """One instruction: `line` is the author's, `target` where to go on if not at the next one.

    kinds: do (run the leaf; its value goes to `local` if that is given), branch (to `target` unless the leaf is
    true), jump, begin (a loop over the leaf's items), next (the loop's next item, or to `target`), pause (a
    yield), enter (a helper generator), leave (return), acquire and release (a lock).  `local` is the hidden
    local of a loop or lock.
    """

    kind: str
    line: int
    leaf: Leaf | None = None
    target: int = -1
    local: str = ""

    def uses(self) -> set[str]:
        """The locals that must have a value before."""
        used = set(self.leaf.parameters) if self.leaf else set()
        if self.kind in ("next", "release", "leave"):
            used.add(self.local)
        return used

    def defines(self) -> set[str]:
        """The locals whose value before does not matter after."""
        defined = set(self.leaf.sets - self.leaf.keeps) if self.leaf else set()
        if self.kind in ("begin", "acquire", "do"):
            defined.add(self.local)
        if self.kind == "enter":
            defined.add(RESULT)
        return defined


class Names(ast.NodeVisitor):
    """Which locals a piece of text reads, sets, and may set."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names
        self.reads: set[str] = set()
        self.sets: set[str] = set()
        self.maybe: set[str] = set()

    def visit_Name(self, node: ast.Name) -> None:
        if node.id in self.names:
            (self.reads if isinstance(node.ctx, ast.Load) else self.sets).add(node.id)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self.sets.add(node.target.id)
        self.maybe.add(node.target.id)

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        self.visit(node.generators[0].iter)
        bound = {at.id for made in node.generators for at in ast.walk(made.target) if isinstance(at, ast.Name)}
        self.visit_scope(ast.iter_child_nodes(node), bound)

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self.visit(default)  # evaluated where the lambda is made
        self.visit_scope([node.body], {made.arg for made in ast.walk(node.args) if isinstance(made, ast.arg)})

    def visit_scope(self, inside: Iterable[ast.AST], bound: set[str]) -> None:
        """The names of an inner scope, less those that it binds itself."""
        inner = Names(self.names - bound)
        for child in inside:
            inner.visit(child)
        self.reads |= inner.reads
        self.sets |= inner.maybe
        self.maybe |= inner.maybe

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.generic_visit(node)
        if isinstance(node.target, ast.Name):
            self.reads.add(node.target.id)


class Bound(ast.NodeVisitor):
    """The names that a function's own statements bind; the variables of comprehensions and lambdas are not its."""

    def __init__(self, function: ast.FunctionDef) -> None:
        self.names = {made.arg for made in ast.walk(function.args) if isinstance(made, ast.arg)}
        for node in function.body:
            self.visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.names.add(node.id)

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        self.names |= {at.target.id for at in ast.walk(node) if isinstance(at, ast.NamedExpr)}

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp

    def visit_Lambda(self, node: ast.Lambda) -> None:
        pass


def liveness(instructions: tuple[Instruction, ...]) -> tuple[frozenset[str], ...]:
    """For each instruction, the locals whose value may still be read from there on."""
    live = [frozenset[str]()] * (len(instructions) + 1)
    changed = True
    while changed:
        changed = False
        for at in range(len(instructions) - 1, -1, -1):
            instruction = instructions[at]
            now = frozenset(instruction.uses())
            if instruction.kind not in ("leave", "jump"):
                now |= live[at + 1] - instruction.defines()
            if instruction.target >= 0:
                now |= live[instruction.target]  # a loop that is exhausted has not set its variable
            if now != live[at]:
                live[at], changed = now, True
    return tuple(live[:-1])
