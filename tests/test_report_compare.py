"""Figures as a terminal, a mail and a machine get them, word for word."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.metadata import version

import pytest

from cprcheck.compare.figures import Count, Failure, Left
from cprcheck.compare.measuring import Figures, Leftovers, Restores, Run, Scope, Series
from cprcheck.report import compare

NOTES = ("kernel E1 (Linux 5.15 to 5.19), not conformed", "environment: quiet", "at most 1 fault")
RUN = Scope("E1", "Cp", "quiet", ("kernel E1, not conformed", "no faults"))
STOP = Scope("E1", "Cp", "cont,stop", ("kernel E1, not conformed", "no faults"))
PLACE = Scope("E1", "2p", "quiet", NOTES)


def operations(times: int) -> tuple[Count, ...]:
    """What a run with so many containers performs."""
    old = [Count("old_qemu", kind, times) for kind in ("CHECK_EXTENSION", "UNMAP(ALL|V)")]
    return (*old, Count("old_qemu", "test", 2), Count("new_qemu", "MAP(V)", times))


LOOP = Figures(
    "loop(recover=yes)",
    "models/designs/loop.py",
    31,
    clean=(Series(RUN, (Run(1, operations(1)), Run(2, operations(2)))),),
    starts=(Series(STOP, (Run(1, ()), Run(2, (Count("old_qemu", "test", 3),)))),),
    restores=(
        Restores(
            PLACE,
            (
                Failure("disk full", 0, 2, 1, certain=True, never=False, runs=False, by=("the caller",)),
                Failure(
                    "cpr_state_save fails", 1, None, 4, certain=False, never=True, runs=True, by=("the caller", "cont")
                ),
                Failure(
                    "the kernel refuses: c1: capable?", None, None, None, certain=False, never=True, runs=False, by=()
                ),
            ),
        ),
    ),
    left=(Leftovers(PLACE, Left(("disk full", "cpr_state_save fails"), ("execvp fails",))),),
)
EMPTY = Figures(
    "empty",
    "empty.py",
    9,
    clean=(Series(RUN, (Run(1, None), Run(2, None))),),
    starts=(Series(STOP, (Run(1, ()), Run(2, None, "truncated at 9 states"))),),
    restores=(Restores(replace(PLACE, notes=(*NOTES, "a note of its own")), ()),),
    left=(Leftovers(PLACE, Left((), ()), "timed out after 1 s"),),
)

TEXT = """\
Lines of code
  Of the design's own file, without blank lines, comments and docstrings.

design             file                    lines
loop(recover=yes)  models/designs/loop.py  31
empty              empty.py                9


Operations on a run without failure
  On a shortest run to a successful update, by who performs them; never: there is no such run.  What devices
    do when they are realized, before the update, is not counted: a counter or blocker tests each device's
    container then (2 ioctls at most).  Each cell: C = 1, 2 containers with a physical group each; ? is
    unknown.

--- kernel E1, topology Cp, env quiet
  scope: kernel E1, not conformed; no faults

                   old QEMU:        old QEMU:     old QEMU:  new QEMU:
design             CHECK_EXTENSION  UNMAP(ALL|V)  test       MAP(V)
loop(recover=yes)  1 2              1 2           2 2        1 2
empty              never            never         never      never


Operations of a stop and a cont outside an update
  On a shortest way from a running guest to a running guest; never: there is no such way.  Each cell: C = 1, 2
    containers with a physical group each; ? is unknown.

--- kernel E1, topology Cp, env cont,stop
  scope: kernel E1, not conformed; no faults

design             test
loop(recover=yes)  0 3
empty              0 ?


From a failure to the restore
  A failure is a fault or a refusal that leaves a vaddr invalid in a living old QEMU.  Counted are the steps
    that may fail between it and the first MAP(V) of whoever restores, at least and at most; never: no restore
    can be reached.  Steps: the least number of all steps from the failure, which is not counted, to that
    MAP(V), which is; a shortest path in the graph of all states, by whichever processes and the user, whose
    command may have been typed before the failure and is no step then.  Certain: what has to happen leads
    there.  Guest runs: with an invalid vaddr, before anybody has restored.

--- kernel E1, topology 2p, env quiet
  scope: kernel E1 (Linux 5.15 to 5.19), not conformed; environment: quiet; at most 1 fault; empty: a note of
    its own

design             failure                           before the restore    steps  certain  guest runs  restored by
loop(recover=yes)  all 3                             0, no bound or never  1      no       yes         the caller, cont
                   disk full                         0 to 2                1      yes      no          the caller
                   cpr_state_save fails              1, no bound or never  4      no       yes         the caller, cont
                   the kernel refuses: c1: capable?  never                 never  no       no          nobody
empty              none


What nobody recovers
  Faults and refusals after which, without another fault, a vaddr may stay invalid for good in a living old
    QEMU: what has to happen leads nowhere else.  And those after which the VM may be lost: it is in no QEMU,
    or for good in a new one where the update has failed.

--- kernel E1, topology 2p, env quiet
  scope: kernel E1 (Linux 5.15 to 5.19), not conformed; environment: quiet; at most 1 fault

design             a vaddr stays invalid            the VM is lost
loop(recover=yes)  disk full; cpr_state_save fails  execvp fails
empty              ?                                ?

unknown of empty: truncated at 9 states
unknown of empty: timed out after 1 s
"""
MARKDOWN = r"""
## Lines of code
| design | file | lines |
| --- | --- | --- |
| loop(recover=yes) | models/designs/loop.py | 31 |
| empty | empty.py | 9 |
## Operations on a run without failure
### kernel E1, topology Cp, env quiet
Scope: kernel E1, not conformed; no faults.
| design | old QEMU: CHECK_EXTENSION | old QEMU: UNMAP(ALL\|V) | old QEMU: test | new QEMU: MAP(V) |
| --- | --- | --- | --- | --- |
| loop(recover=yes) | 1 2 | 1 2 | 2 2 | 1 2 |
| empty | never | never | never | never |
## Operations of a stop and a cont outside an update
### kernel E1, topology Cp, env cont,stop
Scope: kernel E1, not conformed; no faults.
| design | test |
| --- | --- |
| loop(recover=yes) | 0 3 |
| empty | 0 ? |
## From a failure to the restore
### kernel E1, topology 2p, env quiet
Scope: kernel E1 (Linux 5.15 to 5.19), not conformed; environment: quiet; at most 1 fault; empty: a note of its own.
| design | failure | before the restore | steps | certain | guest runs | restored by |
| --- | --- | --- | --- | --- | --- | --- |
| loop(recover=yes) | all 3 | 0, no bound or never | 1 | no | yes | the caller, cont |
| loop(recover=yes) | disk full | 0 to 2 | 1 | yes | no | the caller |
| loop(recover=yes) | cpr_state_save fails | 1, no bound or never | 4 | no | yes | the caller, cont |
| loop(recover=yes) | the kernel refuses: c1: capable? | never | never | no | no | nobody |
| empty | none |  |  |  |  |  |
## What nobody recovers
### kernel E1, topology 2p, env quiet
Scope: kernel E1 (Linux 5.15 to 5.19), not conformed; environment: quiet; at most 1 fault.
| design | a vaddr stays invalid | the VM is lost |
| --- | --- | --- |
| loop(recover=yes) | disk full; cpr_state_save fails | execvp fails |
| empty | ? | ? |
* unknown of empty: truncated at 9 states
* unknown of empty: timed out after 1 s
"""


def test_the_text_word_for_word() -> None:
    assert "\n".join(compare.text([LOOP, EMPTY])) + "\n" == TEXT


def test_the_markdown_has_the_same_tables_and_the_same_words() -> None:
    lines = list(compare.markdown([LOOP, EMPTY]))
    sections = compare.sections([LOOP, EMPTY])
    assert [line for line in lines if line.startswith(("|", "#", "Scope", "* "))] == MARKDOWN.strip().splitlines()
    assert [line for line in lines if line and not line.startswith(("|", "#", "Scope", "* "))] == [
        section.about for section in sections
    ]
    blocks = "\n".join(lines).split("\n\n")
    assert [block.count("\n") for block in blocks if block.startswith("|")] == [3, 3, 3, 6, 3]


def test_the_json_has_every_field_and_nothing_of_this_machine() -> None:
    read = json.loads(compare.dumps([LOOP, EMPTY]))
    assert (read["schema"], read["cprcheck"]) == ("cprcheck-compare-1", version("cprcheck"))
    loop, empty = read["designs"]
    assert list(loop) == ["design", "file", "lines", "clean", "starts", "restores", "left"]
    assert loop["clean"][0]["scope"] == {
        "kernel": "E1",
        "topology": "Cp",
        "env": "quiet",
        "notes": ["kernel E1, not conformed", "no faults"],
    }
    assert loop["clean"][0]["runs"][1]["counts"][3] == {"group": "new_qemu", "kind": "MAP(V)", "times": 2}
    assert loop["restores"][0]["failures"][1] == {
        "name": "cpr_state_save fails",
        "least": 1,
        "most": None,
        "steps": 4,
        "certain": False,
        "never": True,
        "runs": True,
        "by": ["the caller", "cont"],
    }
    assert empty["starts"][0]["runs"][1] == {"containers": 2, "counts": None, "reason": "truncated at 9 states"}
    assert empty["left"][0]["left"] == {"invalid": [], "lost": []}


SPANS = [
    ([(0, 0, False)], "0"),
    ([(1, 2, False)], "1 to 2"),
    ([(1, 2, False), (0, 0, False)], "0 to 2"),
    ([(1, None, False), (3, 4, False)], "1, no bound"),
    ([(None, None, True)], "never"),
    ([(None, None, True), (2, 2, False)], "2 or never"),
    ([(2, 2, True)], "2 or never"),
    ([(0, None, True)], "0, no bound or never"),
]


@pytest.mark.parametrize(("follows", "said"), SPANS)
def test_a_span_is_the_least_and_the_most(follows: list[tuple[int | None, int | None, bool]], said: str) -> None:
    failures = [
        Failure("x", least, most, None, certain=True, never=never, runs=False, by=()) for least, most, never in follows
    ]
    assert compare.span(failures) == said


@pytest.mark.parametrize(("steps", "said"), [([3], "3"), ([3, 2], "2"), ([None, 3], "3"), ([None], "never")])
def test_the_fewest_steps_are_those_of_the_nearest_restore(steps: list[int | None], said: str) -> None:
    failures = [Failure("x", 0, 0, each, certain=True, never=False, runs=False, by=()) for each in steps]
    assert compare.fewest(failures) == said


def test_a_wide_header_wraps_between_words() -> None:
    new = (Count("new_qemu", "CHECK_EXTENSION", 16), Count("new_qemu", "MAP(V)", 16), Count("new_qemu", "test", 16))
    runs = tuple(Run(containers, (*operations(16)[:3], *new)) for containers in (1, 2, 3, 4))
    lines = list(compare.text([replace(LOOP, design="vm_change_handler", clean=(Series(RUN, runs),))]))
    row = next(line for line in lines if line.startswith("vm_change_handler  16 16 16 16"))
    first, second = lines[lines.index(row) - 2 : lines.index(row)]
    assert first.split() == [*["old", "QEMU:"] * 3, *["new", "QEMU:"] * 3]
    assert second.split() == ["design", "CHECK_EXTENSION", "UNMAP(ALL|V)", "test", "CHECK_EXTENSION", "MAP(V)", "test"]
    assert max(map(len, lines)) <= 120
