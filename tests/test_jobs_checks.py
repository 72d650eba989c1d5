"""Checking a model as a job: the same report as in this process, and nothing taken on trust."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from authors import written
from lamp import LAMP

from cprcheck import catalog, results
from cprcheck.checking import Options, check
from cprcheck.errors import DisagreementError, UsageError
from cprcheck.jobs import checks
from cprcheck.jobs.job import Job, Passing, Result, key
from cprcheck.jobs.pool import Limits
from cprcheck.jobs.run import Settings, run
from cprcheck.jobs.sources import Sources
from cprcheck.jobs.worker import CHANGED
from cprcheck.verdict import Report, Status


@pytest.fixture(autouse=True)
def lamp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("lamp.py").write_text(LAMP)
    return tmp_path / "lamp.py"


def checked(options: Options | None = None, **params: str) -> Report:
    return check(catalog.bind(catalog.find("lamp.py"), params), options)


def plain(found: Report) -> Report:
    """Without what is left out of a result unless it is asked for."""
    verdicts = (
        replace(verdict, answers=tuple(replace(answer, certificate=()) for answer in verdict.answers))
        for verdict in found.verdicts
    )
    return replace(found, verdicts=tuple(verdicts))


OPTIONS = {
    "as it is": Options(),
    "injected": Options(injected=True, faults=1),
    "one property": Options(properties=("below",)),
    "one engine": Options(engines=("bmc",), depth=1),
    "truncated": Options(engines=("explicit",), states=3),
}


@pytest.mark.parametrize("which", OPTIONS)
def test_a_report_is_the_same_after_the_journey(which: str) -> None:
    found = checked(OPTIONS[which], top="3")
    model = catalog.bind(catalog.find("lamp.py"), {"top": "3"})
    data = json.loads(json.dumps(results.document(found)))
    assert repr(results.report(data, found.system, model)) == repr(plain(found)), "what is not compared, too"
    whole = json.loads(json.dumps(results.document(found, certificates=True)))
    assert results.report(whole, found.system) == found


def test_a_loop_comes_back_as_a_loop() -> None:
    model = written("@m.action\ndef a(s):\n    s.b = s.b == False\n@m.leads_to\ndef up(s):\n    return s.b, s.n == 1\n")
    found = check(model, Options(engines=("explicit",)))
    again = results.report(json.loads(json.dumps(results.document(found))), found.system, model)
    assert again["up"] == found["up"]
    assert again["up"].trace is not None
    assert again["up"].trace.loop is not None


def test_a_trace_is_written_once_whoever_found_it() -> None:
    data = results.document(checked(Options(properties=("not_both",))))
    (verdict,) = (verdict for verdict in data["verdicts"] if verdict["property"] == "not_both")
    assert [answer["engine"] for answer in verdict["answers"]] == ["explicit", "bmc"]
    assert len(data["traces"]) <= 2
    assert verdict["steps"] == len(data["traces"][verdict["trace"]]["steps"]) == 2


def test_a_result_about_another_system_is_refused() -> None:
    data, other = results.document(checked()), checked(top="3").system
    with pytest.raises(results.StaleError) as caught:
        results.report(data, other)
    assert str(caught.value) == f"the result is about lamp {data['digest']}, not lamp {other.digest()}"
    with pytest.raises(results.StaleError):
        results.report(data | {"schema": "cprcheck-result-0"}, checked().system)


def test_a_trace_that_is_no_run_is_not_shown() -> None:
    found = checked(Options(properties=("not_both",)))
    data = json.loads(json.dumps(results.document(found)))
    data["traces"][0]["states"][1][0] += 1
    with pytest.raises(DisagreementError) as caught:
        results.report(data, found.system)
    assert str(caught.value).startswith("step 1 of the trace (")
    assert str(caught.value).endswith(") leads to another state: n = 0, where the trace has n = 1")
    data["traces"][0]["states"][1][0] = 77
    with pytest.raises(DisagreementError):
        results.report(data, found.system)


def test_a_trace_that_the_authors_code_cannot_run_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    found = checked(Options(properties=("not_both",)))
    model = catalog.bind(catalog.find("lamp.py"), {})

    def refuse(*_: object) -> None:
        raise DisagreementError("not what the model's own code does")

    monkeypatch.setattr(results.oracle, "replay", refuse)
    results.report(results.document(found), found.system)
    with pytest.raises(DisagreementError):
        results.report(results.document(found), found.system, model)


# ---- as jobs ------------------------------------------------------------------------------------------------------


def test_jobs_answer_what_a_check_answers_and_again_from_the_folder(tmp_path: Path) -> None:
    asked = {"1": Options(), "2": Options(properties=("whole",), engines=("prove",))}
    jobs = [checks.job("lamp.py", {"top": top}, options) for top, options in asked.items()]
    settings = Settings(1, cache=tmp_path / "cache")
    expected = [plain(checked(options, top=top)) for top, options in asked.items()]
    assert checks.reports(jobs, settings) == expected
    told: list[Result] = []
    assert checks.reports(jobs, settings, told.append) == expected
    assert [result.reused for result in told] == [True, True]
    assert [job.title for job in jobs] == ["lamp.py(top=1)", "lamp.py(top=2)"]


@pytest.mark.slow
def test_the_certificates_come_along_when_they_are_asked_for() -> None:
    (found,) = checks.reports(
        [checks.job("lamp.py", {}, Options(properties=("below",)), certificates=True)], Settings(1)
    )
    assert plain(found) == plain(checked(Options(properties=("below",))))
    proof = [name for answer in found["below(i=8)"].answers for name, text in answer.certificate if "check-sat" in text]
    assert proof == ["init", "step", "property"]


@pytest.mark.slow
def test_a_kept_answer_about_another_system_is_found_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a model reads a file of its own, which no key can know."""
    Path("lamp.py").write_text(LAMP.replace("top + 1", "int(open(f'{__file__}.txt').read()) + 1"))
    Path("lamp.py.txt").write_text("2")
    settings, job = Settings(1, cache=tmp_path / "cache"), checks.job(str(Path("lamp.py").resolve()), {})
    (before,) = checks.reports([job], settings)
    Path("lamp.py.txt").write_text("3")
    told: list[Result] = []
    (after,) = checks.reports([job], settings, told.append)
    assert [result.reused for result in told] == [True, False]
    assert (len(before.system.transitions), len(after.system.transitions)) == (6, 8)


def test_a_lost_job_leaves_every_verdict_open(tmp_path: Path) -> None:
    job = checks.job("lamp.py", {}, Options(properties=("not_both",)))
    settings = Settings(1, cache=tmp_path / "cache", limits=Limits(0.01))
    (found,) = checks.reports([job], settings)
    assert {verdict.prop.name: (verdict.status, verdict.reason) for verdict in found.verdicts} == {
        "not_both": (Status.UNKNOWN, "no answer within 0.01 s, twice"),
    }
    assert (found.ok, found.size, found.scope) == (False, None, found.system.scope)
    assert not (tmp_path / "cache").exists()


NEVER = "from cprcheck import Model, model\n@model\ndef never(top: int = 2, on: bool = True) -> Model:\n    {}\n"


def test_a_model_that_is_never_built_is_not_built_here_to_say_what_was_lost() -> None:
    Path("never.py").write_text(NEVER.format("while True: pass"))
    (lost,) = checks.reports([checks.job("never.py", {"on": "no"})], Settings(1, limits=Limits(0.2)))
    assert [(v.prop.name, v.status, v.reason) for v in lost.verdicts] == [
        (checks.EVERYTHING, Status.UNKNOWN, "no answer within 0.2 s, twice"),
    ]
    assert (lost.lost, lost.scope) == (
        "no answer within 0.2 s, twice",
        ("nothing was checked: no answer within 0.2 s, twice",),
    )
    assert (lost.system.name, lost.system.params) == ("never", (("top", "2"), ("on", "False")))


@pytest.mark.parametrize("text", [NEVER.format("raise MemoryError"), NEVER.format("bytearray(1 << 60)")])
def test_memory_that_runs_out_while_a_model_is_built_is_no_error_of_the_model(text: str) -> None:
    Path("never.py").write_text(text)
    (found,) = checks.reports([checks.job("never.py", {})], Settings(1))
    assert found.lost == "out of memory, twice"


def test_the_same_question_has_one_key_in_every_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = key(checks.job("lamp.py::lamp", {}), Sources())
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "lamp.py").write_text(LAMP)
    monkeypatch.chdir(tmp_path / "other")
    assert key(checks.job("lamp.py::lamp", {}), Sources()) == here
    Path("lamp.py").write_text(LAMP + "# more\n")
    assert key(checks.job("lamp.py::lamp", {}), Sources()) != here


def test_what_cannot_be_asked_is_refused_before_or_by_the_worker() -> None:
    with pytest.raises(UsageError, match="no model 'v77'; did you mean 'v7'"):
        checks.job("v77", {})
    with pytest.raises(UsageError) as caught:
        checks.job("lamp.py", {"top": "x"})
    assert str(caught.value) == "top=x: write a whole number"
    with pytest.raises(UsageError) as caught:
        run([checks.job("lamp.py", {}, Options(properties=("nothing",)))], Settings(1))
    assert str(caught.value).startswith("no property 'nothing'; there is whole, ")


def test_an_answer_that_more_time_could_better_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = checks.job("lamp.py", {}, Options(engines=("explicit",), seconds=0.0)).arguments
    assert isinstance(checks.perform(**arguments), Passing)
    arguments = checks.job("lamp.py", {}, Options(engines=("explicit",), states=1)).arguments
    assert not isinstance(checks.perform(**arguments), Passing), "so many states are so many, however long it takes"
    disagreeing = replace(checked(), disagreements=("bmc and prove",))
    monkeypatch.setattr(checks, "check", lambda *_: disagreeing)
    assert isinstance(checks.perform(**arguments), Passing)


def test_all_options_are_in_the_arguments() -> None:
    options = Options(("bmc",), 3, True, ("a", "b"), 7, 1.5, 4, False)
    assert all(getattr(options, name) != value for name, value in asdict(Options()).items())
    arguments = checks.job("lamp.py", {}, options).arguments
    assert checks.read_options(json.loads(json.dumps(arguments))["options"]) == options


def test_a_model_that_changes_while_it_is_checked_is_not_believed(lamp: Path) -> None:
    with pytest.raises(UsageError) as caught:
        run([Job("chores:touch", {"file": str(lamp)}, (str(lamp),))], Settings(1))
    assert str(caught.value) == CHANGED
