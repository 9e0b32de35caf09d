"""Output items and whole responses: texts that stand there whole, and what surrounds them."""

from __future__ import annotations

import re
from typing import Final

from penstock.apis.openai.responses.events import FIELDS, PARTS, Text
from penstock.apis.openai.responses.texts import Told, apart
from penstock.apis.replies.pieces import DOCUMENT, STRIPPED, Piece, Reading, UnreadableError, Walk
from penstock.apis.wire.body import keys
from penstock.exchange import Json, JsonObject, Reply

# Strings that select or count; read as text when they do not look like it.
LABELS: Final = frozenset(
    {
        "id",
        "type",
        "object",
        "model",
        "role",
        "status",
        "item_id",
        "call_id",
        "response_id",
        "previous_response_id",
        "approval_request_id",
        "container_id",
        "file_id",
        "phase",
        "truncation",
        "service_tier",
        "tool_choice",
        "prompt_cache_retention",
        "background",
        "output_format",
        "quality",
        "size",
    }
)
# Numbers of a response that are large and mean nothing.
_NUMBERS: Final = frozenset(
    {"created_at", "completed_at", "max_output_tokens", "max_tool_calls", "top_logprobs", "seed", "usage"}
)
# Strings that nobody can read here, by the kind that a grant names.
_OPAQUE: Final = {"partial_image_b64": "image", "result": "image", "delta": "audio", "data": "audio"}
_TOOL: Final = frozenset({"name", "action", "operation", "server_label", "namespace"})
# What a model thought, sealed for the next turn; Ollama writes it in plain words.
_SEALED: Final = "encrypted_content"
# Random characters that hide how long a delta is.
_PADDING: Final = "obfuscation"
_BLOB: Final = re.compile(r"[A-Za-z0-9_:.+/=-]{64,}")


class Items:
    """Reads what is complete in itself, and finds what was told before."""

    def __init__(self, walk: Walk, told: Told, granted: frozenset[str]) -> None:
        """`granted`: kinds of content that may pass unread."""
        self._walk = walk
        self._around = Walk(metadata=True, figures=False)
        self._told = told
        self._granted = granted

    def response(
        self, reading: Reading, response: JsonObject, reply: Reply, *, strip: bool, alone: bool = False
    ) -> None:
        """A response: its output, and what it repeats of the request. `alone`: the body of a reply, not an event's."""
        reading.keys += len(response)
        _note(response, reply)
        for key in list(response):
            value = response[key]
            if key == "output" and isinstance(value, list):
                for at, item in enumerate(value):
                    if not isinstance(item, dict):
                        raise UnreadableError
                    self.item(reading, item, reply, strip=strip, index=at if alone else DOCUMENT)
            elif key in ("error", "output"):
                self.other(reading, response, key, value, strip=strip)
            elif value is not None and not self.known(reading, response, key, value, strip=strip):
                start = len(reading.pieces)
                self._around.value(reading, response, key, DOCUMENT, (key,), strip=strip)
                reading.pieces[start:] = [piece for piece in reading.pieces[start:] if not self._told.echo(piece.text)]
                self._settle(reading, start, tool=False)
        self._walk.keyed(reading, response, DOCUMENT)

    def item(
        self,
        reading: Reading,
        item: JsonObject,
        reply: Reply,
        *,
        strip: bool,
        flowing: str | None = None,
        index: int = DOCUMENT,
    ) -> None:
        """An output item. `flowing`: the key of a text that was read already, because events go on with it."""
        reading.keys += len(item)
        for key in list(item):
            value = item[key]
            if key == flowing or value is None:
                continue
            text = FIELDS.get(key)
            if key in ("content", "summary") and isinstance(value, list):
                for at, part in enumerate(value):
                    if not isinstance(part, dict):
                        raise UnreadableError
                    self.part(reading, part, strip=strip, index=index, at=at)
            elif text is not None and isinstance(value, str):
                self.text(reading, item, key, value, text, index=index)
            elif text is not None:
                reading.keys += keys(value)
                reading.pieces.append(Piece(item, key, "", apart(text.label, index=index, tool=True), "object"))
            elif key == _SEALED and isinstance(value, str):
                self._sealed(reading, item, value, strip=strip)
            elif key == "result" and item.get("type") != "image_generation_call":
                self._generic(reading, item, key, strip=strip, tool=False)
            else:
                self.other(reading, item, key, value, strip=strip, reply=reply)
        self._walk.keyed(reading, item, DOCUMENT, ("output",))

    def part(
        self,
        reading: Reading,
        part: JsonObject,
        *,
        strip: bool,
        flowing: str | None = None,
        index: int = DOCUMENT,
        at: int = 0,
    ) -> None:
        """A part of an item's content or summary."""
        reading.keys += len(part)
        name, text = PARTS.get(str(part.get("type")), ("", None))
        for key in list(part):
            value = part[key]
            if key == flowing:
                continue
            if text is not None and key == name and isinstance(value, str):
                self.text(reading, part, key, value, text, index=index, at=at)
            else:
                self.other(reading, part, key, value, strip=strip)
        self._walk.keyed(reading, part, DOCUMENT, ("content",))

    def text(
        self,
        reading: Reading,
        holder: JsonObject,
        key: str,
        value: str,
        text: Text,
        *,
        index: int = DOCUMENT,
        at: int = 0,
    ) -> None:
        """A text that is there whole. In a body of its own (`index` says where) nothing was told before."""
        if not value:
            return
        place = apart(f"{text.label}.{at}" if at else text.label, index=index, text=text)
        piece = self._told.whole(holder, key, value, place)
        if index != DOCUMENT:
            piece.mode = "unit"
        reading.pieces.append(piece)

    def other(
        self, reading: Reading, holder: JsonObject, key: str, value: Json, *, strip: bool, reply: Reply | None = None
    ) -> None:
        """Anything else; `reply` where content may stand that nobody can read."""
        if value is None or self.known(reading, holder, key, value, strip=strip):
            return
        if reply is not None and isinstance(value, str) and (kind := _OPAQUE.get(key)) is not None:
            if kind not in self._granted:
                raise UnreadableError
            reply.uninspected.add(kind)
            return
        self._generic(reading, holder, key, strip=strip, tool=key in _TOOL)

    def known(self, reading: Reading, holder: JsonObject, key: str, value: Json, *, strip: bool) -> bool:
        """Whether a value is structure, or was emptied because it says a text again."""
        if key in STRIPPED and (strip or key == _PADDING):
            if value and strip:
                # Clients expect a list or a string where there was one.
                holder[key] = [] if isinstance(value, list) else "" if isinstance(value, str) else None
                reading.edited = True
            return True
        if isinstance(value, str):
            return key in LABELS and self._walk.structural(value)
        return isinstance(value, (int, float)) and key in _NUMBERS

    def anything(self, reading: Reading, document: JsonObject, *, strip: bool) -> None:
        """A document of which nothing is known."""
        self._walk.object(reading, document, DOCUMENT, (), strip=strip)
        self._settle(reading, 0, tool=False)

    def _generic(self, reading: Reading, holder: JsonObject, key: str, *, strip: bool, tool: bool) -> None:
        start = len(reading.pieces)
        self._walk.value(reading, holder, key, DOCUMENT, (key,), strip=strip)
        self._settle(reading, start, tool=tool)

    def _settle(self, reading: Reading, start: int, *, tool: bool) -> None:
        """Strings that nobody knows are complete here: only deltas go on."""
        for at in range(start, len(reading.pieces)):
            piece = reading.pieces[at]
            place = apart(piece.place.channel[1], tool=tool)
            if piece.mode in ("leaf", "unit"):
                reading.pieces[at] = self._told.whole(piece.holder, piece.key, piece.text, place)
            else:
                piece.place = place

    def _sealed(self, reading: Reading, item: JsonObject, value: str, *, strip: bool) -> None:
        """Thoughts for the next turn: text, or what says it so that nobody can read it here."""
        if not _BLOB.fullmatch(value):
            self._generic(reading, item, _SEALED, strip=strip, tool=False)
        elif strip:
            self._walk.strip(reading, item, _SEALED)


def _note(response: JsonObject, reply: Reply) -> None:
    """Model, usage and the way it ended."""
    model, usage = response.get("model"), response.get("usage")
    if isinstance(model, str):
        reply.model = model
    if isinstance(usage, dict):
        read, said = usage.get("input_tokens"), usage.get("output_tokens")
        if isinstance(read, int):
            reply.prompt_tokens = read
        if isinstance(said, int):
            reply.completion_tokens = said
    details, status = response.get("incomplete_details"), response.get("status")
    reason = details.get("reason") if isinstance(details, dict) else None
    if isinstance(reason, str):
        reply.finish = reason
    elif isinstance(status, str) and status not in ("queued", "in_progress"):
        reply.finish = status
