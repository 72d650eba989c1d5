"""Words and simulation of labelled systems, against all words written out and the largest relation found naively."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cprcheck.compare.labelled import (
    Labelled,
    TooLargeError,
    Word,
    Words,
    difference,
    labelled,
    merged,
    simulates,
)

NODES, LABELS = 5, (None, "a", "b")


def line(text: str) -> Labelled:
    """A system from `0a1 1-2`: - is silent, and node 0 is the start."""
    moves: list[list[tuple[str | None, int]]] = [[] for _ in range(10)]
    for a, label, b in text.split():
        moves[int(a)].append((None if label == "-" else label, int(b)))
    return labelled([0], moves)


@st.composite
def systems(draw: st.DrawFn) -> Labelled:
    size = draw(st.integers(1, NODES))
    node = st.integers(0, size - 1)
    edges = draw(st.lists(st.tuples(node, st.sampled_from(LABELS), node), max_size=2 * size))
    moves: list[list[tuple[str | None, int]]] = [[] for _ in range(size)]
    for a, label, b in edges:
        moves[a].append((label, b))
    return labelled(draw(st.sets(node, min_size=1, max_size=2)), moves)


# ---- the same, naively ----------------------------------------------------------------------------------------------


def says(system: Labelled, word: Word, node: int, fuel: int) -> bool:
    """Whether `word` can be seen from `node`, by trying every step; `fuel` silent steps in a row are enough."""
    if not word:
        return True
    for label, to in system.moves[node]:
        if label == word[0] and says(system, word[1:], to, len(system.moves)):
            return True
        if label is None and fuel and says(system, word, to, fuel - 1):
            return True
    return False


def words(system: Labelled, length: int) -> set[Word]:
    every = [word for n in range(length + 1) for word in product("ab", repeat=n)]
    return {word for word in every if any(says(system, word, node, len(system.moves)) for node in system.initial)}


def follows(other: Labelled, one: Labelled) -> bool:
    """Weak simulation by its definition: throw out pairs until the definition holds of all that are left."""

    def quietly(nodes: set[int]) -> set[int]:
        more = nodes | {to for node in nodes for label, to in other.moves[node] if label is None}
        return nodes if more == nodes else quietly(more)

    def can(node: int, label: str | None) -> set[int]:
        before = quietly({node})
        return before if label is None else quietly({to for via in before for x, to in other.moves[via] if x == label})

    pairs = set(product(range(len(one.moves)), range(len(other.moves))))
    while True:
        kept = {
            (a, b)
            for a, b in pairs
            if all(any((to, end) in pairs for end in can(b, label)) for label, to in one.moves[a])
        }
        if kept == pairs:
            return all(any((a, b) in pairs for b in other.initial) for a in one.initial)
        pairs = kept


@settings(deadline=None, max_examples=60)
@given(systems(), systems())
def test_a_difference_is_a_shortest_word_of_one_and_not_of_the_other(one: Labelled, other: Labelled) -> None:
    found = difference(one, other)
    missing = words(one, 4) - words(other, 4)
    if found is None or len(found) > 4:
        assert not missing
    else:
        assert found == min(missing, key=lambda word: (len(word), word))


@settings(deadline=None, max_examples=60)
@given(systems(), systems())
def test_simulation_is_the_largest_relation_that_its_definition_allows(one: Labelled, other: Labelled) -> None:
    assert simulates(other, one) == follows(other, one)


@settings(deadline=None, max_examples=40)
@given(systems(), systems())
def test_who_is_simulated_has_no_word_of_its_own(one: Labelled, other: Labelled) -> None:
    if simulates(other, one):
        assert difference(one, other) is None


@settings(deadline=None, max_examples=40)
@given(systems())
def test_what_is_merged_behaves_the_same(system: Labelled) -> None:
    small = merged(system)
    assert len(small.moves) <= len(system.moves)
    assert words(small, 4) == words(system, 4)
    assert follows(small, system)
    assert follows(system, small)


# ---- by hand --------------------------------------------------------------------------------------------------------

CHOICE_FIRST = line("0a1 1b2 0a3 3c4")
CHOICE_LATE = line("0a1 1b2 1c3")


def test_a_late_choice_follows_an_early_one_and_not_the_other_way_round() -> None:
    """The textbook's example: the same words, and simulation in one direction only."""
    assert difference(CHOICE_FIRST, CHOICE_LATE) is None
    assert difference(CHOICE_LATE, CHOICE_FIRST) is None
    assert simulates(CHOICE_LATE, CHOICE_FIRST)
    assert not simulates(CHOICE_FIRST, CHOICE_LATE)


def test_silent_steps_are_not_seen_but_they_may_decide() -> None:
    quiet, decides = line("0-1 1a2 2-0"), line("0-1 1a1 0-2 2b2")
    assert difference(quiet, line("0a0")) is None
    assert difference(line("0a0"), quiet) is None
    assert simulates(line("0a0 0b0"), decides)
    assert not simulates(line("0a0"), decides)
    assert simulates(line("0a1 1-2 2b3"), line("0a1 1b2"))
    assert difference(line("0a0 0b0"), decides) == ("a", "b")


@pytest.mark.parametrize("length", [1, 3, 6])
def test_the_word_has_the_length_of_the_first_difference(length: int) -> None:
    chain = " ".join(f"{n}a{n + 1}" for n in range(length))
    assert difference(line(chain), line(chain.rpartition(" ")[0])) == ("a",) * length


def test_where_nothing_starts_nothing_is_said() -> None:
    nothing = labelled([], [[("a", 0)]])
    assert difference(nothing, line("0a0")) is None
    assert difference(line("0a0"), nothing) == ()
    assert simulates(line("0a0"), nothing)
    assert not simulates(nothing, line("0a0"))


def test_where_one_may_be_after_a_word() -> None:
    heard = Words(line("0-1 0a2 1a3 3-4"))
    assert heard.after(("a",)) == {2, 3, 4}
    assert heard.after(("a", "a")) == frozenset()


def test_limits_are_said() -> None:
    with pytest.raises(TooLargeError, match=r"^more than 1 pairs of sets of states$"):
        difference(line("0a1 1a2 2a3"), line("0a1 1a2 2a3"), limit=1)
    with pytest.raises(TooLargeError, match=r"^more than 2 classes of states that behave alike$"):
        simulates(line("0a0"), line("0a1 1a2 2b3"), limit=2)
