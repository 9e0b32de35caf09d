"""Words without which a pattern finds nothing: what lets a guardrail pass over a text in one quick search for words.

Told from a pattern's tree, as a list of sets: a match has at least one word of each. Words are casefolded, as the text
is to be in which they are looked for, so that they are found in any case whatever the pattern's flags say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Sequence as Items
from functools import lru_cache
from typing import Final, NamedTuple, assert_never

import regex
from ahocorasick_rs import AhoCorasick, Implementation

from penstock.detect.syntax import PatternError, parse
from penstock.detect.tree import Back, Chars, Choice, Edge, Group, Look, Node, Repeat, Sequence

_MANY: Final = 64
"""Words of a set that is still worth looking for."""
_LONGEST: Final = 24
_SHORT: Final = 4
"""Letters of ASCII without which a word would stand in too many texts; of other scripts half of that, and one less with
a mark in it (`hf_`)."""
_ONE: Final = regex.compile(
    r"\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})|\\x([0-9a-fA-F]{2})|\\(\W)|([^\\\[.])", regex.VERSION0
)
_FEW: Final = 4

type Words = frozenset[str]


class _Needs(NamedTuple):
    exact: Words | None
    """All that it matches, when that is a few words."""
    sets: tuple[Words, ...] = ()
    """Otherwise: of each of these a match has one."""


@lru_cache(4096)
def needed(pattern: str) -> tuple[Words, ...]:
    """A match of the pattern has a word of each of these; none when that cannot be told."""
    try:
        found = _needs(parse(pattern))
    except PatternError:
        return ()
    return _useful(found)


def _needs(node: Node) -> _Needs:
    match node:
        case Chars(source, bits, wide):
            return _Needs(_characters(source, bits, wide))
        case Edge() | Look():
            return _Needs(frozenset(("",)))
        case Back():
            return _Needs(None)
        case Group(item):
            return _needs(item)
        case Repeat(item, low, high):
            return _repeated(_needs(item), low, high)
        case Sequence(items):
            return _in_turn(items)
        case Choice(branches):
            return _either([_needs(branch) for branch in branches])
        case _:
            assert_never(node)


def _characters(source: str, bits: int, wide: bool) -> Words | None:
    if (one := _ONE.fullmatch(source)) is not None:
        code = one[1] or one[2] or one[3]
        return frozenset(((chr(int(code, 16)) if code else one[4] or one[5]).casefold(),))
    found = {chr(code).casefold() for code in range(128) if bits >> code & 1}
    return frozenset(found) if found and len(found) <= _FEW and not wide else None


def _repeated(once: _Needs, low: int, high: int | None) -> _Needs:
    if low == 0:
        return _Needs(once.exact | {""} if high == 1 and once.exact is not None else None)
    if low == high == 1:
        return once
    return _Needs(None, _useful(once))


def _either(branches: Items[_Needs]) -> _Needs:
    if all(each.exact is not None for each in branches):
        every = frozenset(word for each in branches for word in each.exact or ())
        if len(every) <= _MANY:
            return _Needs(every)
    sets = [_useful(each) for each in branches]
    if not all(sets):
        return _Needs(None)
    # One word of the best set of whichever branch matches.
    either = frozenset(word for each in sets for word in max(each, key=_worth))
    return _Needs(None, (either,)) if len(either) <= 4 * _MANY else _Needs(None)


def _in_turn(items: Items[Node]) -> _Needs:
    sets: list[Words] = []
    so_far: Words = frozenset(("",))
    whole = True
    for item in items:
        each = _needs(item)
        if each.exact is not None and (joined := _joined(so_far, each.exact)) is not None:
            so_far = joined
            continue
        whole = False
        sets.append(so_far)
        so_far = each.exact if each.exact is not None else frozenset(("",))
        sets += each.sets
    return _Needs(so_far) if whole else _Needs(None, tuple(each for each in (*sets, so_far) if _worth(each)))


def _joined(before: Words, after: Words) -> Words | None:
    if len(before) * len(after) > _MANY:
        return None
    made = frozenset(one + other for one in before for other in after)
    return made if max(map(len, made)) <= _LONGEST else None


def _useful(needs: _Needs) -> tuple[Words, ...]:
    sets = needs.sets if needs.exact is None else (needs.exact,)
    return tuple(each for each in sets if _worth(each))


def _worth(words: Words) -> int:
    """Letters of the shortest word; 0 when that is too short to be worth looking for."""
    least = min(map(_length, words), default=0)
    return least if least >= _SHORT else 0


def _length(word: str) -> int:
    if not word.isascii():
        return 2 * len(word)
    return len(word) + (not word.replace(" ", "").isalnum())


class Wordbook:
    """Which of many patterns may match a text, as far as the words go that they need."""

    def __init__(self, patterns: Items[tuple[str, str]], forms: Callable[[str], Iterable[str]] | None = None) -> None:
        """Names, and patterns of which each needs a word. `forms`: how a word may stand in the texts that will come."""
        self._clauses: Final[dict[str, list[tuple[str, int]]]] = {}
        """Word -> of which patterns (by name) it is in which set."""
        self._counts: Final[dict[str, int]] = {}
        for name, pattern in patterns:
            sets = needed(pattern)
            self._counts[name] = len(sets)
            for at, words in enumerate(sets):
                for word in words:
                    for form in forms(word) if forms is not None else (word,):
                        self._clauses.setdefault(form, []).append((name, at))
        self._words: Final = list(self._clauses)
        self._search: Final = AhoCorasick(self._words, implementation=Implementation.DFA)

    def __bool__(self) -> bool:
        return bool(self._words)

    def candidates(self, text: str) -> frozenset[str]:
        """The names of those that have a word of each of their sets in a text."""
        if not self._words:
            return frozenset()
        found = set(self._search.find_matches_as_indexes(text.casefold(), overlapping=True))
        met: dict[str, set[int]] = {}
        for word in {self._words[index] for index, _, _ in found}:
            for name, at in self._clauses[word]:
                met.setdefault(name, set()).add(at)
        return frozenset(name for name, sets in met.items() if len(sets) == self._counts[name])
