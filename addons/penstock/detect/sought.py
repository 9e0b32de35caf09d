"""A pattern that is to be found in a text of which only a part may be there yet."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

import regex

from penstock.detect.head import head
from penstock.detect.opening import barred, opening
from penstock.detect.shape import EVERY_WIDE, shape
from penstock.detect.syntax import parse
from penstock.detect.tree import Choice, Edge, Group, Look, Node, Repeat, Sequence, render

FAR: Final = 1 << 62
_ANYTHING: Final = 2 * EVERY_WIDE - 1
_LETTERS: Final = sum(1 << ord(letter) for letter in "abcdefghijklmnopqrstuvwxyz")
_MANY: Final = 4

# Anchors and word edges in terms of lookaround. At the edge of the text so far, `regex` reports a partial match from
# within a lookaround, and never from an anchor or a word edge.
_LOOKING: Final = {
    "word": r"(?:(?<=\w)(?!\w)|(?<!\w)(?=\w))",
    "inside": r"(?:(?<=\w)(?=\w)|(?<!\w)(?!\w))",
    "end": r"(?!\n[\s\S]|[^\n])",
    "line_end": r"(?![^\n])",
    "very_end": r"(?![\s\S])",
    "start": r"(?<![\s\S])",
    "line_start": r"(?<![^\n])",
}


def _looking(node: Node) -> Node:
    """The tree, with anchors and word edges as lookarounds."""
    match node:
        case Edge(kind):
            return Edge(kind, _LOOKING[kind])
        case Look(item, ahead, source):
            return Look(_looking(item), ahead, source)
        case Group(item, source):
            return Group(_looking(item), source)
        case Repeat(item, low, high, mode):
            return Repeat(_looking(item), low, high, mode)
        case Sequence(items):
            return Sequence(tuple(map(_looking, items)))
        case Choice(branches):
            return Choice(tuple(map(_looking, branches)))
        case _:
            return node


def _asks_before(node: Node) -> bool:
    """Whether a match starts with a question about what stands before it."""
    match node:
        case Edge() | Look():
            return True
        case Group(item):
            return _asks_before(item)
        case Sequence(items):
            return bool(items) and _asks_before(items[0])
        case Choice(branches):
            return any(map(_asks_before, branches))
        case _:
            return False


def _class(bits: int) -> str:
    """A class of characters, as `opening` tells them."""
    known = "".join(f"\\x{code:02x}" for code in range(128) if bits >> code & 1)
    return f"[{known}{r'\x80-\U0010ffff' if bits & EVERY_WIDE else ''}]"


type Search = Callable[..., regex.Match[str] | None]


class Sought:
    """The pattern R, its pending twin P (`masking.stream` says what it tells), and how far both look.

    Compiling is nearly all the work, and many are never asked: `search` and `pending` are compiled when they are.
    """

    __slots__ = ("_looking", "behind", "first", "head", "least", "not_after", "pending", "search", "second", "span")
    search: Search
    pending: Search

    def __init__(self, pattern: str) -> None:
        """Raises `PatternError` for a pattern that cannot be read."""
        tree = parse(pattern)
        known, begins = shape(tree), opening(tree)
        looking = render(_looking(tree))
        if known.low and _asks_before(tree) and not (begins.places[0] & _LETTERS).bit_count() > _MANY:
            # `regex` asks at every place what stands before it, unless it sees first that no match starts there.
            looking = f"(?={_class(begins.places[0])})(?:{looking})"
        # The text before is cut away as it is released, so an anchor at the start looks for a character before it.
        self._looking: Final = looking
        self.least: Final = known.low
        self.behind: Final = max(known.behind or 0, 1)
        self.span: Final = FAR if known.high is None or known.ahead is None else known.high + known.ahead + 1
        """The most characters, from its start on, that P may look at: no place before that many is open."""
        self.first: Final = begins.places[0]
        self.second: Final = _ANYTHING if begins.lengths & {0, 1} else begins.places[1]
        self.not_after: Final = barred(tree)
        self.head: Final = head(tree) if (self.first & _LETTERS).bit_count() > _MANY else None
        """Only of what could start in nearly every word: for the rest it is not worth the trouble."""

    def __getattr__(self, name: str) -> Search:
        match name:
            case "search":
                self.search = regex.compile(self._looking, regex.VERSION0).search
                return self.search
            case "pending":
                self.pending = regex.compile(rf"(?>{self._looking})[\s\S](?!)", regex.VERSION0).search
                return self.pending
            case _:
                raise AttributeError(name)


@lru_cache(512)
def sought(pattern: str) -> Sought:
    """The same one for the same pattern."""
    return Sought(pattern)
