"""Replies of Anthropic's messages: read piece by piece, masked, and taken by Anthropic's own client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anthropic as sdk
import httpx2
import pytest

from penstock import apis
from penstock.apis.anthropic.errors import ANTHROPIC
from penstock.apis.anthropic.reply import AnthropicReader
from penstock.apis.replies.pieces import UnknownEventError, UnreadableError
from penstock.errors import Refusal
from penstock.exchange import Call, Json, JsonObject, Operation, Reply
from penstock.masking.reply import ReplyMask
from tests.apis.recorded import RECORDED, Recorded, recorded
from tests.masking.replies import MASK, STOP, leaks, reply_mask, streamed, texts

MESSAGES = [each for each in RECORDED if each.api.name == "anthropic.messages" and each.status == 200]


def anthropic(chosen: Any = MASK, **more: Any) -> ReplyMask:
    return reply_mask(AnthropicReader(), chosen, **more)


def event(document: JsonObject) -> bytes:
    return f"event: {document['type']}\ndata: {json.dumps(document)}\n\n".encode()


def start(**more: Json) -> bytes:
    message: JsonObject = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "tiny",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 0},
    }
    return event({"type": "message_start", "message": {**message, **more}})


def block(index: int = 0, **more: Any) -> bytes:
    return event({"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": "", **more}})


def delta(text: str, index: int = 0, kind: str = "text_delta", key: str = "text", **more: Json) -> bytes:
    return event({"type": "content_block_delta", "index": index, "delta": {"type": kind, key: text}, **more})


def stop(index: int = 0) -> bytes:
    return event({"type": "content_block_stop", "index": index})


ENDING = event(
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 7},
    }
) + event({"type": "message_stop"})


class Slowly(httpx2.SyncByteStream):
    """A body that arrives in small parts."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, len(self.body), 97):
            yield self.body[at : at + 97]


def client(body: bytes, content_type: str = "text/event-stream", status: int = 200) -> sdk.Anthropic:
    transport = httpx2.MockTransport(
        lambda _: httpx2.Response(status, headers={"content-type": content_type}, stream=Slowly(body))
    )
    return sdk.Anthropic(
        api_key="k", base_url="http://gateway", http_client=httpx2.Client(transport=transport), max_retries=0
    )


def listen(body: bytes, heard: list[str]) -> Any:
    """What a client hears of a stream, until it raises; and the message that it puts together."""
    asked: Any = {"model": "tiny", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    with client(body).beta.messages.stream(**asked) as stream:
        heard.extend(stream.text_stream)
        return stream.get_final_message()


def delivered(one: Recorded) -> tuple[ReplyMask, bytes]:
    reply = reply_mask(one.reader())
    if one.streamed:
        return reply, streamed(reply, one.body)
    return reply, reply.whole(200, one.content_type, one.body)


# Ollama's search results lack a key that the client's types have; it says so when it copies them.
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.parametrize("one", [each for each in MESSAGES if "error" not in each.name], ids=str)
def test_the_client_reads_every_message(one: Recorded) -> None:
    reply, out = delivered(one)
    heard: list[str] = []
    if one.streamed:
        message = listen(out, heard)
    else:
        ask = client(out, one.content_type).beta.messages.create
        message = ask(model="tiny", max_tokens=9, messages=[{"role": "user", "content": "hi"}])
    noted = texts(reply)
    for index, part in enumerate(message.content):
        if part.type in ("text", "thinking"):
            assert getattr(part, part.type) == noted.get((index + 1, part.type), "")
        elif part.type in ("tool_use", "mcp_tool_use", "server_tool_use"):
            assert part.input == json.loads(noted[index + 1, "arguments"])
    assert leaks(json.dumps(message.model_dump(mode="json", warnings=False), default=str).encode()) == []
    assert reply.reply.finish == message.stop_reason
    assert reply.reply.completion_tokens == message.usage.output_tokens
    assert reply.reply.model == message.model


def test_the_client_raises_where_a_stream_was_stopped() -> None:
    heard: list[str] = []
    body = start() + block() + delta("it is ") + delta("falcon ") + stop() + ENDING
    with pytest.raises(sdk.APIStatusError, match=r"stopped by a rule.*01TEST") as caught:
        listen(streamed(anthropic(STOP), body), heard)
    assert "".join(heard) == "it is "
    assert isinstance(caught.value.body, dict) and caught.value.body["error"]["type"] == "permission_error"


@pytest.mark.parametrize("end", [1, 2, 3, 4, 5])
def test_the_client_raises_wherever_a_stream_was_cut(end: int) -> None:
    events = [start(), block(), delta("all of it. "), stop(), *(ENDING.split(b"\n\n")[at] + b"\n\n" for at in (0, 1))]
    with pytest.raises(sdk.APIStatusError, match="ended before"):
        listen(streamed(anthropic(), b"".join(events[:end])), [])
    whole = anthropic()
    assert streamed(whole, b"".join(events)) == b"".join(events)
    assert whole.reply.complete


def test_a_cut_is_an_error_without_any_mask_too() -> None:
    reply = anthropic(None)
    out = streamed(reply, start() + block() + delta("x") + stop())
    assert b"event: error" in out and not reply.reply.complete


def test_the_client_shows_the_message_of_a_refusal() -> None:
    refusal = Refusal("policy_violation", "Bulk export needs a ticket.")
    content_type, body = ANTHROPIC.error(refusal, "01TEST")
    ask = client(body, content_type, 403).messages.create
    with pytest.raises(sdk.PermissionDeniedError, match=r"Bulk export needs a ticket\. \(exchange 01TEST\)"):
        ask(model="tiny", max_tokens=9, messages=[{"role": "user", "content": "hi"}])
    assert json.loads(body)["request_id"] == "01TEST"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("invalid_request", "invalid_request_error"),
        ("no_credential", "authentication_error"),
        ("unknown_endpoint", "not_found_error"),
        ("body_too_large", "request_too_large"),
        ("rate_limited", "rate_limit_error"),
        ("upstream_timeout", "timeout_error"),
        ("gateway_error", "api_error"),
    ],
)
def test_each_refusal_has_a_type_of_anthropics(code: str, kind: str) -> None:
    document = json.loads(ANTHROPIC.error(Refusal(code, "No."), "")[1])
    assert document == {"type": "error", "error": {"type": kind, "message": "No."}}
    assert ANTHROPIC.event(Refusal(code, "No."), "").startswith(b"event: error\ndata: {")


def test_what_is_held_back_goes_out_before_its_block_ends() -> None:
    body = start() + block() + delta("mail bob@example.") + delta("com") + stop() + ENDING
    out = streamed(anthropic(), body)
    last = out[: out.index(b"event: content_block_stop")].split(b"event: ")[-1]
    assert json.loads(last.partition(b"data: ")[2]) == {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "[EMAIL]"},
    }
    assert leaks(out) == []


def test_every_block_is_masked_by_itself() -> None:
    body = start() + block() + delta("bob@") + stop() + block(1) + delta("example.com", 1) + stop(1) + ENDING
    out = streamed(anthropic(), body)
    assert b"[EMAIL]" not in out and out.count(b"content_block_start") == 4


def test_blocks_that_nobody_closes_end_with_the_message() -> None:
    body = start() + block() + delta("bob@example.com") + block(1) + delta("4111 1111 1111 1111", 1) + ENDING
    reply = anthropic()
    out = streamed(reply, body)
    assert texts(reply) == {(1, "text"): "[EMAIL]", (2, "text"): "[CREDIT_CARD]"}
    assert reply.reply.complete and out.endswith(b'data: {"type": "message_stop"}\n\n')


def test_text_behind_the_end_of_its_block_is_refused() -> None:
    reply = anthropic()
    streamed(reply, start() + block() + delta("a") + stop() + delta("b"))
    assert reply.stopped is not None and not reply.reply.complete


@pytest.mark.parametrize("name", ["anthropic_thinking", "anthropic_citations_stream", "vllm_thinking_tool_stream"])
def test_what_only_the_server_can_read_does_not_stand_beside_a_mask(name: str) -> None:
    one = recorded(f"anthropic.messages-{name}")
    _, out = delivered(one)
    for secret in (b"EqQBCkYIBRgCKkA5n1xWcJ0bGVhvbQ==", b"EmwKAhgBEgyva0FzZXIgc2VjcmV0"):
        assert secret not in out
    silent = reply_mask(one.reader(), None)
    run = streamed(silent, one.body) if one.streamed else silent.whole(200, one.content_type, one.body)
    assert run == one.body


def test_token_ids_do_not_stand_beside_a_mask() -> None:
    _, out = delivered(recorded("anthropic.messages-lmdeploy_token_ids_stream"))
    assert b'"output_ids":null' in out and b"[EMAIL]" in out


def test_an_error_in_the_stream_is_masked_and_noted() -> None:
    reply, out = delivered(recorded("anthropic.messages-sglang_error_stream"))
    assert reply.reply.error == "no room for [EMAIL]"
    with pytest.raises(sdk.APIStatusError, match="no room for"):
        listen(out, [])


def test_the_audit_learns_how_many_tokens_it_were() -> None:
    reply, _ = delivered(recorded("anthropic.messages-llama_cpp_messages_stream"))
    assert (reply.reply.prompt_tokens, reply.reply.completion_tokens) == (21, 100)
    assert reply.reply.finish == "max_tokens" and reply.reply.model == "tiny"
    reply, _ = delivered(recorded("anthropic.messages-anthropic_citations_stream"))
    assert (reply.reply.prompt_tokens, reply.reply.finish) == (100, "stop_sequence")
    reply, _ = delivered(recorded("anthropic.count_tokens-llama_cpp_count"))
    assert reply.reply.prompt_tokens == 21


def test_a_citation_is_masked_and_its_places_are_left() -> None:
    _, out = delivered(recorded("anthropic.messages-anthropic_citations_stream"))
    assert b'"cited_text":"Mail: [EMAIL]"' in out and b'"document_title":"Staff of [CREDIT_CARD]"' in out
    assert b'"stop_sequence":"[EMAIL]"' in out and b'"end_char_index":21' in out


def test_a_key_of_a_blocks_own_making_is_text() -> None:
    reply = anthropic()
    inner: JsonObject = {"type": "text", "bob@example.com": 1, "at": ["alice@example.com"]}
    begun: JsonObject = {"type": "content_block_start", "index": 0, "content_block": inner}
    out = streamed(reply, start() + event(begun) + stop() + ENDING)
    assert leaks(out) == [] and reply.reply.complete


def test_what_a_delta_has_beside_its_text_is_read() -> None:
    out = streamed(anthropic(), start() + block() + delta("x ", note="bob@example.com") + stop() + ENDING)
    assert b'"note":"[EMAIL]"' in out


def test_a_delta_without_text_passes() -> None:
    bare = event({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta"}})
    body = start() + block() + bare + stop() + ENDING
    assert streamed(anthropic(), body) == body


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"type": 7},
        {"type": "message_begin"},
        {"type": "message", "content": "text"},
        {"type": "message", "content": ["text"]},
        {"type": "message_start"},
        {"type": "content_block_start", "index": 0},
        {"type": "content_block_start", "index": -1, "content_block": {}},
        {"type": "content_block_start", "index": True, "content_block": {}},
        {"type": "content_block_stop", "index": 10**9},
        {"type": "content_block_delta", "index": 0},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": 1}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "audio_delta", "audio": "x"}},
        {"type": "content_block_delta", "index": 0, "delta": {"text": "x"}},
        {"type": "message_delta"},
    ],
)
def test_what_it_does_not_know_it_does_not_read(document: Json) -> None:
    with pytest.raises(UnreadableError):
        AnthropicReader().read(document, Reply(), strip=True)


def test_an_unknown_event_says_what_it_is() -> None:
    documents: list[JsonObject] = [
        {"type": "x"},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "x"}},
    ]
    for document in documents:
        with pytest.raises(UnknownEventError) as caught:
            AnthropicReader().read(document, Reply(), strip=True)
        assert caught.value.kind == "x"


def test_a_compaction_comes_whole() -> None:
    document: JsonObject = {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "compaction_delta", "content": "bob@example.com", "encrypted_content": "RW5j"},
    }
    body = start() + block(type="compaction") + event(document) + stop() + ENDING
    out = streamed(anthropic(), body)
    assert b'"content":"[EMAIL]","encrypted_content":""' in out


def test_the_count_of_tokens_is_a_document_of_its_own() -> None:
    api = apis.by_name("anthropic.count_tokens")
    reply = reply_mask(api.reader(Call(api.name, Operation.TOKENIZE, "tiny")))
    out = reply.whole(200, "application/json", b'{"input_tokens":3,"context_management":{"note":"bob@example.com"}}')
    assert json.loads(out) == {"input_tokens": 3, "context_management": {"note": "[EMAIL]"}}
    assert reply.whole(200, "application/json", b"[]") == b"[]"


def test_structure_is_structure_only_where_the_dialect_has_it() -> None:
    found: JsonObject = {"type": "falcon", "id": "falcon", "model": "falcon", "status": "falcon"}
    body = start() + block(type="web_search_tool_result", content=[found]) + stop() + ENDING
    with pytest.raises(sdk.APIStatusError, match="stopped by a rule"):
        listen(streamed(anthropic(STOP), body), [])


def test_what_a_tool_of_the_server_found_is_read_down_to_its_keys() -> None:
    found: JsonObject = {"bob@example.com": {"signature": "c2lnbmVk"}}
    body = start(usage={"input_tokens": None}) + block(type="mcp_tool_result", content=found) + stop() + ENDING
    reply = anthropic()
    out = streamed(reply, body)
    assert b'"content":{"[EMAIL]":{"signature":""}}' in out and reply.reply.prompt_tokens is None


def test_the_name_of_a_tool_is_judged_as_part_of_its_call() -> None:
    reply = ReplyMask(AnthropicReader(), text=None, tool=MASK)
    begun = block(type="tool_use", name="mail bob@example.com")
    out = streamed(reply, start() + begun + stop() + block(1) + delta("bob@example.com", 1) + stop(1) + ENDING)
    assert b'"name":"mail [EMAIL]"' in out and b'"text": "bob@example.com"' in out
