"""Amounts with units: durations, sizes, rates, dates and times."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.errors import Problem
from penstock.policy.amounts import RATE, TIMESTAMP, Rate, duration, size
from penstock.policy.marked import Table, compose
from penstock.policy.readers import Reader
from penstock.policy.reading import Reading, Unread


def attempt(reader: Reader[object], text: str) -> tuple[object, str]:
    """The value, or the problem."""
    found: list[Problem] = []
    node = compose("f.yaml", f"a: {text}\n".encode(), found)
    assert isinstance(node, Table)
    assert not found
    reading = Reading(Path(), {}, 0.0)
    try:
        return reader.read(node.entries["a"].node, reading), ""
    except Unread:
        assert len(reading.problems) == 1
        return None, reading.problems[0].message


def good(reader: Reader[object], text: str) -> object:
    value, problem = attempt(reader, text)
    assert not problem
    return value


def bad(reader: Reader[object], text: str) -> str:
    _, problem = attempt(reader, text)
    assert problem
    return problem


@pytest.mark.parametrize(
    ("text", "seconds"), [("5s", 5.0), ("10m", 600.0), ("2h", 7200.0), ("250ms", 0.25), ("1d", 86_400.0)]
)
def test_durations_are_seconds(text: str, seconds: float) -> None:
    assert good(duration("1ms", "9d"), text) == seconds


@pytest.mark.parametrize("text", ["5", "5 s", "-5s", "1.5s", "s", "5 minutes", "''", "[5s]", "{a: 5s}", "null"])
def test_what_is_no_duration_is_named_with_the_units(text: str) -> None:
    assert "expected a duration (1s to 5m; units ms, s, m, h, d), not " in bad(duration("1s", "5m"), text)


@pytest.mark.parametrize("text", ["0s", "6m"])
def test_durations_have_bounds(text: str) -> None:
    assert "1s to 5m" in bad(duration("1s", "5m"), text)


@pytest.mark.parametrize(
    ("text", "count"),
    [("20MB", 20_000_000), ("64KB", 64_000), ("1GB", 10**9), ("1MiB", 1_048_576), ("2KiB", 2048), ("5000B", 5000)],
)
def test_sizes_are_bytes(text: str, count: int) -> None:
    assert good(size(1, 10**10), text) == count


@pytest.mark.parametrize("text", ["20mb", "MB", "-1MB", "1.5MB", "1TB", "lots"])
def test_what_is_no_size_is_named_with_the_units(text: str) -> None:
    assert bad(size(1, 10**10), text).startswith("expected a size (64KB, 20MB, 1GB;")


def test_sizes_have_bounds() -> None:
    assert bad(size(1000, 2000), "3KB") == "the size 3KB is not between 1,000 and 2,000 bytes"


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("60/m", Rate(60, 60.0)),
        ("200000/h", Rate(200_000, 3600.0)),
        ("5/10s", Rate(5, 10.0)),
        ("1 / d", Rate(1, 86_400.0)),
    ],
)
def test_rates_are_a_count_in_a_time(text: str, rate: Rate) -> None:
    assert good(RATE, text) == rate


@pytest.mark.parametrize("text", ["60", "60/", "0/m", "60/0s", "60/ms", "-1/m", "60 per minute", "1/60"])
def test_what_is_no_rate_is_named(text: str) -> None:
    assert bad(RATE, text).startswith("expected a rate (60/m, 1000/h, 5/10s), not")


def test_a_rate_does_not_reach_over_months() -> None:
    assert bad(RATE, "5/60d") == "the rate 5/60d reaches over more than 31 days"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2027-01-01", 1798761600.0),
        ("'2027-01-01'", 1798761600.0),
        ("2027-01-01T08:00Z", 1798761600.0 + 8 * 3600),
        ("2027-01-01 08:00:30Z", 1798761600.0 + 8 * 3600 + 30),
        ("2027-01-01 08:00:30 Z", 1798761600.0 + 8 * 3600 + 30),
        ("2027-01-01t08:00:00.5+01:00", 1798761600.0 + 7 * 3600 + 0.5),
    ],
)
def test_timestamps_are_unix_seconds(text: str, seconds: float) -> None:
    assert good(TIMESTAMP, text) == seconds


def test_a_time_without_a_zone_is_refused() -> None:
    assert bad(TIMESTAMP, "2027-01-01T08:00") == "the time 2027-01-01T08:00 has no zone: add Z for UTC, or +01:00"


@pytest.mark.parametrize("text", ["2027-02-30", "2027-13-01", "2027-01-01T25:00Z"])
def test_a_time_that_never_is_is_refused(text: str) -> None:
    assert bad(TIMESTAMP, text) == f"there is no such time as {text}"


@pytest.mark.parametrize("text", ["tomorrow", "01.02.2027", "20270101", "2027-W01-1", "2027"])
def test_other_spellings_of_a_time_are_refused(text: str) -> None:
    assert bad(TIMESTAMP, text).startswith("expected a date or time")
