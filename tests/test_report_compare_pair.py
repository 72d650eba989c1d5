"""What tells two designs apart, as a terminal gets it."""

from __future__ import annotations

from dataclasses import replace

from cprcheck.compare.behaviour import Behaviour, Direction, Step
from cprcheck.compare.parts import Scope, Versus
from cprcheck.report import compare
from cprcheck.report.compare_pair import reasons

NOTES = ("kernel E1 (Linux 5.15 to 5.19), not conformed", "environment: quiet", "at most 1 fault")
SHOWN = Behaviour(
    ("old_qemu: UNMAP(ALL|V)(container=c0)", "user(command=CONT)"),
    (
        Step("management", "unmap", ("old_qemu: UNMAP(ALL|V)(container=c0)",)),
        Step("user(command=CONT)", "", ("user(command=CONT)",)),
    ),
    ("fault: disk full",),
)
ONE, OTHER = Scope("E1", "p", "cont", NOTES), Scope("E4", "p", "cont", NOTES)
MANY = "behaviours: more than 9 pairs of sets of states"
PAIR = (
    Versus(ONE, (Direction("loop", "empty", SHOWN, followed=False), Direction("empty", "loop", None, followed=True))),
    Versus(OTHER, (Direction("loop", "empty", SHOWN, followed=False), Direction("empty", "loop", None, None, MANY))),
    Versus(replace(OTHER, topology="2p"), (), "truncated at 9 states"),
)
APART = """\
                                                                empty         loop
place              only loop                 only empty         follows loop  follows empty
E1, p, env cont    2 things seen, 2 steps    nothing            no            yes
E4, p, env cont    2 things seen, 2 steps    ?                  no            ?
E4, 2p, env cont   ?                         ?                  ?             ?

--- loop allows it, empty does not: E1, p, env cont; E4, p, env cont
  scope: kernel E1 (Linux 5.15 to 5.19), not conformed; environment: quiet; at most 1 fault

step  loop does                     seen
1     management: unmap             old QEMU: UNMAP(ALL|V)(container=c0)
2     user(command=CONT)            user(command=CONT)
      instead, empty can only show  fault: disk full

unknown of the pair: truncated at 9 states
unknown of the pair: behaviours: more than 9 pairs of sets of states
"""


def words(text: str) -> list[list[str]]:
    """Lines as words: how wide columns are is rich's business."""
    return [line.split() for line in text.splitlines() if line.strip()]


def test_what_tells_two_designs_apart() -> None:
    text = "\n".join(compare.text([], PAIR))
    said, _, tables = text.partition("What tells loop and empty apart\n")[2].partition("\n\n")
    assert said.startswith("  A behaviour is what can be seen of a run")
    assert words(tables) == words(APART)
    assert reasons(PAIR) == ["truncated at 9 states", MANY]


def test_of_a_pair_of_which_nothing_is_known_that_is_said() -> None:
    lines = list(compare.text([], PAIR[2:]))
    assert lines[-4:] == [
        "place             known",
        "E4, 2p, env cont  ?",
        "",
        "unknown of the pair: truncated at 9 states",
    ]


def test_a_behaviour_in_which_nothing_more_can_be_seen_says_so() -> None:
    ends = replace(SHOWN, instead=())
    lines = compare.text([], [Versus(ONE, (Direction("loop", "empty", ends, False), PAIR[0].directions[1]))])
    assert any(line.split() == ["instead,", "empty", "can", "only", "show", "nothing", "more"] for line in lines)
