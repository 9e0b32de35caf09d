"""`words`: one of a list of words or phrases, whole, in any case of letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import regex

from penstock.detect.value import Detector
from penstock.detect.view import fold
from penstock.policy.kinds.pattern import Pattern, searched
from penstock.policy.marked import Node
from penstock.policy.matcher import Kind, Matcher
from penstock.policy.readers import TEXT
from penstock.policy.reading import Reading
from penstock.policy.shape import listed
from penstock.policy.subject import Subject


@dataclass(frozen=True, slots=True)
class Words(Matcher):
    """Found when one of the words stands in the text, with no letter, digit or underscore at its edges."""

    words: tuple[str, ...]
    found: Pattern = field(compare=False, repr=False)

    @property
    def patterns(self) -> tuple[str, ...]:
        return self.found.patterns

    @property
    def needs(self) -> frozenset[str] | None:
        return self.found.needs

    @property
    def detectors(self) -> tuple[Detector, ...] | None:
        return self.found.detectors

    def hits(self, subject: Subject) -> bool:
        return self.found.hits(subject)


def expression(words: Sequence[str]) -> str:
    """One pattern for all of them; white space in a phrase fits any, up to eight characters of it."""
    return "(?i)" + "|".join(map(_edged, sorted(words, key=lambda word: (-len(word), word))))


def _edged(word: str) -> str:
    pieces = [regex.escape(piece, special_only=True) for piece in word.split()]
    before = r"(?<!\w)" if regex.match(r"\w", word) else ""
    after = r"(?!\w)" if regex.match(r"\w", word[-1]) else ""
    return before + r"\s{1,8}".join(pieces) + after


def _read(node: Node, reading: Reading) -> Words:
    words = _LIST.read(node, reading)
    folded = [" ".join(fold(word).split()) for word in words]
    if not all(folded):
        raise reading.wrong(node.mark, "one of the words holds nothing that can be seen: remove it")
    return Words(words, searched(expression(folded), node.mark, reading, name="words"))


_LIST: Final = listed(TEXT)
KIND: Final = Kind(
    "words",
    "Words or phrases, found whole and in any case of letters.",
    "words: [confidential, internal only]",
    _read,
    _LIST.schema,
)
