"""Which assigned things are secrets, and which days and places are somebody's."""

from __future__ import annotations

import pytest

from penstock.detect import checks, places, secrecy


@pytest.mark.parametrize("value", ["Tr0ub4dor&3", "hunter2", "P@ssw0rd", "correct-h0rse", "Zaq12wsx!"])
def test_a_password(value: str) -> None:
    assert secrecy.password(value) == len(value)


@pytest.mark.parametrize(
    "value",
    ["short", "password", "aaaaaaa1", "get_it()", "user.name_2", "changeme1", "2024-01-15", "two words1", "ABCDEFGH"],
)
def test_no_password(value: str) -> None:
    assert secrecy.password(value) == 0


@pytest.mark.parametrize("value", ["a8f5f167f44f4964e6c998dee827110c", "dXNlcjpwYXNzdzByZDEyMw==", "x9K2-mQ7v"])
def test_a_secret(value: str) -> None:
    assert secrecy.secret(value) == len(value)


@pytest.mark.parametrize(
    "value",
    ["short1", "access_token", "self._next_token2", "aaaaaaaaaaaa1", "${TOKEN_12}", "a sentence 1"],
)
def test_no_secret(value: str) -> None:
    assert secrecy.secret(value) == 0


@pytest.mark.parametrize(
    "value",
    [
        "1985-03-12",
        "12.03.85",
        "12. März 1985",
        "March 12, 1985",
        "19850312",
        "12031985",
        "1990年5月12日",
        "3 février 1990",
    ],
)
def test_a_day_of_birth(value: str) -> None:
    assert places.birthday(value)


@pytest.mark.parametrize(
    "value", ["1985-13-45", "2150-01-01", "1789-07-14", "12 Foo 1985", "99999999", "1.2", "99/99/99"]
)
def test_no_day_of_birth(value: str) -> None:
    assert not places.birthday(value)


@pytest.mark.parametrize(
    "value", ["40.7128, -74.0060", "48.85837", "40°42'46\"N 74°00'22\"W", "48.8566° N, 2.3522° E", "10°20' N 30°40' E"]
)
def test_a_place(value: str) -> None:
    assert places.coordinates(value)


@pytest.mark.parametrize(
    "value", ["912.3456, 45.6789", "0.000, 0.000", "25.00,0.00", "21.5", "200.123", "95°10'N 10°10'E"]
)
def test_no_place(value: str) -> None:
    assert not places.coordinates(value)


def test_checks_of_accounts_and_keys() -> None:
    assert checks.account("12345678") and not checks.account("20240115") and not checks.account("11111111")
    assert checks.bic("DEUTDEFF") and not checks.bic("ABCDXXFF")
    assert checks.mac("00:1a:2b:3c:4d:5e") and not checks.mac("ff:ff:ff:ff:ff:ff")
    assert checks.nl_bsn("111222333") and not checks.nl_bsn("111222334")
    assert checks.aws("AKIAIOSFODNN7EXAMPLE") and not checks.aws("da39a3ee5e6b4b0d3255bfef95601890afd80709")
    assert not checks.api_key("sk-xxxxxxxxxxxxxxxx1")
