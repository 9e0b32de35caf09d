"""What is told of a pattern from its tree holds for everything that it finds."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given

from penstock.detect.shape import EVERY_WIDE, shape
from penstock.detect.syntax import parse
from tests.detect.patterns import STREAMED, TEXTS, tried


@given(STREAMED, TEXTS)
@tried(90)
def test_no_match_is_narrower_wider_or_starts_otherwise(pattern: str, text: str) -> None:
    known = shape(parse(pattern))
    for match in regex.compile(pattern, regex.VERSION0).finditer(text):
        width = match.end() - match.start()
        assert known.low <= width
        assert known.high is None or width <= known.high
        if width:
            code = ord(match[0][0])
            assert known.first & (1 << code if code < 128 else EVERY_WIDE)


@pytest.mark.parametrize(
    ("pattern", "low", "high", "behind", "ahead"),
    [
        ("abc", 3, 3, 0, 0),
        ("a?b{2,3}", 2, 4, 0, 0),
        ("a+", 1, None, 0, 0),
        ("(?:a*){0}b", 1, 1, 0, 0),
        ("(?:|a){3,}", 0, None, 0, 0),
        ("(?:(?=a)){2,}b", 1, 1, 0, 1),
        ("a|bcd", 1, 3, 0, 0),
        (r"\ba\b", 1, 1, 1, 1),
        ("^a$", 1, 1, 1, 2),
        ("(?m)^a$", 1, 1, 1, 1),
        (r"\Aa\Z", 1, 1, 1, 1),
        ("(?<=ab{1,3})c(?=d{2})", 1, 1, 4, 2),
        ("(?<=a+)c", 1, 1, None, 0),
        ("c(?!.*d)", 1, 1, 0, None),
        (r"(?<=\bab)c", 1, 1, 3, 1),
        ("(?=(?<=ab)c)d", 1, 1, 2, 1),
        (r"(a)\1", 1, None, 0, 0),
    ],
)
def test_widths(pattern: str, low: int, high: int | None, behind: int | None, ahead: int | None) -> None:
    known = shape(parse(pattern))
    assert (known.low, known.high, known.behind, known.ahead) == (low, high, behind, ahead)
