"""Events that open and close the texts of one message: a text comes out as its mask, however it was cut."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.apis.anthropic.reply import AnthropicReader
from penstock.apis.cohere.reply import CohereReader
from penstock.apis.lm_studio.reply import LmStudioReader
from penstock.apis.replies.typed import TypedReader
from penstock.exchange import JsonObject
from tests.masking.replies import MASK, documents, event, leaks, reply_mask, streamed, texts

SAYING = ("bob@", "example", ".com", " alice@example.com", "4111 1111 ", "1111 1111", " and ", "\u00e9", "x", ", ")


def anthropic(pieces: Sequence[str]) -> list[JsonObject]:
    deltas: list[JsonObject] = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}} for piece in pieces
    ]
    return [
        {"type": "message_start", "message": {"content": []}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *deltas,
        {"type": "content_block_stop", "index": 0},
        {"type": "message_stop"},
    ]


def cohere(pieces: Sequence[str]) -> list[JsonObject]:
    deltas: list[JsonObject] = [
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": piece}}}} for piece in pieces
    ]
    return [{"type": "message-start"}, *deltas, {"type": "content-end", "index": 0}, {"type": "message-end"}]


def lm_studio(pieces: Sequence[str]) -> list[JsonObject]:
    deltas: list[JsonObject] = [{"type": "message.delta", "content": piece} for piece in pieces]
    whole: JsonObject = {"output": [{"type": "message", "content": "".join(pieces)}]}
    return [{"type": "message.start"}, *deltas, {"type": "message.end"}, {"type": "chat.end", "result": whole}]


DIALECTS = [(AnthropicReader, anthropic), (CohereReader, cohere), (LmStudioReader, lm_studio)]


@pytest.mark.parametrize(("reader", "events"), DIALECTS)
@given(st.lists(st.sampled_from(SAYING), max_size=12), st.data())
def test_a_text_comes_out_as_its_mask(
    reader: Callable[[], TypedReader],
    events: Callable[[Sequence[str]], list[JsonObject]],
    pieces: list[str],
    data: st.DataObject,
) -> None:
    body = b"".join(map(event, events(pieces)))
    cuts = data.draw(st.lists(st.integers(0, len(body)), max_size=4))
    reply = reply_mask(reader())
    out = streamed(reply, body, cuts)
    assert "".join(text for _, text in sorted(texts(reply).items())) == MASK.whole("".join(pieces)).text
    assert reply.reply.complete and leaks(out) == []
    last = documents(out)[-1]
    if last["type"] == "chat.end":
        assert last["result"]["output"][0]["content"] == MASK.whole("".join(pieces)).text


@pytest.mark.parametrize(("reader", "events"), DIALECTS)
@given(st.lists(st.sampled_from(SAYING), min_size=1, max_size=6), st.integers(0, 6))
def test_a_stream_without_its_end_is_never_taken_for_a_whole_one(
    reader: Callable[[], TypedReader],
    events: Callable[[Sequence[str]], list[JsonObject]],
    pieces: list[str],
    missing: int,
) -> None:
    sent = events(pieces)
    body = b"".join(map(event, sent[: len(sent) - 1 - missing % len(sent)]))
    reply = reply_mask(reader())
    out = streamed(reply, body)
    assert not reply.reply.complete and "ended before" in json.dumps(documents(out)[-1]) and leaks(out) == []
