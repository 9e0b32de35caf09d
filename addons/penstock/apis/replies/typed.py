"""Replies in events that say their kind in `type`: what Anthropic, Cohere and LM Studio have in common."""

from __future__ import annotations

from collections.abc import Container
from typing import ClassVar, Final

from penstock.apis.replies.pieces import (
    STRIPPED,
    STRUCTURE,
    Holder,
    Mode,
    Piece,
    Place,
    Reading,
    UnreadableError,
    Walk,
    is_text,
    plain_word,
)
from penstock.apis.replies.reader import Reader
from penstock.exchange import JsonObject, Path

MESSAGE: Final = 0
"""The choice index of the message as a whole; the texts in it have the indexes behind."""
MOST: Final = 5_000
"""Blocks of one message; a model that says more than that has lost its way."""


class TypedReader(Reader):
    """Base of a reader of events that open and close the texts of one message, each by an index of its own.

    Only deltas go on: whatever else an event holds is complete in it, and masked as that.
    """

    one_reply = True
    structure: ClassVar[frozenset[str]] = frozenset()
    """Keys whose values select rather than say, beside those that all dialects have."""
    sealed: ClassVar[frozenset[str]] = frozenset()
    """Keys of what only a server can read (signatures, encrypted texts): never beside a mask."""
    counts: ClassVar[frozenset[str]] = frozenset()
    """Keys of objects that count tokens under `tokens`, where others have the tokens themselves."""

    def __init__(self) -> None:
        self._walk = Walk()
        self._open: set[int] = set()

    def begin(self, reading: Reading, document: JsonObject) -> None:
        """Opens the message with a text that stays empty: until `ended`, a stream that stops was cut short."""
        if MESSAGE not in self._open:
            self._open.add(MESSAGE)
            reading.pieces.append(Piece(document, "type", "", self._walk.place(MESSAGE, ("message",)), "flow"))

    def ended(self, reading: Reading) -> None:
        """Closes the message, and every text in it that is still open."""
        reading.closes = (MESSAGE, *self._open)
        self._open = {MESSAGE}

    def closed(self, reading: Reading, choice: int) -> None:
        reading.closes = (choice,)
        self._open.discard(choice)

    def rest(
        self,
        reading: Reading,
        holder: JsonObject,
        read: Container[str],
        choice: int,
        path: Path = (),
        *,
        strip: bool,
        tool: bool = False,
        mode: Mode = "unit",
    ) -> None:
        """Every key of an object, counted; and the values of those that are not `read` already, as complete texts."""
        reading.keys += len(holder)
        for key, value in holder.items():
            if key in read:
                continue
            if strip and key in STRIPPED:
                self._walk.strip(reading, holder, key)
                continue
            # What most keys of most events hold, and is no text.
            small = value is None or (isinstance(value, int) and not is_text(value))
            if not small and not (isinstance(value, str) and self._selects(key, value)):
                # `tokens` in there is how many, not which.
                counts = isinstance(value, dict) and key in self.counts and isinstance(value.get("tokens"), dict)
                here = (*path, key)
                self.complete(reading, holder, key, choice, here, strip=strip and not counts, tool=tool, mode=mode)
            if not plain_word(key):
                reading.pieces.append(Piece(holder, key, key, self._walk.place(choice, (*path, key)), "key"))

    def levels(
        self, reading: Reading, document: JsonObject, path: tuple[str, ...], choice: int = MESSAGE, *, strip: bool
    ) -> None:
        """An event, down a path along which its objects have the dialect's own structure."""
        level, depth = document, 0
        for key in path:
            below = level.get(key)
            if not isinstance(below, dict):
                break
            self.rest(reading, level, (key,), choice, path[:depth], strip=strip)
            level, depth = below, depth + 1
        self.rest(reading, level, (), choice, path[:depth], strip=strip)

    def complete(
        self,
        reading: Reading,
        holder: Holder,
        key: str | int,
        choice: int,
        path: Path,
        *,
        strip: bool,
        tool: bool = False,
        mode: Mode = "unit",
    ) -> None:
        """Everything in `holder[key]`, each text complete in itself (`mode`: `unit`, or `repeat`).

        Structure is structure in the object itself only: what is deeper may be of anybody's making.
        """
        first = len(reading.pieces)
        self._walk.value(reading, holder, key, choice, path, strip=strip)
        found = reading.pieces[first:]
        del reading.pieces[first:]
        for piece in found:
            if piece.mode != "key":
                if piece.holder is holder and self._selects(piece.key, piece.text):
                    continue
                if self.is_sealed(piece):
                    if strip:
                        piece.put("")
                        reading.edited = True
                    continue
                piece.mode = mode
            if tool:
                piece.place = Place(piece.place.channel, piece.place.path, tool=True)
            reading.pieces.append(piece)

    def _selects(self, key: str | int, value: str) -> bool:
        return (key in STRUCTURE or key in self.structure) and self._walk.structural(value)

    def is_sealed(self, piece: Piece) -> bool:
        return piece.key in self.sealed


def object_at(document: JsonObject, key: str) -> JsonObject:
    """Raises: UnreadableError when there is no object."""
    value = document.get(key)
    if not isinstance(value, dict):
        raise UnreadableError
    return value


def index_of(document: JsonObject) -> int:
    """The index of the block that an event is about.

    Raises: UnreadableError.
    """
    value = document.get("index")
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < MOST:
        raise UnreadableError
    return value
