# SPDX-License-Identifier: Apache-2.0
"""A small-step machine over `flow`: from a process's function to its locations and steps.

A control point is a stack of frames, each a position and the locals that still matter.  From a control point, all
paths to the next yields are run; each is one step of the process.  Two control points are the same when the
positions and the live locals, with their types, are the same on the whole stack.
"""

from __future__ import annotations

from collections import Counter
from inspect import signature
from types import FunctionType
from typing import Any

from cprcheck.errors import ModelError
from cprcheck.expr import Const
from cprcheck.language.capture import check_captured, fingerprint
from cprcheck.language.cells import Turn
from cprcheck.language.control import Extraction, Frame, Location, Positions, RawStep, Run, idle
from cprcheck.language.dataflow import RESULT, Instruction, Leaf
from cprcheck.language.declare import LOCK_FREE, Lock, ProcessDecl
from cprcheck.language.flow import compile_flow
from cprcheck.language.path import MAX_PATHS, OVER, Path, Stamp, explore, too_many_paths
from cprcheck.language.place import breach, check_names, located
from cprcheck.language.rails import Started
from cprcheck.language.values import Locals, Memo, NotConstantError, check_local, grows, is_plain, items, typed
from cprcheck.language.view import View
from cprcheck.system import SPECIAL

MAX_INSTRUCTIONS = 100_000
"""A step that runs more instructions than this never ends."""
MAX_DEPTH = 64
"""Helper generators that call each other more often than this do so without end."""
MAX_VALUES = 5_000
"""Where a process can be at one statement with more different locals than this, one of them keeps growing."""
CHECK_EVERY = 64
"""After so many locations, see whether something captured has changed."""


class Machine:
    """Runs one process along all its paths."""

    def __init__(self, process: ProcessDecl, view: View) -> None:
        self.process, self.view = process, view
        self.result = Extraction()
        self.numbers: dict[tuple[Positions, tuple[Locals, ...], str, bool, bool], int] = {}
        self.places: Counter[Positions] = Counter()
        self.bound: dict[int, Frame] = {}
        self.memo: Memo = {}
        self.expanding = 0
        self.budget = 0
        self.finished = 0

    def run(self) -> Extraction:
        """All locations, in the order in which they are discovered, and all steps."""
        self.captured = fingerprint(self.process.function)
        self.parameter()
        arguments = signature(self.process.function).bind(self.view, **self.process.args)
        arguments.apply_defaults()
        first = Run([self.frame(self.process.function, dict(arguments.arguments))], Path())
        self.begin(first)
        while self.expanding < len(self.result.locations):
            self.expand(self.expanding)
            self.expanding += 1
            if self.expanding % CHECK_EVERY == 0 or self.expanding == len(self.result.locations):
                self.check_captured()
        return self.result

    def begin(self, first: Run) -> None:
        """Run up to the first yield, where the process stands initially; until there it may compute constants."""
        self.renew("the way to the first yield")
        self.budget = MAX_INSTRUCTIONS
        early = ModelError(
            "before its first yield a process may only compute constants: yield first, to name its first step",
            self.process.source,
        )
        while first.frames and first.frames[-1].instruction.kind != "pause":
            runs = self.advance(first)
            if len(runs) != 1:
                raise early
            (first,) = runs
            path = first.path
            if path.acted or path.conditions or path.events:
                raise early
        self.arrive(first)

    def check_captured(self) -> None:
        """Refuse a process that changes what it captures."""
        check_captured(self.process.family, self.process.function, self.captured, self.process.source)

    def parameter(self) -> str:
        """The name of the process's first parameter, the state."""
        code = self.process.function.__code__
        if code.co_argcount == 0:
            raise ModelError(
                f"{self.process.family} takes no arguments; its first one is the state", self.process.source
            )
        return str(code.co_varnames[0])

    @property
    def stamp(self) -> Stamp:
        """The step that is being run."""
        return self.view._stamp

    def renew(self, where: str) -> None:
        """Begin a step."""
        self.view._declarations.renew(where)

    def frame(self, function: FunctionType, arguments: dict[str, Any]) -> Frame:
        """A frame at the beginning of `function`."""
        if id(function) not in self.bound:
            flow = compile_flow(function.__code__)
            self.bound[id(function)] = Frame(function, flow, flow.bind(function), 0, {})
        like = self.bound[id(function)]
        return Frame(function, like.flow, like.leaves, 0, arguments)

    # ---- one step -------------------------------------------------------------------------------------------

    def expand(self, number: int) -> None:
        """Run every path from location `number` to the next yields."""
        location = self.result.locations[number]
        self.renew(f"the step {location.label!r}")
        self.budget, self.finished = MAX_INSTRUCTIONS, 0
        path = Path(functions=[location.function] if location.function else [])
        run = Run(list(location.frames), path).copy(path)
        run.frames[-1].at += 1
        path.lines[location.source.file, location.source.line] = None
        if self.process.lock is not None and number == 0:
            self.stamp.begin(path, [])
            path.assume(self.view._is(self.process.lock.slot, {LOCK_FREE}), reason=self.process.lock.reason)
            path.writes[self.process.lock.slot] = Const(1 + self.process.number)
        stack = [run]
        while stack:
            stack += reversed(self.advance(stack.pop()))

    def advance(self, run: Run) -> list[Run]:
        """Run one instruction: the paths that go on from there."""
        frame = run.frames[-1]
        instruction = frame.instruction
        self.budget -= 1
        if self.budget <= 0:
            raise ModelError(
                "this loop does not end while the model is read; put a yield in it", frame.flow.source(frame.at)
            )
        run.path.lines.setdefault((frame.flow.filename, instruction.line))
        match instruction.kind:
            case "pause":
                self.finish(run.path, self.arrive(run))
                return []
            case "leave":
                return self.leave(run, frame.locals.get(instruction.local))
            case "jump":
                frame.at = instruction.target
                return [run]
            case "release":
                self.release(run, frame.locals[instruction.local])
                frame.at += 1
                return [run]
            case "next":
                return self.next(run, frame, instruction)
        return self.ask(run, frame, instruction)

    def ask(self, run: Run, frame: Frame, instruction: Instruction) -> list[Run]:
        """Run the instruction's leaf on all its paths."""
        assert instruction.leaf is not None
        leaf = instruction.leaf

        def answer() -> tuple[Run, Any, dict[str, Any]]:
            own = run.copy(run.path) if run.mutable else run
            value, after = own.frames[-1].call(leaf)
            self.stamp.source = frame.flow.source(frame.at)
            with located(self.stamp.source):
                return own, self.use(frame, instruction, value), after

        runs = []
        outcomes = explore(self.stamp, run.path, answer)
        for path, outcome in outcomes:
            if outcome is OVER:
                self.finish(path, None, "gone")
                continue
            own, value, after = outcome  # type: ignore[misc]
            if own is run and len(outcomes) > 1:
                own = run.copy(path)
            own.path = path
            self.settle(own, instruction, value, after)
            runs.append(own)
        if self.captured.mutable:
            self.check_captured()
        return runs

    def use(self, frame: Frame, instruction: Instruction, value: Any) -> Any:
        """What an instruction makes of its leaf's value, while the path may still fork or be blocked."""
        match instruction.kind:
            case "branch":
                return bool(value)
            case "begin":
                return items(value, self.stamp, frame.flow.source(frame.at)), value
            case "acquire":
                return self.acquire(value)
            case "enter" if not isinstance(value, Started):
                raise breach("yield from takes a helper generator")
        return value

    def settle(self, run: Run, instruction: Instruction, value: Any, after: dict[str, Any]) -> None:
        """Put a leaf's results into the frame, and go on."""
        frame = run.frames[-1]
        for name, new in after.items():
            self.keep(run, name, new, instruction.leaf)
        frame.locals.update(after)
        if instruction.kind == "begin":
            value, whole = value
            if isinstance(whole, list):
                frame.locals[f"{instruction.local}.list"] = (whole, tuple(whole))
        if instruction.local:
            frame.locals[instruction.local] = value
        frame.at = instruction.target if instruction.kind == "branch" and not value else frame.at + 1
        if instruction.kind == "enter":
            for name, argument in value.arguments.items():
                self.keep(run, name, argument)
            run.frames.append(self.frame(value.function, value.arguments))
            if len(run.frames) > MAX_DEPTH:
                raise ModelError(
                    f"helper generators call each other more than {MAX_DEPTH} deep; a process has a bounded stack",
                    frame.flow.source(frame.at - 1),
                )
        elif instruction.local and not is_plain(value, self.memo):
            run.mutable = True

    def keep(self, run: Run, name: str, value: Any, leaf: Leaf | None = None) -> None:
        """Note that a local gets `value`."""
        frame = run.frames[-1]
        check_local(name, value, {*leaf.parameters, *leaf.sets} if leaf else set(), frame.flow.source(frame.at))
        run.mutable = run.mutable or not is_plain(value, self.memo)

    def next(self, run: Run, frame: Frame, instruction: Instruction) -> list[Run]:
        """The next turn of a for loop, or the way out of it.

        Only the items that are left are kept: they are all that the future depends on.
        """
        left = frame.locals[instruction.local]
        whole, before = frame.locals.get(f"{instruction.local}.list", ((), ()))
        if len(whole) != len(before) or any(a is not b for a, b in zip(whole, before, strict=True)):
            raise ModelError(
                "the list that this loop goes through changes meanwhile; go through tuple(...) of it",
                frame.flow.source(frame.at),
            )
        if not left:
            del frame.locals[instruction.local]
            frame.at = instruction.target
            return [run]
        assert instruction.leaf is not None
        self.stamp.begin(run.path, [])
        first = left[0]
        frame.locals[instruction.local] = first.of.read(first.at) if isinstance(first, Turn) else first
        _, after = frame.call(instruction.leaf)
        for name, new in after.items():
            self.keep(run, name, new)
        frame.locals.update(after)
        frame.locals[instruction.local] = left[1:]
        frame.at += 1
        return [run]

    def leave(self, run: Run, value: Any) -> list[Run]:
        """Return from a helper generator, or end the process."""
        run.frames.pop()
        if run.frames:
            run.frames[-1].locals[RESULT] = value
            return [run]
        if self.process.lock is not None:
            run.path.writes[self.process.lock.slot] = Const(LOCK_FREE)
        self.finish(run.path, None, "end")
        return []

    def finish(self, path: Path, target: int | None, over: str = "") -> None:
        """Record a step."""
        self.finished += 1
        if self.finished > MAX_PATHS and self.result.locations:
            raise ModelError(too_many_paths(self.stamp.where), self.result.locations[self.expanding].source)
        self.result.steps.append(RawStep(self.expanding, path, target, over))

    # ---- locks ----------------------------------------------------------------------------------------------

    def acquire(self, lock: Any) -> Lock:
        """Wait until `lock` is free, and take it."""
        if not isinstance(lock, Lock):
            raise breach("s.lock takes what m.lock gave")
        path = self.stamp.path
        written = path.writes.get(lock.slot)
        if written == Const(1 + self.process.number) or (written is None and lock in self.held()):
            raise breach(f"{self.process.name} takes the lock {lock.name!r}, which it already holds")
        if late := path.late("a lock is taken"):
            raise breach(late)
        self.stamp.require(self.view._is(lock.slot, {LOCK_FREE}), lock.reason)
        path.writes[lock.slot] = Const(1 + self.process.number)
        path.acted, path.taken = True, lock.name
        return lock

    def held(self) -> list[Lock]:
        """The locks that the process holds at the location being expanded."""
        frames = self.result.locations[self.expanding].frames if self.result.locations else ()
        locks = [value for frame in frames for name, value in frame.locals.items() if name.startswith(".lock")]
        return locks + [lock for lock in [self.process.lock] if lock is not None]

    def release(self, run: Run, lock: Lock) -> None:
        """Let `lock` go."""
        run.path.writes[lock.slot] = Const(LOCK_FREE)
        run.path.acted = True

    # ---- locations ------------------------------------------------------------------------------------------

    def arrive(self, run: Run) -> int:
        """The number of the location at which `run` stands, a new one if it was never reached before."""
        label = self.label(run)
        self.prune(run)
        positions = tuple((id(frame.function), frame.at) for frame in run.frames)
        locals_ = tuple(self.local_values(frame) for frame in run.frames)
        text, is_idle = (label.label, True) if isinstance(label, idle) else (label, False)
        takes_lock = self.process.lock is not None and not self.numbers
        key = (positions, locals_, text, is_idle, takes_lock)
        if key not in self.numbers:
            frame = run.frames[-1]
            source = frame.flow.source(frame.at)
            place = tuple((id(frame.function.__code__), frame.at) for frame in run.frames)
            self.places[place] += 1
            if self.places[place] > MAX_VALUES:
                raise grows([found for where, found, *_ in self.numbers if where == positions], source)
            self.numbers[key] = len(self.numbers)
            self.result.locations.append(
                Location(text, is_idle, source, self.c_function(run), tuple(run.copy(Path()).frames))
            )
        return self.numbers[key]

    def label(self, run: Run) -> str | idle:
        """What the yield at which `run` stands calls its step."""
        frame = run.frames[-1]
        assert frame.instruction.leaf is not None
        self.stamp.begin(run.path, [])
        value, after = frame.call(frame.instruction.leaf)
        frame.locals.update(after)
        text = value.label if isinstance(value, idle) else value
        if not isinstance(text, str) or not text:
            raise ModelError("a yield names the step that begins: give it a text", frame.flow.source(frame.at))
        with located(frame.flow.source(frame.at)):
            check_names(text)
        if text in SPECIAL:
            raise ModelError(
                f"the name of a step may not be {text!r}: so is a process called that is over",
                frame.flow.source(frame.at),
            )
        if " | " in text or text.endswith(">"):
            raise ModelError("the name of a step may not hold ' | ' or end in '>'", frame.flow.source(frame.at))
        if self.stamp.made:
            raise ModelError("the name of a step cannot depend on the state", frame.flow.source(frame.at))
        return value  # type: ignore[no-any-return]

    def prune(self, run: Run) -> None:
        """Drop the locals that no future step reads."""
        for frame in run.frames:
            top = frame is run.frames[-1]
            live = frame.flow.live[frame.at + 1 if top else frame.at] - {RESULT}
            frame.locals = {name: value for name, value in frame.locals.items() if name in live}

    def local_values(self, frame: Frame) -> Locals:
        """The locals of `frame`, in a form that can be compared."""
        values = []
        for name in sorted(frame.locals):
            try:
                values.append((name, typed(frame.locals[name], self.memo)))
            except NotConstantError as error:
                shown = "what the loop goes through" if name.startswith(".") else f"local {name!r}"
                raise ModelError(f"{shown} {error}", frame.flow.source(frame.at)) from None
        return tuple(values)

    def c_function(self, run: Run) -> str:
        """The C function that the innermost named frame stands for."""
        names = [getattr(frame.function, "__c__", "") for frame in run.frames[1:]]
        return next((name for name in reversed(names) if name), self.process.c_function)
