"""From a model to verdicts: engines chosen, run and compared, traces replayed, doubts raised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import z3
from authors import written

from cprcheck import catalog, checking
from cprcheck.checking import Options, check
from cprcheck.engines import bmc, explicit, liveness, prove
from cprcheck.errors import UsageError
from cprcheck.language.native import Native
from cprcheck.system import Kind
from cprcheck.trace import Trace
from cprcheck.verdict import Answer, Report, Size, Status


def claim(name: str, text: str, how: str = "", args: str = "s") -> str:
    """A property that claims `text`, as an author writes it."""
    return f"@m.{how or name}\ndef {name}({args}):\n    return {text}\n"


# `small` fails after two steps; `safe` holds; `three` can be reached and `gone` cannot; `back` leads nowhere.
INC = "@m.action\ndef inc(s):\n    s.require(s.n < 3)\n    s.n = s.n + 1\n"
COUNTER = INC + claim("small", "s.n < 2", "invariant") + claim("safe", "not s.b", "invariant")
COUNTER += claim("three", "s.n == 3", "reachable")
COUNTER += claim("gone", "s.v[i] == Vaddr.NONE", "reachable(i=(0, 1))", "s, i")
COUNTER += claim("back", "(s.n == 2, s.n == 0)", "leads_to")
NAMES = "small safe three gone(i=0) gone(i=1) back deadlock_free"
EXPECTED = "VIOLATED HOLDS REACHABLE UNREACHABLE UNREACHABLE VIOLATED VIOLATED"
BREACH = COUNTER.replace("    s.require(s.n < 3)\n", "")
ALL = ("explicit", "bmc", "prove")
HOLDS, VIOLATED, REACHABLE, UNREACHABLE, UNKNOWN = Status


def statuses(found: Report) -> str:
    return " ".join(verdict.status.value for verdict in found.verdicts)


def names(found: Report) -> str:
    return " ".join(verdict.prop.name for verdict in found.verdicts)


# ---- options and properties ---------------------------------------------------------------------------------------


def test_by_default_everything_is_asked_of_every_engine() -> None:
    assert Options() == Options(ALL, None, False, (), 1_000_000, None, 20, True)
    assert names(check(written(COUNTER))) == NAMES


@pytest.mark.parametrize(
    ("asked", "answered"), [("small",) * 2, ("gone", "gone(i=0) gone(i=1)"), ("back small", "small back")]
)
def test_a_property_or_a_family_can_be_picked(asked: str, answered: str) -> None:
    assert names(check(written(COUNTER), Options(properties=tuple(asked.split())))) == answered


def test_values_in_domain_is_always_checked() -> None:
    assert names(check(written(BREACH), Options(properties=("small",)))) == "small values_in_domain"


UNHEARD = {
    "no property 'x'; there is small, safe, three, gone, back, deadlock_free": Options(properties=("x",)),
    "no engine 'spin'; there is explicit, bmc, prove": Options(engines=("explicit", "spin")),
}


@pytest.mark.parametrize("message", UNHEARD)
def test_an_unknown_name_is_refused_with_what_there_is(message: str) -> None:
    with pytest.raises(UsageError) as caught:
        check(written(COUNTER), UNHEARD[message])
    assert str(caught.value) == message


def test_the_budget_of_faults_and_the_injected_ones_are_options() -> None:
    body = "@m.action\ndef a(s):\n    if s.fault('real'):\n        s.n = 1\n    if s.fault('wild', injected=True):\n"
    model = written(f"{body}        s.b = True\n@m.reachable\ndef both(s):\n    return s.b & (s.n == 1)\n")
    for budget, injected, status, scope in (
        (None, False, UNREACHABLE, "any finite number of faults, injected ones excluded"),
        (None, True, REACHABLE, "any finite number of faults, injected ones included"),
        (1, True, UNREACHABLE, "at most 1 fault, injected ones included"),
        (2, True, REACHABLE, "at most 2 faults, injected ones included"),
        (0, False, UNREACHABLE, "no faults, injected ones excluded"),
    ):
        found = check(model, Options(faults=budget, injected=injected))
        assert (found["both"].status, found.scope) == (status, (scope,))


def test_a_system_built_by_hand_can_be_checked() -> None:
    assert statuses(check(written(COUNTER).system)) == EXPECTED


def test_progress_tells_which_engine_is_at_work() -> None:
    said: list[str] = []
    check(written(COUNTER), progress=said.append)
    assert {line.partition(":")[0] for line in said} == {"native", "explicit", "liveness", "bmc", "prove"}


# ---- engines ------------------------------------------------------------------------------------------------------

ENDLESS = "only an explicit search can answer this"


@pytest.mark.parametrize(
    ("engines", "expected", "reason"),
    [
        (ALL, EXPECTED, ""),
        (ALL[:1], EXPECTED, ""),
        (ALL[1:2], "VIOLATED UNKNOWN REACHABLE UNKNOWN UNKNOWN UNKNOWN VIOLATED", ENDLESS),
        (ALL[2:], "VIOLATED HOLDS REACHABLE UNREACHABLE UNREACHABLE UNKNOWN VIOLATED", ENDLESS),
        ((), "UNKNOWN UNKNOWN UNKNOWN UNKNOWN UNKNOWN UNKNOWN UNKNOWN", ENDLESS),
    ],
)
def test_each_engine_answers_what_it_can(engines: tuple[str, ...], expected: str, reason: str) -> None:
    found = check(written(COUNTER), Options(engines=engines))
    assert (statuses(found), found["back"].reason, found.disagreements) == (expected, reason, ())
    assert (found.size is None) is ("explicit" not in engines)


def test_bmc_says_how_deep_it_looked() -> None:
    found = check(written(COUNTER), Options(engines=("bmc",), depth=2))
    assert found["three"].reason == found["safe"].reason == "bmc: none within 2 steps"
    assert found["small"].status is VIOLATED


def test_bmc_looks_for_what_explicit_found_and_prove_for_the_rest() -> None:
    found = check(written(COUNTER))
    engines = [" ".join(found[name].engines) for name in ("small", "three", "safe", "gone(i=0)", "back")]
    assert engines == ["explicit bmc"] * 2 + ["explicit prove"] * 2 + ["liveness"]


@pytest.mark.parametrize("name", [model.name for _, model in catalog.shipped()])
def test_a_truncated_search_proves_nothing(name: str) -> None:
    found = check(catalog.bind(catalog.find(name), {}), Options(engines=("explicit",), states=1))
    assert not {verdict.status for verdict in found.verdicts} & {HOLDS, UNREACHABLE}
    assert all("truncated at" in v.reason for v in found.verdicts if v.status is UNKNOWN)
    assert (found.size.complete, found.unreached) == (False, None)


def test_a_graph_that_is_too_large_is_not_searched_for_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "EDGE_LIMIT", 2)
    found = check(written(COUNTER))
    assert found["back"].reason == "liveness: the graph has 4 edges, more than the 2 that liveness takes"
    assert found.size == Size(4, 4, 3, complete=True)


def test_transitions_that_nobody_can_take_are_listed() -> None:
    assert check(written(COUNTER)).unreached == ()
    found = check(written(COUNTER + "@m.action\ndef never(s):\n    s.require(s.b)\n    s.n = 0\n"))
    assert [found.system.transitions[i].label for i in found.unreached] == ["never"]


# ---- disagreements ------------------------------------------------------------------------------------------------

FLIP = "@m.action\ndef flip(s):\n    s.b = s.b == False\n" + claim("set", "s.b", "invariant")


def lie(monkeypatch: pytest.MonkeyPatch, engine: str, name: str, change: Callable[[Answer], Answer]) -> None:
    """Let `engine` say something else about the property `name`."""
    where = {"explicit": (explicit, "answers"), "bmc": (bmc, "check"), "liveness": (liveness, "check")}
    module, attribute = where.get(engine, (prove.Prover, "answer"))
    honest = getattr(module, attribute)

    def changed(*args: object) -> object:
        said = honest(*args)
        if isinstance(said, Answer):
            return change(said) if args[1].prop.name == name else said  # type: ignore[attr-defined]
        return {key: change(answer) if key == name else answer for key, answer in said.items()}

    monkeypatch.setattr(module, attribute, changed)


def says(status: Status, *values: int, slot: str = "n") -> Callable[[Answer], Answer]:
    """An engine that says `status`, with a run of COUNTER in which n takes these values, or what claims to be one."""
    system = written(COUNTER).system
    base = [codes[0] for codes in system.init]
    states = tuple(tuple(v if i == system.slot(slot) else code for i, code in enumerate(base)) for v in values)
    trace = Trace(states, (0,) * (len(values) - 1)) if values else None
    return lambda answer: replace(answer, status=status, trace=trace)


LIES = {
    "small: explicit HOLDS, prove VIOLATED": ("explicit", "small", says(HOLDS)),
    "small: explicit VIOLATED, bmc HOLDS": ("bmc", "small", says(HOLDS)),
    "safe: explicit HOLDS, prove VIOLATED": ("prove", "safe", says(VIOLATED, 0, 1, 2)),
    "gone(i=0): explicit UNREACHABLE, prove REACHABLE": ("prove", "gone(i=0)", says(REACHABLE)),
    "small: different shortest runs: explicit 3 steps, bmc 2 steps": ("explicit", "small", says(VIOLATED, 0, 1, 2, 3)),
    "small: step 2 of the trace (inc) leads to another state: n = 2, where the trace has n = 3": (
        *("bmc", "small"),
        says(VIOLATED, 0, 1, 3),
    ),
    "small: step 4 of the trace (inc) cannot be taken there: n != 3 is false": (
        *("explicit", "small"),
        says(VIOLATED, 0, 1, 2, 3, 3),
    ),
    "small: the trace does not start in an initial state: n = 1": ("bmc", "small", says(VIOLATED, 1, 2, 3)),
    "three: the trace does not decide three": ("bmc", "three", says(REACHABLE, 0, 1, 2)),
    "back: the trace against back has no loop": ("liveness", "back", says(VIOLATED, 0, 1, 2)),
    "small: the trace does not decide small": ("explicit", "small", says(VIOLATED, 0, 1)),
}


@pytest.mark.parametrize("message", LIES)
def test_a_lie_of_an_engine_is_noticed(message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lie(monkeypatch, *LIES[message])
    found = check(written(COUNTER))
    assert (message in found.disagreements, found.ok) == (True, False)


@pytest.mark.parametrize(("engine", "name", "said"), [("explicit", "small", HOLDS), ("prove", "safe", VIOLATED)])
def test_where_engines_contradict_each_other_nothing_is_shown_as_proved(
    engine: str, name: str, said: Status, monkeypatch: pytest.MonkeyPatch
) -> None:
    lie(monkeypatch, engine, name, says(said))
    assert check(written(COUNTER))[name].status is not HOLDS


def test_a_run_without_steps_is_compared_too(monkeypatch: pytest.MonkeyPatch) -> None:
    lie(monkeypatch, "explicit", "set", says(VIOLATED, 0, 1, 0, slot="b"))
    assert check(written(FLIP)).disagreements == ("set: different shortest runs: explicit 2 steps, bmc 0 steps",)


def test_what_the_first_state_decides_is_found_by_bmc_too() -> None:
    assert check(written(FLIP))["set"].engines == ("explicit", "bmc")


def test_a_trace_that_the_authors_own_code_cannot_do_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Native, "outcomes", lambda *_: [])
    options = Options(properties=("small",), engines=("explicit",), native=False)
    assert check(written(COUNTER), options).disagreements == (
        "small: step 1 of the trace (inc) is not what the model's own code does",
    )


def test_python_is_asked_before_anything_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Native, "outcomes", lambda *_: [])
    (said,) = check(written(COUNTER), Options(properties=("safe",))).disagreements
    assert said == (
        "the System can do what Python, running the model, cannot: "
        "after 0 steps, inc: inc to owner=OLD, n=1, b=False, v[0]=GOOD, v[1]=GOOD, lock l=free, g=alive"
    )


def test_an_invariant_that_z3_rejects_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prove.Certifier, "queries", lambda *_: [prove.Query("step", "", z3.sat)])
    found = check(written(COUNTER), Options(properties=("safe",)))
    assert found.disagreements == ("z3 rejects an invariant of the abstract interpretation (step)",)


# ---- doubts, severities, explanations -----------------------------------------------------------------------------


def test_a_value_that_leaves_its_domain_leaves_no_proof() -> None:
    found = check(written(BREACH))
    assert statuses(found) == "VIOLATED UNKNOWN REACHABLE UNKNOWN UNKNOWN UNKNOWN UNKNOWN VIOLATED"
    assert found["safe"].reason == found["gone(i=0)"].reason == "values_in_domain is violated"
    assert found["values_in_domain"].violated == "inc: inc would set n outside 0..3"


def test_a_domain_that_nobody_vouches_for_leaves_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    lie(monkeypatch, "prove", "values_in_domain", says(UNKNOWN))
    found = check(written(BREACH), Options(engines=("prove",), properties=("safe", "three")))
    assert statuses(found) == "UNKNOWN REACHABLE UNKNOWN"
    assert (found["safe"].reason, found["three"].reason) == ("values_in_domain is unknown", "")


SEVERE = claim("one", "s.n == 3", "severity('worst')") + claim("two", "s.n > 1", "severity('bad')")


def test_the_worst_severity_of_the_last_state_is_told() -> None:
    found = check(written(COUNTER + SEVERE))
    assert [verdict.severity for verdict in found.verdicts] == ["bad", "", "", "", "", "bad", "worst"]


def test_the_worst_severity_in_a_loop_is_told() -> None:
    loop = "@m.action(fair=WEAK)\ndef go(s):\n    s.n = ite(s.n == 2, 3, 2)\n"
    verdict = check(written(loop + claim("back", "(s.n == 3, s.n == 0)", "leads_to") + SEVERE))["back"]
    assert (verdict.basis, verdict.severity) == ("lasso of 2 + 2 steps", "worst")


KINDS = "@m.process\ndef stuck(s):\n    yield 'begin'\n    s.n = 1\n    yield 'wait for b'\n    s.require(s.b)\n"
KINDS += "@m.action\ndef leave(s):\n    s.require(s.n == 1, not s.b)\n    s.owner = Proc.NEW\n"
KINDS += "    s.emit('left', n=1)\n    s.emit('other')\n"
KINDS += "@m.process\ndef breaks(s):\n    yield 'start'\n    s.require(s.n == 1)\n    s.abort('no reason')\n"
QUIETLY = "without faults, by fair processes alone"
EXPLAINED = {
    claim("invariant", "(s.owner == Proc.OLD) & (s.n == 0)"): "n = 0",
    claim("lemma", "(s.n < 3) & (s.owner == Proc.OLD)"): "owner = OLD",
    claim("step_invariant", "(new.n == s.n) & (s.b == new.b)", "", "s, new"): "n' = n",
    claim("never", "s.n == 1", "event_never('left', 'other')"): "emitted left(n=1), other",
    claim("leads_to", "(s.n == 1, s.b)"): "never again: b",
    claim("always_possible", "s.n == 0"): "no longer possible: n = 0",
    claim("q", "s.n == 0", "always_possible(quiet=True)"): f"no longer possible {QUIETLY}: n = 0",
    "# nobody stuck\n": "stuck waits, and nothing that can still happen without a fault frees it",
    "# never aborts\n": "aborted(process=breaks, why=no reason)",
}


def test_what_is_violated_is_told_for_every_kind() -> None:
    found = check(written(KINDS + "".join(EXPLAINED)))
    failed = [verdict for verdict in found.verdicts if verdict.status is VIOLATED]
    assert [verdict.violated for verdict in failed] == list(EXPLAINED.values())
    told_elsewhere = {Kind.REACHABLE, Kind.DEADLOCK_FREE, Kind.IN_DOMAIN}
    assert {verdict.prop.kind for verdict in failed} == set(Kind) - told_elsewhere


def test_a_deadlock_tells_who_waits_where() -> None:
    waits = "@m.process(i=(1, 2))\ndef p(s, i):\n    yield 'here'\n    s.require(s.b)\n"
    said = check(written(waits))["deadlock_free"].violated
    assert said == "nobody can move, and p(i=1) waits at 'here', p(i=2) waits at 'here'"
    assert check(written(COUNTER))["deadlock_free"].violated == "nobody can move, and no process is at rest"
