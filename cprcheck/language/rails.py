# SPDX-License-Identifier: Apache-2.0
"""Guard rails for what Python does not let an object refuse: `is`, `in`, a comparison left lying, a lost generator.

The author's functions are compiled again from their source with these constructs routed through `Rails`, and so is
every function of the author's that they call.  Nothing else about them changes; `native` runs the originals.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import copy
import inspect
import linecache
import operator
import sys
from collections.abc import Callable, Iterator
from dis import get_instructions
from functools import lru_cache, partial
from types import CellType, CodeType, FunctionType, MethodType
from typing import Any, TypeGuard

from cprcheck.errors import CprcheckError, ModelError, Source
from cprcheck.language.capture import cell_contents
from cprcheck.language.cells import Cells, Live, live
from cprcheck.language.path import Blocked, Finished, Stamp
from cprcheck.language.place import author_source, breach, is_authors, source_of
from cprcheck.language.terms import Term, parts, quote, some
from cprcheck.language.view import Reader

NAME = "__cprcheck__"
"""The name under which instrumented code finds its guard rails."""
OUTER = NAME + "outer"
MAX_TURNS = 100_000
"""A loop without a yield that turns more often than this is taken to be endless."""
BLIND = frozenset({"isinstance", "issubclass", "type", "id", "repr", "callable"})
"""Builtins that look at a state expression without asking it anything: they would see the wrong thing."""
FRAMELESS = frozenset({"super", "vars", "dir", "globals"})
"""Builtins that look at their caller's frame, so their calls are left as they are."""
CHANCE = frozenset({"random", "secrets", "time", "uuid"})
"""Modules whose functions answer differently each time."""


class Rails:
    """What instrumented code calls.  It has no state of its own."""

    def same(self, a: object, b: object) -> bool:
        """`a is b`, refused on state."""
        for side in (a, b):
            if isinstance(side, Term):
                raise breach(f"`is` cannot see the state; write == for {quote(side)}")
        return a is b

    def member(self, value: object, collection: Any) -> Any:
        """`value in collection`; over a tuple or list it is one expression."""
        if isinstance(collection, Term):
            raise breach(f"{quote(collection)} is one value, not a collection")
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
                f"this compares or computes, and drops the result: {quote(value)}; write = to assign, or require(...)"
            )
        if inspect.isgenerator(value):
            raise breach("this starts a generator and drops it; write yield from")

    def subject(self, value: object) -> object:
        """What a match statement looks at."""
        for item in parts(value):
            if isinstance(item, Term):
                raise breach(f"match cannot look at the state; write if and elif for {quote(item)}")
        return value

    def operand(self, value: object) -> object:
        """A part of a chain of comparisons with `is` or `in`."""
        if isinstance(value, Term):
            raise breach(f"`is` and `in` in a chain cannot see the state; compare {quote(value)} on its own")
        return value

    def caught(self) -> None:
        """An except clause has caught something: what the language refuses is not the author's to catch."""
        error = sys.exc_info()[1]
        if isinstance(error, (CprcheckError, Blocked, Finished)):
            raise error

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
                    raise breach(
                        f"{name}() cannot see the state; {quote(argument)} has no value while the model is read"
                    )
        if any(function is blind for blind in (operator.is_, operator.is_not)):
            self.same(*args)
        self._refuse(function, name, (*args, *kwargs.values()))
        if any(function is walk for walk in (enumerate, zip, reversed)) and any(
            isinstance(argument, (Cells, Live)) for argument in args
        ):
            return live(function, args)
        if inspect.isgeneratorfunction(function):
            raise breach(f"{name} is a generator: run its steps with yield from; for data, return a tuple")
        if not is_authors_function(function):
            args = tuple(map(_with_rails, args))
            kwargs = {key: _with_rails(value) for key, value in kwargs.items()}
        return instrument(function)(*args, **kwargs)

    def _refuse(self, function: Any, name: str, args: tuple[Any, ...]) -> None:
        """Calls whose answer is not about the state, the arguments and constants alone, or that hide a refusal."""
        source = getattr(function, "__module__", None) or type(getattr(function, "__self__", None)).__module__
        if source in CHANCE or function is input:
            raise breach(f"{name}() answers differently each time; write s.choose(...) for what may go either way")
        if any(function is sees for sees in (locals, eval, exec)):
            raise breach(f"{name}() sees a piece of this function only; name what you need")
        if hasattr(function, "registry") and hasattr(function, "dispatch"):
            raise breach(f"{name}() chooses by type, and the state has none while the model is read; write if")
        if function is contextlib.suppress:
            raise breach("suppress would hide what the language refuses; write if")
        if isinstance(function, type) and is_authors_function(getattr(function, "__init__", None)):
            for argument in args:
                if isinstance(argument, (Term, Reader, Cells)):
                    raise breach(f"{name}(...) takes the state into an object, where its use cannot be checked")

    def start(self, function: Any, /, *args: Any, **kwargs: Any) -> Started:
        """What `yield from function(...)` starts."""
        self._note(function, args)
        plain: Any = function
        while isinstance(plain, partial):
            plain, args, kwargs = plain.func, (*plain.args, *args), plain.keywords | kwargs
        if isinstance(plain, MethodType):
            plain, args = plain.__func__, (plain.__self__, *args)
        name, here = getattr(plain, "__name__", repr(plain)), author_source()
        own = source_of(plain.__code__) if is_authors_function(plain) else here
        if not inspect.isgeneratorfunction(plain):
            advice = "write a def with a yield, or call it there without yield from"
            raise ModelError(f"{name} has no yield, and {here} runs it with yield from: {advice}", own)
        try:
            bound = inspect.signature(plain, follow_wrapped=False).bind(*args, **kwargs)
        except TypeError as error:
            raise ModelError(f"{name} does not take the arguments that {here} gives it: {error}", own) from None
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
    if not is_authors_function(function):
        own = getattr(type(function), "__call__", None)  # noqa: B004 - the method itself is wanted
        return MethodType(instrument(own), function) if is_authors_function(own) else function
    code = function.__code__
    if NAME in code.co_freevars:
        return function
    if code.co_name == "<lambda>":
        _check_lambda(function)
        return function
    return _instrument(function) if has_source(code) else function


def is_authors_function(function: Any) -> TypeGuard[FunctionType]:
    """Whether `function` is plain Python that a model's author wrote."""
    return isinstance(function, FunctionType) and is_authors(function.__code__.co_filename)


def _with_rails(value: Any) -> Any:
    """An argument for somebody else's function: if it is the author's function, that may be called there."""
    plain = isinstance(value, (FunctionType, MethodType, partial)) and not inspect.isgeneratorfunction(value)
    return instrument(value) if plain else value


def _check_lambda(function: FunctionType) -> None:
    """Refuse a lambda in which the state could be asked something without being noticed: it is run as it is."""
    named = function.__globals__ | cell_contents(function)
    pending = [function.__code__]
    while pending:
        code = pending.pop()
        pending += [made for made in code.co_consts if isinstance(made, CodeType)]
        if any(step.opname in ("IS_OP", "CONTAINS_OP") for step in get_instructions(code)):
            raise breach("a lambda with `is` or `in` cannot be checked for questions about the state; write a def")
        for name in (*code.co_names, *code.co_freevars):
            if is_authors_function(named.get(name)):
                raise breach(f"a lambda that uses {name} cannot be checked for questions about the state; write a def")


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
    tree.name = f"{NAME}{tree.name}"  # its own name stays what the author's module or closure says it is
    outer = enclose(tree.name, [tree], (*code.co_freevars, NAME))
    namespace: dict[str, Any] = {}
    exec(compile(outer, code.co_filename, "exec"), namespace)  # noqa: S102 - the author's own source
    constants = namespace[OUTER].__code__.co_consts
    made = next(c for c in constants if isinstance(c, CodeType) and c.co_name == tree.name)
    return made.replace(co_name=code.co_name, co_qualname=code.co_qualname)


def enclose(name: str, body: list[ast.stmt], free: tuple[str, ...]) -> ast.Module:
    """A module with one function whose parameters are `free`, which defines `body` and returns `name`."""
    arguments = ast.arguments([], [ast.arg(parameter) for parameter in dict.fromkeys(free)], None, [], [], None, [])
    result = ast.Return(ast.Name(name, ast.Load()))
    outer = ast.FunctionDef(OUTER, arguments, [*body, result], [], None, None)
    if sys.version_info >= (3, 12):
        outer.type_params = []
    return ast.fix_missing_locations(ast.Module([outer], []))


def has_source(code: CodeType) -> bool:
    """Whether the text of the `def` whose code this is can be read."""
    return (code.co_name, code.co_firstlineno) in _functions(code.co_filename)


@lru_cache(maxsize=256)
def _functions(filename: str) -> dict[tuple[str, int], ast.FunctionDef]:
    """Every `def` of a file by its name and the line of its first decorator or, without one, its own."""
    linecache.checkcache(filename)
    found = {}
    for node in ast.walk(ast.parse("".join(linecache.getlines(filename)))):
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            found[node.name, first] = node
    return found


def parse(code: CodeType) -> ast.FunctionDef:
    """The syntax tree of the function whose code this is, with the line numbers of its file; the caller's own.

    Raises ModelError when it is not a plain `def` whose source can be read, and for `nonlocal` and `global`.
    """
    if code.co_name == "<lambda>":
        raise ModelError("only a plain def can be part of a model", source_of(code))
    if not has_source(code):
        raise ModelError(f"the source of {code.co_name} cannot be read, so it cannot be checked", source_of(code))
    tree = copy.deepcopy(_functions(code.co_filename)[code.co_name, code.co_firstlineno])
    for node in ast.walk(tree):
        if isinstance(node, (ast.Nonlocal, ast.Global)):
            word = type(node).__name__.lower()
            raise ModelError(
                f"`{word} {', '.join(node.names)}` changes what is captured; "
                "what changes belongs in m.var or in a local",
                Source(code.co_filename, node.lineno),
            )
        final = node.finalbody if isinstance(node, ast.Try) else []
        if any(isinstance(at, _LEAVES) for made in final for at in ast.walk(made)):
            raise ModelError(
                "a return, break or continue in finally hides what ends a step in the language; write it behind",
                Source(code.co_filename, final[0].lineno),
            )
        if isinstance(node, ast.ExceptHandler) and _catches_all(node.type):
            raise ModelError(
                "this except catches everything, also what ends a step in the language; name the exception",
                Source(code.co_filename, node.lineno),
            )
    return tree


_LEAVES = (ast.Return, ast.Break, ast.Continue)


def _catches_all(node: ast.expr | None) -> bool:
    return node is None or any(isinstance(at, ast.Name) and at.id == "BaseException" for at in ast.walk(node))


class Instrumenter(ast.NodeTransformer):
    """Routes the constructs that Python does not let a Term refuse through `Rails`."""

    def __init__(self) -> None:
        self.loops = 0

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if not any(isinstance(op, (ast.Is, ast.IsNot, ast.In, ast.NotIn)) for op in node.ops):
            return node
        if len(node.ops) > 1:
            node.left = _rails("operand", [node.left], node)
            node.comparators = [*(_rails("operand", [part], node) for part in node.comparators)]
            return node
        method = "same" if isinstance(node.ops[0], (ast.Is, ast.IsNot)) else "member"
        asked = _rails(method, [node.left, node.comparators[0]], node)
        if isinstance(node.ops[0], (ast.IsNot, ast.NotIn)):
            return _rails("negated", [asked], node)
        return asked

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        # `a and b and c` as `a and (b and c)`: the same to Python, which then asks each operand on its own line.
        first, *rest = node.values
        if len(rest) > 1:
            node.values = [first, ast.copy_location(ast.BoolOp(node.op, rest), rest[0])]
        self.generic_visit(node)
        return node

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

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        self.generic_visit(node)
        node.body.insert(0, ast.copy_location(ast.Expr(_rails("caught", [], node)), node))
        return node

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
