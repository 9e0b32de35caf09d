"""Replies of Cohere's chat and embed, read piece by piece and masked."""

from __future__ import annotations

import json

import pytest

from penstock.apis.cohere.embed import CohereEmbedReader
from penstock.apis.cohere.errors import COHERE
from penstock.apis.cohere.reply import CohereReader
from penstock.apis.replies.pieces import UnknownEventError, UnreadableError
from penstock.errors import Refusal
from penstock.exchange import Json, JsonObject, Reply
from tests.apis.recorded import recorded
from tests.masking.replies import DONE, STOP, documents, event, leaks, reply_mask, streamed, texts

START: JsonObject = {"type": "message-start", "id": "m1", "delta": {"message": {"role": "assistant"}}}
END: JsonObject = {"type": "message-end", "id": "m1", "delta": {"finish_reason": "COMPLETE", "usage": None}}


def content(text: str, index: int = 0) -> JsonObject:
    return {"type": "content-delta", "index": index, "delta": {"message": {"content": {"text": text}}}}


def closed(index: int = 0, kind: str = "content-end") -> JsonObject:
    return {"type": kind, "index": index}


def stream(*events: JsonObject) -> bytes:
    return b"".join(map(event, events))


def test_text_plan_and_arguments_are_told_apart() -> None:
    one = recorded("cohere.chat-vllm_tool_stream")
    reply = reply_mask(one.reader())
    out = streamed(reply, one.body)
    assert leaks(out) == []
    assert texts(reply)[1, "tool_plan"] == "I will mail [EMAIL] and [CREDIT_CARD]"
    assert json.loads(texts(reply)[3, "arguments"]) == {"to": "[EMAIL]", "card": "[CREDIT_CARD]", "n": 3}
    assert json.loads(texts(reply)[5, "arguments"]) == {"who": "[EMAIL]"}
    assert texts(reply)[3, "name"] == "send_mail"
    assert (reply.reply.finish, reply.reply.prompt_tokens, reply.reply.completion_tokens) == ("TOOL_CALL", 17, 12)


def test_what_is_held_back_goes_out_before_its_part_ends() -> None:
    reply = reply_mask(CohereReader())
    out = documents(streamed(reply, stream(START, content("bob@example.com"), closed(), END) + DONE))
    assert [each["type"] for each in out] == [
        "message-start",
        "content-delta",
        "content-delta",
        "content-end",
        "message-end",
    ]
    assert out[2] == content("[EMAIL]")


def test_a_plan_ends_with_the_message() -> None:
    plan: JsonObject = {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "bob@example.com"}}}
    reply = reply_mask(CohereReader())
    out = documents(streamed(reply, stream(START, plan, END)))
    assert out[-2] == {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "[EMAIL]"}}}
    assert out[-1] == END and reply.reply.complete


def test_arguments_that_are_held_back_go_out_before_their_call_ends() -> None:
    call: JsonObject = {
        "type": "tool-call-delta",
        "index": 1,
        "delta": {"message": {"tool_calls": {"function": {"arguments": '"bob@example.com'}}}},
    }
    out = documents(streamed(reply_mask(CohereReader()), stream(START, call, closed(1, "tool-call-end"), END)))
    assert out[2]["index"] == 1
    assert (
        out[1]["delta"]["message"]["tool_calls"]["function"]["arguments"]
        + out[2]["delta"]["message"]["tool_calls"]["function"]["arguments"]
        == '"[EMAIL]'
    )


@pytest.mark.parametrize("end", [1, 2, 3])
def test_a_stream_that_is_cut_ends_in_an_error(end: int) -> None:
    events = (START, content("all of it. "), closed(), END)
    for mask in (None, STOP):
        reply = reply_mask(CohereReader(), mask)
        last = documents(streamed(reply, stream(*events[:end])))[-1]
        assert last["type"] == "message-end" and last["delta"]["finish_reason"] == "ERROR"
        assert "ended before" in last["delta"]["error"] and not reply.reply.complete


def test_the_terminator_may_be_missing() -> None:
    body = stream(START, content("all of it. "), closed(), END)
    reply = reply_mask(CohereReader())
    assert streamed(reply, body) == body and reply.reply.complete


def test_a_stream_that_is_stopped_says_why_where_clients_look() -> None:
    out = documents(
        streamed(reply_mask(CohereReader(), STOP), stream(START, content("it is "), content("falcon "), END))
    )
    assert out[-1] == {
        "type": "message-end",
        "id": "01TEST",
        "delta": {"error": "The reply was stopped by a rule. (exchange 01TEST)", "finish_reason": "ERROR"},
    }


def test_an_error_of_the_server_is_masked_and_noted() -> None:
    reply = reply_mask(CohereReader())
    out = streamed(reply, recorded("cohere.chat-vllm_error_stream").body)
    assert b"no room for [EMAIL]" in out and reply.reply.error
    assert texts(reply)[2, "text"] == "It is "


def test_logprobs_do_not_stand_beside_a_mask() -> None:
    reply = reply_mask(CohereReader())
    out = streamed(reply, recorded("cohere.chat-cohere_logprobs_stream").body)
    assert b'"logprobs":null' in out and b"token_ids" not in out
    assert b"<|user|>mail [EMAIL]" in out
    assert (reply.reply.prompt_tokens, reply.reply.finish) == (71, "MAX_TOKENS")


def test_citations_are_masked() -> None:
    out = streamed(reply_mask(CohereReader()), recorded("cohere.chat-vllm_chat_stream").body)
    citation = next(each for each in documents(out) if each["type"] == "citation-start")["delta"]["message"][
        "citations"
    ]
    assert citation["text"] == "[EMAIL]" and citation["sources"][0]["document"]["text"] == "Mail: [EMAIL]"
    assert (citation["start"], citation["type"]) == (9, "TEXT_CONTENT")


def test_a_refusal_is_a_message() -> None:
    assert COHERE.error(Refusal("not_granted", "No."), "01X") == (
        "application/json",
        b'{"message":"No. (exchange 01X)","id":"01X"}',
    )
    assert COHERE.error(Refusal("not_granted", "No."), "")[1] == b'{"message":"No."}'
    assert COHERE.name == "cohere"


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"message": "text"},
        {"message": {"content": "text"}},
        {"message": {"content": ["text"]}},
        {"message": {"tool_calls": ["x"]}},
        {"message": {"tool_plan": ["x"]}},
        {"type": 1},
        {"type": "content-begin"},
        {"type": "content-delta", "index": 0},
        {"type": "content-delta", "index": 0, "delta": {}},
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": "x"}}},
        {"type": "content-delta", "index": "0", "delta": {"message": {"content": {"text": "x"}}}},
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": 1}}}},
        {"type": "content-end"},
    ],
)
def test_what_it_does_not_know_it_does_not_read(document: Json) -> None:
    with pytest.raises(UnreadableError):
        CohereReader().read(document, Reply(), strip=True)


def test_an_unknown_event_says_what_it_is() -> None:
    with pytest.raises(UnknownEventError) as caught:
        CohereReader().read({"type": "search-start"}, Reply(), strip=True)
    assert caught.value.kind == "search-start"


def test_a_message_end_may_say_nothing() -> None:
    reply = reply_mask(CohereReader())
    streamed(reply, stream(START, {"type": "message-end"}))
    assert reply.reply.complete and reply.reply.finish is None


def test_a_call_of_another_kind_is_text() -> None:
    body: JsonObject = {"message": {"tool_calls": [{"type": "function", "function": "bob@example.com"}]}, "usage": {}}
    out = reply_mask(CohereReader()).whole(200, "application/json", json.dumps(body).encode())
    assert b"[EMAIL]" in out


def test_embeddings_pass_and_texts_are_masked() -> None:
    one = recorded("cohere.embed-vllm_embed")
    reply = reply_mask(one.reader())
    found = json.loads(reply.whole(200, one.content_type, one.body))
    assert found["embeddings"] == json.loads(one.body)["embeddings"]
    assert found["texts"] == ["write to [EMAIL]", "[CREDIT_CARD]"]
    assert reply.reply.prompt_tokens == 12


@pytest.mark.parametrize(
    "embeddings",
    [
        {"float": [["bob@example.com"]]},
        {"float": [[4111111111111111]]},
        {"float": [[True]]},
        {"float": {"a": 1}},
        {"base64": ["bob@example.com"]},
        {"float": [{"a": 1}]},
        "text",
    ],
)
def test_embeddings_are_numbers_and_nothing_else(embeddings: Json) -> None:
    with pytest.raises(UnreadableError):
        CohereEmbedReader().read({"id": "x", "embeddings": embeddings}, Reply(), strip=True)


def test_embeddings_may_be_a_list_or_missing() -> None:
    known: list[JsonObject] = [{"embeddings": [[0.5]]}, {"embeddings": {"float": None}}, {"id": "x", "meta": {}}]
    for document in known:
        CohereEmbedReader().read(document, Reply(), strip=True)
    with pytest.raises(UnreadableError):
        CohereEmbedReader().read([], Reply(), strip=True)


def test_events_that_say_nothing_pass() -> None:
    body = stream(START, content(""), closed(), {**END, "delta": {"usage": {"tokens": {"input_tokens": None}}}})
    reply = reply_mask(CohereReader())
    assert streamed(reply, body) == body
    assert (reply.reply.prompt_tokens, reply.reply.completion_tokens) == (None, None)


def test_how_many_tokens_it_were_stays_and_which_does_not() -> None:
    for usage, left in (({"tokens": {"input_tokens": 3.0}}, {"input_tokens": 3.0}), ({"tokens": [7, 8]}, None)):
        body = json.dumps({"message": {"content": []}, "usage": usage}).encode()
        reply = reply_mask(CohereReader())
        assert json.loads(reply.whole(200, "application/json", body))["usage"]["tokens"] == left
