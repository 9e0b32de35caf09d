"""Replies of llama.cpp's own completions, whole and as events."""

from __future__ import annotations

from typing import Final

from penstock.apis.api import Dialect
from penstock.apis.calls.generating import nothing
from penstock.apis.dialects import OPENAI
from penstock.apis.openai.reply import nested
from penstock.apis.replies.pieces import DOCUMENT, STRIPPED, Piece, Place, Reading, UnreadableError, Walk
from penstock.apis.replies.reader import Reader
from penstock.apis.wire import sse
from penstock.exchange import Json, JsonObject, Reply

# What says the text again, token by token, or says the prompt.
_AGAIN: Final = STRIPPED | {"prompt"}
_HEAD: Final = ("id_slot", "tokens_predicted", "tokens_evaluated")


class NativeReader(Reader):
    """`content`, by `index`. A text ends with `stop: true`; the stream, when all of them have."""

    dialect: Dialect = OPENAI

    def __init__(self, expected: int | None) -> None:
        """`expected`: how many texts the reply has; None when nobody knows (then it ends with its bytes)."""
        self._expected = expected
        self.choices = expected or 1
        self._walk = Walk()
        self._last: JsonObject = {}
        self._ended: set[int] = set()
        self._counts: dict[int, tuple[int, int]] = {}

    def read(self, document: Json, reply: Reply, *, strip: bool) -> Reading:
        reading = Reading()
        if isinstance(document, list):
            for at, item in enumerate(document):
                self._text(reading, item, at, reply, strip=strip)
            return reading
        self._text(reading, document, 0, reply, strip=strip)
        self._ended.update(reading.closes)
        reading.done = bool(reading.closes) and len(self._ended) == self._expected
        return reading

    def _text(self, reading: Reading, value: Json, at: int, reply: Reply, *, strip: bool) -> None:
        if not isinstance(value, dict):
            raise UnreadableError
        if value.get("error") is not None:
            reading.error = True
            self._walk.object(reading, value, DOCUMENT, (), strip=strip)
            return
        index = value.get("index", at)
        if not isinstance(index, int) or isinstance(index, bool) or index < 0:
            raise UnreadableError
        self._last = value
        reading.keys += len(value)
        walk = self._walk
        for key, inner in value.items():
            if nothing(inner):
                continue
            if key in _AGAIN or ("/" in key and not _AGAIN.isdisjoint(key.split("/"))):
                _empty(reading, value, key, strip=strip)
            elif key == "content" and isinstance(inner, str):
                if inner:
                    reading.pieces.append(Piece(value, key, inner, walk.place(index, (key,)), "flow"))
            elif key == "stop_type" and isinstance(inner, str) and walk.structural(inner):
                if inner != "none":
                    reply.finish = inner
            elif key == "stopping_word" and isinstance(inner, str):
                if inner:
                    reading.pieces.append(Piece(value, key, inner, walk.place(index, (key,)), "unit"))
            elif isinstance(inner, str):
                walk.string(reading, value, key, inner, index, (key,))
            else:
                walk.value(reading, value, key, index, (key,), strip=strip)
        walk.keyed(reading, value, index)
        if value.get("stop") is True:
            reading.closes = (*reading.closes, index)
        self._note(value, index, reply)

    def _note(self, value: JsonObject, index: int, reply: Reply) -> None:
        """Token counts, of all texts together, and the model."""
        prompt, completion, model = value.get("tokens_evaluated"), value.get("tokens_predicted"), value.get("model")
        if isinstance(prompt, int) and isinstance(completion, int):
            self._counts[index] = prompt, completion
            reply.prompt_tokens = sum(each[0] for each in self._counts.values())
            reply.completion_tokens = sum(each[1] for each in self._counts.values())
        if isinstance(model, str):
            reply.model = model

    def carry(self, place: Place, text: str) -> bytes:
        index = place.channel[0]
        if place.path == ("content",):
            head: JsonObject = self._walk.head(self._last, _HEAD)
            return sse.encode({"index": index, "content": text, "tokens": [], "stop": False, **head})
        about: JsonObject = {} if index == DOCUMENT else {"index": index, "content": "", "tokens": [], "stop": False}
        return sse.encode({**about, **nested(place.path, text)})


def _empty(reading: Reading, value: JsonObject, key: str, *, strip: bool) -> None:
    """With `strip`, empties a field; its type stays, where it has one that can be empty."""
    inner = value[key]
    bare: Json = [] if isinstance(inner, list) else "" if isinstance(inner, str) else None
    if strip and inner != bare:
        value[key] = bare
        reading.edited = True
