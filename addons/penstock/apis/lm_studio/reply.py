"""Replies of LM Studio's own chat: whole, or named events of which the last says everything again."""

from __future__ import annotations

from typing import Final

from penstock.apis.api import Dialect
from penstock.apis.lm_studio.errors import LM_STUDIO
from penstock.apis.replies.pieces import Mode, Piece, Place, Reading, UnknownEventError, UnreadableError
from penstock.apis.replies.typed import MESSAGE, MOST, TypedReader, object_at
from penstock.apis.wire import sse
from penstock.apis.wire.body import keys
from penstock.exchange import Json, JsonObject, Reply

_TEXTS: Final = frozenset({"message", "reasoning"})
_COMPLETE: Final = frozenset({"content", "output", "reason"})
_NAMES: Final = frozenset({"tool", "tool_name"})
_TOOLS: Final = frozenset({"tool_call.start", "tool_call.arguments", "tool_call.success", "tool_call.failure"})
_PROGRESS: Final = frozenset(
    {
        "chat.start",
        "model_load.start",
        "model_load.progress",
        "model_load.end",
        "prompt_processing.start",
        "prompt_processing.progress",
        "prompt_processing.end",
        "error",
    }
)
_FLOW: Final = frozenset(f"{text}.{part}" for text in _TEXTS for part in ("start", "delta", "end"))
_KINDS: Final = frozenset({"chat.end", *_FLOW, *_TOOLS, *_PROGRESS})


class LmStudioReader(TypedReader):
    """`output[]`: messages, reasoning and calls of tools that ran on the server, one behind the other.

    The events do not number them, so they are numbered as they begin. `chat.end` has the whole result: what was said
    before is masked again and not counted again, and what was not is read like any other text.
    """

    dialect: Dialect = LM_STUDIO
    events = frozenset({"", *_KINDS})
    structure = frozenset({"model_instance_id", "response_id", "plugin_id"})

    def __init__(self) -> None:
        super().__init__()
        self._places: dict[tuple[int, str], Place] = {}
        self._number = 0
        self._said: dict[int, list[str]] = {}
        self._heard: set[str] = set()
        """Every text that was delivered to its end."""

    def read(self, document: Json, reply: Reply, *, strip: bool) -> Reading:
        if not isinstance(document, dict):
            raise UnreadableError
        reading, kind = Reading(), document.get("type")
        if kind is None:
            self._result(reading, document, reply, strip=strip)
            return reading
        if not isinstance(kind, str) or kind not in _KINDS:
            raise UnknownEventError(kind if isinstance(kind, str) else "")
        self.begin(reading, document)
        if kind in _FLOW:
            self._flow(reading, document, kind, strip=strip)
        elif kind in _TOOLS:
            if kind == "tool_call.start":
                self._next()
            self._item(reading, document, self._number, strip=strip)
        elif kind == "chat.end":
            self._result(reading, object_at(document, "result"), reply, strip=strip)
            self.rest(reading, document, ("result",), MESSAGE, strip=strip)
            self.ended(reading)
            reading.done = True
        else:
            if isinstance(model := document.get("model_instance_id"), str):
                reply.model = model
            reading.error = kind == "error"
            self.levels(reading, document, ("error",), strip=strip)
        return reading

    def _next(self) -> None:
        self._number += 1
        if self._number > MOST:
            raise UnreadableError

    def _flow(self, reading: Reading, document: JsonObject, kind: str, *, strip: bool) -> None:
        """A part of a message or of reasoning; a delta that none began begins one."""
        name, _, part = kind.partition(".")
        if part == "start" or self._number not in self._open:
            self._next()
            self._open.add(self._number)
        number = self._number
        content = document.get("content")
        if isinstance(content, str) and content:
            self._said.setdefault(number, []).append(content)
            reading.pieces.append(Piece(document, "content", content, self._place(number, name), "flow"))
        if part == "end":
            self._heard.add("".join(self._said.pop(number, ())))
            self.closed(reading, number)
        if len(document) == 2 and isinstance(content, str):
            reading.keys += 2
            return
        self.rest(reading, document, ("content",) if isinstance(content, str) else (), number, strip=strip)

    def _result(self, reading: Reading, result: JsonObject, reply: Reply, *, strip: bool) -> None:
        """The whole of it; the last word on what was said."""
        self._heard.update("".join(parts) for parts in self._said.values())
        output = result.get("output")
        if not isinstance(output, list) or len(output) > MOST:
            raise UnreadableError
        first = self._number + 1
        for number, item in enumerate(output, first):
            if not isinstance(item, dict):
                raise UnreadableError
            self._item(reading, item, number, strip=strip)
        if isinstance(model := result.get("model_instance_id"), str):
            reply.model = model
        _note(result.get("stats"), reply)
        self.rest(reading, result, ("output",), MESSAGE, strip=strip)

    def _item(self, reading: Reading, item: JsonObject, number: int, *, strip: bool) -> None:
        """An item of the output, an event about one, or what it says of a call that failed; all in it is complete."""
        read: set[str] = set()
        for key, value in item.items():
            if key in _COMPLETE and isinstance(value, str):
                name = str(item["type"]) if key == "content" and item.get("type") in _TEXTS else key
                mode: Mode = "repeat" if value in self._heard else "unit"
                reading.pieces.append(Piece(item, key, value, self._place(number, name), mode))
                self._heard.add(value)
            elif key == "arguments" and isinstance(value, dict):
                reading.keys += keys(value)
                reading.pieces.append(Piece(item, key, "", self._place(number, key), "object"))
            elif key == "metadata" and isinstance(value, dict):
                self._item(reading, value, number, strip=strip)
            elif key in _NAMES:
                self.complete(reading, item, key, number, (key,), strip=strip, tool=True)
            else:
                continue
            read.add(key)
        self.rest(reading, item, read, number, strip=strip)

    def _place(self, number: int, name: str) -> Place:
        found = self._places.get((number, name))
        if found is None:
            found = self._places[number, name] = Place((number, name), (name,), tool=name == "arguments")
        return found

    def carry(self, place: Place, text: str) -> bytes:
        kind = f"{place.path[0]}.delta"
        return sse.encode({"type": kind, "content": text}, kind)


def _note(stats: Json, reply: Reply) -> None:
    if not isinstance(stats, dict):
        return
    if isinstance(read := stats.get("input_tokens"), int):
        reply.prompt_tokens = read
    if isinstance(said := stats.get("total_output_tokens"), int):
        reply.completion_tokens = said
