"""Every rule of the language has a test; every breach a message with the author's own line, word for word."""

from __future__ import annotations

import pytest
from authors import process, refusal, written

from cprcheck.language import oracle
from cprcheck.semantics import initial_states, successors
from cprcheck.system import END, State, System

STEP = 'yield "go"\n'


def step_of(body: str) -> tuple[System, list[tuple[State, tuple[tuple[str, str], ...]]]]:
    """The System of a body with one process, and its first steps: (state after, choices)."""
    system = written(body).system
    first = next(initial_states(system))
    return system, [(after, system.transitions[i].choices) for i, after in successors(system, first)]


# ---- what is not assigned keeps its value; a read after a write sees it ------------------------------------------


def test_what_is_not_assigned_keeps_its_value() -> None:
    system, steps = step_of(process(STEP + "s.n = 2\n"))
    ((after, _),) = steps
    first = next(initial_states(system))
    changed = {system.slots[i].name for i in range(len(first)) if first[i] != after[i]}
    assert changed == {"n", "@p"}


def test_a_read_after_a_write_sees_the_new_value() -> None:
    system, steps = step_of(process(STEP + "s.n = 2\ns.n = s.n + 1\ns.b = s.n == 3\n"))
    ((after, _),) = steps
    assert after[system.slot("n")] == 3
    assert after[system.slot("b")] == 1


# ---- branches on state -------------------------------------------------------------------------------------------

BRANCHES = {
    "if": ("if s.b:\n    s.n = 1\nelse:\n    s.n = 2\n", 2),
    "and": ("if s.b and s.n == 0:\n    s.n = 1\n", 3),
    "or": ("if s.b or s.n == 0:\n    s.n = 1\n", 3),
    "not": ("if not s.b:\n    s.n = 1\n", 2),
    "any": ("if any(x == Vaddr.NONE for x in s.v):\n    s.n = 1\n", 3),
    "all": ("if all(x == Vaddr.NONE for x in s.v):\n    s.n = 1\n", 3),
    "chain": ("if 0 < s.n < 3:\n    s.n = 1\n", 3),
    "ternary": ("s.n = 1 if s.b else 2\n", 2),
    "helper": ("if both(s):\n    s.n = 1\n", 3),
    "every": ("if every(x == Vaddr.NONE for x in s.v):\n    s.n = 1\n", 2),
    "some": ("if some(x == Vaddr.NONE for x in s.v):\n    s.n = 1\n", 2),
    "count": ("if count(x == Vaddr.NONE for x in s.v) > 1:\n    s.n = 1\n", 2),
    "ite": ("s.n = ite(s.b, 1, 2)\n", 1),
    "in a tuple": ("if s.n in (1, 2):\n    s.n = 0\n", 2),
}


@pytest.mark.parametrize("name", BRANCHES)
def test_a_question_to_the_state_makes_one_transition_per_path(name: str) -> None:
    text, paths = BRANCHES[name]
    model = written(process(STEP + text, "def both(s):\n    return s.b and s.n == 0\n"))
    assert len(model.system.transitions) == paths
    assert oracle.compare(model, 2) == ""


def test_an_action_branches_too() -> None:
    model = written("@m.action\ndef a(s):\n    if s.b and s.n == 1:\n        s.n = 2\n    else:\n        s.b = True\n")
    assert len(model.system.transitions) == 3
    assert oracle.compare(model, 3) == ""


def test_a_property_is_rejoined_into_one_expression() -> None:
    model = written("@m.invariant\ndef i(s):\n    if s.b:\n        return s.n == 1 and not s.b\n    return s.n < 3\n")
    (formula,) = model.system.property("i").formulas
    for b in (0, 1):
        for n in range(4):
            from cprcheck.semantics import evaluate

            state = (0, n, b, 1, 1, 0, 1)
            assert evaluate(formula, state) == int((n == 1 and not b) if b else n < 3)


def test_too_many_paths() -> None:
    lines = "".join(f"if s.w[{i}]:\n    s.n = 1\n" for i in range(10))
    body = process(STEP + lines, 'm.array("w", Range(0, 9), Bool, init=False)')
    assert refusal(body) == (
        "the step 'go' splits into more than 512 paths in one step; "
        "ask one question with count, every, some or ite instead of many with if, and, or, any, all",
        'yield "go"',
    )


# ---- what Python would do silently -----------------------------------------------------------------------------------

SILENT = {
    "is": (
        "if s.owner is Proc.OLD:\n    s.n = 1\n",
        "`is` cannot see the state; write == for <state expression owner>",
        "if s.owner is Proc.OLD:",
    ),
    "is not": (
        "if s.owner is not Proc.OLD:\n    s.n = 1\n",
        "`is` cannot see the state; write == for <state expression owner>",
        "if s.owner is not Proc.OLD:",
    ),
    "isinstance": (
        "if isinstance(s.owner, Proc):\n    s.n = 1\n",
        "isinstance() cannot see the state; <state expression owner> has no value while the model is read",
        "if isinstance(s.owner, Proc):",
    ),
    "in a dict": (
        "if s.owner in {Proc.OLD: 1}:\n    s.n = 1\n",
        "owner has no value while the model is read, so it cannot be looked up in a dict or a set; "
        "write if and elif, or ite",
        "if s.owner in {Proc.OLD: 1}:",
    ),
    "a key of a dict": (
        "s.n = {Proc.OLD: 1, Proc.NEW: 2}[s.owner]\n",
        "owner has no value while the model is read, so it cannot be looked up in a dict or a set; "
        "write if and elif, or ite",
        "s.n = {Proc.OLD: 1, Proc.NEW: 2}[s.owner]",
    ),
    "an f-string": (
        's.emit(f"owner {s.owner}")\n',
        "owner has no value while the model is read, so it cannot be put into a text",
        's.emit(f"owner {s.owner}")',
    ),
    "a hash": (
        "s.n = hash(s.n)\n",
        "n has no value while the model is read, so it cannot be looked up in a dict or a set; "
        "write if and elif, or ite",
        "s.n = hash(s.n)",
    ),
    "a comparison left lying": (
        "s.n == 1\n",
        "this compares or computes, and drops the result: <state expression n = 1>; write = to assign, or require(...)",
        "s.n == 1",
    ),
    "an int": (
        "s.n = int(s.n)\n",
        "n has no value while the model is read, so it cannot be used as a number here",
        "s.n = int(s.n)",
    ),
    "a tilde": (
        "s.b = ~s.b\n",
        "~ of a truth value means something else in plain Python; write not b",
        "s.b = ~s.b",
    ),
    "a number as a truth value": (
        "if s.n:\n    s.n = 1\n",
        "n is a number, not a truth value; compare it with something",
        "if s.n:",
    ),
    "another enum": (
        "if s.owner == Vaddr.GOOD:\n    s.n = 1\n",
        "Vaddr.GOOD is not one of Proc: OLD, NEW",
        "if s.owner == Vaddr.GOOD:",
    ),
    "another domain": (
        "if s.owner == s.v[0]:\n    s.n = 1\n",
        "v[0] is one of Vaddr, owner is one of Proc",
        "if s.owner == s.v[0]:",
    ),
    "the precedence of &": (
        "if s.b & s.n == 1:\n    s.n = 1\n",
        "n is a number, not a truth value (mind the brackets around comparisons)",
        "if s.b & s.n == 1:",
    ),
    "an order of names": (
        "if s.owner < Proc.NEW:\n    s.n = 1\n",
        "owner is one of Proc; only numbers have an order",
        "if s.owner < Proc.NEW:",
    ),
    "a sum of names": (
        "s.n = s.owner + 1\n",
        "owner is one of Proc; only numbers can be added (use count, or ite)",
        "s.n = s.owner + 1",
    ),
    "a misspelt variable": (
        "s.ownr = Proc.NEW\n",
        "no state variable 'ownr'; did you mean 'owner'?",
        "s.ownr = Proc.NEW",
    ),
    "an unknown variable": (
        "s.zzz = 1\n",
        "no state variable 'zzz'; there is owner, n, b and v",
        "s.zzz = 1",
    ),
    "an array without index": (
        "s.v = Vaddr.NONE\n",
        "'v' is an array; assign to v[index]",
        "s.v = Vaddr.NONE",
    ),
    "an index that is not there": (
        "s.v[7] = Vaddr.NONE\n",
        "v has no index 7; there is 0 and 1",
        "s.v[7] = Vaddr.NONE",
    ),
    "an index that may not be there": (
        "s.v[s.n] = Vaddr.NONE\n",
        "the index n may be 2, which v does not have",
        "s.v[s.n] = Vaddr.NONE",
    ),
    "too many indices": (
        "s.v[0, 1] = Vaddr.NONE\n",
        "v takes 1 indices, not 2",
        "s.v[0, 1] = Vaddr.NONE",
    ),
    "in an array": (
        "if Vaddr.NONE in s.v:\n    s.n = 1\n",
        "`in s.v` is not one expression; write some(cell == value for cell in s.v)",
        "if Vaddr.NONE in s.v:",
    ),
    "a value outside its domain": (
        "s.n = 9\n",
        "n is set to 9, which is outside 0..3",
        "s.n = 9",
    ),
    "ite without a domain": (
        's.n = ite(s.b, "x", "y")\n',
        "ite cannot tell the domain of 'x' and 'y'; make them members of an Enum",
        's.n = ite(s.b, "x", "y")',
    ),
    "ite with two kinds": (
        "s.n = ite(s.b, 1, True)\n",
        "the branches of ite are 1 and True; give both the same kind of value",
        "s.n = ite(s.b, 1, True)",
    ),
}


@pytest.mark.parametrize("name", SILENT)
def test_what_python_would_do_silently_is_refused(name: str) -> None:
    text, sentence, line = SILENT[name]
    assert refusal(process(STEP + text)) == (sentence, line)


@pytest.mark.parametrize("name", ["is", "isinstance", "a comparison left lying", "an f-string", "a misspelt variable"])
def test_it_is_refused_in_a_plain_helper_too(name: str) -> None:
    text, sentence, line = SILENT[name]
    helper = "def helper(s):\n" + "".join(f"    {one}\n" for one in text.splitlines())
    assert refusal(process(STEP + "helper(s)\n", helper)) == (sentence, line)


@pytest.mark.parametrize("name", ["is", "a comparison left lying", "in a dict", "a misspelt variable"])
def test_it_is_refused_in_an_action_too(name: str) -> None:
    text, sentence, line = SILENT[name]
    action = "@m.action\ndef a(s):\n" + "".join(f"    {one}\n" for one in text.splitlines())
    assert refusal(action) == (sentence, line)


def test_match_on_state() -> None:
    helper = "def helper(s):\n    match s.owner:\n        case Proc.OLD:\n            s.n = 1\n"
    assert refusal(process(STEP + "helper(s)\n", helper)) == (
        "match cannot look at the state; write if and elif for <state expression owner>",
        "match s.owner:",
    )


def test_a_lambda_with_is() -> None:
    assert refusal(process(STEP + "if test(s.owner):\n    s.n = 1\n", "test = lambda x: x is Proc.OLD\n")) == (
        "a lambda with `is` or `in` cannot be checked for questions about the state; write a def",
        "if test(s.owner):",
    )


def test_is_on_a_parameter_is_fine() -> None:
    model = written(process(STEP + "if fix is Proc.OLD:\n    s.n = 1\n", "fix = Proc.OLD\n"))
    assert len(model.system.transitions) == 1


def test_a_property_writes() -> None:
    assert refusal("@m.invariant\ndef i(s):\n    s.n = 1\n    return True\n") == (
        "a property only reads; it cannot set n",
        "s.n = 1",
    )


def test_a_property_returns_nothing() -> None:
    assert refusal("@m.invariant\ndef i(s):\n    s.n == 1\n") == (
        "this compares or computes, and drops the result: <state expression n = 1>; write = to assign, or require(...)",
        "s.n == 1",
    )
    assert refusal("@m.invariant\ndef i(s):\n    pass\n") == (
        "i returns nothing; return the claim, a truth value",
        "@m.invariant",
    )
    assert refusal("@m.leads_to\ndef i(s):\n    return s.b\n") == (
        "i returns <state expression b>; return a pair of claims",
        "@m.leads_to",
    )


# ---- terms belong to their step -----------------------------------------------------------------------------------

STALE = "was read from the state before this yield and is used after it; read it again after the yield"


def test_a_term_used_after_a_yield() -> None:
    assert refusal(process(STEP + 'x = s.n\nyield "later"\nif x == 1:\n    s.n = 2\n')) == (
        f"local 'x' {STALE}",
        'yield "later"',
    )


def test_a_term_in_a_tuple_used_after_a_yield() -> None:
    assert refusal(process(STEP + 'x = (s.n, 1)\nyield "later"\nif x[0] == 1:\n    s.n = 2\n')) == (
        f"local 'x' {STALE}",
        'yield "later"',
    )


def test_a_term_kept_in_a_captured_list() -> None:
    body = process(STEP + 'kept.append(s.n)\nyield "later"\nif kept[-1] == 1:\n    s.n = 2\n', "kept = []\n")
    assert refusal(body) == (
        "n was read in an earlier step; after a yield the state may be another: read it again",
        "if kept[-1] == 1:",
    )


def test_a_term_that_is_dead_after_the_yield_is_fine() -> None:
    model = written(process(STEP + 'x = s.n\nif x == 1:\n    s.b = True\nyield "later"\nx = 1\ns.n = x\n'))
    assert oracle.compare(model, 3) == ""


def test_a_list_that_lives_across_a_yield() -> None:
    assert refusal(process(STEP + 'x = [1]\nyield "later"\ns.n = x[0]\n')) == (
        "local 'x' is a list and lives across this yield; only immutable values may: use a tuple, or keep it in m.var",
        'yield "later"',
    )


def test_an_object_that_lives_across_a_yield() -> None:
    assert refusal(process(STEP + 'x = {1: 2}\nyield "later"\ns.n = x[1]\n')) == (
        "local 'x' is a dict and lives across this yield; only immutable values may: use a tuple, or keep it in m.var",
        'yield "later"',
    )


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
        "helper is a helper generator: without yield from, nothing of it would run",
        "helper(s)",
    )


def test_yield_from_a_plain_function() -> None:
    assert refusal(process(STEP + "yield from plain(s)\n", "def plain(s):\n    s.n = 1\n")) == (
        "yield from needs a helper generator, and plain has no yield; call it without yield from",
        "yield from plain(s)",
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
    "global": ("global n\n", f"a process cannot hold `global`: {SUBSET}", "global n"),
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
    assert refusal(process(STEP + "assert s.n == 1\n")) == ("AssertionError: ", "assert s.n == 1")
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


# ---- declarations ---------------------------------------------------------------------------------------------------

DECLARATIONS = {
    'm.var("n", Bool, init=False)': "'n' is declared twice",
    'm.var("lock", Bool, init=False)': "'lock' is a word of the language; call the variable something else",
    'm.var("a b", Bool, init=False)': "'a b' is not a name that can be written after `s.`",
    'm.var("x", Range(0, 3), init=7)': "x starts as 7, which is not in 0..3",
    'm.var("x", Range(0, 3), init=True)': "x starts as True, which is not in 0..3",
    'm.var("x", Bool, init=any_of())': "x has no initial value: any_of() is empty",
    'm.var("x", 5, init=1)': "5 is not a domain; use Bool, Range(low, high), OneOf(...) or an Enum class",
    'm.array("x", 5, Bool, init=True)': "5 is not an index set; give a Range, an Enum class or a tuple",
    'm.array("x", (1, 1), Bool, init=True)': "an index set holds the same value twice",
    "@m.process(c=(1, 2))": "c= names a C file; give the index another name",
    "@m.event_never()": 'event_never takes the names of events: @m.event_never("MAP of a valid mapping")',
}


@pytest.mark.parametrize("line", DECLARATIONS)
def test_a_declaration_that_cannot_be(line: str) -> None:
    body = line + ('\ndef p(s):\n    yield "x"\n' if line.startswith("@") else "\n")
    assert refusal(body) == (DECLARATIONS[line], line)


def test_names_are_declared_once() -> None:
    twice = '@m.process\ndef p(s):\n    yield "go"\n'
    assert refusal(twice + twice)[0] == "process p is declared twice"
    claim = "@m.invariant\ndef i(s):\n    return True\n"
    assert refusal(claim + claim)[0] == "property i is declared twice"


def test_at_names_a_step_that_exists() -> None:
    body = process(STEP) + '\n@m.invariant\ndef i(s):\n    return not m.at(p, "gone")\n'
    assert refusal(body) == ("m.at: p has no step 'gone'; it has 'go'", "@m.process")
    body = process(STEP) + '\n@m.invariant\ndef i(s):\n    return not m.at("q", "go")\n'
    assert refusal(body) == ("m.at takes one process, and 'q' is none; there is p", 'return not m.at("q", "go")')


def test_messages_name_several_processes_and_arrays() -> None:
    body = '@m.process(i=(0, 1))\ndef w(s, i):\n    yield "go"\n@m.invariant\ndef i(s):\n    return not m.at(w, "go")\n'
    assert refusal(body)[0] == "m.at takes one process, and 'w' is none; there is w(i=0) and w(i=1)"
    body = body.replace("m.at(w,", "m.at(w(i=5),")
    assert refusal(body)[0] == "no process w(i=5); there is w(i=0) and w(i=1)"
