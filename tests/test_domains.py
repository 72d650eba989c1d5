"""Finite domains and their codes."""

from __future__ import annotations

import re
from enum import Enum

import pytest

from cprcheck.domains import Bool, Domain, OneOf, Range, domain_of, show_value


class Color(Enum):
    RED = "r"
    GREEN = "g"
    CRIMSON = "r"  # noqa: PIE796 - an alias


class Nothing(Enum):
    pass


DOMAINS = [
    Bool,
    Range(0, 3),
    Range(-2, 1),
    Range(5, 5),
    OneOf("x"),
    OneOf("a", 2, None, ("b", 1)),
    OneOf(1, "yes"),
    domain_of(Color),
]


def exactly(message: str) -> str:
    """The pattern that matches `message` and nothing else."""
    return f"^{re.escape(message)}$"


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
def test_codes_and_values_are_in_one_to_one_order(domain: Domain) -> None:
    assert [domain.encode(value) for value in domain.values] == list(domain.codes)
    assert [domain.decode(code) for code in domain.codes] == list(domain.values)
    assert all(value in domain for value in domain.values)


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
def test_size_low_high_and_the_full_set_describe_the_codes(domain: Domain) -> None:
    assert domain.size == len(domain.codes) == len(domain.values)
    assert (domain.low, domain.high) == (min(domain.codes), max(domain.codes))
    assert [domain.low + bit for bit in range(10) if domain.full >> bit & 1] == list(domain.codes)


def test_an_integer_is_its_own_code() -> None:
    assert [Range(-2, 1).encode(n) for n in (-2, -1, 0, 1)] == [-2, -1, 0, 1]


def test_the_codes_of_names_count_from_zero_in_the_given_order() -> None:
    assert [OneOf("z", "a", "m").encode(name) for name in ("z", "a", "m")] == [0, 1, 2]


def test_false_is_code_zero_and_true_is_code_one() -> None:
    assert (Bool.encode(False), Bool.encode(True)) == (0, 1)


def test_one_is_not_true() -> None:
    assert 1 not in Bool
    assert True not in Range(0, 1)
    mixed = Domain("mixed", "name", (1, True))
    assert (mixed.encode(1), mixed.encode(True)) == (0, 1)


@pytest.mark.parametrize(
    ("domain", "value", "message"),
    [
        (Range(0, 3), 4, "4 is not in 0..3"),
        (Range(0, 3), -1, "-1 is not in 0..3"),
        (Bool, 1, "1 is not in Bool"),
        (Range(0, 1), True, "True is not in 0..1"),
        (OneOf("a", "b"), "c", "c is not in {a, b}"),
        (OneOf("RED"), Color.RED, "RED is not in {RED}"),
        (Bool, [], "[] is not in Bool"),
    ],
)
def test_a_value_outside_has_no_code(domain: Domain, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=exactly(message)):
        domain.encode(value)


def test_values_that_are_equal_to_python_are_refused() -> None:
    with pytest.raises(ValueError, match=exactly("two values of OneOf are equal to Python: 0 and False")):
        OneOf("x", 0, False)


def test_values_that_print_alike_are_refused() -> None:
    with pytest.raises(ValueError, match=exactly("two values of OneOf are shown as 1; give each a name of its own")):
        OneOf("a", 1, "1")


@pytest.mark.parametrize("value", [[], {}, ([],)], ids=str)
def test_a_value_that_cannot_be_hashed_is_in_no_domain(value: object) -> None:
    assert value not in Bool


@pytest.mark.parametrize(
    ("domain", "code", "message"),
    [
        (Range(0, 3), 4, "0..3 has no code 4"),
        (Range(2, 3), 1, "2..3 has no code 1"),
        (OneOf("a", "b"), -1, "{a, b} has no code -1"),
    ],
)
def test_a_code_outside_has_no_value_and_is_shown_as_itself(domain: Domain, code: int, message: str) -> None:
    with pytest.raises(ValueError, match=exactly(message)):
        domain.decode(code)
    assert domain.show(code) == str(code)


def test_a_code_is_shown_as_the_value_it_stands_for() -> None:
    assert [domain_of(Color).show(0), Bool.show(1), Range(-2, 1).show(-2), OneOf("a b", None).show(1)] == [
        "RED",
        "True",
        "-2",
        "None",
    ]


def test_an_enum_member_is_shown_by_its_name_and_all_else_by_str() -> None:
    assert [show_value(value) for value in (Color.GREEN, "a", True, ("b", 1))] == ["GREEN", "a", "True", "('b', 1)"]


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(ValueError, match=exactly("Range(3, 2) is empty")):
        Range(3, 2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (OneOf, "domain {} needs one or more different values"),
        (lambda: OneOf("a", "b", "a"), "domain {a, b, a} needs one or more different values"),
        (lambda: domain_of(Nothing), "domain Nothing needs one or more different values"),
    ],
)
def test_a_domain_without_values_or_with_one_twice_is_refused(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=exactly(message)):
        make()


def test_names_say_what_is_in_the_domain() -> None:
    assert [d.name for d in (Bool, Range(-2, 1), OneOf("a", Color.RED), domain_of(Color))] == [
        "Bool",
        "-2..1",
        "{a, RED}",
        "Color",
    ]


def test_bool_a_domain_and_an_enum_class_name_domains() -> None:
    assert domain_of(bool) is Bool
    assert domain_of(Bool) is Bool
    assert domain_of(Color) == Domain("Color", "name", (Color.RED, Color.GREEN))


def test_an_alias_of_an_enum_member_is_no_value_of_its_own() -> None:
    assert domain_of(Color).size == 2
    assert domain_of(Color).encode(Color.CRIMSON) == 0


@pytest.mark.parametrize(
    ("spec", "shown"), [(int, "<class 'int'>"), (3, "3"), ("Color", "'Color'"), (Color.RED, "<Color.RED: 'r'>")]
)
def test_nothing_else_names_a_domain(spec: object, shown: str) -> None:
    with pytest.raises(TypeError) as caught:
        domain_of(spec)
    assert str(caught.value) == f"{shown} is not a domain; use Bool, Range(low, high), OneOf(...) or an Enum class"


def test_domains_are_the_same_when_names_kinds_and_values_are() -> None:
    assert Range(0, 2) == Range(0, 2)
    assert hash(Range(0, 2)) == hash(Range(0, 2))
    assert OneOf("a", "b") != OneOf("b", "a")
    assert Domain("d", "name", (0, 1)) != Domain("d", "int", (0, 1))
    assert Domain("d", "name", ("a",)) != Domain("e", "name", ("a",))
