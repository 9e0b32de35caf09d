"""How matches begin: what a stream may skip is never a match."""

from __future__ import annotations

import regex
from hypothesis import given

from penstock.detect.opening import barred, opening
from penstock.detect.shape import EVERY_WIDE
from penstock.detect.syntax import parse
from tests.detect.patterns import STREAMED, TEXTS, tried


def bit(character: str) -> int:
    return 1 << ord(character) if character.isascii() else EVERY_WIDE


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
