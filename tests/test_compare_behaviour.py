"""What is seen of a step, and what tells two toys apart."""

from __future__ import annotations

from dataclasses import replace

import pytest
from authors import written
from toys import HEAD, INVALIDATE, RESTORE, management

from cprcheck import catalog, replay
from cprcheck.compare import labelled
from cprcheck.compare.behaviour import HIDDEN, Direction, Observed, Side, Step, direction
from cprcheck.compare.view import View
from cprcheck.engines.explicit import search
from cprcheck.engines.graph import build
from cprcheck.errors import DisagreementError
from cprcheck.language import oracle
from cprcheck.language.model import Model
from cprcheck.passes.faults import with_faults
from cprcheck.trace import Trace

SAVE = 'yield "save"\nif s.fault("disk full"):\n    return\n'
USER = "@m.action(go=(1, 2), group=old)\ndef user(s, go):\n    s.require(s.tries < go)\n    s.tries = go\n"
UNMAP = "old_qemu: UNMAP(ALL|V)(container=c0)"
MANY = "behaviours: more than 0 pairs of sets of states"
STOPPED = "guest: stopped in the old QEMU"


def side(name: str, model: Model, hidden: frozenset[str] = HIDDEN) -> Side:
    system = with_faults(model.system, None, injected=False)
    return name, model, Observed(View(build(search(system))), hidden)


def toy(name: str, body: str, hidden: frozenset[str] = HIDDEN) -> Side:
    return side(name, written(body, HEAD), hidden)


def told_apart(one: str, other: str) -> tuple[Direction, Direction]:
    a, b = toy("one", management(one)), toy("other", management(other))
    return direction(a, b), direction(b, a)


# ---- what is seen ---------------------------------------------------------------------------------------------------


def labels(observed: Observed) -> list[tuple[str, ...]]:
    return [word for *_, word in observed.edges]


def test_of_a_step_are_seen_its_faults_its_events_and_what_becomes_of_the_guest() -> None:
    body = management(INVALIDATE + 's.fault("disk full")\ns.emit("test", of="flag")\nyield "x"\ns.tries = 1\n')
    _, _, observed = toy("toy", body)
    assert labels(observed) == [(UNMAP, STOPPED), ("fault: disk full", UNMAP, STOPPED), ()]


def test_an_action_is_seen_by_its_name_and_a_hidden_event_is_not() -> None:
    _, _, observed = toy("toy", USER)
    assert set(labels(observed)) == {("user(go=1)",), ("user(go=2)",)}
    _, _, blind = toy("toy", management(INVALIDATE), HIDDEN | {"UNMAP(ALL|V)"})
    assert labels(blind) == [(STOPPED,)]


def test_who_restores_and_who_refuses_in_which_words_is_not_seen() -> None:
    refuses = 'yield "refuse"\ns.emit("refused", by="me", container="c0")\n'
    _, _, observed = toy("toy", management(INVALIDATE + 'yield "restore"\n' + RESTORE + refuses))
    assert labels(observed) == [(UNMAP, STOPPED), ("old_qemu: MAP(V)(container=c0)",), ("old_qemu: refused",)]


def test_an_event_of_nobodys_group_has_no_prefix() -> None:
    _, _, observed = toy("toy", '@m.process\ndef mdev(s):\n    yield "ask"\n    s.emit("asks", page=1)\n')
    assert labels(observed) == [("asks(page=1)",)]


def test_what_is_seen_of_one_step_is_seen_one_after_the_other() -> None:
    """Whether it takes one step or two, it is the same behaviour."""
    at_once, there_and_back = told_apart(
        'yield "a"\ns.emit("x")\ns.emit("y")\n', 'yield "a"\ns.emit("x")\nyield "b"\ns.emit("y")\n'
    )
    assert at_once == Direction("one", "other", None, followed=True)
    assert there_and_back == Direction("other", "one", None, followed=True)


# ---- what tells two apart -------------------------------------------------------------------------------------------


def test_a_shortest_behaviour_with_its_run_and_what_the_other_can_do_instead() -> None:
    there, back = told_apart(INVALIDATE + SAVE + 'yield "restore"\n' + RESTORE, INVALIDATE + SAVE)
    assert there.behaviour is not None
    assert there.behaviour.word == (UNMAP, STOPPED, "old_qemu: MAP(V)(container=c0)")
    assert there.behaviour.steps == (
        Step("management", "invalidate", (UNMAP, STOPPED)),
        Step("management", "save", ()),
        Step("management", "restore", ("old_qemu: MAP(V)(container=c0)",)),
    )
    assert there.behaviour.instead == ("fault: disk full",)
    assert there.followed is False
    assert back == Direction("other", "one", None, followed=True)


def test_where_the_other_has_come_to_an_end_it_can_show_nothing_instead() -> None:
    there, _ = told_apart(INVALIDATE + 'yield "x"\ns.emit("more")\n', INVALIDATE)
    assert there.behaviour is not None
    assert (there.behaviour.word[2:], there.behaviour.instead) == (("old_qemu: more",), ())


def test_a_run_may_show_more_in_its_last_step_than_it_takes() -> None:
    there, _ = told_apart(INVALIDATE, 'yield "a"\ns.emit("x")\n')
    assert there.behaviour is not None
    assert there.behaviour.word == (UNMAP,)
    assert there.behaviour.steps == (Step("management", "invalidate", (UNMAP, STOPPED)),)


def test_the_same_behaviours_and_yet_nobody_can_follow() -> None:
    """One decides early which of two things it will show; the other can do both, but not the other way round."""
    show = 'if n == 1:\n    s.emit("y")\nelse:\n    s.emit("z")\n'
    early = 'yield "a"\nn = s.choose("which", (1, 2))\ns.emit("x")\nyield "b"\n' + show
    late = 'yield "a"\ns.emit("x")\nyield "b"\nn = s.choose("which", (1, 2))\n' + show
    there, back = told_apart(early, late)
    assert there == Direction("one", "other", None, followed=True)
    assert back == Direction("other", "one", None, followed=False)


def test_a_limit_is_said_and_nothing_is_claimed() -> None:
    one, other = toy("one", management(INVALIDATE + SAVE)), toy("other", management(INVALIDATE + SAVE))
    too_many = "behaviours: more than 1 pairs of sets of states"
    too_large = "simulation: more than 1 classes of states that behave alike"
    assert direction(one, other, classes=1) == Direction("one", "other", None, None, too_large)
    assert direction(one, other, pairs=1, classes=1).reason == f"{too_many}; {too_large}"
    assert direction(one, other, pairs=1) == Direction("one", "other", None, followed=True)  # so it has all behaviours
    more = toy("more", management(INVALIDATE + SAVE + 'yield "x"\ns.emit("more")\n'))
    assert direction(more, one, pairs=0) == Direction("more", "one", None, followed=False, reason=MANY)


def test_a_run_that_cannot_be_replayed_is_no_behaviour(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = toy("one", management(INVALIDATE)), toy("other", management(SAVE))

    def wrong(self: Observed, word: labelled.Word) -> Trace:
        states = self.view.graph.states
        return Trace((states[0], states[0]), (0,))

    monkeypatch.setattr(Observed, "run", wrong)
    with pytest.raises(DisagreementError, match="leads to another state"):
        direction(one, other)


def test_a_run_that_the_authors_own_code_does_not_do_is_no_behaviour(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise DisagreementError("not what the code does")

    monkeypatch.setattr(oracle, "replay", refuse)
    with pytest.raises(DisagreementError, match="not what the code does"):
        direction(toy("one", management(INVALIDATE)), toy("other", management(SAVE)))


def test_a_word_that_nobody_says_has_no_run() -> None:
    _, _, observed = toy("toy", management(INVALIDATE))
    with pytest.raises(ValueError, match="no run shows"):
        observed.run(("something",))


# ---- the shipped designs --------------------------------------------------------------------------------------------


def shipped(name: str, **params: str) -> Side:
    return side(name, catalog.bind(catalog.find(name), params))


def test_a_notifier_before_the_start_behaves_as_the_callers_unwind() -> None:
    """The thread's claim 38, on what is seen; called after the start it does not."""
    scope = {"kernel": "E4", "topology": "p/p"}
    unwind, notifier = shipped("save_unwind", **scope), shipped("failure_notifier", **scope)
    assert direction(unwind, notifier) == Direction("save_unwind", "failure_notifier", None, followed=True)
    assert direction(notifier, unwind) == Direction("failure_notifier", "save_unwind", None, followed=True)
    late = direction(shipped("failure_notifier", early="no", **scope), unwind)
    assert late.behaviour is not None
    assert late.behaviour.word[-1] == "old_qemu: a device resumes DMA"
    assert late.behaviour.instead == ("old_qemu: MAP(V)(container=c0)",)


def test_only_the_handler_restores_before_the_guest_is_continued() -> None:
    scope = {"kernel": "E1", "topology": "p", "env": "cont"}
    unwind, handler = shipped("save_unwind", **scope), shipped("vm_change_handler", **scope)
    there, back = direction(unwind, handler), direction(handler, unwind)
    assert there.behaviour is not None
    assert back.behaviour is not None
    assert there.behaviour.word[-2:] == ("user(command=CONT)", "old_qemu: a device resumes DMA")
    assert back.behaviour.word[-2:] == ("user(command=CONT)", "old_qemu: MAP(V)(container=c0)")
    assert "old_qemu: MAP(V)(container=c0)" in there.behaviour.instead
    run = unwind[2].run(there.behaviour.word)
    replay.walk(unwind[2].view.system, run)
    assert len(run) == len(there.behaviour.steps) == 10
    assert replace(there, behaviour=None) == Direction("save_unwind", "vm_change_handler", None, followed=False)
