"""The rules of steps, generators, locations and locks; more in `test_rules`."""

from __future__ import annotations

import re

import pytest
from authors import HEAD_LINES, process, refusal, written

from cprcheck.language import oracle
from cprcheck.semantics import initial_states, successors
from cprcheck.system import END, State, System

STEP = 'yield "go"\n'


def step_of(body: str) -> tuple[System, list[tuple[State, tuple[tuple[str, str], ...]]]]:
    """The System of a body with one process, and its first steps: (state after, choices)."""
    system = written(body).system
    first = next(initial_states(system))
    return system, [(after, system.transitions[i].choices) for i, after in successors(system, first)]


# ---- require, choose, fault, emit -----------------------------------------------------------------------------------

LATE = "require after a write, a choice or a fault of the same step; yield before you wait"


@pytest.mark.parametrize("before", ["s.n = 1", 's.choose("c", (0, 1))', 's.fault("f")'])
def test_require_stands_first(before: str) -> None:
    assert refusal(process(STEP + before + "\ns.require(s.b)\n")) == (LATE, "s.require(s.b)")


def test_require_after_a_branch_is_fine() -> None:
    model = written(process(STEP + "if s.n == 0:\n    s.require(not s.b)\ns.n = 1\n"))
    assert oracle.compare(model, 2) == ""


def test_require_takes_truth_values() -> None:
    assert refusal(process(STEP + "s.require(s.n)\n")) == (
        "n is a number, not a truth value; compare it with something",
        "s.require(s.n)",
    )


def test_choices_branch_freely() -> None:
    system, steps = step_of(process(STEP + 's.n = s.choose("how many", (1, 2, 3))\n'))
    assert [(after[system.slot("n")], choices) for after, choices in steps] == [
        (1, (("how many", "1"),)),
        (2, (("how many", "2"),)),
        (3, (("how many", "3"),)),
    ]


def test_empty_options() -> None:
    assert refusal(process(STEP + 's.n = s.choose("how many", ())\n')) == (
        "choose('how many') has no options; test that there are some before you ask",
        's.n = s.choose("how many", ())',
    )


def test_options_from_the_state() -> None:
    assert refusal(process(STEP + 's.n = s.choose("how many", (s.n, 1))\n')) == (
        "choose('how many') offers a state expression; offer constants",
        's.n = s.choose("how many", (s.n, 1))',
    )


def test_a_step_may_take_two_faults_and_counts_both() -> None:
    body = process(STEP + "if twice(s):\n    s.n = 1\n", 'def twice(s):\n    return s.fault("f") and s.fault("f")\n')
    counts = sorted(len(t.faults) for t in written(body).system.transitions)
    assert counts == [0, 1, 2]
    sites = {fault.site.line for t in written(body).system.transitions for fault in t.faults}
    assert len(sites) == 1


def test_faults_have_a_class() -> None:
    body = process(STEP + 'if s.fault("real"):\n    s.n = 1\nif s.fault("not real", injected=True):\n    s.n = 2\n')
    found = {(f.label, f.injected) for t in written(body).system.transitions for f in t.faults}
    assert found == {("real", False), ("not real", True)}


def test_an_event_carries_constants() -> None:
    assert refusal(process(STEP + 's.emit("seen", owner=s.owner)\n')) == (
        "event 'seen' carries the state expression owner; an event carries constants",
        's.emit("seen", owner=s.owner)',
    )


# ---- generators -----------------------------------------------------------------------------------------------------

HELPER = 'def helper(s):\n    yield "inside"\n    s.n = 1\n'


def test_a_forgotten_yield_from() -> None:
    assert refusal(process(STEP + "helper(s)\n", HELPER)) == (
        "helper is a generator: run its steps with yield from; for data, return a tuple",
        "helper(s)",
    )


def run_by(helper: str) -> tuple[str, str]:
    """What is said about a `helper` that a process runs with yield from, HERE for the place where it does."""
    body = process(STEP + "yield from plain(s)\n", helper)
    said, line = refusal(body)
    here = HEAD_LINES + body.splitlines().index("    yield from plain(s)") + 1
    return re.sub(rf"mine\d+\.py:{here}\b", "HERE", said), line


def test_yield_from_a_plain_function() -> None:
    assert run_by("def plain(s):\n    s.n = 1\n") == (
        "plain has no yield, and HERE runs it with yield from: "
        "write a def with a yield, or call it there without yield from",
        "def plain(s):",
    )


def test_yield_from_a_lambda_or_what_is_not_pythons() -> None:
    said, line = run_by("plain = lambda s: None\n")
    assert (said.partition(",")[0], line) == ("<lambda> has no yield", "plain = lambda s: None")
    said, line = run_by("plain = print\n")
    assert (said.partition(",")[0], line) == ("print has no yield", "yield from plain(s)")


def test_yield_from_a_helper_with_other_parameters() -> None:
    assert run_by('def plain(s, container):\n    yield "inside"\n') == (
        "plain does not take the arguments that HERE gives it: missing a required argument: 'container'",
        "def plain(s, container):",
    )


def test_a_process_without_a_yield() -> None:
    assert refusal("@m.process\ndef p(s):\n    s.n = 1\n") == (
        "process p has no yield; without one it has no steps (an action is one step)",
        "@m.process",
    )


def test_a_yield_in_an_action() -> None:
    assert refusal('@m.action\ndef a(s):\n    yield "go"\n') == (
        "action a has a yield; an action is one step (use m.process for several)",
        "@m.action",
    )


def test_a_yield_in_a_property() -> None:
    assert refusal('@m.invariant\ndef i(s):\n    yield "go"\n') == (
        "property i has a yield; a property returns its claim",
        "@m.invariant",
    )


def test_a_process_touches_the_state_before_its_first_yield() -> None:
    for line in ("s.n = 1", "if s.b:\n    pass", 's.emit("x")', "s.require(s.b)"):
        assert refusal(process(line + '\nyield "go"\n')) == (
            "before its first yield a process may only compute constants: yield first, to name its first step",
            "@m.process",
        )


def test_constants_before_the_first_yield_are_fine() -> None:
    assert oracle.compare(written(process('x = 2\nwhile True:\n    yield "go"\n    s.n = x\n')), 2) == ""


SUBSET = (
    "a process may use assignments, expressions, if, for, while, break, continue, return, pass, assert, "
    "`yield label`, `x = yield from helper(...)` and `with s.lock(...)`"
)
OUTSIDE = {
    "try": (
        'try:\n    yield "inside"\nexcept ValueError:\n    pass\n',
        f"a process cannot hold `try`: {SUBSET}",
        "try:",
    ),
    "finally": ("try:\n    s.n = 1\nfinally:\n    s.b = True\n", f"a process cannot hold `try`: {SUBSET}", "try:"),
    "match": ("match 1:\n    case 1:\n        s.n = 1\n", f"a process cannot hold `match`: {SUBSET}", "match 1:"),
    "def": ("def f():\n    pass\n", f"a process cannot hold `def`: {SUBSET}", "def f():"),
    "import": ("import os\n", f"a process cannot hold `import`: {SUBSET}", "import os"),
    "raise": ("raise ValueError\n", f"a process cannot hold `raise`: {SUBSET}", "raise ValueError"),
    "del": ("x = 1\ndel x\n", f"a process cannot hold `delete`: {SUBSET}", "del x"),
    "global": (
        "global n\n",
        "`global n` changes what is captured; what changes belongs in m.var or in a local",
        "global n",
    ),
    "with": (
        'with open("x"):\n    yield "inside"\n',
        f"the only with statement of a process is `with s.lock(...):`; {SUBSET}",
        'with open("x"):',
    ),
    "a yield in a comprehension": (
        "x = [(yield) for i in (1, 2)]\n",
        None,
        None,
    ),
    "a yield in a condition": (
        'if (yield "inside"):\n    pass\n',
        "a yield stands alone: write `yield label`, `x = yield from helper(...)` or `return (yield from helper(...))`",
        'if (yield "inside"):',
    ),
    "the value of a yield": (
        'x = yield "inside"\n',
        "a yield gives nothing back: write `yield label` on a line of its own",
        'x = yield "inside"',
    ),
    "a yield without a label": ("yield\n", "a yield names the step that begins: write `yield 'label'`", "yield"),
    "a label that is no text": ("yield 5\n", "a yield names the step that begins: give it a text", "yield 5"),
    "yield from a name": ("yield from x\n", "yield from takes a call: write `yield from helper(...)`", "yield from x"),
    "a label from the state": (
        'yield "a" if s.b else "b"\n',
        "the name of a step cannot depend on the state",
        'yield "a" if s.b else "b"',
    ),
    "a label with a bar": ('yield "a | b"\n', "the name of a step may not hold ' | ' or end in '>'", 'yield "a | b"'),
}


@pytest.mark.parametrize("name", [name for name in OUTSIDE if OUTSIDE[name][1] is not None])
def test_a_statement_outside_the_subset(name: str) -> None:
    text, sentence, line = OUTSIDE[name]
    assert refusal(process(STEP + text)) == (sentence, line)


def test_a_yield_in_a_comprehension_is_not_even_python() -> None:
    with pytest.raises(SyntaxError):
        written(process(STEP + "x = [(yield) for i in (1, 2)]\n"))


def test_a_yield_in_a_lambda() -> None:
    sentence, line = refusal(process(STEP + "x = lambda: (yield)\n"))
    assert sentence.startswith("a yield stands alone")
    assert line == "x = lambda: (yield)"


def test_abort_ends_the_group() -> None:
    body = """
    @m.process(group=g)
    def p(s):
        yield "go"
        if s.b:
            s.abort("hw_error")
    @m.process(group=g)
    def other(s):
        while True:
            yield "run"
    @m.action
    def set(s):
        s.b = True
    """
    model = written(body)
    assert oracle.compare(model, 4) == ""
    prop = model.system.property("never_aborts")
    assert prop.doc == "No process aborts."
    aborts = [t for t in model.system.transitions if t.events]
    assert [str(event) for t in aborts for event in t.events] == ["aborted(process=p, why=hw_error)"]


def test_any_other_exception_is_a_build_error() -> None:
    assert refusal(process(STEP + "x = 1 / 0\n")) == ("ZeroDivisionError: division by zero", "x = 1 / 0")
    assert refusal(process(STEP + "assert s.n == 1\n")) == (
        "AssertionError: this can fail; claim it with @m.invariant, or wait for it with s.require",
        "assert s.n == 1",
    )
    assert refusal("@m.invariant\ndef i(s):\n    return 1 / 0\n") == (
        "ZeroDivisionError: division by zero",
        "return 1 / 0",
    )


# ---- the same run twice ---------------------------------------------------------------------------------------------


def test_a_captured_list_that_grows() -> None:
    body = process(STEP + "log.append(1)\ns.n = 1\n", "log = []\n")
    assert refusal(body) == (
        "p changes 'log', which it captures; what changes belongs in m.var or in a local",
        "@m.process",
    )


def test_a_captured_list_that_a_helper_grows() -> None:
    body = process(STEP + "note()\ns.n = 1\n", "log = []\ndef note():\n    log.append(1)\n")
    assert refusal(body) == (
        "p changes 'note.log', which it captures; what changes belongs in m.var or in a local",
        "@m.process",
    )


def test_a_captured_iterator() -> None:
    body = process(STEP + "s.n = next(numbers)\n", "numbers = iter([1, 2])\n")
    assert refusal(body) == (
        "p captures the iterator 'numbers', which remembers how far it was read; use a tuple",
        "@m.process",
    )


def test_something_else_on_the_second_run() -> None:
    body = process(
        STEP + "if s.b and pick():\n    s.n = 1\nelif s.n == 0:\n    s.n = 2\n",
        "from itertools import count as numbers\nhidden = [numbers()]\n"
        "def pick(hidden=hidden):\n    return next(hidden[0]) % 2 == 0\n",
    )
    sentence, _ = refusal(body)
    assert "iterator" in sentence or "two different things" in sentence


# ---- locations ------------------------------------------------------------------------------------------------------


def test_equal_locations_are_merged_and_dead_locals_do_not_count() -> None:
    body = process(
        STEP
        + 'for i in (0, 1):\n    if s.n == i:\n        x = i\n        yield "same"\n        s.b = True\n        break\n'
    )
    system = written(body).system
    assert system.merging == "equal locations merged by bisimulation: 2 of 2 left"
    assert oracle.compare(written(body), 4) == ""


def test_types_of_locals_count() -> None:
    """1 == True, but a future that prints or compares types can tell them apart."""
    body = process(
        STEP + 'for x in (True, 1):\n    yield "turn"\n    if x is True:\n        s.n = 1\n    else:\n        s.n = 2\n'
    )
    model = written(body)
    assert oracle.compare(model, 4) == ""
    assert {t.update[0][1].value for t in model.system.transitions if t.label == "turn"} == {1, 2}


def test_a_local_that_keeps_growing() -> None:
    sentence, line = refusal(
        process("attempt = 0\nwhile True:\n    yield 'try'\n    attempt += 1\n    s.b = attempt > 3\n")
    )
    assert sentence == (
        "local 'attempt' keeps growing: it has had 5000 values at this yield; "
        "keep it in an m.var with a finite domain, or bound the loop"
    )
    assert line == "yield 'try'"


def test_an_endless_loop_without_a_yield() -> None:
    assert refusal(process(STEP + "while True:\n    s.n = 1\n")) == (
        "this loop does not end while the model is read; put a yield in it",
        "while True:",
    )


def test_an_endless_loop_in_a_helper() -> None:
    assert refusal(process(STEP + "spin(s)\n", "def spin(s):\n    while True:\n        s.n = 1\n")) == (
        "this loop does not end while the model is read; a process's loop needs a yield in it",
        "while True:",
    )


def test_end_has_no_outgoing_transition() -> None:
    system = written(process(STEP + "s.n = 1\n")).system
    slot = system.slot("@p")
    for transition in system.transitions:
        from cprcheck.expr import In, conjuncts

        tests = [part for part in conjuncts(transition.guard) if isinstance(part, In) and part.slot == slot]
        assert tests
        assert END not in tests[0].codes


# ---- locks and groups -----------------------------------------------------------------------------------------------


def test_a_lock_taken_twice() -> None:
    body = process(STEP + 'with s.lock(l):\n    yield "inside"\n    with s.lock(l):\n        s.n = 1\n')
    assert refusal(body) == ("p takes the lock 'l', which it already holds", "with s.lock(l):")


def test_a_lock_taken_late() -> None:
    assert refusal(process(STEP + "s.n = 1\nwith s.lock(l):\n    s.n = 2\n")) == (
        "a lock is taken after a write, a choice or a fault of the same step; yield before you wait",
        "with s.lock(l):",
    )


def test_a_step_waits_for_one_lock_only() -> None:
    late = "the lock 'l' is taken in this step already; yield before you wait for anything else"
    body = process(STEP + "with s.lock(l):\n    with s.lock(k):\n        s.n = 1\n", 'k = m.lock("k")\n')
    assert refusal(body) == (late, "with s.lock(k):")
    body = process(STEP + "with s.lock(l):\n    s.require(s.b)\n")
    assert refusal(body) == (late, "s.require(s.b)")


def test_a_lock_outside_a_with() -> None:
    assert refusal(process(STEP + "x = s.lock(l)\n")) == (
        "s.lock(...) stands in a with statement of a process; an action takes lock=... in its decorator",
        "x = s.lock(l)",
    )


def test_a_lock_that_is_no_lock() -> None:
    assert refusal(process(STEP + "with s.lock(5):\n    s.n = 1\n")) == (
        "s.lock takes what m.lock gave",
        "with s.lock(5):",
    )
