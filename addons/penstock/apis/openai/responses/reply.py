"""Replies of OpenAI's Responses API, whole and as events: every text that a response says, wherever it says it."""

from __future__ import annotations

from typing import Final, assert_never

from penstock.apis.openai.reply import nested
from penstock.apis.openai.responses.alike import Alike
from penstock.apis.openai.responses.errors import ResponsesDialect
from penstock.apis.openai.responses.events import BEGUN, DELTAS, EVENTS, PARTS, STREAMS, Known, Text
from penstock.apis.openai.responses.items import LABELS, Items
from penstock.apis.openai.responses.numbers import Numbers
from penstock.apis.openai.responses.texts import Flow, Slot, Told
from penstock.apis.replies.pieces import DOCUMENT, Piece, Place, Reading, UnknownEventError, UnreadableError, Walk
from penstock.apis.replies.reader import Reader
from penstock.apis.wire import sse
from penstock.exchange import Call, Json, JsonObject, Path, Reply

_NAMES: Final = frozenset({"", "message", *EVENTS})
_INDEXES: Final = frozenset({"output_index", "content_index", "summary_index", "command_index", "sequence_number"})
# What every event of a text that goes on repeats, and no text at all.
_AROUND: Final = frozenset({"type", "item_id", *_INDEXES})
# The response itself is a text without words, so that a stream without its last event is known to be cut.
_RESPONSE: Final = 0


class ResponsesReader(Reader):
    """Reads `response` objects and the events of a stream by their `type`, whether or not they have a name.

    Each text (of an item, by its kind and number) is a channel with an index of its own. It is closed by the event
    that repeats it, or by that of its part, its item or the response; what was held back goes out before, as a delta.
    """

    events = _NAMES
    one_reply = True
    END = b"[DONE]"

    def __init__(self, call: Call) -> None:
        self._walk = Walk()
        self._told = Told(turn.text for turn in call.turns)
        self._items = Items(self._walk, self._told, frozenset(call.uninspected))
        self._alike = Alike()
        self._numbers = Numbers()
        self.dialect = ResponsesDialect(self._numbers.next)
        self._pending = Place((_RESPONSE, "response"), ("type",))
        self._begun = False

    def ends(self, data: bytes) -> bool:
        self._numbers.ended()
        return super().ends(data)

    def read(self, document: Json, reply: Reply, *, strip: bool) -> Reading:
        if not isinstance(document, dict):
            raise UnreadableError
        reading = Reading()
        kind = document.get("type")
        if kind is None:
            self._whole(reading, document, reply, strip=strip)
            return reading
        if not isinstance(kind, str):
            raise UnreadableError
        if (same := self._alike.read(kind, document)) is not None:
            same.edited = self._numbers.read(document, 0)
            return same
        known = EVENTS.get(kind)
        if known is None:
            raise UnknownEventError(kind)
        if not self._begun:
            self._begun = True
            reading.pieces.append(Piece({"": ""}, "", "", self._pending, "flow"))
        reading.keys = len(document)
        closing = self._event(reading, document, known, reply, strip=strip)
        reading.closes = (*reading.closes, *(flow.index for flow in closing))
        if known.kind == "delta" and known.text is not None:
            self._alike.learn(kind, document, reading, self._told.find(_slot(document, known.text)))
        room = sum(len(flow.places) for flow in closing) if strip else 0
        reading.edited |= self._numbers.read(document, room)
        return reading

    def _whole(self, reading: Reading, document: JsonObject, reply: Reply, *, strip: bool) -> None:
        """A body that is no event: a response, or an error without one."""
        if document.get("object") == "response":
            self._items.response(reading, document, reply, strip=strip, alone=True)
        elif document.get("error") is not None:
            reading.error = True
            self._items.anything(reading, document, strip=strip)
        else:
            raise UnreadableError

    # Events

    def _event(self, reading: Reading, document: JsonObject, known: Known, reply: Reply, *, strip: bool) -> list[Flow]:
        """Reads an event. Returns the texts that end with it."""
        match known.kind:
            case "delta" | "start":
                assert known.text is not None
                self._delta(reading, document, known, known.text, strip=strip)
                return []
            case "whole":
                assert known.text is not None
                return self._repeated(reading, document, known.text, known.key, strip=strip)
            case "part" | "part_done":
                return self._part(reading, document, strip=strip, done=known.kind == "part_done")
            case "item" | "item_done":
                return self._item(reading, document, reply, strip=strip, done=known.kind == "item_done")
            case "response" | "end":
                return self._response(reading, document, reply, strip=strip, last=known.kind == "end")
            case "bare":
                reading.error = document.get("type") == "error"
                self._rest(reading, document, "", strip=strip, reply=reply)
                return []
            case _:
                assert_never(known.kind)

    def _delta(self, reading: Reading, document: JsonObject, known: Known, text: Text, *, strip: bool) -> None:
        for key in list(document):
            value = document[key]
            if key == known.key and isinstance(value, str):
                if value:
                    around = document if known.kind == "delta" else {**document, "type": DELTAS[text.label]}
                    self._say(reading, document, key, value, self._flow(around, text, ("delta",)))
            elif key == known.key and isinstance(value, dict):
                self._streams(reading, document, value)
            elif value is None or (key in _INDEXES and isinstance(value, int)):
                continue
            elif key in LABELS:
                self._items.other(reading, document, key, value, strip=strip)
            elif not self._items.known(reading, document, key, value, strip=strip):
                self._unheard(reading, document, key, text, strip=strip)
        self._walk.keyed(reading, document, DOCUMENT)

    def _streams(self, reading: Reading, document: JsonObject, value: JsonObject) -> None:
        """A delta of several texts at once: what a shell command writes."""
        reading.keys += len(value)
        for key, said in value.items():
            text = STREAMS.get(key)
            if said is not None and (text is None or not isinstance(said, str)):
                raise UnreadableError
            if text is not None and isinstance(said, str) and said:
                self._say(reading, value, key, said, self._flow(document, text, ("delta", key)))

    def _unheard(self, reading: Reading, document: JsonObject, key: str, text: Text, *, strip: bool) -> None:
        """A key that nobody knows beside a delta: its strings may go on like the delta does."""
        flow = self._flow(document, text, ("delta",))
        start = len(reading.pieces)
        self._walk.value(reading, document, key, DOCUMENT, (key,), strip=strip)
        for piece in reading.pieces[start:]:
            piece.place = flow.beside(piece.place.path)

    def _say(self, reading: Reading, holder: JsonObject, key: str, value: str, flow: Flow) -> None:
        flow.parts.append(value)
        reading.pieces.append(Piece(holder, key, value, flow.place, "flow"))

    def _repeated(self, reading: Reading, document: JsonObject, text: Text, name: str, *, strip: bool) -> list[Flow]:
        """An event that says a text whole, and ends it."""
        value = document.get(name)
        closing = self._ended(document, text, value)
        if isinstance(value, str):
            self._items.text(reading, document, name, value, text)
        self._rest(reading, document, name if isinstance(value, str) else "", strip=strip)
        return closing

    def _part(self, reading: Reading, document: JsonObject, *, strip: bool, done: bool) -> list[Flow]:
        """A part of an item's content: as it begins, or as it ended."""
        part = document.get("part")
        if not isinstance(part, dict):
            raise UnreadableError
        name, text = PARTS.get(str(part.get("type")), ("", None))
        closing: list[Flow] = []
        begun: str | None = None
        if text is not None:
            value = part.get(name)
            if done:
                closing = self._ended(document, text, value)
            elif isinstance(value, str) and value:
                begun = name
                around = {**document, "type": DELTAS[text.label]}
                self._say(reading, part, name, value, self._flow(around, text, ("delta",)))
        self._items.part(reading, part, strip=strip, flowing=begun)
        self._rest(reading, document, "part", strip=strip)
        return closing

    def _item(self, reading: Reading, document: JsonObject, reply: Reply, *, strip: bool, done: bool) -> list[Flow]:
        item = document.get("item")
        if not isinstance(item, dict):
            raise UnreadableError
        closing: list[Flow] = []
        if done:
            ident = item.get("id")
            closing = self._told.of_item(ident if isinstance(ident, str) else "", _number(document, "output_index"))
            self._told.close(closing)
        flowing = None if done else self._begin(reading, document, item)
        self._items.item(reading, item, reply, strip=strip, flowing=flowing)
        self._rest(reading, document, "item", strip=strip)
        return closing

    def _begin(self, reading: Reading, document: JsonObject, item: JsonObject) -> str | None:
        """The text that a new item begins with, if its deltas go on with it: all servers send it empty."""
        for kind, (key, text) in BEGUN.items():
            value = item.get(key)
            if item.get("type") == kind and isinstance(value, str) and value:
                around = {**document, "type": DELTAS[kind], "item_id": item.get("id")}
                self._say(reading, item, key, value, self._flow(around, text, ("delta",)))
                return key
        return None

    def _response(self, reading: Reading, document: JsonObject, reply: Reply, *, strip: bool, last: bool) -> list[Flow]:
        response = document.get("response")
        if not isinstance(response, dict):
            raise UnreadableError
        closing = self._told.open() if last else []
        self._told.close(closing)
        self._items.response(reading, response, reply, strip=strip)
        self._rest(reading, document, "response", strip=strip)
        if last:
            reading.closes = (_RESPONSE,)
            reading.error = document.get("type") == "response.failed"
        return closing

    def _rest(
        self, reading: Reading, document: JsonObject, done: str, *, strip: bool, reply: Reply | None = None
    ) -> None:
        """What else an event says."""
        for key in list(document):
            value = document[key]
            if key == done or value is None or (key in _INDEXES and isinstance(value, int)):
                continue
            self._items.other(reading, document, key, value, strip=strip, reply=reply)
        self._walk.keyed(reading, document, DOCUMENT)

    # Texts that go on

    def _ended(self, document: JsonObject, text: Text, value: Json) -> list[Flow]:
        """The text that an event ends by saying it whole, if it was begun: by its place, or else by its words."""
        flow = self._told.find(_slot(document, text))
        if flow is None and isinstance(value, str):
            flow = self._told.same(text, value)
        closing = [flow] if flow is not None and not flow.closed else []
        self._told.close(closing)
        return closing

    def _flow(self, document: JsonObject, text: Text, path: Path) -> Flow:
        slot = _slot(document, text)
        found = self._told.find(slot)
        return found if found is not None else self._told.begin(slot, text, path, self._around(document))

    def _around(self, document: JsonObject) -> JsonObject:
        """What an event of the gateway's own repeats of those that the model server sends."""
        kept = {key: value for key, value in document.items() if key in _AROUND}
        for key, value in list(kept.items()):
            if isinstance(value, str) and not self._walk.structural(value):
                del kept[key]
        if isinstance(document.get("logprobs"), list) or kept.get("type") == DELTAS["content"]:
            kept["logprobs"] = []
        return kept

    def carry(self, place: Place, text: str) -> bytes:
        document: JsonObject = {**self._told.holding(place).around, "delta": "", **nested(place.path, text)}
        if "sequence_number" in document:
            document["sequence_number"] = self._numbers.added()
        return sse.encode(document, str(document["type"]))


def _slot(document: JsonObject, text: Text) -> Slot:
    item = document.get("item_id")
    sub = _number(document, text.sub) if text.sub else 0
    return (item if isinstance(item, str) else "", _number(document, "output_index"), text.label, max(sub, 0))


def _number(document: JsonObject, key: str) -> int:
    value = document.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else -1
