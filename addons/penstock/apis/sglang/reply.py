"""Replies of SGLang's generate, whole and as events; LMDeploy's have the same form."""

from __future__ import annotations

from typing import Final

from penstock.apis.api import Dialect
from penstock.apis.calls.generating import nothing
from penstock.apis.dialects import OPENAI
from penstock.apis.openai.reply import nested
from penstock.apis.replies.pieces import DOCUMENT, STRIPPED, Piece, Place, Reading, UnreadableError, Walk
from penstock.apis.replies.reader import Reader
from penstock.apis.sglang.growth import Growth
from penstock.apis.wire import sse
from penstock.exchange import Json, JsonObject, Reply

_TEXT: Final = ("text",)


class SglangReader(Reader):
    """`text`, by `index`: of whole replies; of events all of it so far, or, where the server is told so, what is new.

    A text ends with `meta_info.finish_reason`; the stream with `[DONE]`.
    """

    dialect: Dialect = OPENAI
    END = b"[DONE]"

    def __init__(self, *, cumulative: bool | None = None, choices: int = 1) -> None:
        """`cumulative`: whether each event repeats the text; None when only the events can tell. `choices`: how many
        texts the call asked for."""
        self.choices = choices
        self._growth = Growth(cumulative)
        self._walk = Walk()
        self._last: JsonObject = {}
        self._counts: dict[int, tuple[int, int]] = {}

    def read(self, document: Json, reply: Reply, *, strip: bool) -> Reading:
        reading = Reading()
        if isinstance(document, list):
            for at, item in enumerate(document):
                self._object(reading, item, at, reply, strip=strip)
        else:
            self._object(reading, document, 0, reply, strip=strip)
        return reading

    def _object(self, reading: Reading, value: Json, at: int, reply: Reply, *, strip: bool) -> None:
        if not isinstance(value, dict):
            raise UnreadableError
        if value.get("error") is not None or value.get("object") == "error":
            reading.error = True
            self._walk.object(reading, value, DOCUMENT, (), strip=strip)
            return
        index = value.get("index", at)
        if not isinstance(index, int) or isinstance(index, bool) or index < 0:
            raise UnreadableError
        self._last = value
        reading.keys += len(value)
        meta = value.get("meta_info")
        ended = isinstance(meta, dict) and meta.get("finish_reason") is not None
        if ended:
            reading.closes = (*reading.closes, index)
        for key, inner in value.items():
            if key == "text" and isinstance(inner, str):
                self._text(reading, value, inner, index, strip=strip, ended=ended)
            elif nothing(inner):
                continue
            elif key in STRIPPED:
                _empty(reading, value, key, strip=strip)
            elif key == "meta_info" and isinstance(inner, dict):
                self._meta(reading, inner, index, reply, strip=strip)
            elif isinstance(inner, str):
                self._walk.string(reading, value, key, inner, index, (key,))
            else:
                self._walk.value(reading, value, key, index, (key,), strip=strip)
        self._walk.keyed(reading, value, index)

    def _text(self, reading: Reading, value: JsonObject, text: str, index: int, *, strip: bool, ended: bool) -> None:
        whole = ended or not isinstance(value.get("meta_info"), dict)
        mode, more = self._growth.read(index, text, value, hold=strip, ended=whole)
        if more != text:
            value["text"] = more
            reading.edited = True
        if mode == "cumulative" or (mode == "flow" and more):
            reading.pieces.append(Piece(value, "text", more, self._walk.place(index, _TEXT), mode))

    def _meta(self, reading: Reading, meta: JsonObject, index: int, reply: Reply, *, strip: bool) -> None:
        reading.keys += len(meta)
        for key, inner in meta.items():
            if nothing(inner):
                continue
            if isinstance(inner, list) or key in STRIPPED or "logprobs" in key:
                # Log probabilities, token ids, hidden states, experts: the text again, or the prompt.
                _empty(reading, meta, key, strip=strip)
            elif key == "finish_reason" and isinstance(inner, dict):
                self._finish(reading, inner, index, reply, strip=strip)
            elif isinstance(inner, str):
                self._walk.string(reading, meta, key, inner, index, ("meta_info", key))
            else:
                self._walk.value(reading, meta, key, index, ("meta_info", key), strip=strip)
        self._walk.keyed(reading, meta, index, ("meta_info",))
        prompt, said = meta.get("prompt_tokens"), meta.get("completion_tokens")
        if isinstance(prompt, int) and isinstance(said, int):
            self._counts[index] = prompt, said
            reply.prompt_tokens = sum(each[0] for each in self._counts.values())
            reply.completion_tokens = sum(each[1] for each in self._counts.values())

    def _finish(self, reading: Reading, reason: JsonObject, index: int, reply: Reply, *, strip: bool) -> None:
        """Why it ended, with the stop word that was matched, or a message."""
        reading.keys += len(reason)
        for key, inner in reason.items():
            path = ("meta_info", "finish_reason", key)
            if key == "type" and isinstance(inner, str) and self._walk.structural(inner):
                reply.finish = inner
            elif isinstance(inner, str) and inner:
                reading.pieces.append(Piece(reason, key, inner, self._walk.place(index, path), "unit"))
            else:
                self._walk.value(reading, reason, key, index, path, strip=strip)
        self._walk.keyed(reading, reason, index, ("meta_info", "finish_reason"))

    def carry(self, place: Place, text: str) -> bytes:
        index = place.channel[0]
        if index == DOCUMENT:
            return sse.encode(nested(place.path, text))
        about: JsonObject = {"index": index} if "index" in self._last else {}
        bare: JsonObject = {"text": "", "output_ids": [], "meta_info": {"finish_reason": None}}
        return sse.encode({**bare, **about, **nested(place.path, text)})


def _empty(reading: Reading, holder: JsonObject, key: str, *, strip: bool) -> None:
    """With `strip`, empties a field; its type stays, where it has one that can be empty."""
    inner = holder[key]
    bare: Json = [] if isinstance(inner, list) else None
    if strip and inner != bare:
        holder[key] = bare
        reading.edited = True
