"""Telephone numbers, held against the library's own parser."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.detect.telephone import REGIONS, phone
from tests.detect.patterns import tried

KINDS = range(11)


def examples(region: str) -> list[phonenumbers.PhoneNumber]:
    found = [phonenumbers.example_number_for_type(region, kind) for kind in KINDS]
    return [number for number in found if number is not None]


@pytest.mark.parametrize("region", ["US", "GB", "DE", "IT", "JP", "BR", "CN", "AE", "KE", "NZ", "VA", "KZ"])
def test_numbers_of_every_kind_are_known_in_their_international_form(region: str) -> None:
    for number in examples(region):
        text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
        assert phone(text), text
        assert phone("00" + text[1:]), text


@pytest.mark.parametrize("region", REGIONS)
def test_numbers_are_known_as_they_are_dialled_at_home(region: str) -> None:
    for number in examples(region):
        text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
        if len([character for character in text if character.isdigit()]) >= 7:
            assert phone(text), text


@given(st.from_regex(r"\+[1-9][0-9]{6,12}", fullmatch=True))
@tried(120)
def test_numbers_that_the_library_calls_valid_are_valid_nearly_always(text: str) -> None:
    try:
        valid = phonenumbers.is_valid_number(phonenumbers.parse(text, None))
    except phonenumbers.NumberParseException:
        valid = False
    if not text.startswith("+672"):  # it is shared with a region that the library tells by hand
        assert phone(text) >= valid


@pytest.mark.parametrize(
    "text",
    [
        "123456",
        "1" * 10,
        "2024-01-15",
        "15.01.2024",
        "2024-01-15 10",
        "+999 1234567",
        "+0 123 4567",
        "000 123 4567",
        "1" * 18,
    ],
)
def test_what_cannot_be_dialled(text: str) -> None:
    assert not phone(text)


def test_a_trunk_prefix_in_an_international_number_is_taken() -> None:
    assert phone("+44 (0)20 7946 0958")


@pytest.mark.parametrize("text", ["(555) 123-4567", "+1 555-123-4567", "555-555-5555", "555-0123", "07700 900123"])
def test_numbers_of_films_and_documentation_are_taken_for_numbers(text: str) -> None:
    assert phone(text)


def test_international_services_have_numbers_too() -> None:
    assert phone("+800 1234 5678")
