"""Figures as a terminal, a mail and a machine get them, word for word."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.metadata import version

from cprcheck.compare.figures import Count, Failure
from cprcheck.compare.left import Attempt, Left, Pair, Pairs
from cprcheck.compare.measuring import Figures, Series
from cprcheck.compare.pareto import OBJECTIVES
from cprcheck.compare.parts import Again, Finding, Leftovers, Restores, Run, Scope, Verdicts
from cprcheck.report import compare
from cprcheck.report.compare_sections import sections

NOTES = ("kernel E1 (Linux 5.15 to 5.19), not conformed", "environment: quiet", "at most 1 fault")
RUN = Scope("E1", "Cp", "quiet", ("kernel E1, not conformed", "no faults"))
STOP = Scope("E1", "Cp", "cont,stop", ("kernel E1, not conformed", "no faults"))
PLACE = Scope("E1", "2p", "quiet", NOTES)
AGAIN = Scope("E1", "2p", "again", NOTES)
DISK, EXEC, SAVE = "disk full", "execvp fails", "cpr_state_save fails"
CAPABLE = "the kernel refuses: c1: capable?"
TWO = (Finding("two(c=1)", "two", "VIOLATED", 12), Finding("two(c=0)", "two", "VIOLATED", 8))
UNKNOWN = Finding("open", "open", "UNKNOWN")


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
                Failure(DISK, 0, 2, 1, 3, certain=True, never=False, runs=False, by=("the caller",)),
                Failure(SAVE, 1, None, 4, None, certain=False, never=True, runs=True, by=("the caller", "cont")),
                Failure(CAPABLE, None, None, None, None, certain=False, never=True, runs=False, by=()),
            ),
        ),
    ),
    left=(Leftovers(PLACE, Left((DISK, "cpr_state_save fails"), (EXEC,), (DISK, "cpr_state_save fails", EXEC, "x"))),),
    verdicts=(
        Verdicts(
            PLACE,
            (Finding("safe", "safe", "HOLDS"), Finding("live(c=0)", "live", "VIOLATED", 9, 2), *TWO, UNKNOWN),
            "timed out after 2 s",
        ),
        Verdicts(
            replace(PLACE, env="cont", notes=("environment: cont", *NOTES)),
            (Finding("safe", "safe", "VIOLATED", 7), Finding("live(c=0)", "live", "VIOLATED", 9, 2), *TWO, UNKNOWN),
        ),
    ),
    again=(
        Again(
            AGAIN,
            Pairs(
                (
                    Pair(DISK, EXEC, invalid=True, lost=False, alone=False),
                    Pair(EXEC, DISK, invalid=False, lost=True, alone=True),
                ),
                ((DISK, EXEC), (EXEC, DISK), (DISK, DISK)),
            ),
            (Attempt(DISK, always=False, never=False), Attempt(EXEC, always=True, never=False)),
        ),
    ),
)
EMPTY = Figures(
    "empty",
    "empty.py",
    9,
    clean=(Series(RUN, (Run(1, None), Run(2, None))),),
    starts=(Series(STOP, (Run(1, ()), Run(2, None, "truncated at 9 states"))),),
    restores=(Restores(replace(PLACE, notes=(*NOTES, "a note of its own")), ()),),
    left=(Leftovers(PLACE, Left((), (), ()), "timed out after 1 s"),),
    verdicts=(Verdicts(PLACE, (Finding("update", "update", "UNREACHABLE"),)),),
    again=(Again(AGAIN, Pairs((), ()), (), "timed out after 1 s"),),
)

TEXT = """\
Verdicts
  With any finite number of real faults.  V 8: VIOLATED, the shortest trace has 8 steps; V 8+2: a stem and a
    loop, not said to be shortest; R 20: REACHABLE; never: UNREACHABLE; ?: UNKNOWN; -: the design has no such
    property.  Of several instances the worst counts.  The second row of a property is that of the environment
    it names, where it changes something.

--- kernel E1, topology 2p, env quiet and cont
  scope: kernel E1 (Linux 5.15 to 5.19), not conformed; at most 1 fault

property    loop(recover=yes)  empty
safe        holds              -
  env cont  V 7                -
live        V 7+2              -
two         V 8                -
open        ?                  -
update      -                  never
  env cont  -                  -


Lines of code
  Of the design's own file, without blank lines, comments and docstrings.

design             file                    lines
loop(recover=yes)  models/designs/loop.py  31
empty              empty.py                9


Operations on a run without failure
  On a shortest run to a successful update, of several on one with the fewest operations, by who performs
    them; never: there is no such run.  What devices do when they are realized, before the update, is not
    counted: a counter or blocker tests each device's container then (2 ioctls at most).  C containers have a
    physical group each; N devices are saved beside the two or three of every VM.  Each cell: the numbers for
    C = 1 to 2, too few for a formula; ? is unknown.

--- kernel E1, topology Cp, env quiet
  scope: kernel E1, not conformed; no faults

                   old QEMU:        old QEMU:     old QEMU:  new QEMU:
design             CHECK_EXTENSION  UNMAP(ALL|V)  test       MAP(V)
loop(recover=yes)  1 2              1 2           2 2        1 2
empty              never            never         never      never


Operations of a stop and a cont outside an update
  On a shortest way from a running guest to a running guest, of several on one with the fewest operations;
    never: there is no such way.  C containers have a physical group each; N devices are saved beside the two
    or three of every VM.  Each cell: the numbers for C = 1 to 2, too few for a formula; ? is unknown.

--- kernel E1, topology Cp, env cont,stop
  scope: kernel E1, not conformed; no faults

design             test
loop(recover=yes)  0 3
empty              0 ?


From a failure to the restore
  A failure is a fault or a refusal that leaves a vaddr invalid in a living old QEMU.  Counted are the steps
    that may fail between it and the first MAP(V) of whoever restores, and all steps to that MAP(V), at least
    and at most; never: no restore can be reached; no bound: they lie in a loop on the way.  All steps are
    those of whichever processes and of the user, whose command may have been typed before the failure and is
    no step then; the failure does not count, nor what changes nothing; the MAP(V) does.  Certain: on every
    weakly fair run all vaddrs become valid again, not only the first, unless the old QEMU ends.  Guest runs:
    it may, with an invalid vaddr, before all are valid again.

--- kernel E1, topology 2p, env quiet
  scope: kernel E1 (Linux 5.15 to 5.19), not conformed; environment: quiet; at most 1 fault; empty: a note of
    its own

                                           before the                                  guest
design             failure                 first restore         steps to it  certain  runs   restored by
loop(recover=yes)  all 3                   0, no bound or never  1, no bound  no       yes    the caller, cont
                   disk full               0 to 2                1 to 3       yes      no     the caller
                   cpr_state_save fails    1, no bound or never  4, no bound  no       yes    the caller, cont
                   the kernel refuses:     never                 never        no       no     nobody
                   c1: capable?
empty              none


What nobody recovers
  Faults and refusals after which, without another fault, a vaddr may stay invalid for good in a living old
    QEMU: what has to happen leads nowhere else.  And those after which the VM may be lost: it is in no QEMU,
    or for good in a new one where the update has failed.  Failures: how many of all that can happen leave one
    or the other behind.  What every design leaves behind is said once.

--- kernel E1, topology 2p, env quiet
  scope: kernel E1 (Linux 5.15 to 5.19), not conformed; environment: quiet; at most 1 fault

design             failures  a vaddr stays invalid            the VM is lost
loop(recover=yes)  3 of 4    disk full; cpr_state_save fails  execvp fails
empty              ?         ?                                ?


Two failures, and another attempt
  Where the management tries up to three times, and at most two faults happen.  Pairs left: how many of those
    that can be the first two failures of a run may leave a vaddr invalid for good, or the VM lost; after a
    failure that ends everything there is no second.  Neither does it alone: those in which it takes both.
    Can succeed: after how many of the failures that can be the first of a run the update can still succeed
    when nothing else fails, wherever they strike; and after which it cannot, or not everywhere.

--- kernel E1, topology 2p, env again
  scope: kernel E1 (Linux 5.15 to 5.19), not conformed; environment: quiet; at most 1 fault

design             pairs left  neither does it alone         can succeed  cannot, after
loop(recover=yes)  2 of 3      disk full, then execvp fails  1 of 2       disk full
empty              ?           ?                             ?            ?


The Pareto front
  A design is dominated when another is at least as good in every column and better in one; less is better.
    Operations: with the largest C.  The rest counts over all topologies and environments above, and only what
    can be counted of every design: properties that all have, faults that can strike all, and each design's
    own refusals.  Bad verdicts: VIOLATED or UNREACHABLE.  Failures left: those that nobody recovers; pairs of
    failures do not count, since a design that ends at the first has fewer.  No way on: first failures after
    which the update cannot succeed any more, or not wherever they strike.  Nothing is weighed.  That a design
    is on the front says that nothing here is better in all; where two do different jobs, neither is the
    better one.

--- kernel E1

                                          operations of
                          operations of   a stop and a
design             front  an update       cont            bad verdicts  failures left  no way on  dominated by
loop(recover=yes)  ?      ?               ?               ?             ?              ?          ?
empty              ?      ?               ?               ?             ?              ?          ?

unknown of loop(recover=yes): timed out after 2 s
unknown of empty: truncated at 9 states
unknown of empty: timed out after 1 s
"""
MARKDOWN = r"""
## Verdicts
### kernel E1, topology 2p, env quiet and cont
Scope: kernel E1 (Linux 5.15 to 5.19), not conformed; at most 1 fault.
| property | loop(recover=yes) | empty |
| --- | --- | --- |
| safe | holds | - |
|   env cont | V 7 | - |
| live | V 7+2 | - |
| two | V 8 | - |
| open | ? | - |
| update | - | never |
|   env cont | - | - |
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
| design | failure | before the first restore | steps to it | certain | guest runs | restored by |
| --- | --- | --- | --- | --- | --- | --- |
| loop(recover=yes) | all 3 | 0, no bound or never | 1, no bound | no | yes | the caller, cont |
| loop(recover=yes) | disk full | 0 to 2 | 1 to 3 | yes | no | the caller |
| loop(recover=yes) | cpr_state_save fails | 1, no bound or never | 4, no bound | no | yes | the caller, cont |
| loop(recover=yes) | the kernel refuses: c1: capable? | never | never | no | no | nobody |
| empty | none |  |  |  |  |  |
## What nobody recovers
### kernel E1, topology 2p, env quiet
Scope: kernel E1 (Linux 5.15 to 5.19), not conformed; environment: quiet; at most 1 fault.
| design | failures | a vaddr stays invalid | the VM is lost |
| --- | --- | --- | --- |
| loop(recover=yes) | 3 of 4 | disk full; cpr_state_save fails | execvp fails |
| empty | ? | ? | ? |
## Two failures, and another attempt
### kernel E1, topology 2p, env again
Scope: kernel E1 (Linux 5.15 to 5.19), not conformed; environment: quiet; at most 1 fault.
| design | pairs left | neither does it alone | can succeed | cannot, after |
| --- | --- | --- | --- | --- |
| loop(recover=yes) | 2 of 3 | disk full, then execvp fails | 1 of 2 | disk full |
| empty | ? | ? | ? | ? |
## The Pareto front
### kernel E1
FRONT
| --- | --- | --- | --- | --- | --- | --- | --- |
| loop(recover=yes) | ? | ? | ? | ? | ? | ? | ? |
| empty | ? | ? | ? | ? | ? | ? | ? |
* unknown of loop(recover=yes): timed out after 2 s
* unknown of empty: truncated at 9 states
* unknown of empty: timed out after 1 s
""".replace("FRONT", f"| design | front | {' | '.join(OBJECTIVES)} | dominated by |")


def test_the_text_word_for_word() -> None:
    assert "\n".join(compare.text([LOOP, EMPTY])) + "\n" == TEXT


def test_the_markdown_has_the_same_tables_and_the_same_words() -> None:
    lines = list(compare.markdown([LOOP, EMPTY]))
    assert [line for line in lines if line.startswith(("|", "#", "Scope", "* "))] == MARKDOWN.strip().splitlines()
    assert [line for line in lines if line and not line.startswith(("|", "#", "Scope", "* "))] == [
        section.about for section in sections([LOOP, EMPTY])
    ]
    blocks = "\n".join(lines).split("\n\n")
    assert [block.count("\n") for block in blocks if block.startswith("|")] == [8, 3, 3, 3, 6, 3, 3, 3]


def test_the_json_has_every_field_and_nothing_of_this_machine() -> None:
    read = json.loads(compare.dumps([LOOP, EMPTY]))
    assert (read["schema"], read["cprcheck"]) == ("cprcheck-compare-3", version("cprcheck"))
    loop, empty = read["designs"]
    assert list(read) == ["schema", "cprcheck", "designs", "objectives", "standings", "pairs"]
    fields = ["design", "file", "lines", "clean", "starts", "restores", "left", "verdicts", "again"]
    assert list(loop) == fields
    assert loop["again"][0]["pairs"]["of"][0] == ["disk full", "execvp fails"]
    assert read["standings"][0] == {"design": LOOP.design, "kernel": "E1", "values": None, "dominated_by": []}
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
        "longest": None,
        "certain": False,
        "never": True,
        "runs": True,
        "by": ["the caller", "cont"],
    }
    assert empty["starts"][0]["runs"][1] == {
        "containers": 2,
        "counts": None,
        "reason": "truncated at 9 states",
        "others": 0,
    }
    assert empty["left"][0]["left"] == {"invalid": [], "lost": [], "of": []}


def test_a_single_design_is_on_no_front() -> None:
    assert not any("Pareto" in line for line in compare.text([LOOP]))
    assert json.loads(compare.dumps([LOOP]))["standings"] == []


def test_what_nobody_finished_is_unknown_and_what_was_not_asked_is_a_dash() -> None:
    lost = replace(EMPTY, verdicts=(Verdicts(PLACE, (), "the worker was killed"),))
    lines = list(compare.text([LOOP, lost]))
    assert "safe        holds              ?" in lines
    assert "  env cont  V 7                -" in lines


def test_of_many_designs_all_failures_are_in_one_row_and_what_all_leave_behind_is_said_once() -> None:
    many = [replace(LOOP, design=name) for name in "abcd"]
    lines = list(compare.text(many))
    assert sum(line.startswith("a ") and "all 3" in line for line in lines) == 1
    assert not any("the kernel refuses" in line for line in lines)
    assert any(line.startswith("every design") and "cpr_state_save fails" in line for line in lines)
    assert sum("disk full; cpr_state_save fails" in line for line in lines) == 1
    assert max(map(len, lines)) <= 110


def test_tables_that_say_the_same_are_one() -> None:
    elsewhere = replace(PLACE, kernel="E4", notes=("kernel E4 (Linux 6.3 and later), not conformed", *NOTES[1:]))
    both = replace(EMPTY, restores=(Restores(PLACE, ()), Restores(elsewhere, ())))
    lines = list(compare.text([both]))
    at = lines.index("--- kernel E1, topology 2p, env quiet; kernel E4, topology 2p, env quiet")
    assert lines[at + 1 : at + 4] == [
        "  scope: environment: quiet; at most 1 fault; kernel E1, topology 2p, env quiet: kernel E1 (Linux 5.15 to",
        "    5.19), not conformed; kernel E4, topology 2p, env quiet: kernel E4 (Linux 6.3 and later), not conformed",
        "",
    ]


def test_a_wide_header_wraps_between_words() -> None:
    def counts(times: int) -> tuple[Count, ...]:
        kinds = ("CHECK_EXTENSION", "UNMAP(ALL|V)", "test"), ("CHECK_EXTENSION", "MAP(V)", "test")
        return tuple(
            Count(f"{who}_qemu", kind, times) for who, each in zip(("old", "new"), kinds, strict=True) for kind in each
        )

    runs = tuple(Run(containers, counts(times)) for containers, times in enumerate((16, 17, 19, 20), 1))
    lines = list(compare.text([replace(LOOP, design="vm_change_handler", clean=(Series(RUN, runs),))]))
    row = next(line for line in lines if line.startswith("vm_change_handler  16 17 19 20"))
    first, second = lines[lines.index(row) - 2 : lines.index(row)]
    assert first.split() == [*["old", "QEMU:"] * 3, *["new", "QEMU:"] * 3]
    assert second.split() == ["design", "CHECK_EXTENSION", "UNMAP(ALL|V)", "test", "CHECK_EXTENSION", "MAP(V)", "test"]
    assert max(map(len, lines)) <= 110
