"""A pattern as a tree: what lets us reason about it.

How wide a match is, how it can start, where it looks around itself (`detect.shape`, `detect.opening`), whether it can
run away (`detect.redos`), what RE2 may search for in its place (`detect.prefilter`), what still waits for text in a
stream (`detect.sought`): all of it is told from the tree. `regex` alone decides what a pattern means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Chars:
    """Exactly one character."""

    source: str
    """As `regex` reads it, without flags."""
    ascii: int
    """Bit i: it can be chr(i), for the 128 characters of ASCII."""
    wide: bool
    """It can be some character beyond ASCII (perhaps: never false when it can)."""


@dataclass(frozen=True, slots=True)
class Edge:
    """An anchor or a word edge: no width, but it looks at its neighbours."""

    kind: Literal["start", "line_start", "end", "line_end", "very_end", "word", "inside"]
    source: str


@dataclass(frozen=True, slots=True)
class Look:
    """A lookahead or lookbehind."""

    item: Node
    ahead: bool
    source: str
    """Its opening: `(?=`, `(?!`, `(?<=` or `(?<!`."""


@dataclass(frozen=True, slots=True)
class Back:
    """A back-reference."""

    source: str


@dataclass(frozen=True, slots=True)
class Group:
    item: Node
    source: str
    """Its opening: `(`, `(?:`, `(?P<name>`, `(?>`, `(?i:`, ..."""


@dataclass(frozen=True, slots=True)
class Repeat:
    item: Node
    low: int
    high: int | None
    """None: without end."""
    mode: Literal["", "?", "+"]
    """Greedy, lazy, possessive."""


@dataclass(frozen=True, slots=True)
class Sequence:
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    branches: tuple[Node, ...]


type Node = Chars | Edge | Look | Back | Group | Repeat | Sequence | Choice

EMPTY: Final = Sequence(())


def render(node: Node) -> str:
    """The pattern again, as `regex` reads it."""
    match node:
        case Chars(source) | Edge(_, source) | Back(source):
            return source
        case Look(item, _, source) | Group(item, source):
            return f"{source}{render(item)})"
        case Repeat(item, low, high, mode):
            return f"{render(item)}{_count(low, high)}{mode}"
        case Sequence(items):
            return "".join(map(render, items))
        case Choice(branches):
            return "|".join(map(render, branches))


def _count(low: int, high: int | None) -> str:
    match low, high:
        case 0, None:
            return "*"
        case 1, None:
            return "+"
        case 0, 1:
            return "?"
        case _, None:
            return f"{{{low},}}"
        case _:
            return f"{{{low}}}" if low == high else f"{{{low},{high}}}"


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    yield node
    match node:
        case Look(item) | Group(item) | Repeat(item):
            yield from walk(item)
        case Sequence(parts) | Choice(parts):
            for part in parts:
                yield from walk(part)
        case _:
            pass
