"""`words`: one of a list of words or phrases, whole, in any case of letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import regex

from penstock.detect.spelling import spelt
from penstock.detect.terms import LONGEST, Terms, ready
from penstock.detect.value import Detector
from penstock.detect.view import fold
from penstock.policy.kinds.pattern import Pattern, searched
from penstock.policy.marked import Node
from penstock.policy.matcher import Kind, Matcher
from penstock.policy.readers import TEXT
from penstock.policy.reading import Reading
from penstock.policy.shape import listed
from penstock.policy.subject import Subject

_MANY: Final = 256
"""Words from which on they are a list of terms: found as fast as one, but not in every disguise."""


@dataclass(frozen=True, slots=True)
class Many(Matcher):
    """More words than one pattern should have."""

    terms: Terms

    @property
    def patterns(self) -> tuple[str, ...]:
        return (self.terms.pattern,)

    @property
    def needs(self) -> frozenset[str] | None:
        return frozenset(self.patterns)

    @property
    def detectors(self) -> tuple[Detector, ...] | None:
        return (Detector("words", "WORDS", self.terms.pattern, terms=self.terms),)

    def hits(self, subject: Subject) -> bool:
        wanted = self.terms.pattern
        return any(wanted in view.possible and self.terms.search(view.text) is not None for view in subject.views)


@dataclass(frozen=True, slots=True)
class Words(Matcher):
    """Found when one of the words stands in the text, with no letter, digit or underscore at its edges."""

    words: tuple[str, ...]
    found: Pattern | Many = field(compare=False, repr=False)

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
    if len(words) > _MANY:
        if max(map(len, folded)) > LONGEST:
            raise reading.wrong(node.mark, f"one of the words has more than {LONGEST} characters: shorten it")
        terms = dict.fromkeys(spelt(word, ignore_case=True) for word in words)
        return Words(words, Many(ready(tuple(terms), ignore_case=True, whole_words=True)))
    return Words(words, searched(expression(folded), node.mark, reading, name="words"))


_LIST: Final = listed(TEXT)
KIND: Final = Kind(
    "words",
    "Words or phrases, found whole and in any case of letters.",
    "words: [confidential, internal only]",
    _read,
    _LIST.schema,
)
