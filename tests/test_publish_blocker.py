"""docs/blocker_or_notifier.md says what is measured; the page's own words are about its tables."""

from __future__ import annotations

import publish_blocker
import pytest

PAGE = publish_blocker.PAGE.read_text(encoding="utf-8")
GENERATED = PAGE.partition(publish_blocker.BEGIN)[2].partition(publish_blocker.END)[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", publish_blocker.TABLES)
def test_a_table_is_up_to_date(name: str) -> None:
    assert publish_blocker.TABLES[name]() + "\n" in GENERATED


def test_who_wants_to_ask_again_is_told_how() -> None:
    commands = rows()["Which designs these are"]
    assert commands["notifier, called on exec failure too"] == [
        "`cprcheck compare failure_notifier -p on_exec=yes --kernel E4 --topology 2p`"
    ]
    assert rows()["What each is asked"]["E4, pe, devices come and go: no residue"] == [
        "`cprcheck check MODEL -p kernel=E4 -p topology=pe -p env=hotplug,unplug "
        "--property 'blocker_is_exact(error=residue)'`"
    ]
    assert set(commands) == set(publish_blocker.DESIGNS)


@pytest.mark.parametrize("name", ["blocker", "notifier"])
def test_a_row_of_the_first_table_is_up_to_date(name: str) -> None:
    assert f"| {' | '.join(publish_blocker.prevents(name))} |\n" in GENERATED


def test_the_page_has_no_other_tables() -> None:
    places = len(publish_blocker.PLACES)
    assert GENERATED.count("### ") == 4 + 2 * places
    assert GENERATED.count("\n| ") == (4 + 2 * places) + sum(map(len, rows().values()))


def rows() -> dict[str, dict[str, list[str]]]:
    """The rows of each table, by the name in front."""
    found = {}
    for block in GENERATED.strip().split("### ")[1:]:
        title, *lines = block.strip().splitlines()
        cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("| ")]
        found[title] = {name: rest for name, *rest in cells[1:]}
    return found


def test_together_they_do_both_jobs() -> None:
    """What the blocker prevents is prevented, and what the notifier gives back is given back: what the page says."""
    prevents = rows()["What each prevents"]
    assert prevents["blocker and notifier"] == prevents["blocker"]
    for kernel, topology in publish_blocker.PLACES:
        left = rows()[f"What each leaves behind: {kernel}, {topology}"]
        if (kernel, topology) == ("E4", "p/e"):
            assert left["blocker and notifier"] == left["blocker"]
        else:
            assert left["blocker and notifier"] == left["notifier"]
            assert left["blocker"] == left["counter, as proposed"] == left["neither"]


def test_a_notifier_on_exec_failure_leaves_nothing_invalid_and_makes_no_attempt_possible() -> None:
    for place in ("E1, 2p", "E4, 2p"):
        left, again = rows()[f"What each leaves behind: {place}"], rows()[f"Again: {place}"]
        assert left["notifier, called on exec failure too"][1] == "-"
        assert again["notifier, called on exec failure too"][2] == again["notifier"][2]


def test_no_winner_is_declared() -> None:
    assert "no winner is declared" in PAGE
