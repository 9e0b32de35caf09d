"""Readers of amounts with units: durations, sizes, rates, dates and times."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from penstock.policy.readers import Reader, worded

_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION: Final = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)\Z")
_BYTES: Final = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_SIZE: Final = re.compile(r"([0-9]{1,12}) ?(B|KB|MB|GB|KiB|MiB|GiB)?\Z")
_RATE: Final = re.compile(r"([0-9]{1,12}) ?/ ?([0-9]{0,6})(s|m|h|d)\Z")


def duration(low: str, high: str) -> Reader[float]:
    """A time span in seconds, between two others (inclusive)."""
    title = f"a duration ({low} to {high}; units ms, s, m, h, d)"
    lowest, highest = _seconds(low), _seconds(high)

    def parse(text: str) -> float | None:
        match = _DURATION.match(text)
        if match is None:
            return None
        value = int(match[1]) * _SECONDS[match[2]]
        return value if lowest <= value <= highest else None

    return worded(title, parse, {"type": "string", "pattern": "^[0-9]{1,9}(ms|s|m|h|d)$"})


def _seconds(text: str) -> float:
    match = _DURATION.match(text)
    assert match is not None
    return int(match[1]) * _SECONDS[match[2]]


def size(low: int, high: int) -> Reader[int]:
    """A number of bytes."""
    title = "a size (64KB, 20MB, 1GB; KiB, MiB, GiB for powers of two)"

    def parse(text: str) -> int | None:
        match = _SIZE.match(text)
        if match is None:
            return None
        value = int(match[1]) * _BYTES[match[2] or "B"]
        if not low <= value <= high:
            raise ValueError(f"the size {text} is not between {low:,} and {high:,} bytes")
        return value

    pattern = "^[0-9]{1,12} ?(B|KB|MB|GB|KiB|MiB|GiB)?$"
    return worded(title, parse, {"type": ["string", "integer"], "pattern": pattern, "minimum": low, "maximum": high})


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` in any `seconds`."""

    count: int
    seconds: float


def _rate(text: str) -> Rate | None:
    match = _RATE.match(text)
    if match is None or not int(match[1]) or match[2] == "0":
        return None
    seconds = int(match[2] or "1") * _SECONDS[match[3]]
    if seconds > 31 * 86_400:
        raise ValueError(f"the rate {text} reaches over more than 31 days")
    return Rate(int(match[1]), seconds)


RATE: Final[Reader[Rate]] = worded(
    "a rate (60/m, 1000/h, 5/10s)", _rate, {"type": "string", "pattern": "^[0-9]{1,12} ?/ ?[0-9]{0,6}(s|m|h|d)$"}
)

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_TIME: Final = re.compile(r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?) ?([Zz]|[-+]\d{2}:\d{2})?\Z")


def _timestamp(text: str) -> float | None:
    if _DATE.match(text):
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    match = _TIME.match(text)
    if match is None:
        return None
    if match[3] is None:
        raise ValueError(f"the time {text} has no zone: add Z for UTC, or +01:00")
    return datetime.fromisoformat(f"{match[1]}T{match[2]}{match[3].upper()}").timestamp()


def _time(text: str) -> float | None:
    """ISO 8601: a date (its first moment in UTC), or a date and time with a zone."""
    try:
        return _timestamp(text)
    except ValueError as error:
        if "zone" in str(error):
            raise
        raise ValueError(f"there is no such time as {text}") from None


TIMESTAMP: Final[Reader[float]] = worded(
    "a date or time (2027-01-01, 2027-01-01T08:00Z)", _time, {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}"}
)
