# SPDX-License-Identifier: Apache-2.0
"""Transaction commit without messages, a control model: what two-phase commit has to implement.

Asked: do the participants agree?  Answer: yes.  Three participants have 34 states, 94 generated, 7 levels (6
steps).

Stands for: Jim Gray and Leslie Lamport, Consensus on Transaction Commit, ACM TODS 31 (1), 2006, section 2.
"""

from __future__ import annotations

from cprcheck import Model, OneOf, Range, every, implies, model, some


@model
def transaction_commit(participants: int = 3) -> Model:
    """Transaction commit, by participants that see each other's state."""
    m = Model()
    everyone = Range(0, participants - 1)
    m.array("state", everyone, OneOf("working", "prepared", "committed", "aborted"), init="working")

    def not_committed(s):
        return every(state != "committed" for state in s.state)

    @m.action(r=everyone)
    def prepare(s, r):
        s.require(s.state[r] == "working")
        s.state[r] = "prepared"

    @m.action(r=everyone)
    def commit(s, r):
        s.require(s.state[r] == "prepared", every(state in ("prepared", "committed") for state in s.state))
        s.state[r] = "committed"

    @m.action(r=everyone)
    def abort(s, r):
        s.require(s.state[r] in ("working", "prepared"), not_committed(s))
        s.state[r] = "aborted"

    @m.deadlock_free
    def decided(s):
        """Nobody has to move when all have decided."""
        return every(state in ("committed", "aborted") for state in s.state)

    @m.invariant
    def consistent(s):
        """No participant has committed while another has aborted."""
        return implies(some(state == "committed" for state in s.state), every(state != "aborted" for state in s.state))

    @m.reachable
    def all_commit(s):
        """All participants can commit."""
        return every(state == "committed" for state in s.state)

    return m
