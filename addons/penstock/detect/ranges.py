"""What a range of characters reads as in the view of a text: worked out from a table, not character by character."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from typing import Final

from penstock.detect.view import fold

END: Final = 0x30000
"""Code points from here on are their own fold, or vanish: no plane above has compatibility forms, digits or spaces."""
_FOLDED: Final = ("Nd", "Zs", "Pd", "So", "Po", "Sm", "Sk")
"""Categories in which a character without a decomposition can read as another one."""


@cache
def _table() -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Code points that read as one other character, in order, and what each reads as."""
    found = [(code, folded) for code in range(0x80, END) if (folded := _other(code)) is not None]
    return tuple(code for code, _ in found), tuple(folded for _, folded in found)


def _other(code: int) -> int | None:
    character = chr(code)
    if not unicodedata.decomposition(character) and unicodedata.category(character) not in _FOLDED:
        return None
    folded = fold(character)
    return ord(folded) if len(folded) == 1 and folded != character else None


def steps(low: int, high: int) -> int:
    """How many characters have to be looked at for a range: those in it that read as another one."""
    codes, _ = _table()
    return bisect_right(codes, high) - bisect_left(codes, low)


def outside(low: int, high: int) -> list[tuple[int, int]]:
    """What characters of a range read as, beyond the range itself: ranges, in order, that do not touch."""
    codes, folded = _table()
    return runs(code for code in folded[bisect_left(codes, low) : bisect_right(codes, high)] if not low <= code <= high)


def runs(codes: Iterable[int]) -> list[tuple[int, int]]:
    """Code points as ranges, in order, that do not touch."""
    ordered = sorted(set(codes))
    if not ordered:
        return []
    gaps = [(before, after) for before, after in pairwise(ordered) if after > before + 1]
    starts = [ordered[0], *(after for _, after in gaps)]
    ends = [*(before for before, _ in gaps), ordered[-1]]
    return list(zip(starts, ends, strict=True))
