"""Heads: while the run goes on that is the head of a pattern, no match of it can be over or go on otherwise."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given

from penstock.detect.detector import detector
from penstock.detect.head import head
from penstock.detect.syntax import parse
from tests.detect.patterns import STREAMED, TEXTS, tried
from tests.detect.test_opening import bit


def text_of(bits: int) -> str:
    return "".join(chr(code) for code in range(128) if bits >> code & 1)


def lengths(bits: int) -> list[int]:
    return [length for length in range(bits.bit_length()) if bits >> length & 1]


@given(STREAMED, TEXTS)
@tried(200)
def test_every_match_begins_with_the_head(pattern: str, text: str) -> None:
    begins = head(parse(pattern))
    if begins is None:
        return
    for match in regex.compile(pattern, regex.VERSION0).finditer(text):
        run = next((at for at, each in enumerate(match[0]) if not begins.run & bit(each)), None)
        if run is None:
            assert begins.whole and len(match[0]) > begins.longest
        else:
            assert run <= begins.longest or begins.whole
            assert run > begins.longest or (begins.keys & bit(match[0][run]) and begins.lengths >> run & 1)


@pytest.mark.parametrize(
    ("pattern", "run", "keys", "after", "longest", "whole"),
    [
        ("[a-c]{1,5}@x", "abc", "@", [1, 2, 3, 4, 5], 5, False),
        ("a[a-c]{0,3}@x", "abc", "@", [1, 2, 3, 4], 4, False),
        ("a[bc]{0,3}@x", "abc", "@", [1, 2, 3, 4], 4, False),
        ("[ab]{1,3}[bc]{1,3}@", "abc", "@", [2, 3, 4, 5, 6], 6, False),
        ("(?<![a-c])(?:[a-c]{0,4}:){2,7}", "abc", ":", [0, 1, 2, 3, 4], 4, False),
        ("[ab]{20}(?:c|a{5})?", "ab", "", [], 19, True),
        ("(?:[ab]{20}|a{10}b{12})c?", "ab", "", [], 19, True),
        ("[ab]{10}(?::[ab]|[ab]{3})", "ab", ":", [10], 12, True),
        ("[A-Z]{3}[AB][A-Z][0-9]{4}[A-Z]", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", [5], 5, False),
        ("(?:[ab][cd](?: ?1){3}|[ef][gh](?: ?1){3})", "abcdefgh", " 1", [2], 2, False),
        ("(?:ab){1,3}(?:ab|:)1", "ab", "1:", [2, 4, 6, 8], 8, False),
        ("[ab]{1100}", "ab", "", [], 1024, True),
        ("[ab]{9}(?:[ab]{1100}:)?", "ab", "", [], 8, True),
        ("[ab]{9}(?:[ab]{0,100000}:)?", "ab", "", [], 8, True),
    ],
)
def test_heads(pattern: str, run: str, keys: str, after: list[int], longest: int, whole: bool) -> None:
    found = head(parse(pattern))
    assert found is not None
    assert (text_of(found.run), text_of(found.keys), found.longest, found.whole) == (run, keys, longest, whole)
    assert lengths(found.lengths) == after


@pytest.mark.parametrize(
    "pattern",
    [
        *("(?=a)(?=b)", "a", "[ab]+@", "[ab]+?@", "[ab]{1,2000}@", "a|b@"),
        *(r"[a-z]{2}(?:c|a)", r"[a-z ]{9}", r"[A-Z]\w"),
        # a run that may be too long to be counted beside one that is not
        *("[ab]{1,3}(?:[ab]{1100})?@", "[ab]@|[ab]{1100}@", "[ab]{3}(?:(?:[ab]{25}){41})?@", "[ab](?:[ab]{1025}@|@)"),
        "[ab]{2}(?:[ab]{600}){0,2}@",
    ],
)
def test_patterns_without_a_head(pattern: str) -> None:
    assert head(parse(pattern)) is None


def test_the_detectors_that_any_word_could_wake_have_heads() -> None:
    assert all(head(parse(detector(name).pattern)) for name in ("email", "iban", "ipv6", "ip", "aws_key", "in_pan"))
