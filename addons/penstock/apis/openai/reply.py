"""Replies of OpenAI's chat completions and completions, whole and as events, of every server that speaks it."""

from __future__ import annotations

from typing import Final, Literal

from penstock.apis.api import Dialect
from penstock.apis.dialects import OPENAI
from penstock.apis.openai.repeat import FLOWS, Repeat
from penstock.apis.replies.pieces import DOCUMENT, STRIPPED, Piece, Place, Reading, UnreadableError, Walk
from penstock.apis.replies.reader import Reader
from penstock.apis.wire import sse
from penstock.apis.wire.body import keys
from penstock.exchange import Json, JsonObject, Path, Reply

# What an event repeats of the reply as a whole.
_HEAD: Final = ("id", "object", "created", "model", "system_fingerprint")


class OpenAiReader(Reader):
    """`choices[].delta`, `choices[].message` and `choices[].text`, by index and field."""

    dialect: Dialect = OPENAI
    END = b"[DONE]"

    def __init__(self, choices: int = 1) -> None:
        """`choices`: how many the call asked for."""
        self.choices = choices
        self._walk = Walk()
        self._repeat = Repeat(self._walk)
        self._last: JsonObject = {}

    def read(self, document: Json, reply: Reply, *, strip: bool) -> Reading:
        if not isinstance(document, dict):
            raise UnreadableError
        self._last = document
        if (same := self._repeat.read(document)) is not None:
            return same
        walk, reading = self._walk, Reading()
        reading.keys = len(document)
        for key, value in document.items():
            if isinstance(value, str):
                walk.string(reading, document, key, value, DOCUMENT, (key,))
            elif key == "choices" and isinstance(value, list):
                for at, choice in enumerate(value):
                    self._choice(reading, choice, at, reply, strip=strip)
            elif value is None:
                continue
            elif strip and key in STRIPPED:
                walk.strip(reading, document, key)
            else:
                if key == "usage" or key == "timings":
                    _note(value, reply)
                walk.value(reading, document, key, DOCUMENT, (key,), strip=strip)
        walk.keyed(reading, document, DOCUMENT)
        reading.error = document.get("error") is not None or document.get("object") == "error"
        model = document.get("model")
        if isinstance(model, str):
            reply.model = model
        self._repeat.learn(document, reading)
        return reading

    def _choice(self, reading: Reading, choice: Json, at: int, reply: Reply, *, strip: bool) -> None:
        if not isinstance(choice, dict):
            raise UnreadableError
        index = choice.get("index", at)
        if not isinstance(index, int) or isinstance(index, bool) or index < 0:
            raise UnreadableError
        reading.keys += len(choice)
        for key, value in choice.items():
            if value is None or key == "index":
                continue
            if key in ("delta", "message") and isinstance(value, dict):
                self._message(reading, value, index, (key,), strip=strip)
            elif strip and key in STRIPPED:
                self._walk.strip(reading, choice, key)
            elif key in FLOWS and isinstance(value, str):
                self._flow(reading, choice, key, value, index, (key,))
            elif key == "finish_reason" and isinstance(value, str):
                if value:
                    reading.closes = (*reading.closes, index)
                    reply.finish = value
                self._walk.string(reading, choice, key, value, index, (key,))
            else:
                self._walk.value(reading, choice, key, index, (key,), strip=strip)
        self._walk.keyed(reading, choice, index)

    def _message(self, reading: Reading, message: JsonObject, index: int, path: Path, *, strip: bool) -> None:
        reading.keys += len(message)
        for key, value in message.items():
            if value is None:
                continue
            here = (*path, key)
            if isinstance(value, str):
                if key in FLOWS:
                    self._flow(reading, message, key, value, index, here)
                else:
                    self._walk.string(reading, message, key, value, index, here)
            elif key == "tool_calls" and isinstance(value, list):
                for at, call in enumerate(value):
                    self._tool_call(reading, call, at, index, here, strip=strip)
            elif key == "function_call" and isinstance(value, dict):
                reading.keys += len(value)
                self._function(reading, value, index, here, strip=strip)
            elif strip and key in STRIPPED:
                self._walk.strip(reading, message, key)
            elif key == "audio" and isinstance(value, dict):
                self._audio(reading, value, index, here, strip=strip)
            else:
                self._walk.value(reading, message, key, index, here, strip=strip)
        self._walk.keyed(reading, message, index, path)

    def _flow(self, reading: Reading, holder: JsonObject, key: str, value: str, index: int, path: Path) -> None:
        if value:
            reading.pieces.append(Piece(holder, key, value, self._walk.place(index, path), "flow"))

    def _tool_call(self, reading: Reading, call: Json, at: int, index: int, path: Path, *, strip: bool) -> None:
        """One call, or what an event adds to it; `index` in it says which, its position when it says nothing."""
        if not isinstance(call, dict):
            raise UnreadableError
        number = call.get("index", at)
        if not isinstance(number, int) or isinstance(number, bool):
            raise UnreadableError
        reading.keys += len(call)
        for key, value in call.items():
            here = (*path, number, key)
            if value is None or key == "index":
                continue
            if key in ("function", "custom") and isinstance(value, dict):
                reading.keys += len(value)
                self._function(reading, value, index, here, strip=strip)
            elif isinstance(value, str) and value and not self._walk.structural(value):
                place = self._walk.place(index, here, tool=True)
                reading.pieces.append(Piece(call, key, value, place, "unit"))
            elif not isinstance(value, str):
                self._walk.value(reading, call, key, index, here, strip=strip)
        self._walk.keyed(reading, call, index, (*path, number))

    def _function(self, reading: Reading, function: JsonObject, index: int, path: Path, *, strip: bool) -> None:
        for key, value in function.items():
            here = (*path, key)
            if isinstance(value, str):
                if not value:
                    continue
                form: Literal["text", "json"] = "json" if key == "arguments" else "text"
                place = self._walk.place(index, here, tool=True, form=form)
                reading.pieces.append(Piece(function, key, value, place, "name" if key == "name" else "flow"))
            elif isinstance(value, dict) and key == "arguments":
                # Some servers send the object itself, in one piece.
                reading.keys += keys(value)
                place = self._walk.place(index, here, tool=True)
                reading.pieces.append(Piece(function, key, "", place, "object"))
            elif value is not None:
                self._walk.value(reading, function, key, index, here, strip=strip)
        self._walk.keyed(reading, function, index, path)

    def _audio(self, reading: Reading, audio: JsonObject, index: int, path: Path, *, strip: bool) -> None:
        """Speech says the text again in a form that nobody can read here; its transcript is text."""
        reading.keys += len(audio)
        for key, value in audio.items():
            if key == "data" and strip:
                self._walk.strip(reading, audio, key)
            elif key == "transcript" and isinstance(value, str):
                self._flow(reading, audio, key, value, index, (*path, key))
            elif value is not None:
                self._walk.value(reading, audio, key, index, (*path, key), strip=strip)
        self._walk.keyed(reading, audio, index, path)

    def carry(self, place: Place, text: str) -> bytes:
        index, path = place.channel[0], place.path
        document: JsonObject = self._walk.head(self._last, _HEAD)
        if index == DOCUMENT:
            return sse.encode({**document, **nested(path, text)})
        choice: JsonObject = {"index": index, **nested(path, text), "finish_reason": None}
        document["choices"] = [choice]
        return sse.encode(document)


def nested(path: Path, text: str) -> JsonObject:
    """An object in which a path leads to the text. A list has one item; it says its index when it is a tool call."""
    inner: Json = text
    for at in range(len(path) - 1, 0, -1):
        part, above = path[at], path[at - 1]
        if isinstance(part, str):
            inner = {part: inner}
        elif above == "tool_calls" and isinstance(inner, dict):
            inner = [{"index": part, **inner}]
        else:
            inner = [inner]
    return {str(path[0]): inner}


def _note(value: Json, reply: Reply) -> None:
    """Token counts: OpenAI's `usage`, or llama.cpp's `timings` when there is none."""
    if not isinstance(value, dict):
        return
    prompt, completion = value.get("prompt_tokens"), value.get("completion_tokens")
    if prompt is None and completion is None:
        cached, read, said = value.get("cache_n"), value.get("prompt_n"), value.get("predicted_n")
        if reply.prompt_tokens is None and isinstance(cached, int) and isinstance(read, int):
            reply.prompt_tokens = cached + read
        if reply.completion_tokens is None and isinstance(said, int):
            reply.completion_tokens = said
        return
    if isinstance(prompt, int):
        reply.prompt_tokens = prompt
    if isinstance(completion, int):
        reply.completion_tokens = completion
