"""Phrases in disguise: `i g n o r e`, `1gn0r3`, `ignore-previous_instructions`, backwards, in rot13.

Such writing hides what is said from a rule and not from a model. So a text is also read with the disguise taken off,
without offsets, and only by rules that look for phrases: patterns of letters and of what may stand between them. No
value (a number, a key) is looked for in these readings, for it is not what they would show; and a phrase must be long
enough there not to come about by chance.
"""

from __future__ import annotations

import codecs
import string
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

import re2
import regex

from penstock.detect.confusable import bare
from penstock.detect.syntax import PatternError, parse
from penstock.detect.tree import Back, Chars, Choice, Edge, Group, Look, Node, Repeat, Sequence, render

LEAST: Final = 6
"""Letters of the shortest phrase that is looked for in disguise."""
_FAR: Final = 12
"""The same where chance has more to offer: backwards, and in rot13."""
_RUN_ON: Final = 14
"""The same where no word has an edge any more."""


class Reading(NamedTuple):
    """A text with a disguise taken off."""

    text: str
    least: int
    """Letters that a phrase must have to count."""
    run_on: bool = False
    """Nothing but letters is left of it: patterns are to be `loosened`."""


_LETTERS: Final = string.ascii_letters.encode()
_OTHERS: Final = bytes(sorted(set(range(256)) - set(_LETTERS)))
_APART: Final = str.maketrans(dict.fromkeys("_-.,;:/\\|+*~=#'\"`^<>()[]{}", " "))
_LEET: Final = [
    str.maketrans("0134578@$!|€+({", f"o{one}eastbas{one}{one}etcc") for one in "il"
]  # what a 1 stands for is anybody's guess
# Single characters with the same kind of gap between them. A word ends at a wider gap.
_SPACED: Final = regex.compile(
    r"(?<![^\W_])[^\W_](?P<gap>[ \t\n]|[ ]?[-_.,;:/\\|+*~=#'\"`^<>][ ]?)[^\W_](?:[ \t]{0,3}(?P=gap)[^\W_]){2,}(?![^\W_])",
    regex.VERSION0,
)
# The same, coarser, for RE2, which is a hundred times as fast; and only in ASCII.
_ONE: Final = r"[0-9A-Za-z@$!|+({]"
_MAY_BE_SPACED: Final = re2.compile(rf"(?:^|[^0-9A-Za-z]){_ONE}(?:[^0-9A-Za-z]{{1,3}}{_ONE}){{3}}".encode())


def readings(text: str) -> Iterator[Reading]:
    """The text with one disguise after the other taken off; those that change nothing are left out."""
    plain = bare(text)
    seen = {text}
    spaced = _MAY_BE_SPACED.search(plain.encode("ascii", "ignore")) is not None
    for form in (plain, *(plain.translate(table) for table in _LEET)):
        for made in (form, form.translate(_APART), *(_unspaced(form) if spaced else ())):
            if made not in seen:
                seen.add(made)
                yield Reading(made, LEAST)
        yield Reading(_run_on(form), _RUN_ON, run_on=True)
    yield Reading(plain[::-1], _FAR)
    yield Reading(codecs.encode(plain, "rot13"), _FAR)


def _unspaced(text: str) -> list[str]:
    """With words that are written in single characters put together again."""
    if _SPACED.search(text) is None:
        return []
    return [_SPACED.sub(_together, text)]


def _together(match: regex.Match[str]) -> str:
    """`i g n o r e  a l l` is two words."""
    gap = match["gap"]
    words = regex.split(rf"[ \t]{{2,}}|(?:{regex.escape(gap)}){{2,}}", match[0]) if gap in " \t\n" else [match[0]]
    return " ".join("".join(filter(str.isalnum, word)) for word in words)


def _run_on(text: str) -> str:
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
    """Whether all that must be there is letters, and what stands between words."""
    match node:
        case Chars(_, ascii):
            return not ascii & _DIGITS or bool(ascii & _LOWER)
        case Edge() | Look():
            return True
        case Back():
            return False
        case Group(item) | Repeat(item):
            return _is_speech(item)
        case Sequence(items) | Choice(items):
            return all(map(_is_speech, items))


_DIGITS: Final = sum(1 << code for code in range(ord("0"), ord("9") + 1))
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
        case Chars(_, ascii) if not ascii & _ANY_CASE:
            return Repeat(node, 0, 1, "")
        case Group(item, source):
            return Group(_loose(item), source)
        case Repeat(Chars(_, ascii) as item, _, high, mode) if not ascii & _LOWER:
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
