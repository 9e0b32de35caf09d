"""How matches begin: what a stream may skip is never a match."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given

from penstock.detect.detector import detector
from penstock.detect.opening import barred, head, opening
from penstock.detect.shape import EVERY_WIDE
from penstock.detect.syntax import parse
from tests.detect.patterns import STREAMED, TEXTS, tried


def bit(character: str) -> int:
    return 1 << ord(character) if character.isascii() else EVERY_WIDE


def text_of(bits: int) -> str:
    return "".join(chr(code) for code in range(128) if bits >> code & 1)


@given(STREAMED, TEXTS)
@tried(100)
def test_every_match_begins_as_told(pattern: str, text: str) -> None:
    tree = parse(pattern)
    known, kept = opening(tree, 3), barred(tree)
    for match in regex.compile(pattern, regex.VERSION0).finditer(text):
        assert min(len(match[0]), 3) in known.lengths
        for place, character in zip(known.places, match[0], strict=False):
            assert place & bit(character)
        if match[0] and match.start():
            before = text[match.start() - 1]
            assert not (before.isascii() and kept & bit(before))


@given(STREAMED, TEXTS)
@tried(100)
def test_every_match_begins_with_the_head(pattern: str, text: str) -> None:
    begins = head(parse(pattern))
    if begins is None:
        return
    for match in regex.compile(pattern, regex.VERSION0).finditer(text):
        for at, character in enumerate(match[0]):
            if begins.keys & bit(character) or at >= begins.longest:
                break
            assert at == 0 or begins.run & bit(character)
        else:
            pytest.fail("the match was over before its head")


@pytest.mark.parametrize(
    ("pattern", "run", "keys", "longest"),
    [
        ("[a-c]{1,5}@x", "abc", "@", 5),
        ("a[a-c]{0,3}@x", "abc", "@", 4),
        ("a[bc]{0,3}@x", "a", "@bc", 1),
        ("(?<![a-c])(?:[a-c]{0,4}:){2,7}", "abc", ":", 4),
        ("[ab]{20}(?:c|a{5})?", "ab", "", 19),
        ("(?:[ab]{20}|a{10}b{12})c?", "ab", "", 19),
    ],
)
def test_heads(pattern: str, run: str, keys: str, longest: int) -> None:
    found = head(parse(pattern))
    assert found is not None
    assert (text_of(found.run), text_of(found.keys), found.longest) == (run, keys, longest)


@pytest.mark.parametrize(
    "pattern", ["(?=a)(?=b)", "[ab]+@", "[ab]{1,3}[bc]{1,3}@", "a", "[ab]{2}(?:c|a)", "[ab]{1,2000}@", "a|b@"]
)
def test_patterns_without_a_head(pattern: str) -> None:
    assert head(parse(pattern)) is None


def test_the_detectors_that_any_word_could_wake_have_heads() -> None:
    assert all(head(parse(detector(name).pattern)) for name in ("email", "iban", "ipv6", "aws_key"))
