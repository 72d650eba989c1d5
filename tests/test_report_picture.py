"""A run as a picture: its lanes, rows, messages and bars."""

from __future__ import annotations

from dataclasses import replace

from authors import process, written
from drawn import BODY, found, toy, verdict
from systems import renamed

from cprcheck.checking import check
from cprcheck.lanes import Bar, Drawing
from cprcheck.report.picture import OTHERS, Part, picture, spans
from cprcheck.semantics import initial_states
from cprcheck.trace import Trace


def drawn(name: str = "loaded"):
    return picture(found().system, verdict(name).trace)


def parts(step: int) -> list[tuple[str, int | None, int | None]]:
    return [(part.text, part.source, part.target) for part in drawn().rows[step].parts]


def test_lanes_and_bars_in_the_order_of_the_model_without_those_that_nothing_touches() -> None:
    assert drawn().lanes == ("user", "old QEMU", "new QEMU", "kernel")
    assert drawn().bars == ("vaddr invalid",)
    first = picture(found().system, Trace(verdict().trace.states[:2], verdict().trace.steps[:1]))
    assert (first.lanes, first.bars) == (("user", "old QEMU"), ())


def test_each_step_is_in_the_lane_of_its_process() -> None:
    assert [row.lane for row in drawn().rows] == [None, 1, 1, 1, 1, 2]
    assert [row.step for row in drawn().rows] == [0, 1, 2, 3, 4, 5]


def test_the_first_row_tells_what_could_have_been_otherwise() -> None:
    assert drawn().rows[0].head == Part("start", "start with n = 0")


def test_a_step_is_a_message_where_the_model_says_so() -> None:
    assert drawn().rows[1].head == Part("step", "management: save", 0, 1)
    assert drawn().rows[2].head == Part("step", "unmap")


def test_an_event_is_a_message_where_the_model_says_so_and_its_arguments_fit() -> None:
    assert parts(1) == [("log (1)", None, None)]
    assert parts(2) == [("UNMAP (c0)", 1, 3)]
    assert parts(3) == [("refused (the kernel)", 3, 1), ("refused (nobody)", None, None)]


def test_a_group_that_starts_is_a_message_to_its_lane_and_one_that_ends_a_message_to_itself() -> None:
    assert parts(4) == [("new QEMU starts", 1, 2), ("old QEMU ends", 1, 1)]
    lives = [row.lives for row in drawn().rows]
    assert lives == [(True, True, False, True)] * 4 + [(True, False, True, True)] * 2


def test_a_bar_stands_where_its_formula_holds() -> None:
    assert [row.bars for row in drawn().rows] == [(False,)] * 2 + [(True,)] * 4
    assert spans(drawn(), 0) == [(2, 5)]


def test_a_bar_may_stand_twice() -> None:
    system = replace(found().system, drawing=Drawing(bars=(Bar("b", found().system.property("loaded").formulas[0]),)))
    again = picture(system, Trace(verdict("ends").trace.states, verdict("ends").trace.steps))
    assert spans(again, 0) == [(0, 4), (6, 9)]


def test_a_fault_is_a_part_of_its_own() -> None:
    number = next(i for i, t in enumerate(found().system.transitions) if t.faults)
    trace = verdict().trace
    row = picture(found().system, Trace(trace.states, (*trace.steps[:2], number, *trace.steps[3:]))).rows[3]
    assert row.parts[0] == Part("fault", "FAULT: the disk is full")
    assert (row.faulty, drawn().rows[3].faulty) == (True, False)


def test_the_c_functions_are_there() -> None:
    assert [row.function for row in drawn().rows] == ["", *["migration/cpr.c:qmp_cpr_save"] * 4, ""]


def test_a_lasso_says_how_it_goes_on() -> None:
    assert (drawn().loop, drawn().ending) == (None, "")
    assert (drawn("ends").loop, drawn("ends").ending) == (7, "back to where the loop starts, for ever")
    stays = replace(verdict().trace, loop=5)
    assert picture(found().system, stays).ending == "nobody has to move from here on"


def test_without_declared_lanes_a_process_is_in_its_group_or_family() -> None:
    body = BODY.replace(', lane="user"', "") + "@m.process(i=(1, 2))\ndef tick(s, i):\n    yield f'tick {i}'\n"
    system = toy(body).system
    steps = []
    states = [next(initial_states(system))]
    for wanted in ("save", "tick 1", "tick 2"):
        from cprcheck.semantics import successors

        index, after = next((i, s) for i, s in successors(system, states[-1]) if system.transitions[i].label == wanted)
        steps.append(index)
        states.append(after)
    made = picture(system, Trace(tuple(states), tuple(steps)))
    assert made.lanes == ("old", "tick")
    assert [row.head.text for row in made.rows[1:]] == ["management: save", "tick(i=1): tick 1", "tick(i=2): tick 2"]


def test_a_process_is_named_only_where_another_one_has_moved_in_its_lane() -> None:
    assert [row.head.text for row in drawn("ends").rows[5:8]] == ["load", "forget", "turn"]


def test_what_cannot_be_printed_is_not() -> None:
    body = process('yield "odd"\ns.n = 1') + "\n@m.invariant\ndef zero(s):\n    return s.n == 0\n"
    report = check(renamed(written(body).system, {"odd": "a\tb\nc\x1b[31m"}))
    assert picture(report.system, report["zero"].trace).rows[1].head.text == "a b c?[31m"


def test_too_many_lanes_or_bars_are_drawn_as_one() -> None:
    names = ", ".join(repr(f"x{i}") for i in range(12))
    body = f"for name in ({names}):\n    m.lane(name)\n"
    body += "".join(
        f"@m.process(lane='x{i}')\ndef p{i}(s):\n    yield 'a'\n    s.require(s.n=={i % 4})\n    s.n = {(i + 1) % 4}\n"
        for i in range(12)
    )
    bars = "".join(f"@m.bar('bar {i}')\ndef bar{i}(s):\n    return s.n == {i % 2}\n" for i in range(15))
    system = written(body + bars).system
    states, steps = [next(initial_states(system))], []
    for number in range(12):
        from cprcheck.semantics import apply

        steps.append(number)
        states.append(apply(system.transitions[number], states[-1]))
    made = picture(system, Trace(tuple(states), tuple(steps)))
    assert made.lanes == (*(f"x{i}" for i in range(7)), OTHERS)
    assert [row.lane for row in made.rows[1:]] == [*range(7), *[7] * 5]
    assert made.bars == (*(f"bar {i}" for i in range(11)), "one of 4 others")
    assert [row.bars[11] for row in made.rows[:4]] == [True, True, False, False]
