"""Base64 and hexadecimal in a text: found, decoded and read as they arrive.

A blob is a run of 16 characters or more of the alphabet of base64 (either kind), of which the first 16 decode to text:
so the names and hashes that a text is full of are none. Nothing of a shorter run is released that may still become a
blob (few words are the beginning of one beyond their third letter); of a blob, nothing that can still be part of a
value. What is found in it is replaced where it
stands, in whole groups of characters, so that the rest of the blob still says what it said.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from typing import Final, Protocol

import re2
import regex

from penstock.masking.release import FOREVER
from penstock.masking.spelled import Piece

LEAST: Final = 16
"""Characters of the shortest blob."""
ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_RUN: Final = regex.compile(r"[A-Za-z0-9+/_-]*+")
_HEX_RUN: Final = regex.compile(r"[0-9A-Fa-f]*+")
_NEXT: Final = re.compile(rf"(?<![A-Za-z0-9+/_-])(?:[A-Za-z0-9+/_-]{{{LEAST},}}+|[A-Za-z0-9+/_-]++\Z)")
SIGN: Final = b"[A-Za-z0-9+/_-]{%d}" % LEAST
"""Without this in it, a text has no blob; for `detect.prefilter`."""
_LONG: Final = re2.compile(b"[A-Za-z0-9+/_-]{%d,}" % LEAST)
_URL_SAFE: Final = str.maketrans("-_", "+/")
_HIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Controls: no text has any but tabs and the ends of lines."""
_CHARACTER: Final = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}|[\x00-\xff]"
)
_CUT: Final = re.compile(rb"(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})\Z")
_MUCH: Final = 192
"""Characters of a piece from which on it pays to ask RE2 for the next long run."""


class Inner(Protocol):
    """What reads the decoded text."""

    def feed(self, piece: Piece) -> int: ...
    def close(self, place: int) -> None: ...
    def copy(self, spell: Callable[[str], str] | None, depth: int) -> Inner: ...


class _Blob:
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
        return _RUN if self._group == 4 else _HEX_RUN

    @property
    def even(self) -> bool:
        """Whether no group is open."""
        return not self._rest

    @property
    def settled(self) -> int:
        begun = self._cut[1] or self._starts
        return min(self._settled, begun[0]) if begun else self._settled

    def copy(self, spell: Callable[[str], str] | None, depth: int) -> _Blob:
        other = _Blob(self._group, self._inner.copy(spell, depth))
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


class Blobs:
    """The blobs of one text."""

    __slots__ = ("_at", "_blob", "_dead", "_ends", "_make", "_run", "_starts")

    def __init__(self, make: Callable[[], Inner]) -> None:
        self._make = make
        self._run = ""
        """A run that may become a blob."""
        self._at = FOREVER
        """Where it begins in the original text."""
        self._starts: list[int] | None = None
        """Where each of its characters starts in the original text; None: they stand there one after the other."""
        self._ends: list[int] = []
        self._dead = False
        """The run that goes on is none."""
        self._blob: _Blob | None = None

    @property
    def open(self) -> bool:
        return self._blob is not None

    def copy(self, make: Callable[[], Inner], spell: Callable[[str], str] | None, depth: int) -> Blobs:
        """As far as these; `depth`: of what is read in a blob."""
        other = Blobs(make)
        other._run, other._at, other._dead = self._run, self._at, self._dead
        if self._starts is not None:
            other._starts, other._ends = self._starts.copy(), self._ends.copy()
        other._blob = self._blob.copy(spell, depth) if self._blob is not None else None
        return other

    def feed(self, piece: Piece) -> int:
        """More of the text. Returns up to where the original is settled: `FOREVER` when no run is open."""
        text = piece.text
        if self._blob is not None or len(self._run) + len(text) >= LEAST:
            self._long(piece)
            return self._at if self._blob is None else self._blob.settled
        kept, tail, hopeful = _tail(text)
        if kept:
            if self._run:
                self._forget()
            self._dead = not hopeful
            if hopeful:
                self._keep(piece, kept, tail)
        elif not self._dead:
            self._keep(piece, 0, tail)
            if not _hopeful(self._run):
                self._give_up()
        return self._at

    def close(self, place: int) -> None:
        if self._blob is not None:
            self._blob.close(place)
            self._blob = None

    def _forget(self) -> None:
        self._run, self._at, self._starts = "", FOREVER, None

    def _give_up(self) -> None:
        self._dead = True
        self._forget()

    def _keep(self, piece: Piece, start: int, text: str) -> None:
        """More of a run: what stands in a piece from `start` on."""
        if not text:
            return
        run, place = self._run, piece.place + start
        if piece.start is None and self._starts is None and (not run or self._at + len(run) == place):
            self._run = run + text
            if not run:
                self._at = place
            return
        if self._starts is None:
            self._starts = list(range(self._at, self._at + len(run)))
            self._ends = [at + 1 for at in self._starts]
        self._starts += piece.starts(start, start + len(text))
        self._ends += piece.ends(start, start + len(text))
        self._run, self._at = run + text, self._starts[0]

    def _places(self) -> tuple[list[int], list[int]]:
        """Where each character of the run starts and ends."""
        if self._starts is not None:
            return self._starts, self._ends
        after = self._at + len(self._run)
        return list(range(self._at, after)), list(range(self._at + 1, after + 1))

    def _long(self, piece: Piece) -> None:
        text, at, size = piece.text, 0, len(piece.text)
        raw = text.encode("ascii", "replace") if size > _MUCH else b""
        while at < size:
            if self._blob is not None:
                at = self._decode(piece, at)
            elif self._dead or self._run:
                end = _end(_RUN, text, at)
                if not self._dead:
                    self._take(piece, at, end)
                if end < size and self._blob is None:
                    self._dead = False
                    self._forget()
                    end += 1  # that character is in no run
                at = end
            else:
                start, at = _next(text, raw, at)
                self._take(piece, start, at)

    def _take(self, piece: Piece, start: int, end: int) -> None:
        """A run goes on, if at all; once it is long enough it shows whether it is a blob."""
        if start == end:
            return
        self._keep(piece, start, piece.text[start:end])
        run = self._run
        if not _hopeful(run[:LEAST]):
            self._give_up()
            return
        if len(run) < LEAST:
            return
        starts, ends = self._places()
        self._forget()
        bare = _bare(run[:LEAST])
        group = 2 if _says(bare, 2) else 4
        if group == 2 and (ahead := LEAST - len(bare)):
            run, starts, ends = run[ahead:], starts[ahead:], ends[ahead:]
        self._blob = _Blob(group, self._make())
        size = _end(self._blob.run, run, 0)
        self._blob.feed(run[:size], starts[:size], ends[:size])
        if size < len(run):  # no hexadecimal any more
            self._blob.close(starts[size])
            self._blob = None
            self._dead = True

    def _decode(self, piece: Piece, at: int) -> int:
        """Go on with the blob. Returns where to go on."""
        blob, text = self._blob, piece.text
        assert blob is not None
        end = _end(blob.run, text, at)
        if end > at:
            blob.feed(text[at:end], piece.starts(at, end), piece.ends(at, end))
        if end == len(text):
            return end
        if text[end] in "\r\n" and blob.even:
            return end + 1  # the next line of it
        blob.close(piece.starts(end, end + 1)[0])
        self._blob = None
        self._dead = text[end] in ALPHABET
        return end


def _next(text: str, raw: bytes, at: int) -> tuple[int, int]:
    """Where the next run is that is long enough, or goes on beyond the text. `raw`: the text for RE2; or empty."""
    if raw:
        found = _LONG.search(raw, at)
        return found.span() if found is not None else (max(at, len(text.rstrip(ALPHABET))), len(text))
    match = _NEXT.search(text, at)
    return match.span() if match is not None else (len(text), len(text))


def _end(pattern: regex.Pattern[str], text: str, at: int) -> int:
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
def _tail(text: str) -> tuple[int, str, bool]:
    """Where the run begins with which a short text ends, that run, and whether it may be a blob."""
    kept = len(text.rstrip(ALPHABET))
    tail = text[kept:]
    return kept, tail, _hopeful(tail)


@lru_cache(8192)
def _hopeful(run: str) -> bool:
    """Whether a run, of which these are the first characters, may be a blob."""
    return _says(run, 4) or _says(_bare(run), 2)


def _bare(run: str) -> str:
    """A run without what says that hexadecimal follows; as base64 that is no text."""
    return run[2:] if run[:2] in ("0x", "0X") else run


def _says(run: str, group: int) -> bool:
    """Whether a run decodes to text, as far as it goes."""
    if group == 2:
        return _end(_HEX_RUN, run, 0) == len(run) and _is_text(_bytes(run[: len(run) & -2], 2))
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
