r"""What a text says once its backslash escapes are read (`\u0040`, `\"`, `\n`), as it arrives."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, NamedTuple

from penstock.masking.release import FOREVER


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

    def starts(self, first: int = 0, last: int | None = None) -> list[int]:
        """Where some of the characters start in the original text."""
        return _placed(self.start, self.place, first, len(self.text) if last is None else last, 0)

    def ends(self, first: int = 0, last: int | None = None) -> list[int]:
        """Where they end."""
        return _placed(self.end, self.place, first, len(self.text) if last is None else last, 1)


def _placed(places: Sequence[int] | None, place: int, first: int, last: int, after: int) -> list[int]:
    if places is None:
        return list(range(place + first + after, place + last + after))
    return [place + each for each in places[first:last]]


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

    def copy(self) -> Unescape:
        other = Unescape()
        other._pending, other._high = self._pending.copy(), self._high
        return other

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
