"""The head of a pattern: a run of characters with which each of its matches begins, and what can end the run.

It is what lets a rule sleep through words: while a run goes on, nothing else can happen.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from itertools import accumulate
from operator import or_
from typing import Final, NamedTuple, assert_never

from penstock.detect.opening import opening
from penstock.detect.shape import EVERY_WIDE, shape
from penstock.detect.tree import Back, Chars, Choice, Edge, Group, Look, Node, Repeat, Sequence

_ANY: Final = 2 * EVERY_WIDE - 1
_LONGEST: Final = 1024
_LENGTHS: Final = (1 << (_LONGEST + 2)) - 1
_MORE: Final = 1 << (_LONGEST + 1)
"""The last of the lengths stands for all that are longer, too: what is forgotten, a rule would sleep through."""
_FEW: Final = 4
"""Items of a sequence that are looked at for classes that a run could be made of."""
_SHORT: Final = 8
"""A match of fewer characters than these, all of them in the run, would wake its rule in every other word."""
_LETTERS: Final = sum(1 << code for code in range(ord("a"), ord("z") + 1))
_AFTER_WORDS: Final = 1 << ord(" ") | 1 << ord(",") | 1 << ord(".")
# Of a hundred words of English prose, how many are of 0, 1, 2, ... letters: what decides between heads, no more.
_WORDS: Final = (0, 4, 17, 21, 16, 11, 9, 8, 6, 4, 2, 1, 1)


@dataclass(frozen=True, slots=True)
class Head:
    """Every match begins with a run of characters of one class; nothing else can happen before the run is over.

    It is over with a key character, or when it is longer than its longest. With any other character the place where it
    began is settled: no match starts there.
    """

    run: int
    """The characters of the run, from its second on; how it starts is for `opening` to say."""
    keys: int
    """What a match can go on with after the run: none of it is in the run."""
    lengths: int
    """Bit i: a key can come after i characters of the run."""
    longest: int
    whole: bool
    """Whether a match can be over before the run is, one character after it has become too long."""


def head(node: Node) -> Head | None:
    """The head of a pattern, if it has one that lets it sleep through most words."""
    places = opening(node, _SHORT).places
    runs = [
        *accumulate(_classes(node), or_),
        *(list(accumulate(places, or_))[count - 1] for count in (1, 2, 3, 4, 6, 8)),
    ]
    found = [each for run in dict.fromkeys(runs) if (each := _head(node, run)) is not None]
    best = min(found, key=lambda each: _wakes(each, places[0]), default=None)
    return best if best is not None and _wakes(best, places[0]) < 100 else None


def _head(node: Node, run: int) -> Head | None:
    within = _within(node, run)
    if within.full:
        least = _least(within.full)
        stops = within.stops & (1 << least) - 1  # with more of them it is awake
        return Head(run, within.keys if stops else 0, stops, least - 1, whole=True) if least >= _SHORT else None
    longest = within.stops.bit_length() - 1
    return Head(run, within.keys, within.stops, longest, whole=False) if 0 < longest <= _LONGEST else None


def _wakes(each: Head, first: int) -> int:
    """How many of a hundred words wake a rule that has this head."""
    if each.run & 1 << ord(" ") or (each.keys | first & ~each.run) & _LETTERS:
        return 100
    lengths = each.lengths if each.keys & _AFTER_WORDS else 0
    return sum(
        share
        for length, share in enumerate(_WORDS)
        if lengths >> length & 1 or (each.whole and length > each.longest and each.run & _LETTERS)
    )


class _Within(NamedTuple):
    """What a part of a pattern does as long as there are only characters of a run; lengths are bits."""

    full: int
    """It may be over after so many of them."""
    stops: int
    """It can go on with another character after so many of them."""
    keys: int
    """Those other characters."""


def _within(node: Node, run: int) -> _Within:
    match node:
        case Chars(_, bits, wide):
            bits |= EVERY_WIDE if wide else 0
            other = bits & ~run
            return _Within(0b10 if bits & run else 0, 1 if other else 0, other)
        case Edge() | Look():
            return _Within(1, 0, 0)
        case Back():
            return _Within(_LENGTHS, _LENGTHS, _ANY & ~run)
        case Group(item):
            return _within(item, run)
        case Repeat(item, low, high):
            return _repeated(_within(item, run), low, high)
        case Sequence(items):
            full, stops, keys = 1, 0, 0
            for item in items:
                each = _within(item, run)
                stops, keys, full = stops | _sums(full, each.stops), keys | each.keys, _sums(full, each.full)
                if not full:
                    break
            return _Within(full, stops, keys)
        case Choice(branches):
            return reduce(_or, (_within(branch, run) for branch in branches))
        case _:
            assert_never(node)


def _or(a: _Within, b: _Within) -> _Within:
    return _Within(a.full | b.full, a.stops | b.stops, a.keys | b.keys)


def _repeated(once: _Within, low: int, high: int | None) -> _Within:
    full = stops = count = 0
    so_far = 1
    while so_far:
        if count >= low:
            full |= so_far
        if count == high:
            break
        stops |= _sums(so_far, once.stops)
        known, so_far = so_far, _sums(so_far, once.full)
        if known == so_far:  # and so it stays, however often
            full |= so_far
            break
        count += 1
    return _Within(full, stops, once.keys if high != 0 else 0)


def _sums(a: int, b: int) -> int:
    """All sums of one length and another; `_MORE` for those that are too long to be told apart."""
    if b.bit_count() > a.bit_count():
        a, b = b, a
    sums = 0
    while b:
        low = b & -b
        sums |= a * low
        b ^= low
    return sums & _LENGTHS | (_MORE if sums > _LENGTHS else 0)


def _least(lengths: int) -> int:
    return (lengths & -lengths).bit_length() - 1


def _classes(node: Node) -> list[int]:
    """What the first items of a pattern can be, one after the other, as long as each is a class of characters."""
    match node:
        case Group(item):
            return _classes(item)
        case Sequence(items):
            wide = [item for item in items if shape(item).high != 0]
            found = [_classes(item) for item in wide[:_FEW]]
            known = next((at for at, each in enumerate(found) if len(each) != 1), len(found))
            return [bits for each in found[: known + 1] for bits in each]
        case Choice(branches):
            firsts = [_classes(branch)[:1] for branch in branches]
            return [reduce(or_, (bits for each in firsts for bits in each))] if all(firsts) else []
        case Repeat(item, low) if low or isinstance(item, Chars):
            return _classes(item)
        case Chars(_, bits, wide):
            return [bits | (EVERY_WIDE if wide else 0)]
        case _:
            return []
