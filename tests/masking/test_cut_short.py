"""Streams that end too early, in every API, at every place: of a value nothing is out, and the record says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from penstock import apis
from penstock.exchange import Json, JsonObject
from penstock.masking.reply import ReplyMask
from tests.apis.calls import call
from tests.masking.chunks import chunks
from tests.masking.replies import DONE, MASK, chunk, event, line, reply_mask, said, streamed, texts

TEXT = "Write to alice.smith@example.com, or pay with 4111 1111 1111 1111 at once."
WHOLE = MASK.whole(TEXT).text
TELLING = ("alic", "smit", "exam", "411", "111")
"""Parts of values, and of nothing else in these streams."""
TURN: list[Json] = [{"role": "user", "content": "hi"}]


def named(document: JsonObject) -> bytes:
    return b"event: %s\n" % str(document["type"]).encode() + event(document)


@dataclass(frozen=True)
class Spoken:
    """How an API streams one text: what comes before it, a piece of it, and the end that a limit of length makes."""

    path: str
    body: JsonObject
    piece: Callable[[str], bytes]
    cut: Callable[[str], list[bytes]]
    """All of the text -> the events behind it."""
    start: tuple[bytes, ...] = ()

    def __str__(self) -> str:
        return self.path

    def reply(self) -> ReplyMask:
        made = call(self.path, {"model": "m", "stream": True, **self.body})
        return reply_mask(apis.by_name(made.api).reader(made))


def _response(status: str, text: str) -> JsonObject:
    output: list[Json] = [{"type": "message", "id": "msg_1", "role": "assistant", "content": [_part(text)]}]
    details: Json = {"reason": "max_output_tokens"} if status == "incomplete" else None
    more: JsonObject = {"output": output, "incomplete_details": details} if status == "incomplete" else {"output": []}
    return {"type": f"response.{status}", "response": {"id": "r", "object": "response", "status": status, **more}}


def _part(text: str) -> JsonObject:
    return {"type": "output_text", "text": text, "annotations": []}


_AT: JsonObject = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
_ITEM: JsonObject = {"type": "message", "id": "msg_1", "role": "assistant", "status": "in_progress", "content": []}

APIS = [
    Spoken(
        "/v1/chat/completions",
        {"messages": TURN},
        lambda piece: chunk({"content": piece}),
        lambda _: [chunk({}, finish="length"), DONE],
    ),
    Spoken(
        "/v1/completions",
        {"prompt": "hi"},
        lambda piece: event({"choices": [{"index": 0, "text": piece, "finish_reason": None}]}),
        lambda _: [event({"choices": [{"index": 0, "text": "", "finish_reason": "length"}]}), DONE],
    ),
    Spoken(
        "/v1/responses",
        {"input": "hi"},
        lambda piece: named({"type": "response.output_text.delta", **_AT, "delta": piece}),
        lambda text: [
            named({"type": "response.output_text.done", **_AT, "text": text}),
            named({"type": "response.content_part.done", **_AT, "part": _part(text)}),
            named(
                {"type": "response.output_item.done", "output_index": 0, "item": {**_ITEM, "content": [_part(text)]}}
            ),
            named(_response("incomplete", text)),
        ],
        (
            named(_response("in_progress", "") | {"type": "response.created"}),
            named({"type": "response.output_item.added", "output_index": 0, "item": _ITEM}),
            named({"type": "response.content_part.added", **_AT, "part": _part("")}),
        ),
    ),
    Spoken(
        "/v1/messages",
        {"messages": TURN, "max_tokens": 9},
        lambda piece: named(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
        ),
        lambda _: [
            named({"type": "content_block_stop", "index": 0}),
            named({"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"output_tokens": 9}}),
            named({"type": "message_stop"}),
        ],
        (
            named({"type": "message_start", "message": {"id": "m", "type": "message", "content": [], "model": "m"}}),
            named({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        ),
    ),
    Spoken(
        "/api/chat",
        {"messages": TURN},
        said,
        lambda _: [line({"model": "m", "message": {"content": ""}, "done": True, "done_reason": "length"})],
    ),
    Spoken(
        "/api/generate",
        {"prompt": "hi"},
        lambda piece: line({"model": "m", "response": piece, "done": False}),
        lambda _: [line({"model": "m", "response": "", "done": True, "done_reason": "length"})],
    ),
    Spoken(
        "/completion",
        {"prompt": "hi"},
        lambda piece: event({"index": 0, "content": piece, "stop": False}),
        lambda _: [event({"index": 0, "content": "", "stop": True, "stop_type": "limit"})],
    ),
    Spoken(
        "/v2/chat",
        {"messages": TURN},
        lambda piece: event({"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": piece}}}}),
        lambda _: [
            event({"type": "content-end", "index": 0}),
            event({"type": "message-end", "delta": {"finish_reason": "MAX_TOKENS"}}),
            DONE,
        ],
        (
            event({"type": "message-start", "id": "m", "delta": {"message": {"role": "assistant", "content": []}}}),
            event(
                {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}}
            ),
        ),
    ),
]
every_api = pytest.mark.parametrize("spoken", APIS, ids=str)


def told(reply: ReplyMask) -> str:
    """The text that was delivered; why it ended is none of it."""
    return "".join(text for (_, name), text in texts(reply).items() if not name.endswith("reason"))


def places(events: list[bytes], *, each: bool) -> Iterator[int]:
    """Where a stream may end: at each byte, or before and within each event, and before its last line end."""
    at = 0
    for data in events:
        within = range(len(data)) if each else (0, len(data) // 2, len(data) - 1)
        yield from (at + place for place in within)
        at += len(data)


@pytest.mark.parametrize("each", [False, pytest.param(True, marks=pytest.mark.nightly)], ids=["some", "each byte"])
@every_api
def test_the_model_dies_anywhere(spoken: Spoken, *, each: bool) -> None:
    before = [*spoken.start, *map(spoken.piece, TEXT if each else chunks(TEXT, [2]))]
    ends = spoken.cut(TEXT)
    body = b"".join([*before, *ends])
    for place in places(before, each=each):
        reply = spoken.reply()
        out = streamed(reply, body[:place])
        assert not reply.reply.complete and reply.reply.error and reply.reply.finish is None, place
        assert b"error" in out[-400:], place
        assert WHOLE.startswith(told(reply)), place
        assert not [part for part in TELLING if part.encode() in out], place
    start = len(b"".join(before))
    for place in places(ends, each=each):
        reply = spoken.reply()
        out = streamed(reply, body[: start + place])
        assert reply.reply.complete == (reply.reply.error is None), place
        assert reply.reply.complete or b"error" in out[-400:], place
        assert WHOLE.startswith(told(reply)), place
        assert not [part for part in TELLING if part.encode() in out], place


@every_api
def test_a_limit_of_length_ends_the_text_anywhere(spoken: Spoken) -> None:
    for size in range(len(TEXT) + 1):
        reply, text = spoken.reply(), TEXT[:size]
        out = streamed(reply, b"".join([*spoken.start, *map(spoken.piece, text), *spoken.cut(text)]))
        assert reply.reply.complete and reply.reply.error is None, text
        assert told(reply) == MASK.whole(text).text
        if size in (0, len(TEXT)):
            assert not [part for part in TELLING if part.encode() in out]


@every_api
def test_a_limit_of_length_is_in_the_record(spoken: Spoken) -> None:
    reply = spoken.reply()
    streamed(reply, b"".join([*spoken.start, *map(spoken.piece, TEXT), *spoken.cut(TEXT)]))
    assert reply.reply.finish in ("length", "max_tokens", "MAX_TOKENS", "limit", "incomplete", "max_output_tokens")


@every_api
def test_a_stream_may_lack_no_end_but_the_terminator(spoken: Spoken) -> None:
    *ends, last = spoken.cut(TEXT)
    reply = spoken.reply()
    streamed(reply, b"".join([*spoken.start, *map(spoken.piece, TEXT), *ends]))
    assert reply.reply.complete == (last == DONE)
    assert told(reply) == WHOLE or last != DONE
