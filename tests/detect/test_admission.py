"""Admission: what a stream could not do exactly, or not for long, is refused with a remedy."""

from __future__ import annotations

import pytest
from hypothesis import assume, given

from penstock.detect import admission
from penstock.detect.admission import admit, by_character, refuse_unstreamable, whole
from penstock.detect.shape import shape
from penstock.detect.sought import sought
from penstock.detect.syntax import PatternError, parse
from tests.detect.patterns import STREAMED, TEXTS, tried


@given(STREAMED, TEXTS)
@tried(160)
def test_what_is_admitted_finds_the_same_character_by_character(pattern: str, text: str) -> None:
    tree = parse(pattern)
    assume(shape(tree).low > 0)
    refuse_unstreamable(tree)
    assert by_character(sought(pattern), text) == whole(sought(pattern), text)


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("a*", "the empty text"),
        (r"(?:\b|a?)", "the empty text"),
        ("x|", "the empty text"),
        (r"\w+@x", "'\\w+' has no upper bound"),
        ("a{3,}b", "write {3,64}"),
        ("x(?:" + "[0-9a-f]{4}" * 5 + "){3,}?y", "'...}[0-9a-f]{4}"),
        (r"(a)\1", "the back-reference \\1"),
        (r"(?<n>a)\g<n>", "the back-reference \\g<n>"),
        ("a{1,5000}b", "match 5001 characters"),
        ("a(?=.{5000})", "look ahead 5000"),
        ("(?<=a.{5000})b", "look behind 5001"),
        (r"a.{0,3}?(?<=b)c", "lookbehind"),
        (r"a.{0,3}?(?m:^)c", "start of a line"),
        (r"(?:(?<!a)b){2}c??d", "lookbehind"),
        (r"(?:a(?=(?<!x)b)|c)d??e", "lookbehind"),
        ("(a+)+", "upper bound"),
        ("(?:a{1,9}b?){1,9}", "share out"),
    ],
)
def test_a_pattern_that_is_not_admitted_to_streams(pattern: str, told: str) -> None:
    with pytest.raises(PatternError) as refused:
        admit(pattern, streamed=True)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    "pattern",
    [
        "abc",
        r"\bE\d{6}\b",
        r"(?i)\b(dump|export)\b.{0,40}?\ball\b",
        r"(?<=id: )\d{4}(?!\d)",
        r"(?:(?<!a)b|c)d??e",
        r"a(?<=a)b{1,3}c$",
        "^a{1,3}?b",
        "(?m)^x$",
    ],
)
def test_a_pattern_that_is_admitted_to_streams(pattern: str) -> None:
    admit(pattern, streamed=True)


@pytest.mark.parametrize("pattern", [r"(a)\1", "a.{0,3}?(?<=b)c", r"\w+", r"(?<=a+)b"])
def test_whole_texts_take_more(pattern: str) -> None:
    admit(pattern, streamed=False)


def test_the_trial_tells_the_text_that_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "_refuse_inexact", lambda tree: None)
    admission.admit.cache_clear()
    with pytest.raises(PatternError, match="piece by piece"):
        admit(r"[\s\S]{2,5}?(?<=b)", streamed=True)
    admission.admit.cache_clear()
