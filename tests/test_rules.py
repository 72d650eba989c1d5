"""Every rule of the language has a test; every breach a message with the author's own line, word for word."""

from __future__ import annotations

import pytest
from authors import process, refusal, written

from cprcheck.language import oracle
from cprcheck.semantics import initial_states, successors
from cprcheck.system import State, System

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
        "p changes 'kept', which it captures; what changes belongs in m.var or in a local",
        "@m.process",
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
