"""Texts within texts: a text is scanned as it comes, and as everything in it reads that is written in another way.

A JSON string that holds JSON, a program that a model writes, a value that is spelled in codes, in letters of other
scripts or in base64: what counts is what the reader at the far end will see. So a text is scanned once more for each
way of writing that it shows a sign of, and what that says in turn, level below level, to a limit. A level begins as a
copy of the text that it is a reading of, at the piece with the first sign: up to there they say the same. It is given
up again once both remember the same and nothing is open in either.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from penstock.detect.confusable import disguised
from penstock.detect.view import view
from penstock.masking.blobs import Blobs
from penstock.masking.codes import Codes, Looks, has_codes
from penstock.masking.escapes import Unescape, escape
from penstock.masking.release import FOREVER
from penstock.masking.spelled import Piece
from penstock.masking.stream import Scan

type Spell = Callable[[str], str] | None
"""How something is written where it stands; None: as it is."""

DEPTH: Final = 2
"""Levels below a text."""


class Reader(Protocol):
    """Reads a text that is written in some way, as it arrives."""

    @property
    def held(self) -> int: ...
    def feed(self, piece: Piece) -> Piece: ...
    def close(self) -> Piece: ...
    def copy(self) -> Reader: ...


class _Way(NamedTuple):
    """A way of writing."""

    sign: Callable[[str], bool]
    reader: Callable[[], Reader]
    spell: Callable[[Spell], Spell]
    """How something is written one level further down."""


def _once_more(spell: Spell) -> Spell:
    return escape if spell is None else lambda text: spell(escape(text))


def _as_it_is(spell: Spell) -> Spell:
    return spell


def _has_escapes(text: str) -> bool:
    return "\\" in text


# Of what `feed` asks first: where neither `\\`, `%` nor `&` stands, nor a character beyond ASCII, there is no sign.
_WAYS: Final = (
    _Way(_has_escapes, Unescape, _once_more),
    _Way(has_codes, Codes, _as_it_is),
    _Way(disguised, Looks, _as_it_is),
)


def spells(text: str) -> bool:
    """Whether anything in a text may be spelled in another way, apart from blobs."""
    return any(way.sign(text) for way in _WAYS)


class Told:
    """A text that is scanned, and its levels."""

    __slots__ = ("_blobs", "_depth", "_levels", "_scan")

    def __init__(self, scan: Scan, depth: int = DEPTH) -> None:
        """`depth`: how many levels there may be below."""
        self._scan = scan
        self._depth = depth
        self._levels: dict[int, Level] = {}
        self._blobs = Blobs(self._blob) if depth else None

    def feed(self, piece: Piece) -> int:
        """More of the text. Returns up to where the original is settled."""
        text = piece.text
        plain = text.isascii()
        if self._depth and not (plain and "\\" not in text and "%" not in text and "&" not in text):
            for index, way in enumerate(_WAYS):
                if index not in self._levels and way.sign(text):
                    self._begin(index, way)
        seen = piece if plain else _seen(piece)
        settled = self._scan.feed(*seen)
        if self._blobs is not None and (open_ := self._blobs.feed(seen)) < settled:
            settled = open_
        if self._levels:
            for index, level in tuple(self._levels.items()):
                settled = min(settled, level.feed(piece))
                if level.is_as(self._scan):
                    del self._levels[index]
        return settled

    def close(self, place: int) -> None:
        """The text ends, at `place` of the original."""
        self._scan.close(place)
        if self._blobs is not None:
            self._blobs.close(place)
        for level in self._levels.values():
            level.close(place)

    def is_as(self, scan: Scan) -> bool:
        """Whether nothing here can make a difference any more to what another scan will find."""
        if self._levels or (self._blobs is not None and self._blobs.open):
            return False
        return self._scan.is_as(scan)

    def copy(self, spell: Spell, depth: int) -> Told:
        """One that has come as far as this, and goes its own way from here."""
        other = Told(self._scan.copy(spell), depth)
        if depth:
            other._levels = {
                index: level.copy(_WAYS[index].spell(spell), depth - 1) for index, level in self._levels.items()
            }
            if self._blobs is not None:
                other._blobs = self._blobs.copy(other._blob, spell, depth - 1)
        return other

    def _begin(self, index: int, way: _Way) -> None:
        spell = way.spell(self._scan.spell)
        self._levels[index] = Level(self.copy(spell, self._depth - 1), way.reader())

    def _blob(self) -> Told:
        return Told(self._scan.afresh(), self._depth - 1)


def _seen(piece: Piece) -> Piece:
    """The view of a piece."""
    text, place, size, start, end = piece
    text, first, last = view(text)
    if first is not None and last is not None:
        start = first if start is None else [start[at] for at in first]
        end = last if end is None else [end[at - 1] for at in last]
    return Piece(text, place, size, start, end)


class Level:
    """A text as it reads when what is written in some way is read."""

    __slots__ = ("_reader", "_told")

    def __init__(self, told: Told, reader: Reader) -> None:
        self._told = told
        self._reader = reader

    @classmethod
    def of_string(cls, scan: Scan) -> Level:
        """The inside of a JSON string."""
        return cls(Told(scan), Unescape())

    def feed(self, piece: Piece) -> int:
        """More of the text. Returns up to where the original is settled."""
        settled = self._told.feed(self._reader.feed(piece))
        return min(settled, self._reader.held)

    def close(self, place: int) -> None:
        """The text ends, at `place` of the original."""
        if (rest := self._reader.close()).text:
            self._told.feed(rest)
        self._told.close(place)

    def is_as(self, scan: Scan) -> bool:
        return self._reader.held == FOREVER and self._told.is_as(scan)

    def copy(self, spell: Spell, depth: int) -> Level:
        return Level(self._told.copy(spell, depth), self._reader.copy())
