"""Base64 and hexadecimal in a text: found, decoded and read as they arrive.

A blob is a run of 16 characters or more of the alphabet of base64 (either kind), of which the first 16 decode to text:
so the names and hashes that a text is full of are none. Nothing of a shorter run is released that may still become a
blob (few words are the beginning of one beyond their third letter); of a blob, nothing that can still be part of a
value. What is found in it is replaced where it stands, in whole groups of characters, so that the rest of the blob
still says what it said.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import re2

from penstock.masking.blob import RUN, Blob, Inner, bare, hopeful, run_end, says
from penstock.masking.release import FOREVER
from penstock.masking.spelled import Piece

LEAST: Final = 16
"""Characters of the shortest blob."""
ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_NEXT: Final = re.compile(rf"(?<![A-Za-z0-9+/_-])(?:[A-Za-z0-9+/_-]{{{LEAST},}}+|[A-Za-z0-9+/_-]++\Z)")
SIGN: Final = b"[A-Za-z0-9+/_-]{%d}" % LEAST
"""Without this in it, a text has no blob; for `detect.prefilter`."""
_LONG: Final = re2.compile(b"[A-Za-z0-9+/_-]{%d,}" % LEAST)
_MUCH: Final = 192
"""Characters of a piece from which on it pays to ask RE2 for the next long run."""


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
        self._blob: Blob | None = None

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
        kept, tail, may_be = _tail(text)
        if kept:
            if self._run:
                self._forget()
            self._dead = not may_be
            if may_be:
                self._keep(piece, kept, tail)
        elif not self._dead:
            self._keep(piece, 0, tail)
            if not hopeful(self._run):
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
                end = run_end(RUN, text, at)
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
        if not hopeful(run[:LEAST]):
            self._give_up()
            return
        if len(run) < LEAST:
            return
        starts, ends = self._places()
        self._forget()
        begun = bare(run[:LEAST])
        group = 2 if says(begun, 2) else 4
        if group == 2 and (ahead := LEAST - len(begun)):
            run, starts, ends = run[ahead:], starts[ahead:], ends[ahead:]
        self._blob = Blob(group, self._make())
        size = run_end(self._blob.run, run, 0)
        self._blob.feed(run[:size], starts[:size], ends[:size])
        if size < len(run):  # no hexadecimal any more
            self._blob.close(starts[size])
            self._blob = None
            self._dead = True

    def _decode(self, piece: Piece, at: int) -> int:
        """Go on with the blob. Returns where to go on."""
        blob, text = self._blob, piece.text
        assert blob is not None
        end = run_end(blob.run, text, at)
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


@lru_cache(8192)
def _tail(text: str) -> tuple[int, str, bool]:
    """Where the run begins with which a short text ends, that run, and whether it may be a blob."""
    kept = len(text.rstrip(ALPHABET))
    tail = text[kept:]
    return kept, tail, hopeful(tail)
