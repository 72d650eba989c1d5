"""docs/type_inference.md says what the engine says."""

from __future__ import annotations

import publish_types
import pytest

PAGE = publish_types.PAGE.read_text(encoding="utf-8")


TABLES = [
    pytest.param(each, marks=[pytest.mark.slow] if number else [], id=publish_types.title(*each[:3]))
    for number, each in enumerate(publish_types.TABLES)
]


@pytest.mark.parametrize("each", TABLES)
def test_a_table_is_up_to_date(each: tuple[str, str, str, tuple[str, ...]]) -> None:
    assert publish_types.table(*each) + "\n" in PAGE


def test_the_old_answers_are_up_to_date() -> None:
    assert publish_types.changes() in PAGE


def test_the_page_has_no_other_tables() -> None:
    generated = PAGE.partition(publish_types.BEGIN)[2].partition(publish_types.END)[0]
    assert generated.count("### ") == len(publish_types.TABLES) + 1


def test_remembering_is_as_good_as_an_ioctl() -> None:
    """The page says so of every table."""
    rows = {infer: [line.partition("|")[2] for line in PAGE.splitlines() if line.startswith(f"| {infer} |")]
            for infer in ("get_iommu", "remembered")}  # fmt: skip
    by_ioctl, by_memory = ([row.partition("|")[2] for row in found] for found in rows.values())
    assert len(by_ioctl) == len(publish_types.TABLES)
    assert by_ioctl == by_memory
