"""What can be told of a pattern from its tree: how wide it is, how it starts, how far it looks around."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Final, assert_never

from penstock.detect.tree import Back, Chars, Choice, Edge, Group, Look, Node, Repeat, Sequence

NOWHERE: Final = 0
EVERY_WIDE: Final = 1 << 128
"""The bit of `first` that stands for every character beyond ASCII."""


@dataclass(frozen=True, slots=True)
class Shape:
    low: int
    """Fewest characters of a match."""
    high: int | None
    """Most; None: without end."""
    first: int
    """What a match can start with: a bit for each character of ASCII, and `EVERY_WIDE`."""
    behind: int | None
    """How many characters before its own place it may look at; None: without end."""
    ahead: int | None
    """How many characters after its own end it may look at."""


def _sum(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else a + b


def _most(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else max(a, b)


def shape(node: Node) -> Shape:
    """The shape of a tree; where it cannot be exact it errs on the wide side."""
    match node:
        case Chars(_, bits, wide):
            return Shape(1, 1, bits | (EVERY_WIDE if wide else 0), 0, 0)
        case Edge(kind):
            back = 1 if kind in ("start", "line_start", "word", "inside") else 0
            fore = {"end": 2, "start": 0, "line_start": 0}.get(kind, 1)
            return Shape(0, 0, NOWHERE, back, fore)
        case Look(item, ahead):
            inner = shape(item)
            reach = _sum(inner.high, inner.ahead if ahead else inner.behind)
            return Shape(0, 0, NOWHERE, inner.behind if ahead else reach, reach if ahead else inner.ahead)
        case Back():
            return Shape(0, None, 2 * EVERY_WIDE - 1, 0, 0)
        case Group(item):
            return shape(item)
        case Repeat(item, low, high):
            inner = shape(item)
            most = (
                0 if high == 0 or inner.high == 0 else None if high is None or inner.high is None else inner.high * high
            )
            return Shape(inner.low * low, most, inner.first, inner.behind, inner.ahead)
        case Sequence(items):
            return reduce(_then, map(shape, items), Shape(0, 0, NOWHERE, 0, 0))
        case Choice(branches):
            return reduce(_or, map(shape, branches))
        case _:
            assert_never(node)


def _then(a: Shape, b: Shape) -> Shape:
    first = a.first if a.low else a.first | b.first
    return Shape(a.low + b.low, _sum(a.high, b.high), first, _most(a.behind, b.behind), _most(a.ahead, b.ahead))


def _or(a: Shape, b: Shape) -> Shape:
    return Shape(
        min(a.low, b.low), _most(a.high, b.high), a.first | b.first, _most(a.behind, b.behind), _most(a.ahead, b.ahead)
    )
