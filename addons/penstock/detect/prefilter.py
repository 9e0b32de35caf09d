"""Which of many patterns can match a text at all, found in one pass.

RE2 finds which members of a set match, at hundreds of megabytes a second, but it is another language than `regex`: no
lookaround, `\\d` and `\\w` of ASCII only. So it is given a coarser question, of which a "no" is certain:

- the text is told in ASCII, every other character as `?` (what `str.encode` makes of it);
- a class of characters is told as what `regex` itself takes of ASCII, and `?` beside it when it may take more;
- what must not stand right before a match becomes a character that may, or the start of the text: so in a long word
  nothing begins at every letter, which would make RE2 a new state of each;
- other lookarounds, anchors and word edges are left out; counts are let go beyond what they must have at least; a
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

from penstock.detect.opening import barred
from penstock.detect.syntax import PatternError, parse
from penstock.detect.tree import Back, Chars, Choice, Edge, Group, Look, Node, Repeat
from penstock.detect.tree import Sequence as Sequenced

_STAND_IN: Final = 1 << ord("?")
_ASCII: Final = (1 << 128) - 1
_MOST_COUNTED: Final = 64
"""A count beyond this only makes the automaton large."""
_MEMORY: Final = 1 << 26
_SET_MEMORY: Final = 1 << 25
_TOGETHER: Final = 16
"""Patterns in one set. RE2 makes its states as it meets a text: over text that is like no other, one set of 200 takes
10 to 70 microseconds a character, and 14 sets take 1 to 7; over text whose states are there, they take ten times as
long as the one, which is 10 MB/s."""


class Prefilter:
    """A superset of the patterns that match a text: those left out certainly do not."""

    def __init__(self, patterns: Sequence[str] = (), also: Sequence[bytes | None] = ()) -> None:
        """`also`: patterns that are coarse already, which come after the others."""
        coarsest = [*map(coarsened, patterns), *also]
        self._all: Final = tuple(range(len(coarsest)))
        known = [(index, coarse) for index, coarse in enumerate(coarsest) if coarse is not None]
        count = max(1, -(-len(known) // _TOGETHER))
        self._sets: Final = [_Set(known[at::count]) for at in range(count)]
        self._always: Final = [index for index, coarse in enumerate(coarsest) if coarse is None]

    def candidates(self, text: str) -> Sequence[int]:
        """Indexes, ascending, of the patterns that may match `text`."""
        raw = text.encode("ascii", "replace")
        if len(self._sets) == 1 and not self._always:
            found = self._sets[0].candidates(raw)
            return self._all if found is None else found
        every: list[int] = []
        for each in self._sets:
            found = each.candidates(raw)
            if found is None:
                return self._all
            every += found
        return sorted(every + self._always) if every or self._always else ()


class _Set:
    """Patterns that RE2 looks for together."""

    def __init__(self, patterns: Sequence[tuple[int, bytes]]) -> None:
        self._set: Final = re2.Set.SearchSet(_options(_SET_MEMORY))
        self._members: Final = [index for index, _ in patterns]
        """Place in the set, from 1 on -> index of the pattern."""
        self._set.Add(rb"(?s:.)")
        for _, coarse in patterns:
            self._set.Add(coarse)
        self._set.Compile()

    def candidates(self, raw: bytes) -> Sequence[int] | None:
        """Indexes, ascending, of those that may match; None: the empty text, or RE2 ran out of memory."""
        found = self._set.Match(raw)
        if found is None or 0 not in found:
            return None
        if len(found) == 1:
            return ()
        return sorted(self._members[place - 1] for place in found if place)


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


AS_IT_IS: Final = Disguise(lambda bits: bits)
"""For a text that may be a part of the one that is asked about: what stands before it there says nothing."""


@lru_cache(4096)
def coarsened(pattern: str, disguise: Disguise | None = None) -> bytes | None:
    """The coarser pattern, for RE2; None when it cannot take it."""
    try:
        tree = parse(pattern)
        before = barred(tree) & ~_STAND_IN if disguise is None else 0
        coarse = f"{f'(?:^|{_class(_ASCII & ~before)})' if before else ''}(?:{_coarse(tree, disguise)})".encode()
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
