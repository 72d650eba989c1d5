# SPDX-License-Identifier: Apache-2.0
"""What became of declared expectations: as text, as JUnit cases, as annotations at the declarations, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cprcheck.errors import Source
from cprcheck.expectations.judging import Finding, Outcome
from cprcheck.report import github, junit, summary, words


def word(outcome: Outcome) -> str:
    """How a run fared, in a word or three."""
    if outcome.report.disagreements:
        return "DISAGREEMENT"
    if outcome.as_declared:
        return "as declared"
    return "unknown" if all(finding.unknown for finding in outcome.differences) else "NOT AS DECLARED"


def lines(outcome: Outcome, *, traces: bool = True) -> Iterator[str]:
    """A line for a run that is as declared; for any other the differences too, with the traces of what is otherwise."""
    yield f"{word(outcome):<15}  {words.printable(outcome.run.title)}"
    if outcome.as_declared:
        return
    yield f"  declared: {outcome.run.place}"
    yield from (f"  DISAGREEMENT {said}" for said in outcome.report.disagreements)
    for finding in outcome.differences:
        yield from (f"  {said}" for said in finding.said)
    for finding in outcome.differences if traces else ():
        verdict = None if finding.unmeasured else finding.verdict
        if verdict is not None and verdict.trace is not None and verdict.status.bad:
            yield ""
            yield from evidence(outcome, finding)
    yield ""


def evidence(outcome: Outcome, finding: Finding) -> Iterator[str]:
    """What was found where it is not as declared: the trace, if there is one.  Nothing where a length is missing."""
    if finding.verdict is not None and not finding.unmeasured:
        yield from words.details(outcome.report.system, finding.verdict, outcome.run.command())


def last_line(outcomes: Sequence[Outcome]) -> str:
    """How many are as declared."""
    return f"{sum(outcome.as_declared for outcome in outcomes)} of {len(outcomes)} runs are as declared"


def suites(outcomes: Sequence[Outcome]) -> list[junit.Suite]:
    """A test for each declared verdict, which passes while it is as declared, bad ones too."""
    return [
        junit.Suite(
            outcome.run.title,
            (*(_case(outcome, finding) for finding in outcome.findings), *junit.disagreements(outcome.report)),
            (("declared", outcome.run.place), *junit.facts(outcome.report)),
            "\n".join(words.preface(outcome.report)),
        )
        for outcome in outcomes
    ]


def _case(outcome: Outcome, finding: Finding) -> junit.Case:
    if not finding.said:
        return junit.Case(
            finding.name, out=f"as declared, {words.sentence(finding.verdict)}" if finding.verdict else ""
        )
    said = "; ".join(finding.said)
    body = "\n".join([*finding.said, "", *evidence(outcome, finding)])
    return junit.Case(finding.name, "error" if finding.unknown else "failure", "NOT AS DECLARED", said, body)


def commands(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """GitHub's commands for everything that is not as declared, at the line of its declaration."""
    for outcome in outcomes:
        run = outcome.run
        here = Source(str(run.file), run.line)
        for said in outcome.report.disagreements:
            yield github.command("error", f"DISAGREEMENT {said}", run.title, here)
        for finding in outcome.differences:
            yield github.command("warning" if finding.unknown else "error", "\n".join(finding.said), run.title, here)


def markdown(outcomes: Sequence[Outcome]) -> str:
    """The outcomes as the text of a Markdown file."""
    return "".join(f"{line}\n" for line in _markdown(outcomes))


def _markdown(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield f"### {last_line(outcomes)}"
    yield ""
    yield "| | run | declared at | found |"
    yield "|---|---|---|---|"
    for outcome in outcomes:
        said = [said for finding in outcome.differences for said in finding.said]
        found = "<br>".join(map(summary.cell, (*outcome.report.disagreements, *said))) or word(outcome)
        mark = "✅" if outcome.as_declared else "❔" if word(outcome) == "unknown" else "❌"
        yield f"| {mark} | {summary.cell(outcome.run.title)} | {summary.cell(outcome.run.place)} | {found} |"
    yield ""
    for outcome in outcomes:
        for finding in outcome.differences:
            if finding.verdict is not None and not finding.unmeasured:
                yield from summary.folded(f"{outcome.run.title}: {finding.name}", evidence(outcome, finding))
