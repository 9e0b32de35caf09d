r"""Texts within texts: what a text says once its backslash escapes are read (`\u0040`, `\"`, `\n`).

A JSON string that holds JSON, a program that a model writes, a value that is spelled in escapes: what counts is what
the reader at the far end will see. So a text is also scanned as its escapes read, and that once more as its own escapes
read, level by level, as deep as there are backslashes (to a limit). A level begins as a copy of the one above it with
the first backslash that it sees: up to there they are the same text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from penstock.detect.view import view
from penstock.masking.release import FOREVER
from penstock.masking.stream import Scan


class Piece(NamedTuple):
    """Some characters, and where each comes from."""

    text: str
    place: int
    """Where in the original text they begin."""
    size: int
    """How many characters of the original text they stand for."""
    start: Sequence[int] | None = None
    """Of each, from `place` on; None: character for character."""
    end: Sequence[int] | None = None


type _At = tuple[str, int, int]
"""A character, or several that are told as they are, and where that starts and ends in the original text."""

_SIMPLE: Final = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_HEX: Final = frozenset("0123456789abcdefABCDEF")


def escape(text: str) -> str:
    """A text as it stands in a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


class Unescape:
    """Reads the escapes of a text that arrives in pieces. What is no escape after all stands for itself."""

    __slots__ = ("_high", "_pending")

    def __init__(self) -> None:
        self._pending: list[_At] = []
        """An escape that is not complete yet: its characters, with where each starts and ends."""
        self._high: _At | None = None
        """The first half of a surrogate pair."""

    @property
    def held(self) -> int:
        """Where what is not complete yet begins in the original text."""
        if self._high is not None:
            return self._high[1]
        return self._pending[0][1] if self._pending else FOREVER

    def feed(self, piece: Piece) -> Piece:
        """The characters that are complete now."""
        if not self._pending and self._high is None and "\\" not in piece.text:
            return piece
        read: list[_At] = []
        text, place, at = piece.text, piece.place, 0
        while at < len(text):
            if piece.start is None and not self._pending and self._high is None and text[at] != "\\":
                run = text.find("\\", at)
                run = len(text) if run < 0 else run
                read.append((text[at:run], place + at, place + run))
                at = run
                continue
            start = place + (at if piece.start is None else piece.start[at])
            end = place + (at + 1 if piece.end is None else piece.end[at])
            self._take((text[at], start, end), read)
            at += 1
        return self._piece(read, piece)

    def close(self) -> Piece:
        """The end of the text: what has remained incomplete."""
        read: list[_At] = []
        for each in self._pending:
            self._pass(each, read)
        if self._high is not None:
            read.append(self._high)
        return self._piece(read, Piece("", 0, 0))

    def _take(self, character: _At, read: list[_At]) -> None:
        pending = self._pending
        if not pending and character[0] != "\\":
            self._pass(character, read)
            return
        pending.append(character)
        text, start, end = character[0], pending[0][1], character[2]
        match len(pending):
            case 1:
                return
            case 2 if text in _SIMPLE:
                pending.clear()
                self._pass((_SIMPLE[text], start, end), read)
            case 2 if text == "u":
                return
            case 3 | 4 | 5 if text in _HEX:
                return
            case 6 if text in _HEX:
                code = int("".join(each[0] for each in pending[2:]), 16)
                pending.clear()
                self._pass((chr(code), start, end), read, escaped=True)
            case _:
                *known, last = pending
                pending.clear()
                for each in known:
                    self._pass(each, read)
                self._take(last, read)

    def _pass(self, character: _At, read: list[_At], *, escaped: bool = False) -> None:
        """A character is complete, unless it is an escaped half of a pair."""
        high, self._high = self._high, None
        text, _, end = character
        if high is not None and escaped and "\udc00" <= text <= "\udfff":
            both = 0x10000 + ((ord(high[0]) - 0xD800) << 10) + (ord(text) - 0xDC00)
            read.append((chr(both), high[1], end))
            return
        if high is not None:
            read.append(high)
        if escaped and "\ud800" <= text <= "\udbff":
            self._high = character
        else:
            read.append(character)

    def _piece(self, read: list[_At], whole: Piece) -> Piece:
        starts: list[int] = []
        ends: list[int] = []
        for text, start, end in read:
            if len(text) == 1:
                starts.append(start - whole.place)
                ends.append(end - whole.place)
            else:
                starts += range(start - whole.place, end - whole.place)
                ends += range(start - whole.place + 1, end - whole.place + 1)
        return Piece("".join(text for text, _, _ in read), whole.place, whole.size, starts, ends)


class Level:
    """A text as its escapes read, and what that says in turn, level below level."""

    __slots__ = ("_below", "_depth", "_scan", "_unescape")

    def __init__(self, scan: Scan, depth: int) -> None:
        """`depth`: how many levels there may be below."""
        self._scan = scan
        self._depth = depth
        self._unescape = Unescape()
        self._below: Level | None = None

    def feed(self, piece: Piece) -> int:
        """More of the text. Returns up to where the original is settled."""
        settled = self._read(self._unescape.feed(piece))
        return min(settled, self._unescape.held)

    def close(self, place: int) -> None:
        """The text ends, at `place` of the original."""
        if (rest := self._unescape.close()).text:
            self._read(rest)
        self._scan.close(place)
        if self._below is not None:
            self._below.close(place)

    def is_as(self, scan: Scan) -> bool:
        """Whether nothing here can make a difference any more to what another scan will find."""
        return self._unescape.held == FOREVER and self._below is None and self._scan.is_as(scan)

    def _read(self, piece: Piece) -> int:
        below = self._below
        if below is None and self._depth and "\\" in piece.text:
            below = self._below = Level(self._scan.copy(_once_more(self._scan.spell)), self._depth - 1)
        settled = self._scanned(piece)
        if below is None:
            return settled
        settled = min(settled, below.feed(piece))
        if below.is_as(self._scan):
            self._below = None
        return settled

    def _scanned(self, piece: Piece) -> int:
        text, place, size, start, end = piece
        if not text.isascii():
            text, first, last = view(text)
            if first is not None and last is not None:
                start = first if start is None else [start[at] for at in first]
                end = last if end is None else [end[at - 1] for at in last]
        return self._scan.feed(text, place, size, start, end)


def _once_more(spell: Callable[[str], str] | None) -> Callable[[str], str]:
    """How something is written one level further down."""
    return escape if spell is None else lambda text: spell(escape(text))
