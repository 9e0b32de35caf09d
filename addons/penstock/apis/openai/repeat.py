"""Events of a stream that are like the one before but for one string, as nearly all of them are."""

from __future__ import annotations

from typing import Final

from penstock.apis.replies.pieces import Piece, Place, Reading, Walk
from penstock.exchange import JsonObject

FLOWS: Final = frozenset({"content", "reasoning_content", "reasoning", "thinking", "refusal", "text"})
"""Strings of a message that go on from event to event."""


class _Shape:
    """A choice, without what differs from event to event: its `delta`, or its `text`."""

    __slots__ = ("choice", "places", "slot")

    def __init__(self, choice: JsonObject, slot: str) -> None:
        self.choice = {**choice, slot: None}
        self.slot = slot
        self.places: dict[str, Place] = {}


class Repeat:
    """Remembers what is around the string. Comparing that as a whole costs a tenth of reading it."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._around: JsonObject = {}
        self._shapes: dict[int, _Shape] = {}

    def read(self, document: JsonObject) -> Reading | None:
        """What the event says, or None when it is not like one that was learned."""
        choices = document.get("choices")
        if not isinstance(choices, list) or len(choices) != 1 or not isinstance(choice := choices[0], dict):
            return None
        index = choice.get("index")
        if not isinstance(index, int) or (shape := self._shapes.get(index)) is None:
            return None
        said = choice.get(shape.slot)
        if said is None:
            return None
        document["choices"] = choice[shape.slot] = None
        same = document == self._around and choice == shape.choice
        document["choices"], choice[shape.slot] = choices, said
        if not same:
            return None
        holder, key = choice, shape.slot
        reading = Reading()
        reading.keys = len(document) + len(choice)
        if isinstance(said, dict):
            if len(said) != 1:
                return None
            ((key, said),) = (holder := said).items()
            reading.keys += 1
        if key not in FLOWS or not isinstance(said, str):
            return None
        if said:
            place = shape.places.get(key) or self._place(shape, index, key)
            reading.pieces.append(Piece(holder, key, said, place, "flow"))
        return reading

    def _place(self, shape: _Shape, index: int, key: str) -> Place:
        place = self._walk.place(index, ("delta", key) if shape.slot == "delta" else (key,))
        shape.places[key] = place
        return place

    def learn(self, document: JsonObject, reading: Reading) -> None:
        """Remembers an event that was read: one whose only text is in its slot, and that ends and strips nothing."""
        choices = document.get("choices")
        if reading.closes or reading.edited or reading.error or not isinstance(choices, list) or len(choices) != 1:
            return
        choice = choices[0]
        if not isinstance(choice, dict) or document.get("usage") is not None:
            return
        index, slot = choice.get("index"), "delta" if "delta" in choice else "text"
        if isinstance(index, int) and all(_within(piece, choice, slot) for piece in reading.pieces):
            self._around = {**document, "choices": None}
            self._shapes[index] = _Shape(choice, slot)


def _within(piece: Piece, choice: JsonObject, slot: str) -> bool:
    """Whether a piece stands in the slot of a choice, and nowhere deeper."""
    return (piece.holder is choice and piece.key == slot) or piece.holder is choice.get(slot)
