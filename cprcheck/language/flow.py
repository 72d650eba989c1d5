# SPDX-License-Identifier: Apache-2.0
"""A generator function as a flat list of instructions: control is ours, everything else stays Python's.

Only the statements that carry control are taken apart: `if`, `for`, `while`, `break`, `continue`, `return`,
`yield`, `yield from`, `with s.lock(...)`.  Every other statement and every expression becomes a small function
of the locals it reads (a *leaf*), compiled from the author's own text.  So the whole control state of a process is
a position and some locals: plain data, which can be copied and compared.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from types import CellType, CodeType, FunctionType
from typing import Any

from cprcheck.errors import ModelError, Source
from cprcheck.language.dataflow import RESULT, Bound, Instruction, Leaf, Names, liveness
from cprcheck.language.rails import NAME, OUTER, RAILS, Instrumenter, enclose, parse

SUBSET = (
    "a process may use assignments, expressions, if, for, while, break, continue, return, pass, assert, "
    "`yield label`, `x = yield from helper(...)` and `with s.lock(...)`"
)


@dataclass(frozen=True)
class Flow:
    """A compiled generator function.  `live[i]` are the locals that still matter before instruction i."""

    name: str
    filename: str
    instructions: tuple[Instruction, ...]
    live: tuple[frozenset[str], ...]
    leaves: tuple[CodeType, ...]

    def bind(self, function: FunctionType) -> tuple[Callable[..., Any], ...]:
        """The leaves, with the globals and captured variables of `function`."""
        cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
        cells[NAME] = CellType(RAILS)
        return tuple(
            FunctionType(
                code, function.__globals__, code.co_name, None, tuple(cells[name] for name in code.co_freevars)
            )
            for code in self.leaves
        )

    def source(self, at: int) -> Source:
        """The author's line of instruction `at`."""
        return Source(self.filename, self.instructions[at].line)


def compile_flow(code: CodeType) -> Flow:
    """The flow of the generator function whose code this is.

    Raises ModelError for a statement outside the subset, at its line.
    """
    return _compile_flow(code, code.co_filename)


@lru_cache(maxsize=4096)
def _compile_flow(code: CodeType, _file: str) -> Flow:
    """Keyed by the file too: two functions of the same text are equal to Python, wherever they stand."""
    tree = parse(code)
    compiler = _Compiler(code, Bound(tree).names)
    compiler.block(tree.body)
    compiler.emit("leave", tree)
    free = (*code.co_freevars, NAME)
    module = enclose(NAME, list(compiler.leaves), free)
    namespace: dict[str, Any] = {}
    exec(compile(module, code.co_filename, "exec"), namespace)  # noqa: S102 - the author's own text
    instructions = tuple(compiler.instructions)
    leaves = tuple(made for made in namespace[OUTER].__code__.co_consts if isinstance(made, CodeType))
    assert [leaf.co_name for leaf in leaves] == [leaf.name for leaf in compiler.leaves]
    return Flow(code.co_name, code.co_filename, instructions, liveness(instructions), leaves)


@dataclass
class _Loop:
    """Where `break` and `continue` of the innermost loop go, and how many locks were held outside it."""

    again: int
    locks: int
    breaks: list[int] = field(default_factory=list)


class _Compiler:
    """Turns statements into instructions."""

    def __init__(self, code: CodeType, bound: set[str]) -> None:
        self.code = code
        self.locals = frozenset(bound)
        self.instructions: list[Instruction] = []
        self.leaves: list[ast.FunctionDef] = []
        self.loops: list[_Loop] = []
        self.locks: list[str] = []
        self.hidden = 0

    # ---- emitting -------------------------------------------------------------------------------------------

    def emit(self, kind: str, at: ast.AST, leaf: Leaf | None = None, target: int = -1, local: str = "") -> int:
        """Append an instruction; its position."""
        line = getattr(at, "lineno", self.code.co_firstlineno)
        self.instructions.append(Instruction(kind, line, leaf, target, local))
        return len(self.instructions) - 1

    def land(self, *positions: int) -> None:
        """Let the instructions at `positions` go to the next one to be emitted."""
        for at in positions:
            old = self.instructions[at]
            self.instructions[at] = Instruction(old.kind, old.line, old.leaf, len(self.instructions), old.local)

    def fresh(self, what: str) -> str:
        """A new hidden local."""
        self.hidden += 1
        return f".{what}{self.hidden}"

    def refuse(self, at: ast.AST, sentence: str) -> ModelError:
        """The error for a statement that may not be here."""
        line = getattr(at, "lineno", self.code.co_firstlineno)
        return ModelError(sentence, Source(self.code.co_filename, line))

    # ---- leaves ---------------------------------------------------------------------------------------------

    def expression(self, node: ast.expr, *, start: bool = False) -> Leaf:
        """A leaf that gives (the value of `node`, its locals afterwards).

        With `start`, `node` is a call that is only prepared, for `yield from`.
        """
        self.check_leaf(node)
        made: ast.expr = Instrumenter().visit(node)
        if start:
            assert isinstance(made, ast.Call)
            assert isinstance(made.func, ast.Attribute)
            made.func.attr = "start"
        result = ast.Assign([ast.Name(f"{NAME}value", ast.Store())], made)
        pair = ast.Tuple([ast.Name(f"{NAME}value", ast.Load()), _locals_call()], ast.Load())
        return self.leaf(node, [result, ast.Return(pair)])

    def statement(self, node: ast.stmt) -> Leaf:
        """A leaf that runs `node` and gives (None, its locals afterwards)."""
        self.check_leaf(node)
        made = Instrumenter().visit(node)
        pair = ast.Tuple([ast.Constant(None), _locals_call()], ast.Load())
        return self.leaf(node, [made, ast.Return(pair)])

    def assignment(self, target: ast.expr, item: str, at: ast.AST) -> Leaf:
        """A leaf that sets `target` to the hidden local `item`, which it takes as the argument `__item`."""
        self.check_leaf(target)
        made = ast.Assign([target], ast.Name(_python_name(item), ast.Load()))
        ast.copy_location(made, at)
        pair = ast.Tuple([ast.Constant(None), _locals_call()], ast.Load())
        return self.leaf(made, [Instrumenter().visit(made), ast.Return(pair)], extra=item)

    def leaf(self, node: ast.AST, body: list[ast.stmt], extra: str = "") -> Leaf:
        """Wrap `body` in a function of the locals that `node` reads."""
        found = Names(self.locals)
        found.visit(node)
        parameters = (*sorted(found.reads | found.maybe), *([extra] if extra else []))
        names = [_python_name(name) if name == extra else name for name in parameters]
        arguments = ast.arguments([], [ast.arg(name) for name in names], None, [], [], None, [])
        function = ast.FunctionDef(f"{NAME}leaf{len(self.leaves)}", arguments, body, [], None, None)
        if sys.version_info >= (3, 12):
            function.type_params = []
        for made in ast.walk(function):
            if not hasattr(made, "lineno") and isinstance(made, (ast.stmt, ast.expr, ast.arg)):
                ast.copy_location(made, node)
        self.leaves.append(function)
        return Leaf(len(self.leaves) - 1, parameters, frozenset(found.sets), frozenset(found.maybe))

    def check_leaf(self, node: ast.AST) -> None:
        """Refuse a yield hidden inside an expression, and what else cannot be run piece by piece."""
        for at in ast.walk(node):
            if isinstance(at, (ast.Yield, ast.YieldFrom, ast.Await)):
                raise self.refuse(
                    at,
                    "a yield stands alone: write `yield label`, "
                    "`x = yield from helper(...)` or `return (yield from helper(...))`",
                )

    # ---- statements -----------------------------------------------------------------------------------------

    def block(self, body: list[ast.stmt]) -> None:
        """Compile statements in order."""
        for node in body:
            method = getattr(self, f"on_{type(node).__name__}", None)
            if method is None:
                raise self.refuse(node, f"a process cannot hold `{_word(node)}`: {SUBSET}")
            method(node)

    def on_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Constant):
            return
        if isinstance(node.value, ast.Yield):
            self.pause(node.value)
        elif isinstance(node.value, ast.YieldFrom):
            self.enter(node.value)
        else:
            self.emit("do", node, self.statement(node))

    def pause(self, node: ast.Yield) -> None:
        """A yield: the step ends, and the next one begins under this label."""
        if node.value is None:
            raise self.refuse(node, "a yield names the step that begins: write `yield 'label'`")
        self.emit("pause", node, self.expression(node.value))

    def enter(self, node: ast.YieldFrom) -> None:
        """A helper generator runs as part of this process."""
        if not isinstance(node.value, ast.Call):
            raise self.refuse(node, "yield from takes a call: write `yield from helper(...)`")
        self.emit("enter", node, self.expression(node.value, start=True))

    def on_Assign(self, node: ast.Assign) -> None:
        if isinstance(node.value, ast.YieldFrom) and len(node.targets) == 1:
            self.enter(node.value)
            self.emit("do", node, self.assignment(node.targets[0], RESULT, node))
        elif isinstance(node.value, ast.Yield):
            raise self.refuse(node, "a yield gives nothing back: write `yield label` on a line of its own")
        else:
            self.emit("do", node, self.statement(node))

    def plain(self, node: ast.stmt) -> None:
        """A statement that Python runs."""
        self.emit("do", node, self.statement(node))

    on_AugAssign = on_AnnAssign = on_Assert = plain

    def on_Pass(self, node: ast.Pass) -> None:
        pass

    def on_If(self, node: ast.If) -> None:
        test = self.emit("branch", node, self.expression(node.test))
        self.block(node.body)
        if not node.orelse:
            self.land(test)
            return
        over = self.emit("jump", node)
        self.land(test)
        self.block(node.orelse)
        self.land(over)

    def on_While(self, node: ast.While) -> None:
        again = len(self.instructions)
        test = self.emit("branch", node, self.expression(node.test))
        self.loop(node, again, test)

    def on_For(self, node: ast.For) -> None:
        local = self.fresh("for")
        self.emit("begin", node, self.expression(node.iter), local=local)
        again = self.emit("next", node, self.assignment(node.target, local, node), local=local)
        self.loop(node, again, again)

    def loop(self, node: ast.While | ast.For, again: int, test: int) -> None:
        """The body, the way back, and what follows when the loop is exhausted or left by `break`."""
        self.loops.append(_Loop(again, len(self.locks)))
        self.block(node.body)
        self.emit("jump", node, target=again)
        loop = self.loops.pop()
        self.land(test)
        self.block(node.orelse)
        self.land(*loop.breaks)

    def on_Break(self, node: ast.Break) -> None:
        self.release(node, self.loops[-1].locks)
        self.loops[-1].breaks.append(self.emit("jump", node))

    def on_Continue(self, node: ast.Continue) -> None:
        self.release(node, self.loops[-1].locks)
        self.emit("jump", node, target=self.loops[-1].again)

    def on_Return(self, node: ast.Return) -> None:
        if isinstance(node.value, ast.YieldFrom):
            self.enter(node.value)
            self.release(node, 0)
            self.emit("leave", node, local=RESULT)
            return
        if node.value is None:
            self.release(node, 0)
            self.emit("leave", node)
            return
        leaf = self.expression(node.value)
        self.emit("do", node, leaf, local=RESULT)
        self.release(node, 0)
        self.emit("leave", node, local=RESULT)

    def on_With(self, node: ast.With) -> None:
        call = node.items[0].context_expr
        named = isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "lock"
        if len(node.items) != 1 or node.items[0].optional_vars is not None or not named:
            raise self.refuse(node, f"the only with statement of a process is `with s.lock(...):`; {SUBSET}")
        assert isinstance(call, ast.Call)
        if len(call.args) != 1 or call.keywords:
            raise self.refuse(node, "s.lock takes one lock")
        local = self.fresh("lock")
        self.emit("acquire", node, self.expression(call.args[0]), local=local)
        self.locks.append(local)
        self.block(node.body)
        self.locks.pop()
        self.emit("release", node, local=local)

    def release(self, node: ast.stmt, down_to: int) -> None:
        """Release the locks taken inside the first `down_to`, innermost first."""
        for local in reversed(self.locks[down_to:]):
            self.emit("release", node, local=local)


def _locals_call() -> ast.expr:
    return ast.Call(ast.Name("locals", ast.Load()), [], [])


def _python_name(hidden: str) -> str:
    """A hidden local as the parameter of a leaf."""
    return NAME + hidden.removeprefix(".")


def _word(node: ast.stmt) -> str:
    words = {"Try": "try", "TryStar": "try", "Match": "match", "FunctionDef": "def", "ClassDef": "class"}
    name = type(node).__name__
    return words.get(name, name.lower())
