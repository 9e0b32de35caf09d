"""Deltas that are like the one before but for their text and number, as nearly all of them are."""

from __future__ import annotations

from penstock.apis.openai.responses.texts import Flow
from penstock.apis.replies.pieces import Piece, Reading
from penstock.exchange import Json, JsonObject


class Alike:
    """Remembers the last delta of each type. Comparing a whole event with it costs a tenth of reading it."""

    def __init__(self) -> None:
        self._last: dict[Json, tuple[JsonObject, Flow]] = {}

    def read(self, kind: str, document: JsonObject) -> Reading | None:
        """What an event says, or None when it is not like one that was learned."""
        learned = self._last.get(kind)
        said = document.get("delta")
        if learned is None or said.__class__ is not str or not said:
            return None
        before, flow = learned
        number = document.get("sequence_number")
        document["delta"] = None
        if number.__class__ is int:
            document["sequence_number"] = 0
        same = document == before and not flow.closed
        document["delta"] = said
        if number.__class__ is int:
            document["sequence_number"] = number
        if not same:
            return None
        text = str(said)
        flow.parts.append(text)
        reading = Reading()
        reading.keys = len(document)
        reading.pieces.append(Piece(document, "delta", text, flow.place, "flow"))
        return reading

    def learn(self, kind: str, document: JsonObject, reading: Reading, flow: Flow | None) -> None:
        """Remembers a delta that says nothing beside its text, and of which nothing was taken out."""
        plain = reading.keys == len(document) and len(reading.pieces) == 1 and not reading.edited
        if flow is None or not plain or reading.pieces[0].holder is not document:
            return
        self._last[kind] = ({**document, "delta": None}, flow)
        if document.get("sequence_number").__class__ is int:
            self._last[kind][0]["sequence_number"] = 0
