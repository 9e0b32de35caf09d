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
from collections.abc import Iterator, Mapping, Sequence
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
_LEAD: Final = 4
"""Characters after a head that tell nearly always that no term stands there."""
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

    def __init__(self, heads: Mapping[str, int], padding: str = "") -> None:
        """`heads`: each with the length of the longest term that begins with it."""
        self.longest: Final = max(map(len, heads))
        self.far: Final = array("H", heads.values())
        self._found: Final = AhoCorasick([f"{padding}{head}{padding}" for head in heads], store_patterns=False)

    def found(self, spelt: str) -> Sequence[tuple[int, int, int]]:
        """Which heads stand in a text as it is spelt: index, start and end (with the padding); ordered by the end."""
        return self._found.find_matches_as_indexes(spelt, overlapping=True)


class Terms:
    """A list of terms, ready to be found. Frozen; shared by all rules, streams and threads."""

    __slots__ = (
        "__weakref__",
        "_edges",
        "_gaps",
        "_leads",
        "_short",
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

    def __init__(self, terms: Sequence[str], *, ignore_case: bool = True, whole_words: bool = True) -> None:
        """`terms`: as `spelling.spelt` makes them, each once; at least one."""
        self.digest: Final = digest(terms, ignore_case=ignore_case, whole_words=whole_words)
        """Says the same whenever the list does."""
        self.count: Final = len(terms)
        self._whole: Final = whole_words
        self._spelling: Final = ANY_CASE if ignore_case else EXACT
        self._edges: Final = ANY_CASE_EDGES if ignore_case else EXACT_EDGES
        self._sorted: Final = sorted({*terms, *(apart(term) for term in terms if not term.isascii())})
        self._shorter: Final = _shorter(self._sorted)
        words, stems = self._beginnings()
        self._words: Final = Heads(words, " ") if words else None
        self._stems: Final = Heads(stems) if stems else None
        self._leads: Final = self._following(words)
        """Heads with the next characters of the terms that begin with them; all of the term if it is shorter."""
        self._short: Final = frozenset(lead for lead in self._leads if len(lead) < len(lead.split(" ", 1)[0]) + _LEAD)
        self._starts: Final = frozenset(stem[0] for stem in stems)
        self._gaps: Final = max(term.count(" ") for term in self._sorted)
        self.least: Final = min(map(len, self._sorted))
        self.span: Final = max(map(len, self._sorted)) + self._gaps * (GAP - 1) + 1
        """Characters, from its start on, that decide whether a term stands at a place."""
        self.behind: Final = 1
        self.pattern: Final = _coarse({term.split(" ", 1)[0][:_PLACES] for term in self._sorted}, ignore_case)
        """Matches, for `detect.prefilter`, wherever a term stands, and in other places too."""
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
            for start, end, far in self._headed(text, at, at + size):
                if (stop := self._end(text, start, far) if far else end) is not None:
                    return Hit(start, stop)
            at += size
            size = min(4 * size, _WIDEST_WINDOW)
        return None

    def pending(
        self, text: str, at: int = 0, endpos: int | None = None, flags: int | None = None, partial: bool = True
    ) -> Hit | None:
        """The leftmost place from `at` on where more text could bring a term, or a longer one.

        It is called as a compiled pattern's `search` is; `endpos` and `flags` say nothing here.
        """
        end = len(text)
        at = max(at, end - self.span)
        places: list[int] = []
        if self._words is not None:
            spelt = self._between(text, at, end)
            begun = at + spelt.rfind(" ")  # the last word, which may go on
            if at <= begun < end:
                places.append(begun)
            if begun > at + 1:
                places += [at + start for start, _, far in self._likely(spelt) if far]
        if self._stems is not None:
            spelt = self._spelling.read(text[at:])
            places += [at + start for _, start, _ in self._stems.found(spelt)]
            short = max(0, len(spelt) - self._stems.longest)
            places += [at + short + place for place, first in enumerate(spelt[short:]) if first in self._starts]
        for place in sorted(places):
            if self._grows(text, place):
                return Hit(place, end)
        return None

    def _beginnings(self) -> tuple[dict[str, int], dict[str, int]]:
        """Heads that are whole words, and those that are not, each with the length of the longest term beyond it."""
        words: dict[str, int] = {}
        stems: dict[str, int] = {}
        stem = ""
        for term in self._sorted:
            if self._whole and self._edges[ord(term[0])] != " ":
                word = self._edges.read(term).split(" ", 1)[0]
                words[word] = max(words.get(word, 0), len(term) if term != word else 0)
            else:
                if not stem or not term.startswith(stem):
                    stem = term.split(" ", 1)[0][:_HEAD]
                stems[stem] = max(stems.get(stem, 0), len(term))
        return words, stems

    def _following(self, words: Mapping[str, int]) -> frozenset[str]:
        known = (self._edges.read(term) for term in self._sorted if self._edges[ord(term[0])] != " ")
        heads = ((term, len(term.split(" ", 1)[0])) for term in known)
        return frozenset(term[: head + _LEAD] for term, head in heads if words.get(term[:head]))

    def _between(self, text: str, at: int, end: int) -> str:
        """A part of a text as it is spelt, spaces between words, and the character before; a space before the text."""
        return self._edges.read(text[at - 1 : end]) if at else " " + self._edges.read(text[:end])

    def _likely(self, spelt: str) -> Iterator[tuple[int, int, int]]:
        """Where heads stand that are words, in a text with spaces around them: start, end and how long the term may be.

        Left out are those that go on as no term does. Where two spaces follow, or the text ends, there is no telling.
        """
        assert self._words is not None
        far, leads, short = self._words.far, self._leads, self._short
        for head, start, end in self._words.found(spelt):
            longest = far[head]
            if longest and (lead := spelt[start + 1 : end + _LEAD - 1]) not in leads:
                open_ = end + _LEAD - 1 > len(spelt) or "  " in lead
                if not open_ and lead[:-1] not in short and lead[:-2] not in short and lead[:-3] not in short:
                    if lead[:-_LEAD] not in short:
                        continue
                    longest = 0
            yield start, end, longest

    def _headed(self, text: str, at: int, limit: int) -> Iterator[tuple[int, int, int]]:
        """Where heads start from a place on, before another: start, end and how long the term may be; from the left.

        A length of 0: the head is a term itself, and no other begins with it.
        """
        found: list[tuple[int, int, int]] = []
        if self._words is not None:
            end = limit + self._words.longest + 1
            spelt = self._between(text, at, end)
            if end >= len(text):
                spelt += " "
            found = [(at + start, at + stop - 2, far) for start, stop, far in self._likely(spelt)]
        if self._stems is not None:
            spelt = self._spelling.read(text[at : limit + self._stems.longest])
            far = self._stems.far
            found += [(at + start, at + stop, far[head]) for head, start, stop in self._stems.found(spelt)]
            found.sort()
        return (each for each in found if each[0] < limit)

    def _end(self, text: str, start: int, far: int) -> int | None:
        """Where the longest term ends that starts at a place, of those of at most `far` characters."""
        part = text[start : start + far]
        if self._gaps and not part.isalnum() and _ODD.search(part):
            part = _GAPS.sub(" ", text[start : start + self.span])[:far]
        part = self._spelling.read(part)
        index: int | None = bisect_right(self._sorted, part) - 1
        while index is not None and index >= 0:
            term = self._sorted[index]
            if part.startswith(term):
                end = _over(term, text, start)
                if end == len(text) or not self._edged(term) or self._edges[ord(text[end])] == " ":
                    return end
            index = self._shorter.get(index)
        return None

    def _grows(self, text: str, start: int) -> bool:
        """Whether more text could bring a term that starts at a place, or a longer one, or take one away."""
        part = text[start:]
        if self._gaps and not part.isalnum() and _ODD.search(part):
            part = _GAPS.sub(" ", part)
        part = self._spelling.read(part)
        known = self._sorted
        index = bisect_left(known, part)
        if index == len(known) or not known[index].startswith(part):
            return False
        if known[index] != part or self._edged(part):
            return True
        return index + 1 < len(known) and known[index + 1].startswith(part)

    def _edged(self, term: str) -> bool:
        """Whether no character of a word may follow."""
        return self._whole and self._edges[ord(term[-1])] != " "


def _over(term: str, text: str, at: int) -> int:
    """Where a term ends in a text in which it starts at a place."""
    if " " not in term:
        return at + len(term)
    for word in term.split(" "):
        while text[at].isspace():
            at += 1
        at += len(word)
    return at


def _shorter(known: Sequence[str]) -> dict[int, int]:
    """Index of a term -> index of the longest other one that it begins with, where there is one."""
    found: dict[int, int] = {}
    within: list[int] = []
    for index, term in enumerate(known):
        while within and not term.startswith(known[within[-1]]):
            within.pop()
        if within:
            found[index] = within[-1]
        within.append(index)
    return found


def _coarse(beginnings: set[str], ignore_case: bool) -> str:
    """A pattern of what terms can begin with: each of a few, of many what can stand at each place."""
    if len(beginnings) <= _BRANCHES:
        branches = sorted({"".join(_class(character, ignore_case) for character in each) for each in beginnings})
        return "|".join(branches)
    return "".join(_class("".join({*place}), ignore_case) for place in zip(*beginnings, strict=False))


def _class(characters: str, ignore_case: bool) -> str:
    """Any of some characters of ASCII, in any case, or any other one: which may be spelt as one of these."""
    if ignore_case:
        characters = characters.lower() + characters.upper()
    kept = sorted({character for character in characters if character.isascii()})
    return f"[{''.join(f'\\x{ord(character):02x}' for character in kept)}\\P{{ASCII}}]"


def digest(terms: Sequence[str], *, ignore_case: bool, whole_words: bool) -> str:
    """What tells lists apart: SHA-256 of the terms, in order, and of how they are found."""
    spelt = "\n".join([f"{ignore_case} {whole_words}", *sorted(terms)])
    return hashlib.sha256(spelt.encode("utf-8", "surrogatepass")).hexdigest()


_KNOWN: Final[WeakValueDictionary[str, Terms]] = WeakValueDictionary()


def ready(terms: Sequence[str], *, ignore_case: bool, whole_words: bool) -> Terms:
    """The list, ready to be found: the same one as long as one that says the same is in use."""
    known = _KNOWN.get(digest(terms, ignore_case=ignore_case, whole_words=whole_words))
    if known is None:
        known = Terms(terms, ignore_case=ignore_case, whole_words=whole_words)
        _KNOWN[known.digest] = known
    return known
