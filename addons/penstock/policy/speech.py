"""Phrases in disguise: `i g n o r e`, `1gn0r3`, `ignore-previous_instructions`, backwards, in rot13.

Such writing hides what is said from a rule and not from a model. So a text is also read with the disguise taken off,
without offsets, and only by rules that look for phrases: patterns of letters and of what may stand between them. No
value (a number, a key) is looked for in these readings, for it is not what they would show; and a phrase must be long
enough there not to come about by chance.
"""

from __future__ import annotations

import codecs
import string
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

import re2
import regex

from penstock.detect.confusable import bare
from penstock.detect.prefilter import Disguise, coarsened
from penstock.detect.syntax import PatternError, parse
from penstock.detect.tree import Back, Chars, Choice, Edge, Group, Look, Node, Repeat, Sequence, render

LEAST: Final = 6
"""Letters of the shortest phrase that is looked for in disguise."""
_FAR: Final = 12
"""The same where chance has more to offer: backwards, and in rot13."""
_RUN_ON: Final = 10
"""The same where no word has an edge any more."""
_LONG: Final = 20
"""Letters in a row that may be several words."""


class Undisguised(NamedTuple):
    """A text with a disguise taken off."""

    text: str
    least: int
    """Letters that a phrase must have to count."""
    several: bool = False
    """It must have several words to count: `secret` is not in `secret_key`."""
    run_on: bool = False
    """Nothing but letters is left of it: patterns are to be `loosened`."""


class _Table:
    """Characters for characters; in a text that is all ASCII far quicker than `str.translate`."""

    def __init__(self, characters: str, others: str) -> None:
        self._characters = str.maketrans(characters, others)
        known = [(one, other) for one, other in zip(characters, others, strict=True) if one.isascii()]
        self._bytes = bytes.maketrans(
            "".join(one for one, _ in known).encode(), "".join(other for _, other in known).encode()
        )

    def read(self, text: str) -> str:
        return text.encode().translate(self._bytes).decode() if text.isascii() else text.translate(self._characters)

    def origins(self, bits: int) -> int:
        """The characters of ASCII, as bits, that are read as one of some."""
        return sum(1 << code for code in range(128) if bits >> self._bytes[code] & 1)


_LETTERS: Final = string.ascii_letters.encode()
_OTHERS: Final = bytes(sorted(set(range(256)) - set(_LETTERS)))
_STOPS: Final = "\n\r\t_-.,;:/\\|+*~=#'\"`^<>()[]{}"
_APART: Final = _Table(_STOPS, " " * len(_STOPS))
# What a 1 stands for is anybody's guess.
_LEET: Final = [_Table("0134578@$!|€+({", f"o{one}eastbas{one}{one}etcc") for one in "il"]
_IS_LEET: Final = re2.compile(rb"[A-Za-z][0134578@$!|+({][A-Za-z]|[0134578@$][A-Za-z]{2}")
_ROT13: Final = _Table(string.ascii_letters, codecs.encode(string.ascii_letters, "rot13"))
# Single characters with the same kind of gap between them. A word ends at a wider gap.
_SPACED: Final = regex.compile(
    r"(?<![^\W_])[^\W_](?P<gap>[ \t\n]|[ ]?[-_.,;:/\\|+*~=#'\"`^<>][ ]?)[^\W_]"
    r"(?:[ \t]{0,3}(?P=gap)[^\W_]){2,}(?![^\W_])",
    regex.VERSION0,
)
# In a text with such words: shorter ones.
_SHORT: Final = regex.compile(
    r"(?<![^\W_])[^\W_](?P<gap>[-_.,;:/\\|+*~=#'\"`^<>])[^\W_](?:(?P=gap)[^\W_])*(?![^\W_])", regex.VERSION0
)
# The same, coarser, for RE2, which is a hundred times as fast; and only in ASCII.
_ONE: Final = r"[0-9A-Za-z@$!|+({]"
_MAY_BE_SPACED: Final = re2.compile(rf"(?:^|[^0-9A-Za-z]){_ONE}(?:[^0-9A-Za-z]{{1,3}}{_ONE}){{3}}".encode())

_WORDS: Final = re2.compile(rf"[A-Za-z]{{{_LONG},}}".encode())

SIGNS: Final = (_MAY_BE_SPACED.pattern, rf"[A-Za-z0134578@$!|+(\{{]{{{_LONG}}}".encode())
"""In a text of ASCII without these, `readings` differ from the text in characters only, and in their direction."""


def _apart_or_leet(bits: int) -> int:
    bits |= _APART.origins(bits)
    return bits | _LEET[0].origins(bits) | _LEET[1].origins(bits)


_DISGUISES: Final = (
    Disguise(_apart_or_leet),
    Disguise(_ROT13.origins),
    Disguise(lambda bits: bits, backwards=True),
)


def disguised(pattern: str) -> list[bytes | None]:
    """What to look for in a text of ASCII (`detect.prefilter`): where none is, no reading has the pattern."""
    return [coarsened(pattern, disguise) for disguise in _DISGUISES]


def _bytewise(table: Mapping[int, int]) -> bytes:
    return bytes(table.get(code, code) for code in range(256))


# Letters that a reading may take for each other are one, so that one text stands for many readings.
_MARKS: Final = "0134578@$!"
_BOTH: Final = "|+({"
"""A mark that stands between words, or for a letter."""
_ONE_LETTER: Final = str.maketrans("i" + _MARKS, "l" + "oleastbasl")
_AS_STOPS: Final = _bytewise(_ONE_LETTER | str.maketrans(_STOPS, " " * len(_STOPS)))
_AS_LETTERS: Final = _bytewise(_ONE_LETTER | str.maketrans(_STOPS + _BOTH, " " * len(_STOPS) + "ltcc"))


def disguises(word: str) -> set[str]:
    """A word, casefolded, as it may stand in one of the `coarse` forms of a text: as it is, in rot13, backwards."""
    if not word.isascii():
        return set()
    return {_as(_AS_STOPS, each) for each in (word, codecs.encode(word, "rot13"), word[::-1])}


def coarse(text: str) -> list[str]:
    """Forms of a text of ASCII that has none of the `SIGNS`: where a reading has a word, one of them has a disguise."""
    folded = text.lower()
    both = any(mark in folded for mark in _BOTH)
    return [_as(table, folded) for table in ((_AS_STOPS, _AS_LETTERS) if both else (_AS_STOPS,))]


def _as(table: bytes, text: str) -> str:
    return text.encode("ascii").translate(table).decode("ascii")


def readings(text: str) -> Iterator[Undisguised]:
    """The text with one disguise after the other taken off; those that change nothing are left out."""
    plain = bare(text)
    raw = plain.encode("ascii", "ignore")
    spaced = _MAY_BE_SPACED.search(raw) is not None
    leet = [table.read(plain) for table in _LEET] if _IS_LEET.search(raw) is not None or spaced else []
    seen = {text}
    for form in (plain, *leet):
        apart = _APART.read(form)
        for made in (form, apart, *(_unspaced(form) if spaced else ())):
            if made not in seen:
                seen.add(made)
                yield Undisguised(made, LEAST, several=made is apart)
        if run_on := _run_on(form) if spaced else _long(form):
            yield Undisguised(run_on, _RUN_ON, run_on=True)
    yield Undisguised(plain[::-1], _FAR)
    yield Undisguised(_ROT13.read(plain), _FAR)


def _unspaced(text: str) -> list[str]:
    """With words that are written in single characters put together again."""
    if _SPACED.search(text) is None:
        return []
    return [_SHORT.sub(_together, _SPACED.sub(_together, text))]


def _together(match: regex.Match[str]) -> str:
    """`i g n o r e  a l l` is two words."""
    gap = match["gap"]
    words = regex.split(rf"[ \t]{{2,}}|(?:{regex.escape(gap)}){{2,}}", match[0]) if gap in " \t\n" else [match[0]]
    return " ".join("".join(filter(str.isalnum, word)) for word in words)


def _long(text: str) -> str:
    """The words of a text that are long enough to be several, in lines."""
    return "\n".join(word.decode() for word in _WORDS.findall(text.encode("ascii", "replace")))


def _run_on(text: str) -> str:
    """The letters of a text, and nothing else."""
    return text.encode("ascii", "ignore").translate(None, _OTHERS).decode()


@lru_cache(4096)
def loosened(pattern: str) -> str | None:
    """The pattern as it finds a phrase whose words run on; None: it does not look for a phrase."""
    try:
        tree = parse(pattern)
    except PatternError:
        return None
    if not _is_speech(tree) or _letters(tree) < LEAST:
        return None
    return render(_loose(tree))


def _is_speech(node: Node) -> bool:
    """Whether all that must be there is letters, and what may stand between words."""
    match node:
        case Chars(_, ascii):
            return not ascii or bool(ascii & (_LOWER | _SPACE))
        case Edge() | Look():
            return True
        case Back():
            return False
        case Repeat(item, low):
            return not low or _is_speech(item)
        case Group(item):
            return _is_speech(item)
        case Sequence(items) | Choice(items):
            return all(map(_is_speech, items))


_LOWER: Final = sum(1 << code for code in range(ord("a"), ord("z") + 1))
_ANY_CASE: Final = _LOWER | sum(1 << code for code in range(ord("A"), ord("Z") + 1))
_SPACE: Final = 1 << ord(" ")


def _letters(node: Node) -> int:
    """Letters that every match has, at least: characters that are certainly one."""
    match node:
        case Chars(_, ascii, wide):
            return int((bool(ascii) and not ascii & ~_ANY_CASE) or (wide and not ascii))
        case Group(item):
            return _letters(item)
        case Repeat(item, low):
            return low * _letters(item)
        case Sequence(items):
            return sum(map(_letters, items))
        case Choice(branches):
            return min(map(_letters, branches))
        case _:
            return 0


def _loose(node: Node) -> Node:
    match node:
        case Edge("word" | "inside") | Look():
            return Sequence(())
        case Chars(_, ascii) if ascii and not ascii & _ANY_CASE:
            return Repeat(node, 0, 1, "")
        case Group(item, source):
            return Group(_loose(item), source)
        case Repeat(Chars(_, ascii) as item, _, high, mode) if ascii and not ascii & _ANY_CASE:
            return Repeat(item, 0, high, mode)
        case Repeat(item, low, high, mode):
            inner = _loose(item)
            return Repeat(inner if isinstance(inner, Chars | Group) else Group(inner, "(?:"), low, high, mode)
        case Sequence(items):
            return Sequence(tuple(map(_loose, items)))
        case Choice(branches):
            return Choice(tuple(map(_loose, branches)))
        case _:
            return node
