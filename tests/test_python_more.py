"""More ordinary code that once went wrong: captures of actions and properties, bound methods, names, budgets, locks."""

from __future__ import annotations

import pytest
from authors import process, refusal, written

from cprcheck import arguments
from cprcheck.checking import Options, Report, check
from cprcheck.errors import UsageError
from cprcheck.language import oracle

STEP = 'yield "go"\n'


def said(report: Report) -> dict[str, str]:
    return {verdict.prop.name: verdict.status.value for verdict in report.verdicts}


# ---- refused ------------------------------------------------------------------------------------------------------

CAPTURES = "changes 'seen', which it captures; what changes belongs in m.var or in a local"
KEEPS = "local 'add' keeps a function that holds a list, which may change; call it where it is needed"
REFUSED = {
    "@m.invariant\ndef deadlock_free(s):\n    return s.n == 0\n": "deadlock_free is a property that every model has; "
    "give yours another name",
    "@m.reachable\ndef values_in_domain(s):\n    return s.b\n": "values_in_domain is a property that every model has; "
    "give yours another name",
    "m.deadlock_free()\nm.deadlock_free()\n": "deadlock_free is declared twice; say in one place where nobody needs to "
    "move",
    "seen = set()\n@m.action\ndef a(s):\n    if s.b:\n        seen.add(1)\n    s.n = len(seen)\n": f"a {CAPTURES}",
    "seen = set()\n@m.invariant\ndef i(s):\n    if s.b:\n        seen.add(1)\n    return len(seen) > 0\n": f"i {CAPTURES}",
    "import collections\nseen = collections.deque(maxlen=1)\n"
    + process(STEP + "if s.b:\n    seen.append(1)\ns.n = len(seen)\n"): f"p {CAPTURES}",
    process(STEP + "x = []\nadd = x.append\nif s.b:\n    add(1)\ns.n = len(x)\n"): KEEPS,
    process(
        STEP + "add = adder([])\nif s.b:\n    add(1)\n", "def adder(x):\n    return lambda e: x.append(e)\n"
    ): KEEPS,
    process(STEP + "s.n = f(s)\n", "def f(s):\n    try:\n        s.require(s.b)\n    finally:\n        return 1\n"): (
        "a return, break or continue in finally hides what ends a step in the language; write it behind"
    ),
    process("with s.lock(l):\n    yield 'inside'\n"): "before its first yield a process may only compute constants: "
    "yield first, to name its first step",
    process(STEP + "while True:\n    with s.lock(l):\n        yield 'in'\n"): "a lock is taken after a write, a choice "
    "or a fault of the same step; yield before you wait",
    'm.var("_n", Bool, init=False)\n': "'_n' begins with an underscore, as the language's own names do; use another",
}


@pytest.mark.parametrize("body", REFUSED)
def test_it_is_refused(body: str) -> None:
    assert refusal(body)[0] == REFUSED[body]


def test_two_properties_of_one_name_in_a_system_are_refused() -> None:
    system = written("@m.invariant\ndef i(s):\n    return s.n == 0\n").system
    with pytest.raises(UsageError) as caught:
        check(system.with_properties(system.properties[:1] * 2))
    assert str(caught.value) == "two properties are called i; answers are told by name"


@pytest.mark.parametrize("many", ["1001", "9" * 5000], ids=len)
def test_more_faults_than_can_be_counted_are_refused(many: str) -> None:
    with pytest.raises(UsageError) as caught:
        arguments.budget(many)
    assert str(caught.value) == f"--faults {many}: at most 1000 can be counted; write finite for any number"


# ---- right --------------------------------------------------------------------------------------------------------

LOOP = 'while True:\n    yield "go"\n    if s.fault("x"{}):\n        s.n = s.n + 1\n'


@pytest.mark.parametrize(("budget", "status"), [(3, "HOLDS"), (4, "VIOLATED"), (None, "VIOLATED")])
def test_a_value_leaves_its_domain_only_with_the_faults_that_may_happen(budget: int | None, status: str) -> None:
    assert check(written(process(LOOP.format(""))), Options(faults=budget))["values_in_domain"].status.value == status


def test_a_fault_that_is_left_out_takes_no_value_anywhere() -> None:
    model = written(process(LOOP.format(", injected=True")))
    assert "values_in_domain" not in said(check(model))
    assert said(check(model, Options(injected=True)))["values_in_domain"] == "VIOLATED"


def test_who_stands_at_a_step_that_leaves_its_domain_is_not_called_stuck() -> None:
    found = said(check(written(process('yield "go"\ns.n = s.n + 3\nyield "on"\ns.n = s.n + 1\n'))))
    assert found == {"deadlock_free": "UNKNOWN", "nobody_stuck": "UNKNOWN", "values_in_domain": "VIOLATED"}


def test_a_group_that_is_started_again_holds_no_locks() -> None:
    model = written(
        "@m.process(group=g)\ndef w(s):\n    yield 'take'\n    with s.lock(l):\n        s.b = True\n        yield 'inside'\n"
        "@m.process\ndef boss(s):\n    yield 'again'\n    s.start(g)\n"
    )
    assert oracle.compare(model, 6) == ""
    assert said(check(model)) == {"deadlock_free": "HOLDS", "nobody_stuck": "HOLDS"}


def test_any_other_name_may_be_a_variable() -> None:
    names = "".join(f'm.var("{name}", Bool, init=False)\n' for name in ("events", "faults", "choices", "made"))
    steps = "s.events = not s.events\ns.faults = s.events\ns.choices = s.made\n"
    assert oracle.compare(written(names + process(STEP + steps)), 2) == ""


def test_a_plain_helper_may_call_itself() -> None:
    helper = "def down(s, k):\n    if k > 0 and s.b:\n        return 1 + down(s, k - 1)\n    return 0\n"
    assert oracle.compare(written(process(STEP + "s.n = down(s, 3)\n", helper)), 2) == ""


def test_where_a_process_stands_can_be_asked_by_an_action_alone() -> None:
    model = written(
        "@m.process(group=g)\ndef w(s):\n    yield 'work'\n"
        "@m.action\ndef a(s):\n    s.require(m.at(w, 'work'))\n    s.kill(g)\n"
    )
    assert not check(model).disagreements


def test_deadlock_free_with_unless_may_decorate() -> None:
    body = "@m.action\ndef a(s):\n    s.require(s.n < 3)\n    s.n = s.n + 1\n"
    body += "@m.deadlock_free(unless=lambda s: s.n == 3)\ndef done(s):\n    pass\n"
    assert said(check(written(body))) == {"deadlock_free": "HOLDS"}


def test_a_closure_over_what_has_no_value_yet_may_be_kept() -> None:
    helper = "def make():\n    def inner():\n        return later\n    if False:\n        later = 1\n    return inner\n"
    assert oracle.compare(written(process(STEP + "f = make()\ns.n = 1\n", helper)), 2) == ""
