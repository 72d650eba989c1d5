# SPDX-License-Identifier: Apache-2.0
"""Dining philosophers who hand dirty forks to each other, a control model.

Asked: do two neighbours never eat at once, and does nobody starve?  Answer: yes and yes, when all are weakly
fair.  Five philosophers have 67 states, 336 generated, 29 levels (28 steps).

Stands for: K. M. Chandy and J. Misra, The Drinking Philosophers Problem, ACM TOPLAS 6 (4), 1984, with the steps
as coarse as in the TLA+ examples (DiningPhilosophers), whose counts these are: whether a philosopher can eat is
asked of the forks as they were before the step handed one away.
"""

from __future__ import annotations

from enum import Enum

from cprcheck import WEAK, Bool, Model, Range, ite, model


class Place(Enum):
    """Where a philosopher's next step is."""

    TABLE = 0
    EAT = 1
    THINK = 2


@model
def dining_philosophers(philosophers: int = 5) -> Model:
    """Dining philosophers after Chandy and Misra."""
    m = Model()
    table = Range(1, philosophers)
    m.array("holder", table, table, init=lambda fork: 1 if fork == 2 else fork)
    m.array("clean", table, Bool, init=False)
    m.array("hungry", table, Bool, init=True)
    m.array("place", table, Place, init=Place.TABLE)

    def right(p):
        return p % philosophers + 1

    def left(p):
        return (p - 2) % philosophers + 1

    @m.action(p=table, fair=WEAK)
    def philosopher(s, p):
        """Hand a dirty fork away; or eat; or get hungry again."""
        mine, other = p, right(p)
        if s.place[p] == Place.TABLE:
            can_eat = (s.holder[mine] == p) & (s.holder[other] == p) & s.clean[mine] & s.clean[other]
            place = ite(s.hungry[p], ite(can_eat, Place.EAT, Place.TABLE), Place.THINK)
            if s.holder[mine] == p and not s.clean[mine]:
                s.holder[mine] = left(p)
                s.clean[mine] = True
            elif s.holder[other] == p and not s.clean[other]:
                s.holder[other] = right(p)
                s.clean[other] = True
            s.place[p] = place
        elif s.place[p] == Place.EAT:
            s.hungry[p] = False
            s.clean[mine] = False
            s.clean[other] = False
            s.place[p] = Place.TABLE
        else:
            s.hungry[p] = True
            s.place[p] = Place.TABLE

    @m.invariant(p=table)
    def exclusive(s, p):
        """Two neighbours do not eat at the same time."""
        return not (s.place[p] == Place.EAT and s.place[right(p)] == Place.EAT) if right(p) != p else True

    @m.leads_to(p=table)
    def nobody_starves(s, p):
        """A hungry philosopher eats."""
        return s.hungry[p], s.place[p] == Place.EAT

    return m
