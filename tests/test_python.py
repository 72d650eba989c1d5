"""What Python does with ordinary code the System does too, or the code is refused with a sentence.

Each of these bodies once lost a branch, used an old value, or made a claim hold that does not.
"""

from __future__ import annotations

import pytest
from authors import HEAD, process, refusal, written

from cprcheck import checking
from cprcheck.language import oracle
from cprcheck.semantics import initial_states, successors

START = HEAD.replace('m.var("b", Bool, init=False)', 'm.var("b", Bool, init=any_of(False, True))').replace(
    "init=Vaddr.GOOD", "init=any_of(Vaddr.NONE, Vaddr.GOOD)"
)
STEP = 'yield "go"\n'

# ---- what is the same ---------------------------------------------------------------------------------------------

SAME = {
    "a list that grows along one path": (
        "broken = []\nfor i in (0, 1):\n    if s.v[i] == Vaddr.NONE:\n        broken.append(i)\n"
        "s.n = 0 if not broken else len(broken)\nif len(broken) < 2:\n    s.b = False\n"
    ),
    "a list that grows by an amount that forks": "x = []\nx.append(1 if s.b else 2)\ns.n = len(x)\n",
    "a dict": "found = {}\nif s.b:\n    found['b'] = 1\ns.n = len(found)\n",
    "two names of one list": "x = y = []\nif s.b:\n    x.append(1)\ns.n = len(y)\n",
    "a list in a tuple": "x = ([], 1)\nif s.b:\n    x[0].append(1)\ns.n = len(x[0])\n",
    "an object": "x = Box()\nif s.b:\n    x.n = 1\ns.n = x.n\n",
    "cells are read in turn": (
        "s.v[0] = Vaddr.NONE\nfor v in s.v:\n    if v == Vaddr.NONE:\n        s.v[1] = Vaddr.NONE\n        s.n = s.n + 1\n"
    ),
    "cells with their numbers": (
        "for i, v in enumerate(s.v):\n    if v == Vaddr.NONE:\n        s.v[1] = Vaddr.NONE\n        s.n = i + 1\n"
    ),
    "cells from the last": "for v in reversed(s.v):\n    if v == Vaddr.NONE:\n        s.v[0] = Vaddr.NONE\n        s.n = s.n + 1\n",
    "cells beside constants": (
        "for v, k in zip(s.v, (1, 2)):\n    if v == Vaddr.NONE:\n        s.v[1] = Vaddr.NONE\n        s.n = k\n"
    ),
    "a label that depends on a dead local": (
        'who = "old" if s.b else "new"\nyield f"{who}: restore"\ns.n = 1\nyield f"{who}: done"\n'
    ),
    "idleness that depends on a dead local": (
        'calm = True if s.b else False\nyield idle("wait") if calm else "wait"\ns.require(s.n == 3)\n'
    ),
    "a walrus in a label": 'x = 0\nyield f"try {(x := x + 1)}"\ns.n = x\n',
    "the default of a lambda": "for i in (1, 2):\n    f = lambda i=i: i\n    s.n = f()\n",
    "members of two enums that are called alike": (
        'x = make() if s.b else make()\nyield "later"\ns.n = 1 if x is FIRST else 2\n'
    ),
    "a default of the process": "s.n = extra\n",
    "a comprehension with the name of a global": "x = [G for G in (1, 2)]\ns.n = G + len(x) - 2\n",
    "a helper made from another": "yield from functools.partial(helper, s)()\n",
    "a wrapped helper": "yield from wrapped(s)\n",
    "arrays compared": "if s.v == (Vaddr.NONE, Vaddr.GOOD):\n    s.n = 1\nif s.v != (Vaddr.NONE, Vaddr.NONE):\n    s.b = True\n",
    "a comment at the margin": "# said\n    #lower\ns.n = 1\n",
    "what is only captured when it is there": "if CAREFUL:\n    s.n = later\ns.n = 1\n",
}
TOP = """
import functools
G, CAREFUL = 1, False
class Box:
    def __init__(self):
        self.n = 0
def make():
    class S(Enum):
        X = 0
    return S.X
FIRST = make()
def helper(s, k=2):
    yield "inside"
    s.n = k
@functools.wraps(helper)
def wrapped(s, k=3):
    yield from helper(s, k)
"""


@pytest.mark.parametrize("what", SAME)
def test_the_system_does_what_python_does(what: str) -> None:
    body = process(STEP + SAME[what], TOP).replace("def p(s):", "def p(s, extra=2):")
    assert oracle.compare(written(body, START), 4) == ""


def test_a_lock_held_round_a_loop_is_not_taken_again() -> None:
    model = written("@m.process(lock=l)\ndef p(s):\n    while True:\n        yield 'go'\n        s.b = not s.b\n")
    assert oracle.compare(model, 4) == ""
    assert checking.check(model).ok


def test_a_line_at_the_margin_does_not_hide_the_rest() -> None:
    text = '@m.process\ndef p(s):\n    yield "go"\n# at the margin\n    s.n = 1\n    text = """\nalso here"""\n    s.n = len(text)\n'
    assert "n is set to 10" in refusal(text)[0]


def test_an_abort_of_an_action_counts() -> None:
    model = written('@m.action(group=g)\ndef a(s):\n    if s.fault("x"):\n        s.abort("why")\n    s.b = not s.b\n')
    verdict = checking.check(model)["never_aborts"]
    assert (verdict.status.value, verdict.violated) == ("VIOLATED", "aborted(process=a, why=why)")


# ---- what is refused ----------------------------------------------------------------------------------------------

NO_TEXT = "n has no value while the model is read, so it cannot be put into a text"
NUMBERS = "n: numbers of the state can only be added, subtracted and compared"
TURNS = "what this loop goes through reads the state turn by turn; write `for i in range(...)` and read it inside"
CAPTURES = "p changes 'kept', which it captures; what changes belongs in m.var or in a local"
REFUSED = {
    "f = lambda: x\nx = 2\ns.n = f()\n": "local 'f' keeps a lambda that reads 'x', which may change after; "
    "write lambda x=x: ...",
    "for bad in (s.fault(str(i)) for i in (0, 1)):\n    if bad:\n        break\n": TURNS,
    "y = [1]\nfor i in y:\n    if len(y) < 3:\n        y.append(2)\n": "the list that this loop goes through changes "
    "meanwhile; go through tuple(...) of it",
    "kept.append(1)\nif s.b:\n    kept.append(2)\ns.n = len(kept)\nkept.clear()\n": CAPTURES,
    "Log.x = 1\nif s.b:\n    Log.x = 2\ns.n = Log.x\nLog.x = 0\n": "p changes 'Log', which it captures; "
    "what changes belongs in m.var or in a local",
    "toggle()\n": "`global G` changes what is captured; what changes belongs in m.var or in a local",
    "s.n = shielded(s)\n": "n has no value while the model is read, so it cannot be looked up in a dict or a set; "
    "write if and elif, or ite",
    "s.n = deaf(s)\n": "this except catches everything, also what ends a step in the language; name the exception",
    "with_match(s)\n": "match cannot look at the state; write if and elif for <state expression b>",
    "s.b = any(map(is_old, (s.owner,)))\n": "`is` cannot see the state; write == for <state expression owner>",
    "s.b = both(s.owner)\n": "a lambda that uses is_old cannot be checked for questions about the state; write a def",
    "s.b = Caller()(s.owner)\n": "`is` cannot see the state; write == for <state expression owner>",
    "s.b = Holder(s.owner).old\n": "Holder(...) takes the state into an object, where its use cannot be checked",
    "s.b = None is not s.owner is Proc.OLD\n": "`is` and `in` in a chain cannot see the state; "
    "compare <state expression owner> on its own",
    's.emit(f"{s.n!r}")\n': NO_TEXT,
    's.emit("%r" % (s.n,))\n': NO_TEXT,
    's.emit("x", t=(s.n, 1))\n': "event 'x' carries the state expression t; an event carries constants",
    "s.emit(s.n)\n": "the name of an event is a text, not <state expression n>",
    "if random.random() < 0.5:\n    s.b = True\n": "random() answers differently each time; "
    "write s.choose(...) for what may go either way",
    "s.require(s.v)\n": "require takes truth values, and the array s.v is none; compare it, or call it",
    "s.require(s.alive)\n": "require takes truth values, and the function alive is none; compare it, or call it",
    "s.b = implies(s.b, s.v)\n": "the array s.v is not a truth value; compare it, call it, or write every(...) of it",
    "if s.v:\n    s.n = 1\n": "s.v is an array and has no truth of its own; write every(s.v) or some(s.v)",
    "if var:\n    s.n = 1\n": "'n2' is a declaration and has no value; write s.n2, or s.alive of a group",
    "if var == 0:\n    s.n = 1\n": "'n2' is a declaration and has no value; write s.n2 to compare it",
    "s.n = s.n * 2\n": NUMBERS,
    "s.n = -s.n\n": NUMBERS,
    "s.b = s.b ^ True\n": "^ is not a word of the language; for one or the other, but not both, write b != ...",
    "s.v[0:1]\n": "v takes an index, not a slice",
    'yield "end"\n': "the name of a step may not be 'end': so is a process called that is over",
    "yield from again(s)\n": "helper generators call each other more than 64 deep; a process has a bounded stack",
    "x = locals()\n": "locals() sees a piece of this function only; name what you need",
}
AROUND = """
import random
kept = []
x = 1
G = 0
var = m.var("n2", Bool, init=False)
class Log:
    x = 0
def toggle():
    global G
    G = 1 - G
def shielded(s):
    try:
        return {0: 1, 1: 2}[s.n]
    except Exception:
        return 5
def deaf(s):
    try:
        s.require(s.b)
    except:
        return 5
    return 1
def with_match(s):
    match (s.b, 1):
        case (True, 1):
            s.n = 1
def is_old(who):
    return who is Proc.OLD
both = lambda who: is_old(who)
class Caller:
    def __call__(self, who):
        return who is Proc.OLD
class Holder:
    def __init__(self, who):
        self.who = who
    @property
    def old(self):
        return self.who is Proc.OLD
def again(s):
    yield "round"
    yield from again(s)
"""


@pytest.mark.parametrize("steps", REFUSED)
def test_what_would_go_wrong_silently_is_refused(steps: str) -> None:
    body = process(STEP + ("x = 1\n" if steps.startswith("f =") else "") + steps, AROUND)
    assert refusal(body, START)[0] == REFUSED[steps]


DECLARED = {
    "@m.process(fair=False)\ndef p(s):\n    yield 'go'\n": "fair=False: write NONE, WEAK or STRONG",
    "@m.process(c2=(0, 1))\ndef p(s):\n    yield 'go'\n": "p: got an unexpected keyword argument 'c2'; "
    "it takes the state, and an argument for each index set",
    "@m.process\ndef p(s, q):\n    yield 'go'\n": "p: missing a required argument: 'q'; "
    "it takes the state, and an argument for each index set",
    "@m.step_invariant\ndef p(s):\n    return True\n": "p: too many positional arguments; "
    "it takes the states before and after, and an argument for each index set",
    "@m.process\ndef free(s):\n    yield 'go'\n": "a process may not be called 'free': so is a lock called that "
    "nobody holds",
    "@m.action\ndef a(s):\n    return s.n == 1\n": "action a returns <state expression n = 1>; "
    "an action assigns, and returns nothing",
    "@m.process(group=g)\ndef p(s):\n    yield 'go'\n    s.start(g)\n": "p is a process of 'g' itself and cannot start it",
    "h = m.group('h')\n@m.process(group=h)\ndef q(s):\n    yield 'qq'\n@m.process\ndef p(s):\n    yield 'go'\n"
    "    s.kill(h)\n    if m.at(q, 'qq'):\n        s.n = 1\n": "this step has moved q; ask m.at before start, kill and exec",
    "@m.step_invariant\ndef p(old, new):\n    return old != new\n": "a state is not a value; "
    "compare variables, as in old.n == new.n",
}


@pytest.mark.parametrize("text", DECLARED)
def test_a_declaration_that_cannot_mean_what_it_says_is_refused(text: str) -> None:
    assert refusal(text)[0] == DECLARED[text]


def test_arrays_of_two_states_are_compared_cell_by_cell() -> None:
    claims = "@m.step_invariant\ndef {}(old, new):\n    return old.v {} new.v\n"
    change = "@m.action\ndef a(s):\n    s.v[1] = Vaddr.NONE\n"
    found = checking.check(written(change + claims.format("kept", "==") + claims.format("changed", "!=")))
    assert [found[name].status.value for name in ("kept", "changed")] == ["VIOLATED", "VIOLATED"]
    assert len(found["kept"].trace) == 1


def test_a_model_without_an_initial_state_proves_nothing() -> None:
    model = written("@m.action\ndef a(s):\n    s.b = True\n@m.assume_init\ndef never(s):\n    return s.n == 3\n")
    with pytest.raises(checking.UsageError) as caught:
        checking.check(model)
    assert str(caught.value) == "mine has no initial state: no initial values satisfy assume_init"


def test_state_in_another_domain_is_asked_for_its_own_values() -> None:
    """`s.n = s.k`, and then a question about n: n goes from 0 to 3, k from 2 to 3."""
    body = 'm.var("k", Range(2, 3), init=any_of(2, 3))\n@m.action\ndef a(s):\n    s.n = s.k\n'
    body += "    if s.n in (2, 5):\n        s.b = True\n    s.k = 2 if s.n == 3 else 3\n"
    model = written(body)
    assert oracle.compare(model, 3) == ""
    after = {state[:3] for init in initial_states(model.system) for _, state in successors(model.system, init)}
    assert {(state[1], state[2]) for state in after} == {(2, 1), (3, 0)}
