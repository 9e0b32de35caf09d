"""A value that is split over the parts of one whole reply, which clients put together, is masked in each of them."""

from __future__ import annotations

import json

import pytest

from penstock import apis
from penstock.exchange import Json, JsonObject
from tests.apis.calls import call
from tests.masking.replies import reply_mask, streamed

TURN: list[Json] = [{"role": "user", "content": "hi"}]


def parts(*texts: str, kind: str = "text") -> list[Json]:
    return [{"type": kind, "text": text} for text in texts]


def responses(*texts: str) -> JsonObject:
    message: JsonObject = {"type": "message", "id": "m", "role": "assistant", "status": "completed"}
    output: list[Json] = [{**message, "content": parts(*texts, kind="output_text")}]
    return {"id": "r", "object": "response", "status": "completed", "output": output}


def chat(*texts: str) -> JsonObject:
    message: JsonObject = {"role": "assistant", "content": parts(*texts)}
    return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


def messages(*texts: str) -> JsonObject:
    return {"type": "message", "role": "assistant", "content": parts(*texts), "stop_reason": "end_turn"}


def cohere(*texts: str) -> JsonObject:
    return {"id": "c", "finish_reason": "COMPLETE", "message": {"role": "assistant", "content": parts(*texts)}}


REPLIES = [
    ("/v1/responses", {"input": "hi"}, responses),
    ("/v1/chat/completions", {"messages": TURN}, chat),
    ("/v1/messages", {"messages": TURN, "max_tokens": 9}, messages),
    ("/v2/chat", {"messages": TURN}, cohere),
]


def said(value: Json) -> list[str]:
    """Every `text` of a document."""
    match value:
        case dict():
            own = [each for key, each in value.items() if key == "text" and isinstance(each, str)]
            return own + [text for each in value.values() for text in said(each)]
        case list():
            return [text for each in value for text in said(each)]
        case _:
            return []


@pytest.mark.parametrize(("path", "body", "made"), REPLIES, ids=[path for path, _, _ in REPLIES])
@pytest.mark.parametrize(
    ("texts", "masked"),
    [
        (["mail alice@exa", "mple.com now"], ["mail [EMAIL]", "[EMAIL] now"]),
        (["card 4111 1111", "1111 1111, thanks"], ["card [CREDIT_CARD]", "[CREDIT_CARD], thanks"]),
        (["a 41", "11 1111 11", "11 1111"], ["a [CREDIT_CARD]", "[CREDIT_CARD]", "[CREDIT_CARD]"]),
        (["to bob@example.com", "now"], ["to [EMAIL]", "now"]),
        (["nothing", "here"], ["nothing", "here"]),
    ],
)
def test_a_value_across_the_parts_of_a_message_is_masked(
    path: str, body: JsonObject, made: object, texts: list[str], masked: list[str]
) -> None:
    asked = call(path, {"model": "m", **body})
    raw = json.dumps(made(*texts)).encode()  # type: ignore[operator]
    reply = reply_mask(apis.by_name(asked.api).reader(asked))
    out = reply.whole(200, "application/json", raw)
    assert said(json.loads(out)) == masked
    assert (out == raw) == (texts == masked)


def test_the_choices_of_a_reply_are_texts_of_their_own() -> None:
    asked = call("/v1/chat/completions", {"model": "m", "messages": TURN, "n": 2})
    choices: list[Json] = [
        {"index": at, "message": {"content": text}, "finish_reason": "stop"}
        for at, text in enumerate(("alice@exa", "mple.com"))
    ]
    raw = json.dumps({"choices": choices}).encode()
    assert reply_mask(apis.by_name(asked.api).reader(asked)).whole(200, "application/json", raw) == raw


def test_a_value_across_the_parts_of_a_streamed_message_is_not_found() -> None:
    """A text is over, and goes out, when its part ends: the policy reference says so."""
    asked = call("/v1/messages", {"model": "m", "messages": TURN, "max_tokens": 9, "stream": True})
    start: JsonObject = {"id": "m", "type": "message", "role": "assistant", "content": [], "model": "m", "usage": {}}
    events: list[JsonObject] = [{"type": "message_start", "message": start}]
    for at, text in enumerate(("alice@exa", "mple.com, bob@example.com")):
        events += [
            {"type": "content_block_start", "index": at, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": at, "delta": {"type": "text_delta", "text": text}},
            {"type": "content_block_stop", "index": at},
        ]
    events += [{"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {}}, {"type": "message_stop"}]
    raw = "".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in events).encode()
    out = streamed(reply_mask(apis.by_name(asked.api).reader(asked)), raw)
    told = [json.loads(line[6:]) for line in out.decode().splitlines() if line.startswith("data: ")]
    assert "".join(text for each in told for text in said(each.get("delta", {}))) == "alice@example.com, [EMAIL]"
