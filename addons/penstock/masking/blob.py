"""One blob, base64 or hexadecimal: what it says, character by character as it arrives, and where each is written."""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from typing import Final, Protocol

import regex

from penstock.masking.spelled import Piece

RUN: Final = regex.compile(r"[A-Za-z0-9+/_-]*+")
"""Characters of base64, of either kind."""
_HEX_RUN: Final = regex.compile(r"[0-9A-Fa-f]*+")
_URL_SAFE: Final = str.maketrans("-_", "+/")
_HIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Controls: no text has any but tabs and the ends of lines."""
_CHARACTER: Final = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}|[\x00-\xff]"
)
_CUT: Final = re.compile(rb"(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})\Z")


class Inner(Protocol):
    """What reads the decoded text."""

    def feed(self, piece: Piece) -> int: ...
    def close(self, place: int) -> None: ...
    def copy(self, spell: Callable[[str], str] | None, depth: int) -> Inner: ...


class Blob:
    """One blob, as it is decoded."""

    __slots__ = ("_cut", "_ends", "_group", "_inner", "_rest", "_settled", "_starts")

    def __init__(self, group: int, inner: Inner) -> None:
        self._group = group
        """Characters that are decoded together: 4 of base64, 2 of hexadecimal."""
        self._inner = inner
        self._rest = ""
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._cut: tuple[bytes, list[int], list[int]] = (b"", [], [])
        """The bytes of a character that is not complete yet, and where the group of each starts and ends."""
        self._settled = 0

    @property
    def run(self) -> regex.Pattern[str]:
        return RUN if self._group == 4 else _HEX_RUN

    @property
    def even(self) -> bool:
        """Whether no group is open."""
        return not self._rest

    @property
    def settled(self) -> int:
        begun = self._cut[1] or self._starts
        return min(self._settled, begun[0]) if begun else self._settled

    def copy(self, spell: Callable[[str], str] | None, depth: int) -> Blob:
        other = Blob(self._group, self._inner.copy(spell, depth))
        other._rest, other._starts, other._ends = self._rest, self._starts.copy(), self._ends.copy()
        other._cut, other._settled = self._cut, self._settled
        return other

    def feed(self, text: str, starts: list[int], ends: list[int]) -> None:
        text, starts, ends = self._rest + text, self._starts + starts, self._ends + ends
        whole = len(text) // self._group * self._group
        self._rest, self._starts, self._ends = text[whole:], starts[whole:], ends[whole:]
        if whole:
            self._tell(_bytes(text[:whole], self._group), starts[:whole], ends[:whole])

    def close(self, place: int) -> None:
        """The blob has ended before a place."""
        rest, starts, ends = self._rest, self._starts, self._ends
        self._rest, self._starts, self._ends = "", [], []
        if self._group == 4 and len(rest) > 1:
            count = len(rest) - 1
            padded = [starts, ends]
            for each in padded:
                each += [each[-1]] * (4 - len(rest))
            self._tell(_bytes(rest.ljust(4, "A"), 4)[:count], *padded)
        if self._cut[0]:
            self._tell(b"", [place], [place], last=True)
        self._inner.close(place)

    def _tell(self, data: bytes, starts: list[int], ends: list[int], *, last: bool = False) -> None:
        """More bytes, from whole groups that start and end there; `last`: nothing completes a character any more."""
        step, group = 3 if self._group == 4 else 1, self._group
        begun, first, after = self._cut
        kept = [at for at, byte in enumerate(data) if byte]  # without the zeros of UTF-16
        place = first[0] if first else starts[0]
        first = [at - place for at in first] + [starts[at // step * group] - place for at in kept]
        after = [at - place for at in after] + [ends[at // step * group + group - 1] - place for at in kept]
        data = begun + data.replace(b"\0", b"")
        if data.isascii():
            text = data.decode()
        else:
            text, begins = _characters(data, last=last)
            stop = begins[-1]
            self._cut = data[stop:], [place + at for at in first[stop:]], [place + at for at in after[stop:]]
            first, after = [first[at] for at in begins[:-1]], [after[at - 1] for at in begins[1:]]
        self._settled = self._inner.feed(Piece(text, place, ends[-1] - place, first, after))


def run_end(pattern: regex.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found is not None else at


def _characters(data: bytes, *, last: bool) -> tuple[str, list[int]]:
    """What bytes say in UTF-8, and where each character of it begins and the last one ends.

    A byte that is part of no character stands for itself. Without `last`, one that is not complete yet is left over.
    """
    cut = None if last else _CUT.search(data)
    stop = cut.start() if cut is not None else len(data)
    begins = [found.start() for found in _CHARACTER.finditer(data, 0, stop)]
    begins.append(stop)
    return "".join(_character(data[begin:end]) for begin, end in pairwise(begins)), begins


def _character(data: bytes) -> str:
    if len(data) == 1:
        return data.decode("latin-1")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "\ufffd"


def _bytes(text: str, group: int) -> bytes:
    return binascii.a2b_base64(text.translate(_URL_SAFE)) if group == 4 else binascii.unhexlify(text)


@lru_cache(8192)
def hopeful(run: str) -> bool:
    """Whether a run, of which these are the first characters, may be a blob."""
    return says(run, 4) or says(bare(run), 2)


def bare(run: str) -> str:
    """A run without what says that hexadecimal follows; as base64 that is no text."""
    return run[2:] if run[:2] in ("0x", "0X") else run


def says(run: str, group: int) -> bool:
    """Whether a run decodes to text, as far as it goes."""
    if group == 2:
        return run_end(_HEX_RUN, run, 0) == len(run) and _is_text(_bytes(run[: len(run) & -2], 2))
    return _is_text(_bytes(run + "A" * (-len(run) % 4), 4)[: len(run) * 3 // 4])


def _is_text(data: bytes) -> bool:
    """Whether bytes are UTF-8, or ASCII in UTF-16, without controls; cut off anywhere."""
    if b"\0" in data:
        if any(data[1::2]):
            return False
        data = data[::2]
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":
            return False
        text = data[: error.start].decode()
    return _HIDDEN.search(text) is None
