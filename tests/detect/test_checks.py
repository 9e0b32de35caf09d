"""Checks of values: check digits, issued ranges, lengths."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.detect import checks, numbers

DIGITS = st.text(st.sampled_from("0123456789"), min_size=2, max_size=20)


@given(DIGITS, st.integers(0, 19), st.integers(1, 9))
def test_luhn_tells_every_digit_that_is_changed(number: str, at: int, by: int) -> None:
    valid = next(number + digit for digit in "0123456789" if checks.luhn(number + digit) or not int(number + digit))
    at %= len(valid)
    changed = valid[:at] + str((int(valid[at]) + by) % 10) + valid[at + 1 :]
    assert not checks.luhn(changed)


@pytest.mark.parametrize("number", ["79927398713", "4111-1111-1111-1111", "18"])
def test_luhn_holds(number: str) -> None:
    assert checks.luhn(number)


@pytest.mark.parametrize("number", ["79927398710", "0000000000000000", "", "00"])
def test_luhn_does_not_hold(number: str) -> None:
    assert not checks.luhn(number)


@pytest.mark.parametrize(
    ("start", "length"),
    [("9", 16), ("7", 16), ("4", 15), ("51", 15), ("34", 14), ("1", 16), ("2", 16), ("4", 20), ("0", 16)],
)
def test_a_card_has_digits_and_a_length_that_are_issued(start: str, length: int) -> None:
    numbers = [f"{start:1<{length - 1}}{digit}" for digit in range(10)]
    assert any(map(checks.luhn, numbers))
    assert not any(map(checks.card, numbers))


@pytest.mark.parametrize(
    ("candidate", "length"),
    [
        ("4111 1111 1111 1111 12", 19),
        ("4222222222222 123", 13),
        ("4111-1111-1111-1111", 19),
        ("4111 1111 1111 1112 12", 0),
        ("4111 1111 1111 11112", 0),
        ("9111 1111 1111 1111", 0),
        ("4111 1111", 0),
    ],
)
def test_a_card_takes_as_many_digits_as_are_issued(candidate: str, length: int) -> None:
    assert checks.card_length(candidate) == length


@given(st.sampled_from(("GB", "DE", "NO", "MT")), st.data())
def test_an_iban_that_is_changed_in_one_place_does_not_hold(country: str, data: st.DataObject) -> None:
    length = {"GB": 22, "DE": 22, "NO": 15, "MT": 31}[country]
    body = data.draw(st.text(st.sampled_from("0123456789"), min_size=length - 4, max_size=length - 4))
    number = int("".join(str(int(letter, 36)) for letter in body + country + "00"))
    iban = f"{country}{98 - number % 97:02d}{body}"
    assert checks.iban(iban)
    assert checks.iban(f"{iban[:4]} {iban[4:].lower()}")
    at = data.draw(st.integers(4, length - 1))
    changed = iban[:at] + str((int(iban[at]) + data.draw(st.integers(1, 9))) % 10) + iban[at + 1 :]
    assert not checks.iban(changed)


@pytest.mark.parametrize("value", ["", "DE", "XX00", "DEAB370400440532013000", "DE8937040044053201300é"])
def test_what_is_no_iban(value: str) -> None:
    assert not checks.iban(value)
    assert checks.iban_length(value) == 0


def test_an_iban_takes_as_much_as_its_country_says() -> None:
    assert checks.iban_length("DE89 3704 0044 0532 0130 00 and so on") == 27
    assert checks.iban_length("DE89370400440532013000EUR") == 22
    assert checks.iban_length("DE89 3704 0044 0532 0130 01 and so on") == 0


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        ("123-45-6789", True),
        ("772-99-9999", True),
        ("12-345-678", False),
        ("000-45-6789", False),
        ("666-45-6789", False),
        ("999-45-6789", False),
        ("123-00-6789", False),
        ("123-45-0000", False),
    ],
)
def test_social_security_numbers(value: str, holds: bool) -> None:
    assert numbers.us_ssn(value) is holds


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        ("2001:db8::1", True),
        ("fe80::1%eth0", True),
        ("::1", True),
        ("::ffff:192.0.2.1", True),
        ("8c21:5f3a:11bd:9e0f:77a2:3c4d:9b1e:4f6", True),
        ("a::b", False),
        ("3::4", False),
        ("1:2", False),
        ("::", False),
        ("00:11:22:33:44:55:66:77", False),
    ],
)
def test_ipv6_addresses(value: str, holds: bool) -> None:
    assert checks.ipv6(value) is holds
    assert checks.ip(value) is holds


def test_an_ipv4_address_is_as_its_pattern_has_it() -> None:
    assert checks.ip("10.0.0.1")


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        ("00:1a:2b:3c:4d:5e", True),
        ("001a.2b3c.4d5e", True),
        ("001A2B3C4D5E", True),
        ("001122334455", True),
        ("202405141234", False),
        ("deadbeefcafe", False),
        ("ff-ff-ff-ff-ff-ff", False),
        ("000000000000", False),
    ],
)
def test_hardware_addresses(value: str, holds: bool) -> None:
    assert checks.mac(value) is holds


@pytest.mark.parametrize(
    ("check", "value", "holds"),
    [
        (checks.ie_pps, "6433435F", True),
        (checks.ie_pps, "6433435 f", True),
        (checks.ie_pps, "6433435FT", True),
        (checks.ie_pps, "6433435FW", True),
        (checks.ie_pps, "1234567FA", True),
        (checks.ie_pps, "1234567WA", False),
        (checks.ie_pps, "6433435ET", False),
        (checks.in_pan, "ABCPK1234L", True),
        (checks.in_pan, "abcpk 1234 l", True),
        (checks.in_pan, "ABCPK0000L", False),
        (checks.in_pan, "AAAAA1234A", False),
        (checks.cn_resident, "110105 19491231 002x", True),
        (checks.cn_resident, "110105 19491331 002X", False),
        (checks.tw_id, "A123456789", True),
        (checks.tw_id, "a900000016", True),
        (checks.tw_id, "AA23456786", False),
    ],
)
def test_numbers_as_they_are_also_written(check: Callable[[str], bool], value: str, holds: bool) -> None:
    assert check(value) is holds


def test_the_longest_part_that_holds_is_taken() -> None:
    length = checks.longest(lambda value: value in ("12", "12 34"))
    assert [length(value) for value in ("12 34", "12 34 56", "12-9", "9 12", "1234")] == [5, 5, 2, 0, 0]


@pytest.mark.parametrize(("value", "random"), [("sk-abc", False), ("sk-abC", True), ("sk-ab1", True)])
def test_what_looks_random(value: str, random: bool) -> None:
    assert checks.random_looking(value) is random
