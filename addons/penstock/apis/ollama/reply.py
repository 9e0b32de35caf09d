"""Replies of Ollama's chat and generate, whole and as lines."""

from __future__ import annotations

from typing import Final, Literal

from penstock.apis.api import Dialect
from penstock.apis.dialects import OLLAMA
from penstock.apis.openai.reply import nested
from penstock.apis.replies.pieces import STRIPPED, Piece, Place, Reading, UnreadableError, Walk
from penstock.apis.replies.reader import Reader
from penstock.apis.wire import ndjson
from penstock.apis.wire.body import keys
from penstock.exchange import Json, JsonObject, Path, Reply

_FLOWS: Final = frozenset({"content", "thinking", "response"})
_PLAIN: Final = frozenset({"model", "created_at", "message", "done"})
_SAID: Final = frozenset({"role", "content"})
_CONTENT: Final[Path] = ("message", "content")
_HEAD: Final = ("model", "remote_model", "remote_host", "created_at")


class OllamaReader(Reader):
    """`message.content`, `message.thinking` and `response`, one choice; tool calls come whole, arguments as objects."""

    framing: Literal["ndjson"] = "ndjson"
    dialect: Dialect = OLLAMA
    events: frozenset[str] = frozenset({""})

    def __init__(self) -> None:
        self._walk = Walk()
        self._last: JsonObject = {}
        self._calls = 0

    def read(self, document: Json, reply: Reply, *, strip: bool) -> Reading:
        if not isinstance(document, dict):
            raise UnreadableError
        if (plain := self._plain(document, reply)) is not None:
            return plain
        reading = Reading()
        reading.error = document.get("error") is not None
        self._last = document
        self._object(reading, document, (), strip=strip)
        if document.get("done") is True:
            reading.done = True
            reading.closes = (0,)
        _note(document, reply)
        return reading

    def _plain(self, document: JsonObject, reply: Reply) -> Reading | None:
        """A line of a chat that says a piece of content and no more, as nearly all do; None for any other."""
        message = document.get("message")
        if message.__class__ is not dict or document.keys() != _PLAIN or message.keys() != _SAID:
            return None
        assert isinstance(message, dict)
        content, created = message["content"], document["created_at"]
        if (
            document["done"] is not False
            or document["model"] != reply.model
            or message["role"] != "assistant"
            or not isinstance(content, str)
            or not isinstance(created, str)
            or not self._walk.structural(created)
        ):
            return None
        reading = Reading()
        reading.keys = len(_PLAIN) + len(_SAID)
        self._last = document
        if content:
            reading.pieces.append(Piece(message, "content", content, self._walk.place(0, _CONTENT), "flow"))
        return reading

    def _object(self, reading: Reading, value: JsonObject, path: Path, *, strip: bool) -> None:
        """The document, or the message in it."""
        reading.keys += len(value)
        walk = self._walk
        for key, inner in value.items():
            if inner is None:
                continue
            here = (*path, key)
            if isinstance(inner, str):
                if key not in _FLOWS:
                    walk.string(reading, value, key, inner, 0, here)
                elif inner:
                    reading.pieces.append(Piece(value, key, inner, walk.place(0, here), "flow"))
            elif strip and key in STRIPPED:
                walk.strip(reading, value, key)
            elif key == "message" and isinstance(inner, dict) and not path:
                self._object(reading, inner, here, strip=strip)
            elif key == "tool_calls" and isinstance(inner, list):
                for call in inner:
                    self._tool_call(reading, call, here, strip=strip)
            else:
                walk.value(reading, value, key, 0, here, strip=strip)
        walk.keyed(reading, value, 0, path)

    def _tool_call(self, reading: Reading, call: Json, path: Path, *, strip: bool) -> None:
        """A whole call. Later lines bring other calls, so each gets the next number."""
        if not isinstance(call, dict):
            raise UnreadableError
        number, self._calls = self._calls, self._calls + 1
        reading.keys += len(call)
        for key, value in call.items():
            here = (*path, number, key)
            if key == "function" and isinstance(value, dict):
                reading.keys += len(value)
                self._function(reading, value, here, strip=strip)
            elif isinstance(value, str):
                if value and not self._walk.structural(value):
                    reading.pieces.append(Piece(call, key, value, self._walk.place(0, here, tool=True), "unit"))
            elif value is not None:
                self._walk.value(reading, call, key, 0, here, strip=strip)
        self._walk.keyed(reading, call, 0, (*path, number))

    def _function(self, reading: Reading, function: JsonObject, path: Path, *, strip: bool) -> None:
        for key, value in function.items():
            place = self._walk.place(0, (*path, key), tool=True)
            if isinstance(value, str) and value:
                reading.pieces.append(Piece(function, key, value, place, "unit"))
            elif isinstance(value, dict):
                reading.keys += keys(value)
                reading.pieces.append(Piece(function, key, "", place, "object"))
            elif value is not None:
                self._walk.value(reading, function, key, 0, place.path, strip=strip)
        self._walk.keyed(reading, function, 0, path)

    def carry(self, place: Place, text: str) -> bytes:
        document: JsonObject = self._walk.head(self._last, _HEAD)
        said = nested(place.path, text)
        if isinstance(message := said.get("message"), dict):
            # Clients take `content` for granted.
            said["message"] = {"role": "assistant", "content": "", **message}
        elif "response" not in said and "response" in self._last:
            said["response"] = ""
        return ndjson.encode({**document, **said, "done": False})


def _note(document: JsonObject, reply: Reply) -> None:
    """Token counts, the reason for the end, and the model."""
    prompt, completion = document.get("prompt_eval_count"), document.get("eval_count")
    finish, model = document.get("done_reason"), document.get("model")
    if isinstance(prompt, int):
        reply.prompt_tokens = prompt
    if isinstance(completion, int):
        reply.completion_tokens = completion
    if isinstance(finish, str) and finish:
        reply.finish = finish
    if isinstance(model, str):
        reply.model = model
