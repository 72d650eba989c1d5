# SPDX-License-Identifier: Apache-2.0
"""Two-phase commit, a control model: its counts are known to the world.

Asked: do the participants agree?  Answer: yes.  Three participants have 288 states, 1 146 generated, and 11
levels (TLC's word: 10 steps); five have 8 832 states.

Stands for: Jim Gray and Leslie Lamport, Consensus on Transaction Commit, ACM TODS 31 (1), 2006, section 3.
Written with actions only, so nothing is merged.  Messages are never lost and never removed.
"""

from __future__ import annotations

from enum import Enum

from cprcheck import Bool, Model, Range, every, implies, model, some


class Participant(Enum):
    """A resource manager's state."""

    WORKING = 0
    PREPARED = 1
    COMMITTED = 2
    ABORTED = 3


class Manager(Enum):
    """The transaction manager's state."""

    INIT = 0
    COMMITTED = 1
    ABORTED = 2


@model
def two_phase_commit(participants: int = 3) -> Model:
    """Two-phase commit: participants agree on commit or abort."""
    m = Model()
    everyone = Range(0, participants - 1)
    m.array("state", everyone, Participant, init=Participant.WORKING)
    m.var("manager", Manager, init=Manager.INIT)
    m.array("heard", everyone, Bool, init=False)
    m.array("prepared_sent", everyone, Bool, init=False)
    m.var("commit_sent", Bool, init=False)
    m.var("abort_sent", Bool, init=False)

    @m.action(r=everyone)
    def manager_hears_prepared(s, r):
        s.require(s.manager == Manager.INIT, s.prepared_sent[r])
        s.heard[r] = True

    @m.action
    def manager_commits(s):
        s.require(s.manager == Manager.INIT, every(s.heard))
        s.manager = Manager.COMMITTED
        s.commit_sent = True

    @m.action
    def manager_aborts(s):
        s.require(s.manager == Manager.INIT)
        s.manager = Manager.ABORTED
        s.abort_sent = True

    @m.action(r=everyone)
    def prepare(s, r):
        s.require(s.state[r] == Participant.WORKING)
        s.state[r] = Participant.PREPARED
        s.prepared_sent[r] = True

    @m.action(r=everyone)
    def choose_to_abort(s, r):
        s.require(s.state[r] == Participant.WORKING)
        s.state[r] = Participant.ABORTED

    @m.action(r=everyone)
    def hear_commit(s, r):
        s.require(s.commit_sent)
        s.state[r] = Participant.COMMITTED

    @m.action(r=everyone)
    def hear_abort(s, r):
        s.require(s.abort_sent)
        s.state[r] = Participant.ABORTED

    @m.invariant
    def consistent(s):
        """No participant has committed while another has aborted."""
        committed = some(state == Participant.COMMITTED for state in s.state)
        aborted = some(state == Participant.ABORTED for state in s.state)
        return implies(committed, aborted == False)  # noqa: E712

    @m.reachable
    def all_commit(s):
        """All participants can commit."""
        return every(state == Participant.COMMITTED for state in s.state)

    @m.reachable
    def all_abort(s):
        """All participants can abort."""
        return every(state == Participant.ABORTED for state in s.state)

    return m
