"""Which of many patterns can match a text at all, found in one pass.

RE2 finds which members of a set match, at hundreds of megabytes a second, but it is another language than `regex`: no
lookaround, `\\d` and `\\w` of ASCII only. So it is given a coarser question, of which a "no" is certain:

- the text is told in ASCII, every other character as `?` (what `str.encode` makes of it);
- a class of characters is told as what `regex` itself takes of ASCII, and `?` beside it when it may take more;
- lookarounds, anchors and word edges are left out; counts are let go beyond what they must have at least; a
  back-reference may be anything.

Each step takes every match to a match: if `regex` finds a pattern in the text, RE2 finds the coarser one in the coarser
text. What RE2 cannot take is always a candidate. Its binding tells no failure from "nothing found", so a canary that
matches everything is in the set: when it is missing, every pattern is a candidate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import re2

from penstock.detect.syntax import PatternError, parse
from penstock.detect.tree import Back, Chars, Choice, Edge, Group, Look, Node, Repeat
from penstock.detect.tree import Sequence as Sequenced

_STAND_IN: Final = 1 << ord("?")
_MOST_COUNTED: Final = 64
"""A count beyond this only makes the automaton large."""
_MEMORY: Final = 1 << 26
_SET_MEMORY: Final = 1 << 28


class Prefilter:
    """A superset of the patterns that match a text: those left out certainly do not."""

    def __init__(self, patterns: Sequence[str] = (), also: Sequence[bytes | None] = ()) -> None:
        """`also`: patterns that are coarse already, which come after the others."""
        coarsest = [*map(coarsened, patterns), *also]
        self._all: Final = tuple(range(len(coarsest)))
        self._set: Final = re2.Set.SearchSet(_options(_SET_MEMORY))
        self._members: Final[list[int]] = []
        """Place in the set, from 1 on -> index of the pattern."""
        self._always: Final[list[int]] = []
        self._set.Add(rb"(?s:.)")
        for index, coarse in enumerate(coarsest):
            if coarse is None:
                self._always.append(index)
            else:
                self._set.Add(coarse)
                self._members.append(index)
        self._set.Compile()

    def candidates(self, text: str) -> Sequence[int]:
        """Indexes, ascending, of the patterns that may match `text`."""
        found = self._set.Match(text.encode("ascii", "replace"))
        if found is None or 0 not in found:
            return self._all  # the empty text, or RE2 ran out of memory
        if len(found) == 1 and not self._always:
            return ()
        return sorted([self._members[place - 1] for place in found if place] + self._always)


def _options(memory: int) -> re2.Options:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.never_capture = True
    options.max_mem = memory
    return options


class Disguise(NamedTuple):
    """How a text is to be read before a pattern is looked for in it."""

    takes: Callable[[int], int]
    """Characters of ASCII, as bits -> all that are read as one of them."""
    backwards: bool = False


@lru_cache(4096)
def coarsened(pattern: str, disguise: Disguise | None = None) -> bytes | None:
    """The coarser pattern, for RE2; None when it cannot take it. It is for the text as it stands, disguised or not."""
    try:
        coarse = _coarse(parse(pattern), disguise).encode()
        re2.compile(coarse, _options(_MEMORY))
    except (PatternError, re2.error):
        return None
    return coarse


def _coarse(node: Node, disguise: Disguise | None) -> str:
    match node:
        case Chars(_, bits, wide):
            bits = disguise.takes(bits) if disguise is not None else bits
            return _class(bits | _STAND_IN if wide else bits)
        case Edge() | Look():
            return ""
        case Back():
            return "(?s:.*)"
        case Group(item):
            return f"(?:{_coarse(item, disguise)})"
        case Repeat(item, low, high):
            inner = _coarse(item, disguise) if high != 0 else ""
            return f"(?:{inner}){_count(min(low, _MOST_COUNTED), high)}" if inner else ""
        case Sequenced(items):
            parts = [_coarse(item, disguise) for item in items]
            return "".join(reversed(parts) if disguise is not None and disguise.backwards else parts)
        case Choice(branches):
            return "|".join(_coarse(branch, disguise) for branch in branches)


def _count(low: int, high: int | None) -> str:
    if high == 1:
        return "?" if low == 0 else ""
    return f"{{{low}}}" if low == high else f"{{{low},}}"


@lru_cache(4096)
def _class(bits: int) -> str:
    """A set of ASCII characters."""
    ranges: list[str] = []
    code = 0
    while code < 128:
        if bits >> code & 1:
            first = code
            while code < 127 and bits >> (code + 1) & 1:
                code += 1
            ranges.append(f"\\x{first:02x}" if code == first else f"\\x{first:02x}-\\x{code:02x}")
        code += 1
    return f"[{''.join(ranges)}]"
