"""A text that was several, after it was changed: which part each of its words belongs to."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Final

_WORDS: Final = re.compile(r"\w+|\s+|[^\w\s]")
_SHORT: Final = 12
_REACH: Final = 64
"""Words within which two texts must be the same again, once they differ."""


def aligned(parts: Sequence[str], whole: str) -> list[str]:
    """`whole`, cut into as many parts: what was in the joined parts goes where it was, what came between to the part
    of what it replaced. Joined again the result is always `whole`. The time it takes is linear."""
    joined = "".join(parts)
    old, new = _words(joined), _words(whole)
    at = [0, *accumulate(map(len, old))]
    seams = _Seams(parts)
    was = now = 0
    while now < len(new):
        if was < len(old) and old[was] == new[now]:
            seams.keep(at[was], new[now])
            was, now = was + 1, now + 1
            continue
        skipped, added = _again(old, new, was, now)
        seams.change(at[was], "".join(old[was : was + skipped]), "".join(new[now : now + added]))
        was, now = was + skipped, now + added
    return ["".join(each) for each in seams.found]


def _words(text: str) -> list[str]:
    return _WORDS.findall(text)


class _Seams:
    """The parts as they fill."""

    def __init__(self, parts: Sequence[str]) -> None:
        self.found: list[list[str]] = [[] for _ in parts]
        self._ends = list(accumulate(map(len, parts)))

    def keep(self, at: int, text: str) -> None:
        """Adds text that was there before; `at`: where. It is cut where the parts were joined in the middle of it."""
        here = bisect_right(self._ends, at)
        while text and at + len(text) > self._ends[here]:
            inside = self._ends[here] - at
            self.found[here].append(text[:inside])
            at, text, here = at + inside, text[inside:], here + 1
        if text:
            self.found[here].append(text)

    def change(self, at: int, before: str, after: str) -> None:
        """Adds text in the place of another; what both begin with or end in stays where it was."""
        begin = _alike(before, after)
        end = _alike(before[begin:][::-1], after[begin:][::-1])
        self.keep(at, after[:begin])
        here = min(bisect_right(self._ends, at + begin), len(self.found) - 1)
        self.found[here].append(after[begin : len(after) - end])
        self.keep(at + len(before) - end, after[len(after) - end :])


def _again(old: list[str], new: list[str], was: int, now: int) -> tuple[int, int]:
    """How many words of each to skip until both go on alike, for two words; all of them where that is no more than
    half the reach, and else half the reach."""
    for reach in (_SHORT, _REACH):
        left, right = old[was : was + reach + 1], new[now : now + reach + 1]
        ahead = {pair: at for at, pair in reversed(list(enumerate(pairwise(left))))}
        best, least = (0, 0), 2 * reach
        for added, pair in enumerate(pairwise(right)):
            if added >= least:
                break
            skipped = ahead.get(pair, 2 * reach)
            if skipped + added < least:
                best, least = (skipped, added), skipped + added
        if least < 2 * reach:
            return best
    return min(_REACH // 2, len(old) - was), min(_REACH // 2, len(new) - now)


def _alike(one: str, other: str) -> int:
    """How many characters two texts begin with."""
    at = 0
    while at < len(one) and at < len(other) and one[at] == other[at]:
        at += 1
    return at
