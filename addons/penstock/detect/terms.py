"""Lists of terms (names, code words), up to a hundred thousand, found in a text of which only a part may be there yet.

A list stands in for a pattern and its pending twin (`masking.stream`): `search` finds the leftmost term, at its place
the longest; `pending` finds the leftmost place where it is not known yet which term stands there, if any.

A place can only hold a term when the *head* of one stands there: in most cases its first word, whole, with no
character of a word before or behind. Heads are found in one pass (Aho-Corasick) over the text as it is spelt, in which
everything between words is a space. Terms that do not begin with a word (`.NET`, `東京`), and all of them when words
need not be whole, have their first characters as head, which are sought as they stand.

From a head on the text is compared with the sorted list. White space in the text is one space there, up to `GAP`
characters of it: a bound, so that a stream never waits for ever, and no more ambiguous than the single space, since no
term has two in a row. Of all terms that begin the text, the greatest one that is not greater than the text has every
other as its own beginning; `_shorter` goes from each term to the next.
"""

from __future__ import annotations

import hashlib
import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final
from weakref import WeakValueDictionary

from ahocorasick_rs import AhoCorasick

from penstock.detect.opening import opening
from penstock.detect.shape import EVERY_WIDE
from penstock.detect.spelling import ANY_CASE, ANY_CASE_EDGES, EXACT, EXACT_EDGES, apart, is_word
from penstock.detect.syntax import parse

GAP: Final = 32
"""White space that may stand where a term has a space, in characters."""
LONGEST: Final = 200
"""Characters of a term: with all the white space that may be in it, a stream holds less than `admission.WIDEST`."""
MOST_TERMS: Final = 100_000
MOST_CHARACTERS: Final = 1_000_000

_GAPS: Final = re.compile(rf"\s{{1,{GAP}}}+(?!\s)")
_ODD: Final = re.compile(r"\s\s|[^\S ]")
_HEAD: Final = 12
"""Characters of a head that is no whole word."""
_BRANCHES: Final = 64
_PLACES: Final = 8
_WINDOW: Final = 32
_WIDEST_WINDOW: Final = 1 << 16
_WORDS: Final = sum(1 << code for code in range(128) if is_word(chr(code)))


class Hit:
    """Where a term stands; a match without groups."""

    __slots__ = ("_end", "_start")

    def __init__(self, start: int, end: int) -> None:
        self._start = start
        self._end = end

    def start(self, group: int | str = 0) -> int:
        return self._start

    def end(self, group: int | str = 0) -> int:
        return self._end

    def span(self, group: int | str = 0) -> tuple[int, int]:
        return self._start, self._end


class Heads:
    """What the terms of a list begin with, to be found in one pass."""

    __slots__ = ("_found", "far", "longest")

    def __init__(self, heads: dict[str, int], longest: int, padding: str) -> None:
        """`heads`: each with the length of its longest term, 0 when it is one itself and the only one."""
        self.longest: Final = longest
        """Characters of the longest head."""
        self.far: Final = array("H", heads.values())
        self._found: Final = AhoCorasick([f"{padding}{head}{padding}" for head in heads], store_patterns=False)

    def found(self, spelt: str) -> Sequence[tuple[int, int, int]]:
        """Which heads stand in a text as it is spelt, with their padding: index, start, end; ordered by the end."""
        return self._found.find_matches_as_indexes(spelt, overlapping=True)  # type: ignore[no-any-return]


class Terms:
    """A list of terms, ready to be found. Frozen; shared by all rules, streams and threads."""

    __slots__ = (
        "__weakref__",
        "_edges",
        "_gaps",
        "_shorter",
        "_sorted",
        "_spelling",
        "_starts",
        "_stems",
        "_whole",
        "_words",
        "behind",
        "count",
        "digest",
        "first",
        "head",
        "least",
        "not_after",
        "pattern",
        "second",
        "span",
    )

    def __init__(self, terms: Sequence[str], *, ignore_case: bool, whole_words: bool) -> None:
        """`terms`: as `spelling.spelt` makes them, each once."""
        self.digest: Final = digest(terms, ignore_case=ignore_case, whole_words=whole_words)
        self.count: Final = len(terms)
        self._whole: Final = whole_words
        self._spelling: Final = ANY_CASE if ignore_case else EXACT
        self._edges: Final = ANY_CASE_EDGES if ignore_case else EXACT_EDGES
        known = self._sorted = sorted({*terms, *(apart(term) for term in terms if not term.isascii())})
        self._shorter: Final = _shorter(known)
        words: dict[str, int] = {}
        stems: dict[str, int] = {}
        for term in known:
            if whole_words and is_word(term[0]):
                _enter(words, term.translate(self._edges).split(" ", 1)[0], term)
            else:
                _enter(stems, term.split(" ", 1)[0][:_HEAD], term)
        self._words: Final = Heads(words, max(map(len, words)), " ") if words else None
        self._stems: Final = Heads(stems, max(map(len, stems)), "") if stems else None
        self._starts: Final = frozenset(stem[0] for stem in stems)
        self._gaps: Final = max(term.count(" ") for term in known)
        self.least: Final = min(map(len, known))
        self.span: Final = max(map(len, known)) + self._gaps * (GAP - 1) + 1
        """Characters, from its start on, that decide whether a term stands at a place."""
        self.behind: Final = 1
        self.pattern: Final = _coarse({term.split(" ", 1)[0][:_PLACES] for term in known}, ignore_case)
        """Matches, for `detect.prefilter`, wherever a term stands, and in many places more."""
        begins = opening(parse(self.pattern))
        self.first: Final = begins.places[0]
        self.second: Final = begins.places[1] if min(begins.lengths) > 1 else 2 * EVERY_WIDE - 1
        self.not_after: Final = 0 if stems else _WORDS
        self.head: Final = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Terms) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"Terms({self.count}, {self.digest[:8]})"

    def search(self, text: str, at: int = 0) -> Hit | None:
        """The leftmost term from a place on, as if the text ended where it does."""
        size = _WINDOW
        while at < len(text):
            for start, far, end in self._headed(text, at, at + size):
                if far:
                    end = self._end(text, start, far)
                if end:
                    return Hit(start, end)
            at += size
            size = min(4 * size, _WIDEST_WINDOW)
        return None

    def pending(
        self, text: str, at: int = 0, endpos: int | None = None, flags: int | None = None, partial: bool = True
    ) -> Hit | None:
        """The leftmost place from `at` on where more text could bring a term, or a longer one.

        The signature is that of a compiled pattern; `endpos` and `flags` are not for use.
        """
        end = len(text)
        at = max(at, end - self.span)
        begun = at if self._words is None else self._run(text, at)
        for start, far, _ in self._headed(text, at, end, open=True):
            if start > begun:
                break
            if far and self._grows(text, start):
                return Hit(start, end)
        if self._stems is not None:
            for start in range(max(at, end - self._stems.longest), end):
                if start > begun and self._words is not None and begun < end and self._grows(text, begun):
                    return Hit(begun, end)
                if self._spelling[ord(text[start])] in self._starts and self._grows(text, start):
                    return Hit(start, end)
        return Hit(begun, end) if self._words is not None and begun < end and self._grows(text, begun) else None
