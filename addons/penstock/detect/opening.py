"""How the matches of a pattern begin: what lets a stream leave the pattern alone until one may be there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Final, assert_never

from penstock.detect.shape import EVERY_WIDE, shape
from penstock.detect.tree import Back, Chars, Choice, Edge, Group, Look, Node, Repeat, Sequence

_EVERYTHING: Final = 2 * EVERY_WIDE - 1


@dataclass(frozen=True, slots=True)
class Opening:
    """The first characters of a match, place by place; every set errs on the wide side."""

    places: tuple[int, ...]
    """What can stand at the first place, the second, ...: a bit for each character of ASCII, and `EVERY_WIDE`."""
    lengths: frozenset[int]
    """How many characters there can be; as many as there are places stands for more, too."""


def opening(node: Node, count: int = 2) -> Opening:
    """The first `count` characters of a match."""
    nothing = Opening((0,) * count, frozenset((0,)))
    match node:
        case Chars(_, bits, wide):
            return Opening((bits | (EVERY_WIDE if wide else 0), *nothing.places[1:]), frozenset((1,)))
        case Edge() | Look():
            return nothing
        case Back():
            return Opening((_EVERYTHING,) * count, frozenset(range(count + 1)))
        case Group(item):
            return opening(item, count)
        case Repeat(item, low, high):
            once = opening(item, count)
            seen = reduce(_followed, [once] * min(low, count), nothing)
            for _ in range(count if high is None else min(high - low, count)):
                seen = _either(seen, _followed(seen, once))
            return seen
        case Sequence(items):
            return reduce(_followed, (opening(item, count) for item in items), nothing)
        case Choice(branches):
            return reduce(_either, (opening(branch, count) for branch in branches))
        case _:
            assert_never(node)


def _followed(a: Opening, b: Opening) -> Opening:
    count = len(a.places)
    if min(a.lengths) >= count:
        return a
    places = [
        reduce(lambda bits, length: bits | b.places[at - length], (each for each in a.lengths if each <= at), place)
        for at, place in enumerate(a.places)
    ]
    return Opening(tuple(places), frozenset(min(x + y, count) for x in a.lengths for y in b.lengths))


def _either(a: Opening, b: Opening) -> Opening:
    return Opening(tuple(x | y for x, y in zip(a.places, b.places, strict=True)), a.lengths | b.lengths)


def barred(node: Node) -> int:
    """Characters that certainly do not stand right before a match; this set errs on the narrow side."""
    match node:
        case Look(Chars(_, bits, _), False, source) if source == "(?<!":
            return bits
        case Group(item):
            return barred(item)
        case Sequence(items):
            bits = 0
            for item in items:
                bits |= barred(item)
                if shape(item).high != 0:
                    break
            return bits
        case Choice(branches):
            return reduce(lambda a, b: a & b, map(barred, branches))
        case _:
            return 0
