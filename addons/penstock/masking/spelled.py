"""A text that is spelled in some way, read as it arrives: what its characters say, and where each comes from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Final, NamedTuple, Self

import regex

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


class Word(NamedTuple):
    """Some characters that together say something else."""

    end: int
    """Where in the text they end."""
    says: str


OPEN: Final = "open"
"""It takes more text to say whether something is written at a place."""


class Spelled(ABC):
    """Reads what is written in a text that arrives in pieces. What is nothing of the kind stands for itself."""

    __slots__ = ("_ends", "_pending", "_starts")

    begins: ClassVar[regex.Pattern[str]]
    """Matches the first character of whatever is written."""

    def __init__(self) -> None:
        self._pending = ""
        """What is not complete yet."""
        self._starts: list[int] = []
        """Where each of its characters starts and ends in the original text."""
        self._ends: list[int] = []

    @abstractmethod
    def word(self, text: str, at: int, *, last: bool) -> Word | str | None:
        """What is written at a place; `OPEN` when more must come, never with the `last` of a text; None: nothing."""

    @property
    def held(self) -> int:
        """Where what is not complete yet begins in the original text."""
        return self._starts[0] if self._starts else FOREVER

    def copy(self) -> Self:
        other = type(self)()
        other._pending, other._starts, other._ends = self._pending, self._starts.copy(), self._ends.copy()
        return other

    def feed(self, piece: Piece) -> Piece:
        """The characters that are complete now."""
        if not self._pending and self.begins.search(piece.text) is None:
            return piece
        return self._read(piece, last=False)

    def close(self) -> Piece:
        """The end of the text: what has remained incomplete."""
        return self._read(Piece("", 0, 0), last=True)

    def _read(self, piece: Piece, *, last: bool) -> Piece:
        place, count = piece.place, len(piece.text)
        starts: Sequence[int] = range(count) if piece.start is None else piece.start
        ends: Sequence[int] = range(1, count + 1) if piece.end is None else piece.end
        text = self._pending + piece.text
        if self._pending:
            starts = [*(each - place for each in self._starts), *starts]
            ends = [*(each - place for each in self._ends), *ends]
        read: list[str] = []
        first: list[int] = []
        after: list[int] = []
        at = seek = 0
        stop = len(text)
        while (found := self.begins.search(text, seek)) is not None:
            begin = found.start()
            word = self.word(text, begin, last=last)
            if word is None:
                seek = begin + 1
                continue
            if isinstance(word, str):
                stop = begin
                break
            read += (text[at:begin], word.says)
            first += starts[at:begin]
            after += ends[at:begin]
            first += [starts[begin]] * len(word.says)
            after += [ends[word.end - 1]] * len(word.says)
            at = seek = word.end
        read.append(text[at:stop])
        first += starts[at:stop]
        after += ends[at:stop]
        self._pending = text[stop:]
        self._starts, self._ends = [place + each for each in starts[stop:]], [place + each for each in ends[stop:]]
        return Piece("".join(read), place, piece.size, first, after)
