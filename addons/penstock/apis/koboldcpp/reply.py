"""Replies of KoboldAI's generate, whole and as events."""

from __future__ import annotations

from penstock.apis.api import Dialect
from penstock.apis.koboldcpp.errors import KOBOLD
from penstock.apis.openai.reply import nested
from penstock.apis.replies.pieces import DOCUMENT, STRIPPED, Piece, Place, Reading, UnreadableError, Walk
from penstock.apis.replies.reader import Reader
from penstock.apis.wire import sse
from penstock.exchange import Json, JsonObject, Reply


class KoboldReader(Reader):
    """`results[].text` of whole replies; `token` of events, until one says why it is the last."""

    dialect: Dialect = KOBOLD

    def __init__(self) -> None:
        self._walk = Walk()

    def read(self, document: Json, reply: Reply, *, strip: bool) -> Reading:
        if not isinstance(document, dict):
            raise UnreadableError
        reading = Reading()
        reading.error = document.get("error") is not None or document.get("detail") is not None
        if reading.error:
            self._walk.object(reading, document, DOCUMENT, (), strip=strip)
            return reading
        reading.keys += len(document)
        for key, inner in list(document.items()):
            if key == "results" and isinstance(inner, list):
                for at, item in enumerate(inner):
                    self._result(reading, item, at, reply, strip=strip)
            else:
                self._field(reading, document, key, 0, reply, strip=strip)
        self._walk.keyed(reading, document, 0)
        if isinstance(document.get("token"), str) and _ended(document):
            reading.done, reading.closes = True, (0,)
        return reading

    def _result(self, reading: Reading, result: Json, index: int, reply: Reply, *, strip: bool) -> None:
        if not isinstance(result, dict):
            raise UnreadableError
        reading.keys += len(result)
        for key in list(result):
            self._field(reading, result, key, index, reply, strip=strip)
        self._walk.keyed(reading, result, index)
        prompt, said = result.get("prompt_tokens"), result.get("completion_tokens")
        if isinstance(prompt, int):
            reply.prompt_tokens = prompt
        if isinstance(said, int):
            reply.completion_tokens = said

    def _field(self, reading: Reading, holder: JsonObject, key: str, index: int, reply: Reply, *, strip: bool) -> None:
        value = holder[key]
        if value is None:
            return
        if key in STRIPPED:
            if strip:
                self._walk.strip(reading, holder, key)
        elif key in ("token", "text") and isinstance(value, str):
            if value:
                reading.pieces.append(Piece(holder, key, value, self._walk.place(index, (key,)), "flow"))
        elif key == "finish_reason" and isinstance(value, str):
            if _ended(holder) and self._walk.structural(value):
                reply.finish = value
            self._walk.string(reading, holder, key, value, index, (key,))
        else:
            self._walk.value(reading, holder, key, index, (key,), strip=strip)

    def carry(self, place: Place, text: str) -> bytes:
        return sse.encode({"token": "", "finish_reason": None, **nested(place.path, text)}, "message")


def _ended(document: JsonObject) -> bool:
    """Whether it is the last event: releases up to 2024 say the word `null` until then."""
    return document.get("finish_reason") not in (None, "", "null")
