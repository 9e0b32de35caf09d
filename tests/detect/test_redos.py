"""Patterns that can run away are refused, those that only look like it are not."""

from __future__ import annotations

import pytest

from penstock.detect.redos import refuse_runaway
from penstock.detect.syntax import PatternError, parse

TRAPS = (
    "(a+)+b",
    "(?:a*)*b",
    "(?:a|a)*b",
    "(?:a|ab)*?c|(?:a|b|ab)*c",
    r"(?:\w+\s?)+!",
    r"([a-zA-Z]+)*\d",
    "(?:a{1,63}b?){1,8}",
    "(?:x+x+)+y",
    "(?:(?:a?b?)*c?)*d",
    "(?:.*,)*x",
    r"^(?:[\w.-]+\.?)+@",
    "(?:é+)+x",
    "z(?=(?:a+)+b)",
)
SLOW = (
    r"\s+$",
    ".*a.*b",
    "foo.*bar",
    r"\w+@\w+\.com",
    r"a{1,9000}b",
    r"[\s\S]*?x[\s\S]*?y",
    "(?:a|b)*+c",
    "(?:ab|ac)*d",
)
FINE = (
    "abc",
    "a+b?",
    r"\b(dump|export)\b.{0,40}\ball\b.{0,20}\bcustomers?\b",
    r"(?:[ -]?\d){12,18}",
    r"(?:\d{1,3}\.){3}\d{1,3}",
    r"(?:\w+\s){1,5}!",
    r"(?:\w++\s?){1,9}!",
    "x(?:a|b)*+c",
    "x(?:ab|ac)*d",
    r"[\w.]{1,64}@(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}",
    "x{0,3}x{0,3}y",
    "(?:a?){3}b",
    "(?:[abc]{1,4},){5,}",
)


@pytest.mark.parametrize("pattern", TRAPS)
def test_a_loop_that_can_read_a_text_in_two_ways_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError, match="share out the same text"):
        refuse_runaway(pattern, parse(pattern))


@pytest.mark.parametrize("pattern", SLOW)
def test_a_pattern_that_is_slow_on_long_texts_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError, match="square of the length"):
        refuse_runaway(pattern, parse(pattern))


@pytest.mark.parametrize("pattern", FINE)
def test_other_patterns_are_not_refused(pattern: str) -> None:
    refuse_runaway(pattern, parse(pattern))


def test_a_pattern_too_large_to_reason_about_is_tried_out() -> None:
    pattern = "(?:" + "|".join(f"w{index}x" for index in range(300)) + "){1,6}y"
    refuse_runaway(pattern, parse(pattern))
    dense = "(?:" + "[a-z]?" * 60 + ",){1,5}x"
    with pytest.raises(PatternError, match="square of the length"):
        refuse_runaway(dense, parse(dense))
