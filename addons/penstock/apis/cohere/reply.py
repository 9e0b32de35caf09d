"""Replies of Cohere's chat: a whole message, or events that open, continue and close its parts."""

from __future__ import annotations

from typing import Final, Literal

from penstock.apis.api import Dialect
from penstock.apis.cohere.errors import COHERE
from penstock.apis.replies.pieces import Piece, Place, Reading, UnknownEventError, UnreadableError
from penstock.apis.replies.typed import MESSAGE, MOST, TypedReader, index_of, object_at
from penstock.apis.wire import sse
from penstock.exchange import Json, JsonObject, Reply

# What goes on in later events, and the kind of the event that adds to it.
_FLOWS: Final = {
    "text": "content-delta",
    "thinking": "content-delta",
    "tool_plan": "tool-plan-delta",
    "arguments": "tool-call-delta",
}
_PLAN: Final = 1
"""The index of the plan; no event ends it but that of the message."""
_PARTS: Final = {"content-end": 2, "tool-call-end": 3}


class CohereReader(TypedReader):
    """`message.content[]`, `message.tool_calls[]` (by the number of each) and `message.tool_plan`.

    Citations repeat parts of the text, and quote documents; each text in them is masked by itself.
    """

    dialect: Dialect = COHERE
    END = b"[DONE]"
    events = frozenset(
        {
            "",
            "message-start",
            "content-start",
            "content-delta",
            "content-end",
            "tool-plan-delta",
            "tool-call-start",
            "tool-call-delta",
            "tool-call-end",
            "citation-start",
            "citation-end",
            "message-end",
            "debug",
        }
    )
    structure = frozenset({"finish_reason"})
    counts = frozenset({"usage"})

    def __init__(self) -> None:
        super().__init__()
        self._places: dict[tuple[int, str], Place] = {}

    def read(self, document: Json, reply: Reply, *, strip: bool) -> Reading:
        if not isinstance(document, dict):
            raise UnreadableError
        reading, kind = Reading(), document.get("type")
        match kind:
            case None:
                self._whole(reading, document, reply, strip=strip)
                return reading
            case "content-start" | "content-delta" | "tool-plan-delta" | "tool-call-start" | "tool-call-delta":
                self.begin(reading, document)
                self._delta(reading, document, kind, strip=strip)
                return reading
            case "content-end" | "tool-call-end":
                self.closed(reading, 2 * index_of(document) + _PARTS[kind])
            case "message-end":
                delta = document.get("delta")
                self.ended(reading)
                if isinstance(delta, dict):
                    reading.error = delta.get("error") is not None
                    _note(delta, reply)
            case "message-start" | "citation-start" | "citation-end" | "debug":
                self.begin(reading, document)
            case _:
                raise UnknownEventError(kind if isinstance(kind, str) else "")
        self.levels(reading, document, ("delta", "message", "citations"), strip=strip)
        return reading

    def _whole(self, reading: Reading, document: JsonObject, reply: Reply, *, strip: bool) -> None:
        message = object_at(document, "message")
        self._message(reading, message, strip=strip)
        _note(document, reply)
        self.rest(reading, document, ("message",), MESSAGE, strip=strip)

    def _message(self, reading: Reading, message: JsonObject, *, strip: bool) -> None:
        content, calls = message.get("content") or [], message.get("tool_calls") or []
        if not isinstance(content, list) or not isinstance(calls, list) or max(len(content), len(calls)) > MOST:
            raise UnreadableError
        for index, part in enumerate(content):
            self._part(reading, part, index, strip=strip)
        for index, call in enumerate(calls):
            self._call(reading, call, index, strip=strip)
        self._flow(reading, message, "tool_plan", _PLAN)
        self.rest(reading, message, ("content", "tool_calls", "tool_plan"), MESSAGE, strip=strip)

    def _delta(self, reading: Reading, document: JsonObject, kind: str, *, strip: bool) -> None:
        """What an event adds to one part of the message."""
        delta = object_at(document, "delta")
        message = object_at(delta, "message")
        if kind == "tool-plan-delta":
            self._open.add(_PLAN)
            self._flow(reading, message, "tool_plan", _PLAN)
            key = "tool_plan"
        elif kind.startswith("content"):
            part, index = message.get("content"), index_of(document)
            bare = kind == "content-delta" and len(document) == 3 and len(delta) == len(message) == 1
            if bare and self._one_text(reading, part, index):
                return
            self._part(reading, part, index, strip=strip)
            key = "content"
        else:
            self._call(reading, message.get("tool_calls"), index_of(document), strip=strip)
            key = "tool_calls"
        self.rest(reading, message, (key,), MESSAGE, strip=strip)
        self.rest(reading, delta, ("message",), MESSAGE, strip=strip)
        self.rest(reading, document, ("delta",), MESSAGE, strip=strip)

    def _one_text(self, reading: Reading, part: Json, index: int) -> bool:
        """The ordinary event: nothing but a piece of text."""
        if not isinstance(part, dict) or len(part) != 1 or not isinstance(text := part.get("text"), str):
            return False
        choice = 2 * index + 2
        self._open.add(choice)
        reading.keys = 6
        if text:
            reading.pieces.append(Piece(part, "text", text, self._place(choice, "text"), "flow"))
        return True

    def _part(self, reading: Reading, part: Json, index: int, *, strip: bool) -> None:
        if not isinstance(part, dict):
            raise UnreadableError
        choice = 2 * index + 2
        self._open.add(choice)
        for key in ("text", "thinking"):
            self._flow(reading, part, key, choice)
        self.rest(reading, part, ("text", "thinking"), choice, strip=strip)

    def _call(self, reading: Reading, call: Json, index: int, *, strip: bool) -> None:
        if not isinstance(call, dict):
            raise UnreadableError
        choice = 2 * index + 3
        self._open.add(choice)
        function = call.get("function")
        if isinstance(function, dict):
            self._flow(reading, function, "arguments", choice)
            if isinstance(name := function.get("name"), str) and name:
                reading.pieces.append(Piece(function, "name", name, self._place(choice, "name"), "name"))
            self.rest(reading, function, ("arguments", "name"), choice, strip=strip)
        read = ("function",) if isinstance(function, dict) else ()
        self.rest(reading, call, read, choice, strip=strip, tool=True)

    def _flow(self, reading: Reading, holder: JsonObject, key: str, choice: int) -> None:
        value = holder.get(key)
        if isinstance(value, str):
            if value:
                reading.pieces.append(Piece(holder, key, value, self._place(choice, key), "flow"))
        elif value is not None:
            raise UnreadableError

    def _place(self, choice: int, key: str) -> Place:
        found = self._places.get((choice, key))
        if found is None:
            tool = key in ("arguments", "name")
            form: Literal["text", "json"] = "json" if key == "arguments" else "text"
            found = self._places[choice, key] = Place((choice, key), (key,), tool, form)
        return found

    def carry(self, place: Place, text: str) -> bytes:
        choice, key = place.channel[0], str(place.path[0])
        kind = _FLOWS[key]
        inner: Json = {"tool_plan": text}
        if kind == "content-delta":
            inner = {"content": {key: text}}
        elif kind == "tool-call-delta":
            inner = {"tool_calls": {"function": {key: text}}}
        document: JsonObject = {"type": kind, "index": (choice - 2) // 2, "delta": {"message": inner}}
        if kind == "tool-plan-delta":
            del document["index"]
        return sse.encode(document)


def _note(document: JsonObject, reply: Reply) -> None:
    """Reason for the end and token counts: `tokens` is what went through the model, `billed_units` what costs."""
    finish, usage = document.get("finish_reason"), document.get("usage")
    if isinstance(finish, str):
        reply.finish = finish
    if not isinstance(usage, dict):
        return
    counts = usage.get("tokens") or usage.get("billed_units")
    if isinstance(counts, dict):
        read, said = counts.get("input_tokens"), counts.get("output_tokens")
        # Cohere counts in floating point.
        if isinstance(read, (int, float)):
            reply.prompt_tokens = int(read)
        if isinstance(said, (int, float)):
            reply.completion_tokens = int(said)
