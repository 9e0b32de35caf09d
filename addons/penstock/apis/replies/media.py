"""Replies of APIs that make speech, images and video: what nobody can read is left as it is, all else is text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from penstock.apis.api import Dialect
from penstock.apis.calls.media import opaque
from penstock.apis.dialects import OPENAI
from penstock.apis.replies.pieces import DOCUMENT, Holder, Piece, Reading, UnknownEventError, UnreadableError, Walk
from penstock.apis.replies.reader import Reader
from penstock.exchange import Json, JsonObject, Reply

AUDIO: Final = frozenset({"audio/*", "application/octet-stream"})
VIDEO: Final = frozenset({"video/*", "application/octet-stream"})
IMAGES: Final = frozenset({"image/*"})


class MediaReader(Reader):
    """A JSON document or events, in which some keys hold bytes in base64."""

    END = b"[DONE]"

    def __init__(
        self,
        kind: str,
        *,
        keys: frozenset[str] = frozenset(),
        events: frozenset[str] = frozenset(),
        last: frozenset[str] = frozenset(),
        media: frozenset[str] = frozenset(),
        dialect: Dialect = OPENAI,
    ) -> None:
        """`kind`: what is not read, as grants name it; it stands in a document's `keys`, or is the whole body when the
        body is of one of the types `media`. `events`: names and types of events; `last`: those that end the stream, as
        does a whole reply in an event (Xinference)."""
        self.kind = kind
        self.dialect = dialect
        self.opaque = media
        self.events = frozenset({"", "message", "error"}) | events | last
        self._keys = keys
        self._kinds = events | last | {"error"}
        self._last = last
        self._walk = Walk()

    def read(self, document: Json, reply: Reply, *, strip: bool) -> Reading:
        if not isinstance(document, dict):
            raise UnreadableError
        kind = document.get("type")
        if isinstance(kind, str) and kind not in self._kinds:
            raise UnknownEventError(kind)
        if kind is not None and not isinstance(kind, str):
            raise UnreadableError
        bytes_of = list(self._bytes(document))
        if bytes_of:
            reply.uninspected.add(self.kind)
        for holder, key, _ in bytes_of:
            holder[key] = ""  # type: ignore[index]
        reading = Reading()
        try:
            self._object(reading, document, strip=strip)
        finally:
            for holder, key, value in bytes_of:
                holder[key] = value  # type: ignore[index]
        for piece in reading.pieces:
            if piece.mode == "leaf":  # no text of these events goes on in the next one
                piece.mode = "unit"
        reading.error = kind == "error" or document.get("error") is not None
        if kind in self._last or (kind is None and "data" in document):
            reading.closes = (0,)
        note_usage(document.get("usage"), reply)
        model = document.get("model")
        if isinstance(model, str):
            reply.model = model
        return reading

    def _object(self, reading: Reading, document: JsonObject, *, strip: bool) -> None:
        """The event's type is the reader's own word, and its time a number; everything else is read."""
        reading.keys += len(document)
        for key, value in document.items():
            if key == "type" or value is None or (key == "created_at" and isinstance(value, int)):
                continue
            if key == "info" and isinstance(value, str):  # the web UI's: JSON in a string, the prompt in it
                place = self._walk.place(DOCUMENT, (key,), form="json")
                reading.pieces.append(Piece(document, key, value, place, "unit"))
            else:
                self._walk.value(reading, document, key, DOCUMENT, (key,), strip=strip)
        self._walk.keyed(reading, document, DOCUMENT)

    def _bytes(self, document: JsonObject) -> Iterator[tuple[Holder, str | int, str]]:
        """Where bytes in base64 stand, level by level."""
        level: list[tuple[Holder, bool]] = [(document, False)]
        while level:
            below: list[tuple[Holder, bool]] = []
            for holder, within in level:
                items = holder.items() if isinstance(holder, dict) else enumerate(holder)
                for key, value in items:
                    ours = within or key in self._keys
                    if isinstance(value, str) and ours and opaque(value) and (key != "url" or value[:5] == "data:"):
                        yield holder, key, value
                    elif isinstance(value, (dict, list)):
                        below.append((value, ours and isinstance(value, list)))
            level = below


def note_usage(usage: Json, reply: Reply) -> None:
    """Tokens, in either of OpenAI's spellings."""
    if not isinstance(usage, dict):
        return
    for key in ("prompt_tokens", "input_tokens"):
        if isinstance(count := usage.get(key), int):
            reply.prompt_tokens = count
    for key in ("completion_tokens", "output_tokens"):
        if isinstance(count := usage.get(key), int):
            reply.completion_tokens = count
