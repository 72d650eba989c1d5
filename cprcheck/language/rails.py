# SPDX-License-Identifier: Apache-2.0
"""Guard rails for what Python does not let an object refuse: `is`, `in`, a comparison left lying, a lost generator.

The author's functions are compiled again from their source with these constructs routed through `Rails`, and so is
every function of the author's that they call.  Nothing else about them changes; `native` runs the originals.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from dis import get_instructions
from functools import lru_cache, partial
from types import CellType, CodeType, FunctionType, MethodType
from typing import Any

from cprcheck.errors import ModelError, Source
from cprcheck.language.path import Stamp
from cprcheck.language.place import breach, is_authors, source_of
from cprcheck.language.terms import Term, some
from cprcheck.language.view import Reader

NAME = "__cprcheck__"
"""The name under which instrumented code finds its guard rails."""
OUTER = NAME + "outer"
MAX_TURNS = 100_000
"""A loop without a yield that turns more often than this is taken to be endless."""
BLIND = frozenset({"isinstance", "issubclass", "type", "id", "repr", "callable"})
"""Builtins that look at a state expression without asking it anything: they would see the wrong thing."""
FRAMELESS = frozenset({"super", "locals", "vars", "dir", "globals", "eval", "exec"})
"""Builtins that look at their caller's frame, so their calls are left as they are."""


class Rails:
    """What instrumented code calls.  It has no state of its own."""

    def same(self, a: object, b: object) -> bool:
        """`a is b`, refused on state."""
        for side in (a, b):
            if isinstance(side, Term):
                raise breach(f"`is` cannot see the state; write == for {side!r}")
        return a is b

    def member(self, value: object, collection: Any) -> Any:
        """`value in collection`; over a tuple or list it is one expression."""
        if isinstance(collection, Term):
            raise breach(f"{collection!r} is one value, not a collection")
        if isinstance(value, Term) and isinstance(collection, (tuple, list, range)):
            return some(value == option for option in collection)
        return value in collection

    def negated(self, answer: Any) -> bool:
        """`not in`, from what `member` answered."""
        return not answer

    def statement(self, value: object) -> None:
        """A value that nobody uses."""
        if isinstance(value, Term):
            raise breach(
                f"this compares or computes, and drops the result: {value!r}; write = to assign, or require(...)"
            )
        if inspect.isgenerator(value):
            raise breach("this starts a generator and drops it; write yield from")

    def subject(self, value: object) -> object:
        """What a match statement looks at."""
        if isinstance(value, Term):
            raise breach(f"match cannot look at the state; write if and elif for {value!r}")
        return value

    def turns(self) -> Iterator[None]:
        """Counts the turns of a loop without a yield."""
        for _ in range(MAX_TURNS):
            yield
        raise breach("this loop does not end while the model is read; a process's loop needs a yield in it")

    def call(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """`function(...)`, itself instrumented when an author wrote it."""
        self._note(function, args)
        name = getattr(function, "__name__", "")
        if getattr(builtins, name, None) is function and name in BLIND:
            for argument in args:
                if isinstance(argument, Term):
                    raise breach(f"{name}() cannot see the state; {argument!r} has no value while the model is read")
        if inspect.isgeneratorfunction(function):
            raise breach(f"{name} is a helper generator: without yield from, nothing of it would run")
        return instrument(function)(*args, **kwargs)

    def start(self, function: Any, /, *args: Any, **kwargs: Any) -> Started:
        """What `yield from function(...)` starts."""
        if not inspect.isgeneratorfunction(function):
            name = getattr(function, "__name__", repr(function))
            raise breach(f"yield from needs a helper generator, and {name} has no yield; call it without yield from")
        self._note(function, args)
        plain: Any = function
        if isinstance(function, MethodType):
            plain, args = function.__func__, (function.__self__, *args)
        bound = inspect.signature(plain).bind(*args, **kwargs)
        bound.apply_defaults()
        return Started(plain, dict(bound.arguments))

    def _note(self, function: Any, args: tuple[Any, ...]) -> None:
        """Remember which C function a helper stands for, in the step that calls it."""
        name = getattr(function, "__c__", "")
        for argument in args if name else ():
            if isinstance(argument, Reader):
                stamp: Stamp = argument._stamp
                if name not in stamp.path.functions:
                    stamp.path.functions.append(name)


class Started:
    """A helper generator that `yield from` is about to run, with its arguments."""

    def __init__(self, function: FunctionType, arguments: dict[str, Any]) -> None:
        self.function, self.arguments = function, arguments


RAILS = Rails()


def instrument(function: Any) -> Any:
    """`function` with guard rails, if an author wrote it in Python; anything else unchanged."""
    if isinstance(function, partial):
        return partial(instrument(function.func), *function.args, **function.keywords)
    if isinstance(function, MethodType):
        return MethodType(instrument(function.__func__), function.__self__)
    if not isinstance(function, FunctionType) or not is_authors(function.__code__.co_filename):
        return function
    code = function.__code__
    if NAME in code.co_freevars or source_lines(code) is None:
        return function
    if code.co_name == "<lambda>":
        if any(step.opname in ("IS_OP", "CONTAINS_OP") for step in get_instructions(code)):
            raise breach("a lambda with `is` or `in` cannot be checked for questions about the state; write a def")
        return function
    return _instrument(function)


def _instrument(function: FunctionType) -> FunctionType:
    inner = _instrumented_code(function.__code__, function.__code__.co_filename)
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    cells[NAME] = CellType(RAILS)
    closure = tuple(cells[name] for name in inner.co_freevars)
    made = FunctionType(inner, function.__globals__, function.__name__, function.__defaults__, closure)
    made.__kwdefaults__ = function.__kwdefaults__
    return made


@lru_cache(maxsize=4096)
def _instrumented_code(code: CodeType, _file: str) -> CodeType:
    """Keyed by the file too: two functions of the same text are equal to Python, wherever they stand."""
    tree = parse(code)
    Instrumenter().visit(tree)
    tree.decorator_list = []
    outer = enclose(tree.name, [tree], (*code.co_freevars, NAME))
    namespace: dict[str, Any] = {}
    exec(compile(outer, code.co_filename, "exec"), namespace)  # noqa: S102 - the author's own source
    constants = namespace[OUTER].__code__.co_consts
    return next(c for c in constants if isinstance(c, CodeType) and c.co_name == tree.name)


def enclose(name: str, body: list[ast.stmt], free: tuple[str, ...]) -> ast.Module:
    """A module with one function whose parameters are `free`, which defines `body` and returns `name`."""
    arguments = ast.arguments([], [ast.arg(parameter) for parameter in dict.fromkeys(free)], None, [], [], None, [])
    result = ast.Return(ast.Name(name, ast.Load()))
    outer = ast.FunctionDef(OUTER, arguments, [*body, result], [], None, None)
    if sys.version_info >= (3, 12):
        outer.type_params = []
    return ast.fix_missing_locations(ast.Module([outer], []))


def source_lines(code: CodeType) -> tuple[str, int] | None:
    """(the text of a function from its first decorator on, the line it begins at); None when there is none."""
    return _source_lines(code, code.co_filename)


@lru_cache(maxsize=4096)
def _source_lines(code: CodeType, _file: str) -> tuple[str, int] | None:
    try:
        lines, first = inspect.getsourcelines(code)
    except (OSError, TypeError):
        return None
    return textwrap.dedent("".join(lines)), first


def parse(code: CodeType) -> ast.FunctionDef:
    """The syntax tree of the function whose code this is, with the line numbers of its file.

    Raises ModelError when it is not a plain `def` whose source can be read.
    """
    found = source_lines(code)
    if found is None:
        raise ModelError(f"the source of {code.co_name} cannot be read, so it cannot be checked", source_of(code))
    text, first = found
    tree = ast.parse(text).body[0] if code.co_name != "<lambda>" else None
    if not isinstance(tree, ast.FunctionDef):
        raise ModelError("only a plain def can be part of a model", source_of(code))
    ast.increment_lineno(tree, first - 1)
    return tree


class Instrumenter(ast.NodeTransformer):
    """Routes the constructs that Python does not let a Term refuse through `Rails`."""

    def __init__(self) -> None:
        self.loops = 0

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if not any(isinstance(op, (ast.Is, ast.IsNot, ast.In, ast.NotIn)) for op in node.ops):
            return node
        if len(node.ops) > 1:
            return node  # `a is b is c`: nobody writes it, and each part still refuses a hash or a truth
        method = "same" if isinstance(node.ops[0], (ast.Is, ast.IsNot)) else "member"
        asked = _rails(method, [node.left, node.comparators[0]], node)
        if isinstance(node.ops[0], (ast.IsNot, ast.NotIn)):
            return _rails("negated", [asked], node)
        return asked

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in FRAMELESS:
            return node
        call = _rails("call", [node.func, *node.args], node)
        call.keywords = node.keywords
        return call

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.value, (ast.Constant, ast.Yield, ast.YieldFrom)):
            return node
        return ast.copy_location(ast.Expr(_rails("statement", [node.value], node)), node)

    def visit_Match(self, node: ast.Match) -> ast.AST:
        self.generic_visit(node)
        node.subject = _rails("subject", [node.subject], node)
        return node

    def visit_While(self, node: ast.While) -> list[ast.stmt]:
        self.generic_visit(node)
        self.loops += 1
        name = f"{NAME}turns{self.loops}"
        start = ast.Assign([ast.Name(name, ast.Store())], _rails("turns", [], node))
        turn = ast.Expr(ast.Call(ast.Name("next", ast.Load()), [ast.Name(name, ast.Load())], []))
        node.body.insert(0, turn)
        for made in (start, turn):
            ast.copy_location(made, node)
        return [start, node]


def _rails(method: str, args: list[ast.expr], at: ast.AST) -> ast.Call:
    """A call of one of the methods of `Rails`, at the line where `at` begins."""
    rails = ast.Attribute(ast.Name(NAME, ast.Load()), method, ast.Load())
    call = ast.Call(rails, args, [])
    for made in (call, rails, rails.value):
        ast.copy_location(made, at)
        made.end_lineno, made.end_col_offset = made.lineno, made.col_offset
    return call


def function_source(function: Callable[..., Any]) -> Source:
    """The line at which `function` is defined."""
    plain = inspect.unwrap(function)
    code = getattr(plain, "__code__", None)
    return source_of(code) if code is not None else Source("?", 0)
