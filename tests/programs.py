"""Random generator programs: text that a careful author could have written, for comparing `native` with the System."""

from __future__ import annotations

import linecache
from random import Random

from cprcheck.language.model import Model

HEAD = """
from enum import Enum
from cprcheck import *

class Color(Enum):
    RED = 0
    GREEN = 1
    BLUE = 2

def build():
    m = Model("random")
    m.var("n", Range(0, 3), init={n})
    m.var("b", Bool, init={b})
    m.var("c", Color, init=Color.RED)
    m.array("v", (0, 1), Bool, init=False)
    l = m.lock("l")
    g = m.group("g")
"""


class Writer:
    """Writes one program; every decision comes from the seed."""

    def __init__(self, seed: int | str) -> None:
        self.r = Random(seed)
        self.lines: list[str] = []
        self.labels = 0
        self.budget = 0
        self.names = 0

    def program(self) -> str:
        r = self.r
        text = HEAD.format(n=r.choice(["0", "1", "any_of(0, 2)"]), b=r.choice(["True", "False"]))
        self.lines = text.splitlines()
        self.tester()
        for name in ("helper_one", "helper_two"):
            self.budget = 4
            self.function(name, f"s, k{', again=True' if name == 'helper_two' else ''}", "    ", "helper")
        for name in ("p", "q")[: r.choice([1, 2, 2])]:
            self.budget = 7
            options = r.choice(["", "", "(group=g)", "(lock=l)"])
            self.lines.append(f"    @m.process{options}")
            self.uses_lock = options == "(lock=l)"
            self.function(name, "s", "    ", "process")
        if r.random() < 0.4:
            self.lines += [
                "    @m.action",
                "    def poke(s):",
                f"        s.require({self.condition('0')})",
                f"        {self.write('0')}",
            ]
            if r.random() < 0.5:
                self.lines += ["        if s.alive(g) and s.b:", "            s.kill(g)"]
        self.lines.append("    return m")
        return "\n".join(self.lines) + "\n"

    def tester(self) -> None:
        """A plain helper: branches, writes, an early return."""
        self.lines += [
            "    def tester(s, k):",
            f"        if {self.condition('k')}:",
            f"            {self.write('k')}",
            f"            return {self.r.choice(['True', '1', 's.b', 's.v[k] or s.b', 's.v[k] and s.b'])}",
            f"        if s.n == 2 and not {self.atom('k')}:",
            "            return s.c == Color.RED",
            "        return False",
        ]

    uses_lock = False

    def function(self, name: str, arguments: str, indent: str, kind: str) -> None:
        self.kind, self.k = kind, "k" if kind == "helper" else "0"
        self.in_lock, self.in_loop = self.uses_lock or kind == "helper", 0
        self.lines.append(f"{indent}def {name}({arguments}):")
        inner = indent + "    "
        if kind == "process" or self.r.random() < 0.5:
            self.pause(inner)
        self.block(inner, 2)
        if kind == "helper":
            self.pause(inner)
            self.lines.append(f"{inner}return {self.r.choice(['0', '1', 'k', 's.n', '2 - k'])}")
        self.kind = ""

    def fresh(self, stem: str) -> str:
        self.names += 1
        return f"{stem}{self.names}"

    def pause(self, indent: str) -> None:
        self.labels += 1
        label = f'"step {self.labels}"'
        if self.k == "k" and self.r.random() < 0.3:
            label = f'f"step {self.labels} for {{k}}"'
        if self.r.random() < 0.15:
            label = f"idle({label})"
        self.lines.append(f"{indent}yield {label}")
        if self.r.random() < 0.25:
            self.lines.append(f"{indent}s.require({self.condition(self.k)})")

    def block(self, indent: str, depth: int) -> None:
        for _ in range(self.r.randint(1, 3)):
            self.statement(indent, depth)

    def statement(self, indent: str, depth: int) -> None:
        r = self.r
        self.budget -= 1
        simple = [
            self.on_write,
            self.on_write,
            self.on_pause,
            self.on_pause,
            self.on_emit,
            self.on_fault_flag,
            self.on_choose,
            self.on_test,
            self.on_carry,
        ]
        nested = [self.on_if, self.on_if, self.on_for, self.on_while, self.on_fault, self.on_lock]
        if self.kind == "process":
            simple += [self.on_helper, self.on_helper]
        if depth and self.budget > 0 and r.random() < 0.55:
            r.choice(nested)(indent, depth)
        elif self.in_loop and r.random() < 0.12:
            self.lines.append(f"{indent}if {self.condition(self.k)}:")
            self.lines.append(f"{indent}    {r.choice(['break', 'continue'])}")
        elif r.random() < 0.06:
            self.lines += [
                f"{indent}if {self.condition(self.k)}:",
                f"{indent}    return{' 0' if self.kind == 'helper' else ''}",
            ]
        else:
            r.choice(simple)(indent)

    # ---- statements -----------------------------------------------------------------------------------------

    def on_write(self, indent: str) -> None:
        self.lines.append(indent + self.write(self.k))

    def on_pause(self, indent: str) -> None:
        self.pause(indent)

    def on_emit(self, indent: str) -> None:
        self.lines.append(f'{indent}s.emit("seen", k={self.k})')

    def on_fault_flag(self, indent: str) -> None:
        flag = self.fresh("failed")
        self.lines.append(f'{indent}{flag} = s.fault("flag", injected={self.r.choice([True, False])})')
        if self.r.random() < 0.4:
            self.pause(indent)
        self.lines += [f"{indent}if {flag}:", f"{indent}    {self.write(self.k)}"]

    def on_choose(self, indent: str) -> None:
        name = self.fresh("picked")
        self.lines.append(f'{indent}{name} = s.choose("which", (0, 1))')
        if self.r.random() < 0.4:
            self.pause(indent)
        self.lines.append(
            f"{indent}s.v[{name}] = not s.v[{name}]" if self.r.random() < 0.5 else f"{indent}s.n = {name}"
        )

    def on_test(self, indent: str) -> None:
        self.lines += [f"{indent}if tester(s, {self.k}):", f"{indent}    {self.write(self.k)}"]

    def on_carry(self, indent: str) -> None:
        """A local read from the state and used in the same step."""
        name = self.fresh("seen")
        self.lines += [
            f"{indent}{name} = s.n",
            f"{indent}if {name} == 1 or {name} > 2:",
            f"{indent}    {self.write(self.k)}",
        ]

    def on_helper(self, indent: str) -> None:
        name, helper = self.fresh("got"), self.r.choice(["helper_one", "helper_two"])
        self.lines.append(f"{indent}{name} = yield from {helper}(s, {self.r.choice(['0', '1', self.k])})")
        if self.r.random() < 0.5:
            self.lines += [f"{indent}if {name} == 1:", f"{indent}    {self.write(self.k)}"]

    def on_if(self, indent: str, depth: int) -> None:
        self.lines.append(f"{indent}if {self.condition(self.k)}:")
        self.block(indent + "    ", depth - 1)
        if self.r.random() < 0.5:
            self.lines.append(f"{indent}else:")
            self.block(indent + "    ", depth - 1)

    def on_for(self, indent: str, depth: int) -> None:
        name = self.fresh("i")
        items = self.r.choice(["(0, 1)", "range(2)", "[1, 1, 0]", "reversed((0, 1))", "(True, 1)"])
        self.lines.append(f"{indent}for {name} in {items}:")
        saved, self.k = self.k, name
        self.in_loop += 1
        self.block(indent + "    ", depth - 1)
        if self.r.random() < 0.6:
            self.pause(indent + "    ")
        self.in_loop -= 1
        self.k = saved
        if self.r.random() < 0.3:
            self.lines += [f"{indent}else:", f"{indent}    {self.write(self.k)}"]

    def on_while(self, indent: str, depth: int) -> None:
        name = self.fresh("turn")
        self.lines += [
            f"{indent}{name} = 0",
            f"{indent}while {name} < 2 and not ({self.atom(self.k)}):",
            f"{indent}    {name} += 1",
        ]
        self.in_loop += 1
        self.block(indent + "    ", depth - 1)
        if self.r.random() < 0.7:
            self.pause(indent + "    ")
        self.in_loop -= 1

    def on_fault(self, indent: str, depth: int) -> None:
        self.lines.append(f'{indent}if s.fault("breaks"):')
        self.block(indent + "    ", depth - 1)

    def on_lock(self, indent: str, depth: int) -> None:
        if self.in_lock:
            self.on_if(indent, depth)
            return
        self.pause(indent)
        if "require" in self.lines[-1]:
            self.lines.pop()
        self.lines.append(f"{indent}with s.lock(l):")
        self.in_lock = True
        self.block(indent + "    ", depth - 1)
        self.in_lock = False
        if self.r.random() < 0.5:
            self.pause(indent)

    # ---- expressions ----------------------------------------------------------------------------------------

    def atom(self, k: str) -> str:
        return self.r.choice(
            ["s.b", f"s.v[{k}]", "s.n == 0", "s.n < 2", "s.c == Color.GREEN", "s.c != Color.BLUE", "s.n in (1, 3)",
             f"s.v[0] == s.v[{k}]", "any(s.v)", "all(s.v)", "every(s.v)", "some(s.v)", "count(s.v) == 1",
             f"{k} == 1", "implies(s.b, s.n > 1)", "s.n + 1 == 3", "s.alive(g)", "0 < s.n <= 2"]
        )  # fmt: skip

    def condition(self, k: str) -> str:
        shape = self.r.choice(
            ["{0}", "{0}", "not {0}", "{0} and {1}", "{0} or {1}", "not ({0} or {1})", "({0}) & ({1})"]
        )
        return shape.format(self.atom(k), self.atom(k)) if "&" not in shape else f"(s.b) & (s.v[{k}] == False)"

    def write(self, k: str) -> str:
        return self.r.choice(
            ["s.n = 0", "s.n = 3", "s.n = ite(s.n < 3, s.n + 1, 0)", "s.n += 1", "s.b = not s.b", f"s.b = s.v[{k}]",
             "s.b = s.n == 1", f"s.v[{k}] = True", f"s.v[{k}] = s.b", "s.c = Color.GREEN", "s.n = count(s.v)",
             "s.c = Color.BLUE if s.b else Color.RED", "s.c = ite(s.b, Color.RED, Color.GREEN)", "s.n = s.n - 1",
             f"s.b = s.v[{k}] and s.n == 2"]
        )  # fmt: skip


def random_model(seed: int | str) -> tuple[Model, str]:
    """A random model, and its text; the text is registered so that its functions' source can be found."""
    text = Writer(seed).program()
    filename = f"<random program {seed}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    namespace: dict[str, object] = {"__name__": "random_program"}
    exec(compile(text, filename, "exec"), namespace)
    made = namespace["build"]()  # type: ignore[operator]
    assert isinstance(made, Model)
    return made, text
