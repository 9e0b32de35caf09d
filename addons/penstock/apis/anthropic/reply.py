"""Replies of Anthropic's messages: a whole message, or named events that open, continue and close its blocks."""

from __future__ import annotations

from typing import Final, Literal

from penstock.apis.anthropic.errors import ANTHROPIC
from penstock.apis.api import Dialect
from penstock.apis.metadata import MetadataReader
from penstock.apis.replies.pieces import Piece, Place, Reading, UnknownEventError, UnreadableError
from penstock.apis.replies.typed import MESSAGE, MOST, TypedReader, index_of, object_at
from penstock.apis.wire import sse
from penstock.apis.wire.body import keys
from penstock.exchange import Json, JsonObject, Reply

# Kind of delta -> the key of what it adds, and the name of what that adds to.
_DELTAS: Final = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "input_json_delta": ("partial_json", "arguments"),
}
_KINDS: Final = {name: (kind, key) for kind, (key, name) in _DELTAS.items()}
_WHOLE: Final = frozenset({"signature_delta", "citations_delta", "compaction_delta"})
_NAMES: Final = ("id", "name")
# Bytes that only a server can read, when the object they stand in is of one of these types.
_UNREADABLE: Final = frozenset({"redacted_thinking", "base64"})


class AnthropicReader(TypedReader):
    """`content[]`, by the number of the block and what it says: `text`, `thinking`, `arguments`.

    A signature holds the thinking again in a form that nobody can read here, and no longer fits a thinking that was
    masked. In a stream it comes before the last of the thinking is settled. So wherever a mask is on it is emptied, and
    so are redacted thinking and encrypted contents. Servers that are not Anthropic's own do not ask for them again.
    """

    dialect: Dialect = ANTHROPIC
    events = frozenset(
        {
            "",
            "message_start",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop",
            "ping",
            "error",
        }
    )
    structure = frozenset({"stop_reason", "tool_use_id", "media_type", "file_id"})
    sealed = frozenset({"signature", "encrypted_content", "encrypted_index", "encrypted_stdout"})

    def __init__(self) -> None:
        super().__init__()
        self._places: dict[tuple[int, str], Place] = {}

    def read(self, document: Json, reply: Reply, *, strip: bool) -> Reading:
        if not isinstance(document, dict):
            raise UnreadableError
        reading, kind = Reading(), document.get("type")
        match kind:
            case "content_block_delta":
                self._delta(reading, document, strip=strip)
            case "message":
                self._message(reading, document, reply, strip=strip)
            case "message_start":
                self.begin(reading, document)
                self._message(reading, object_at(document, "message"), reply, strip=strip)
                self.rest(reading, document, ("message",), MESSAGE, strip=strip)
            case "content_block_start":
                self.begin(reading, document)
                index = index_of(document)
                self._open.add(index + 1)
                self._block(reading, document.get("content_block"), index, strip=strip)
                self.rest(reading, document, ("content_block",), index + 1, strip=strip)
            case "content_block_stop":
                index = index_of(document)
                self.closed(reading, index + 1)
                self.rest(reading, document, (), index + 1, strip=strip)
            case "message_delta":
                self.begin(reading, document)
                _note(object_at(document, "delta"), reply)
                _note(document, reply)
                self.levels(reading, document, ("delta",), strip=strip)
            case "message_stop":
                self.ended(reading)
                reading.done = True
                self.rest(reading, document, (), MESSAGE, strip=strip)
            case "ping" | "error":
                reading.error = kind == "error"
                self.levels(reading, document, ("error",), strip=strip)
            case _:
                raise UnknownEventError(kind if isinstance(kind, str) else "")
        return reading

    def _delta(self, reading: Reading, document: JsonObject, *, strip: bool) -> None:
        index, delta = index_of(document), object_at(document, "delta")
        self._open.add(index + 1)
        kind = delta.get("type")
        found = _DELTAS.get(kind) if isinstance(kind, str) else None
        if found is None:
            if kind not in _WHOLE:
                raise UnknownEventError(kind if isinstance(kind, str) else "content_block_delta")
            self.begin(reading, document)
            self.rest(reading, delta, (), index + 1, strip=strip)
            self.rest(reading, document, ("delta",), index + 1, strip=strip)
            return
        key, name = found
        text = delta.get(key)
        if isinstance(text, str):
            if text:
                reading.pieces.append(Piece(delta, key, text, self._place(index, name), "flow"))
        elif text is not None:
            raise UnreadableError
        if len(document) == 3 and len(delta) == 1 + (key in delta):
            reading.keys = 3 + len(delta)
        else:
            self.rest(reading, delta, (key,), index + 1, strip=strip)
            self.rest(reading, document, ("delta",), index + 1, strip=strip)

    def _message(self, reading: Reading, message: JsonObject, reply: Reply, *, strip: bool) -> None:
        content = message.get("content")
        if not isinstance(content, list) or len(content) > MOST:
            raise UnreadableError
        for index, block in enumerate(content):
            self._block(reading, block, index, strip=strip)
        _note(message, reply)
        self.rest(reading, message, ("content",), MESSAGE, strip=strip)

    def _block(self, reading: Reading, block: Json, index: int, *, strip: bool) -> None:
        """A block, whole or as it begins."""
        if not isinstance(block, dict):
            raise UnreadableError
        read: set[str] = set()
        for name in ("text", "thinking"):
            value = block.get(name)
            if isinstance(value, str):
                read.add(name)
                if value:
                    reading.pieces.append(Piece(block, name, value, self._place(index, name), "flow"))
        if str(block.get("type")).endswith("tool_use"):
            for name in _NAMES:
                if name in block:
                    read.add(name)
                    self.complete(reading, block, name, index + 1, (name,), strip=strip, tool=True)
        if isinstance(given := block.get("input"), dict):
            read.add("input")
            reading.keys += keys(given)
            if given:
                reading.pieces.append(Piece(block, "input", "", self._place(index, "arguments"), "object"))
        self.rest(reading, block, read, index + 1, strip=strip)

    def _place(self, index: int, name: str) -> Place:
        found = self._places.get((index, name))
        if found is None:
            tool = name == "arguments"
            form: Literal["text", "json"] = "json" if tool else "text"
            found = self._places[index, name] = Place((index + 1, name), (name,), tool, form)
        return found

    def is_sealed(self, piece: Piece) -> bool:
        if piece.key == "data" and isinstance(piece.holder, dict):
            return piece.holder.get("type") in _UNREADABLE
        return super().is_sealed(piece)

    def carry(self, place: Place, text: str) -> bytes:
        kind, key = _KINDS[str(place.path[0])]
        delta: JsonObject = {"type": kind, key: text}
        document: JsonObject = {"type": "content_block_delta", "index": place.channel[0] - 1, "delta": delta}
        return sse.encode(document, "content_block_delta")


class CountReader(MetadataReader):
    """`{"input_tokens": 21}`."""

    def __init__(self) -> None:
        super().__init__(ANTHROPIC)

    def read(self, document: Json, reply: Reply, *, strip: bool) -> Reading:
        if isinstance(document, dict) and isinstance(count := document.get("input_tokens"), int):
            reply.prompt_tokens = count
        return super().read(document, reply, strip=strip)


def _note(document: JsonObject, reply: Reply) -> None:
    """Model, reason for the end, and token counts: those read from a cache count as prompt."""
    model, finish, usage = document.get("model"), document.get("stop_reason"), document.get("usage")
    if isinstance(model, str):
        reply.model = model
    if isinstance(finish, str):
        reply.finish = finish
    if not isinstance(usage, dict):
        return
    if isinstance(read := usage.get("input_tokens"), int):
        cached = [usage.get(key) for key in ("cache_read_input_tokens", "cache_creation_input_tokens")]
        reply.prompt_tokens = read + sum(count for count in cached if isinstance(count, int))
    if isinstance(said := usage.get("output_tokens"), int):
        reply.completion_tokens = said
