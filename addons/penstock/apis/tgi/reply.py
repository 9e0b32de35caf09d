"""Replies of Text Generation Inference, whole and as events."""

from __future__ import annotations

import re
from typing import Final

from penstock.apis.api import Dialect
from penstock.apis.calls.generating import nothing
from penstock.apis.openai.reply import nested
from penstock.apis.replies.pieces import DOCUMENT, Piece, Place, Reading, UnreadableError, Walk
from penstock.apis.replies.reader import Reader
from penstock.apis.tei.errors import TEI
from penstock.apis.wire import sse
from penstock.exchange import Json, JsonObject, Reply

# The text once more, token by token, with what else might have been said, or the prompt so.
_AGAIN: Final = frozenset({"tokens", "prefill", "top_tokens"})
# Marks of a model's own, which clients leave out of the text.
_SPECIAL: Final = re.compile(r"</?\|?[A-Za-z_ ]{1,32}\|?>")
_NUMBERS: Final = frozenset({"id", "special", "logprob"})
_KNOWN: Final = _NUMBERS | {"text"}
_TOKEN: Final = ("token", "text")


class TgiReader(Reader):
    """`generated_text` of whole replies; `token.text` of events, the last of which has `generated_text` too.

    Special tokens are no part of what flows: clients leave them out, and would join what stands around them.
    """

    dialect: Dialect = TEI

    def __init__(self, prompt: str = "") -> None:
        """`prompt`: what `return_full_text` puts before the generated text."""
        self._prompt = prompt
        self._walk = Walk()
        self._said: list[str] = []
        self._index: Json = 0

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
        reading.error |= value.get("error") is not None
        reading.keys += len(value)
        streamed = isinstance(value.get("token"), dict)
        if streamed:
            self._index = value.get("index", 0)
            if isinstance(value.get("generated_text"), str):
                reading.done, reading.closes = True, (0,)
        for key, inner in value.items():
            if nothing(inner):
                continue
            if key == "token" and isinstance(inner, dict):
                self._token(reading, inner, strip=strip)
            elif key == "generated_text" and isinstance(inner, str):
                self._text(reading, value, inner, at, repeats=streamed)
            elif key in _AGAIN:
                _empty(reading, value, key, strip=strip)
            elif key == "details" and isinstance(inner, dict):
                self._details(reading, inner, at, reply, strip=strip)
            elif isinstance(inner, str):
                self._walk.string(reading, value, key, inner, DOCUMENT if reading.error else at, (key,))
            else:
                self._walk.value(reading, value, key, at, (key,), strip=strip)
        self._walk.keyed(reading, value, at)

    def _text(self, reading: Reading, value: JsonObject, text: str, at: int, *, repeats: bool) -> None:
        """The generated text: in a stream, what was said before. If it is more than that, it counts as a text too."""
        if text:
            again = repeats and self._again(text)
            place = self._walk.place(at, ("generated_text",))
            reading.pieces.append(Piece(value, "generated_text", text, place, "repeat" if again else "unit"))

    def _again(self, text: str) -> bool:
        said = "".join(self._said).strip()
        return text.removeprefix(self._prompt).strip() == said or text.strip() == said

    def _token(self, reading: Reading, token: JsonObject, *, strip: bool) -> None:
        reading.keys += len(token)
        text = token.get("text")
        if not isinstance(text, str) or not all(nothing(token.get(key)) for key in _NUMBERS):
            raise UnreadableError
        if strip and isinstance(token.get("id"), int) and token["id"] != 0:
            token["id"] = 0
            reading.edited = True
        if token.get("special") is not True:
            self._said.append(text)
            if text:
                reading.pieces.append(Piece(token, "text", text, self._walk.place(0, _TOKEN), "flow"))
        elif text and not _SPECIAL.fullmatch(text):
            reading.pieces.append(Piece(token, "text", text, self._walk.place(0, ("token", "special")), "unit"))
        for key in sorted(token.keys() - _KNOWN):
            self._walk.value(reading, token, key, 0, ("token", key), strip=strip)
        self._walk.keyed(reading, token, 0, ("token",))

    def _details(self, reading: Reading, details: JsonObject, at: int, reply: Reply, *, strip: bool) -> None:
        reading.keys += len(details)
        self._note(details, reply)
        for key, inner in details.items():
            if key in _AGAIN:
                _empty(reading, details, key, strip=strip)
            elif key == "best_of_sequences" and isinstance(inner, list):
                for number, sequence in enumerate(inner):
                    self._sequence(reading, sequence, at, number, strip=strip)
            elif key == "finish_reason" and isinstance(inner, str):
                self._walk.string(reading, details, key, inner, at, ("details", key))
            elif inner is not None:
                self._walk.value(reading, details, key, at, ("details", key), strip=strip)
        self._walk.keyed(reading, details, at, ("details",))

    def _sequence(self, reading: Reading, sequence: Json, at: int, number: int, *, strip: bool) -> None:
        """One of the best of several: a text of its own."""
        if not isinstance(sequence, dict):
            raise UnreadableError
        reading.keys += len(sequence)
        for key, inner in sequence.items():
            path = ("best_of_sequences", number, key)
            if key in _AGAIN:
                _empty(reading, sequence, key, strip=strip)
            elif key == "finish_reason" and isinstance(inner, str):
                self._walk.string(reading, sequence, key, inner, at, path)
            elif inner is not None:
                self._walk.value(reading, sequence, key, at, path, strip=strip)
        self._walk.keyed(reading, sequence, at, ("best_of_sequences", number))

    def _note(self, details: JsonObject, reply: Reply) -> None:
        finish, said, read = details.get("finish_reason"), details.get("generated_tokens"), details.get("input_length")
        if isinstance(finish, str) and self._walk.structural(finish):
            reply.finish = finish
        if isinstance(said, int):
            reply.completion_tokens = said
        if isinstance(read, int):
            reply.prompt_tokens = read
        elif isinstance(prefill := details.get("prefill"), list) and prefill:
            reply.prompt_tokens = len(prefill)

    def carry(self, place: Place, text: str) -> bytes:
        about: JsonObject = {"index": self._index, "generated_text": None, "details": None}
        if place.path != _TOKEN:
            return sse.encode({**about, **nested(place.path, text)})
        token: JsonObject = {"id": 0, "text": text, "logprob": 0.0, "special": False}
        return sse.encode({**about, "token": token})


def _empty(reading: Reading, holder: JsonObject, key: str, *, strip: bool) -> None:
    """With `strip`, an empty list in place of one: clients go through it."""
    if strip and holder[key]:
        holder[key] = []
        reading.edited = True
