"""Tables for a terminal: where cells are wrapped, and where they are not."""

from __future__ import annotations

from cprcheck.report.tables import columns

NAME = "presave_recover_all"


def test_what_fits_is_not_wrapped() -> None:
    assert columns(("design", "fails"), [("v7", NAME), ("", "a  b")], 27) == [
        "design  fails",
        f"v7      {NAME}",
        "        a  b",
    ]


def test_words_are_not_cut_as_long_as_prose_can_give_way() -> None:
    assert columns(("design", "fails", "why"), [("v7", f"{NAME} fails", "nobody has asked for it")], 36) == [
        "design  fails                why",
        f"v7      {NAME}  nobody",
        "        fails                has",
        "                             asked",
        "                             for it",
    ]


def test_where_words_do_not_fit_they_are_broken_behind_an_underscore() -> None:
    assert columns(("design", "fails"), [("v7", f"{NAME} or cpr_state_save fails")], 24) == [
        "design  fails",
        "v7      presave_recover_",
        "        all or",
        "        cpr_state_save",
        "        fails",
    ]
    assert columns(("", "device_blocker", "v7"), [("a_property", "V 8", "holds")], 26) == [
        "            device_",
        "            blocker  v7",
        "a_property  V 8      holds",
    ]


def test_where_nothing_else_helps_words_are_cut() -> None:
    assert columns((), [("a_name", "indivisible")], 12) == ["a_     indiv", "name   isibl", "       e"]
    assert max(map(len, columns((), [("a" * 30, "b" * 30)], 20))) <= 20


def test_without_rows_there_is_only_the_header() -> None:
    assert columns(("design", "fails"), []) == ["design  fails"]
