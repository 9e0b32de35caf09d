"""Calls of LM Studio's own chat, and its replies."""

from __future__ import annotations

import json

import pytest

from penstock import apis
from penstock.apis.lm_studio.errors import LM_STUDIO
from penstock.apis.lm_studio.reply import LmStudioReader
from penstock.apis.replies.pieces import UnknownEventError, UnreadableError
from penstock.errors import Refusal
from penstock.exchange import Call, Json, JsonObject, Operation, Reply
from tests.apis.calls import call, said
from tests.apis.recorded import recorded
from tests.masking.replies import MASK, STOP, documents, leaks, reply_mask, streamed, texts

PATH = "/api/v1/chat"


def chat(given: Json = "hi", **more: Json) -> Call:
    return call(PATH, {"model": "tiny", "input": given, **more})


def event(document: JsonObject) -> bytes:
    return f"event: {document['type']}\ndata: {json.dumps(document)}\n\n".encode()


def stream(*kinds: str | JsonObject) -> bytes:
    """Events in a row; a word is an event that says nothing but its kind."""
    return b"".join(event({"type": each} if isinstance(each, str) else each) for each in kinds)


def delta(text: str, kind: str = "message") -> JsonObject:
    return {"type": f"{kind}.delta", "content": text}


def end(*output: JsonObject, **more: Json) -> JsonObject:
    return {"type": "chat.end", "result": {"model_instance_id": "tiny", "output": [*output], **more}}


def message(text: str, kind: str = "message") -> JsonObject:
    return {"type": kind, "content": text}


def test_every_text_is_read() -> None:
    made = chat(
        [
            {"type": "message", "content": "one"},
            {"type": "text", "content": "two"},
            {"type": "image", "data_url": "data:image/png;base64,iVBO"},
        ],
        system_prompt="be brief",
    )
    assert made.operation is Operation.CHAT and made.model == "tiny"
    assert said(made) == [("system", "be brief"), ("user", "one"), ("user", "two")]
    assert made.uninspected == ("image",) and not made.unusual
    assert said(chat("plain")) == [("user", "plain")]


def test_an_image_elsewhere_is_named() -> None:
    made = chat([{"type": "image", "data_url": "http://in.example/x"}])
    assert made.uninspected == ("image", "url") and said(made) == [("other", "http://in.example/x")]


def test_parameters_have_their_common_names() -> None:
    made = chat(stream=True, max_output_tokens=5, temperature=0.5, top_p=1, repeat_penalty=1.1, reasoning="low")
    assert made.stream and not made.unusual
    assert made.parameters["max_tokens"] == 5 and made.parameters["repeat_penalty"] == 1.1
    changed = apis.by_name(made.api).with_parameters(made, {"max_tokens": 3})
    assert changed.body is not None and changed.body["max_output_tokens"] == 3


def test_nothing_is_kept_on_the_server_unless_the_caller_says_so() -> None:
    made = chat()
    assert made.body is not None and made.body["store"] is False and not made.unusual
    assert chat(store=None).body == made.body == chat(store=False).body
    kept = chat(store=True)
    assert kept.unusual == {"store"} and kept.body is not None and kept.body["store"] is True


def test_what_goes_on_from_the_server_cannot_be_inspected() -> None:
    made = chat(previous_response_id="resp_1")
    assert made.unusual == {"previous_response_id"} and made.uninspected == ("context",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("integrations", [{"type": "ephemeral_mcp", "server_url": "http://in.example", "headers": {"a": "b"}}]),
        ("integrations", ["mcp/playwright"]),
        ("context_length", 8000),
        ("ttl", 60),
        ("draft_model", "x"),
    ],
)
def test_what_reaches_further_needs_a_grant_that_names_it(name: str, value: Json) -> None:
    assert chat(**{name: value}).unusual == {"num_ctx" if name == "context_length" else name}


@pytest.mark.parametrize(
    "given",
    [
        None,
        [],
        ["text"],
        [{"type": "audio", "data_url": "x"}],
        [{"type": "message", "text": "x"}],
        [{"type": "message", "content": 1}],
        [{"type": "image"}],
        [{"type": "message", "content": "x", "data_url": "y"}],
    ],
)
def test_an_input_of_another_shape_is_refused(given: Json) -> None:
    with pytest.raises(Refusal):
        chat(given)


def test_a_parameter_by_another_name_is_refused() -> None:
    with pytest.raises(Refusal):
        chat(max_tokens=5)


@pytest.mark.parametrize("name", ["lm_studio_chat", "lm_studio_chat_stream"])
def test_a_reply_is_masked_wherever_it_says_something(name: str) -> None:
    one = recorded(f"lm_studio.chat-{name}")
    reply = reply_mask(one.reader())
    out = streamed(reply, one.body) if one.streamed else reply.whole(200, one.content_type, one.body)
    assert leaks(out) == []
    noted = reply.reply
    assert (noted.model, noted.prompt_tokens, noted.completion_tokens) == ("tiny", 329, 268)
    kinds = {channel[1]: text for channel, text in texts(reply).items()}
    assert kinds["message"] == "Write to [EMAIL], or call [CREDIT_CARD] now."
    assert kinds["reasoning"] == "Need [EMAIL] for it."


def test_the_last_event_says_again_what_was_said_and_is_not_counted_again() -> None:
    body = stream("message.start", delta("mail bob@example.com"), "message.end", end(message("mail bob@example.com")))
    reply = reply_mask(LmStudioReader())
    out = documents(streamed(reply, body))
    assert out[-1] == end(message("mail [EMAIL]"))
    assert reply.reply.masked == {"email": 1} and texts(reply) == {(1, "message"): "mail [EMAIL]"}


def test_what_only_the_last_event_says_is_heard() -> None:
    heard: list[str] = []
    reply = reply_mask(LmStudioReader(), judge=lambda text: heard.append(text))
    body = stream("message.start", delta("one"), "message.end", end(message("one"), message("bob@example.com")))
    assert leaks(streamed(reply, body)) == []
    assert "bob@example.com" in "\n".join(heard) and reply.reply.masked == {"email": 1}
    assert "one" in texts(reply).values() and "[EMAIL]" in texts(reply).values()


def test_what_is_held_back_goes_out_before_its_message_ends() -> None:
    body = stream("reasoning.start", delta("4111 1111 1111 1111", "reasoning"), "reasoning.end", end())
    out = documents(streamed(reply_mask(LmStudioReader()), body))
    assert [each["type"] for each in out][-3:] == ["reasoning.delta", "reasoning.end", "chat.end"]
    assert "".join(each.get("content", "") for each in out) == "[CREDIT_CARD]"


def test_a_delta_that_nothing_began_is_read_and_one_that_nothing_ended_ends_with_the_chat() -> None:
    reply = reply_mask(LmStudioReader())
    out = documents(streamed(reply, stream(delta("bob@"), delta("example.com"), end(message("bob@example.com")))))
    assert out[-2] == delta("[EMAIL]") and out[-1] == end(message("[EMAIL]"))
    assert reply.reply.masked == {"email": 1}


@pytest.mark.parametrize("mask", [None, MASK])
def test_a_stream_that_is_cut_ends_in_an_error(mask: object) -> None:
    reply = reply_mask(LmStudioReader(), mask)  # type: ignore[arg-type]
    out = streamed(reply, stream("chat.start", "message.start", delta("all of it. "), "message.end"))
    last = documents(out)[-1]
    assert last["type"] == "error" and "ended before" in last["error"]["message"] and not reply.reply.complete
    assert out.split(b"\n\n")[-2].startswith(b"event: error\n")


def test_a_stream_that_is_stopped_says_why() -> None:
    body = stream("message.start", delta("it is "), delta("falcon "), "message.end", end())
    last = documents(streamed(reply_mask(LmStudioReader(), STOP), body))[-1]
    assert last["error"] == {
        "type": "invalid_request",
        "message": "The reply was stopped by a rule. (exchange 01TEST)",
        "code": "policy_violation",
    }


def test_an_error_in_the_stream_does_not_end_it() -> None:
    one = recorded("lm_studio.chat-lm_studio_error_stream")
    reply = reply_mask(one.reader())
    out = documents(streamed(reply, one.body))
    assert reply.reply.error == "no server at [EMAIL]" and reply.reply.complete
    assert [each["type"] for each in out][-3:] == ["error", "message.end", "chat.end"]


def test_arguments_are_masked_as_those_of_a_tool() -> None:
    arguments: JsonObject = {"to": "bob@example.com", "card": 4111111111111111.0}
    body = stream(
        {"type": "tool_call.start", "tool": "send"},
        {"type": "tool_call.failure", "reason": "x", "metadata": {"tool_name": "a b", "arguments": arguments}},
        end({"type": "tool_call", "tool": "send", "arguments": arguments, "output": "x"}, mode=["bob@example.com"]),
    )
    out = documents(streamed(reply_mask(LmStudioReader()), body))
    for holder in (out[1]["metadata"], out[2]["result"]["output"][0]):
        assert holder["arguments"] == {"to": "[EMAIL]", "card": "[CREDIT_CARD].0"} or "4111" not in str(holder)
    assert out[2]["result"]["mode"] == ["[EMAIL]"]


def test_a_result_may_say_nothing_of_itself() -> None:
    reply = reply_mask(LmStudioReader())
    reply.whole(200, "application/json", b'{"output":[],"stats":{}}')
    assert reply.reply.complete and reply.reply.model is None


def test_refusals_have_the_shape_of_its_errors() -> None:
    refusal = Refusal("gateway_error", "Sorry.")
    expected = {"type": "internal_error", "message": "Sorry.", "code": "gateway_error"}
    assert json.loads(LM_STUDIO.error(refusal, "")[1]) == {"error": expected}
    assert documents(LM_STUDIO.event(refusal, "")) == [{"type": "error", "error": expected}]
    assert LM_STUDIO.name == "lm_studio"


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"output": "text"},
        {"output": ["text"]},
        {"type": 7},
        {"type": "chat.begin"},
        {"type": ""},
        {"type": "chat.end"},
        {"type": "chat.end", "result": {"output": {}}},
    ],
)
def test_what_it_does_not_know_it_does_not_read(document: Json) -> None:
    with pytest.raises(UnreadableError):
        LmStudioReader().read(document, Reply(), strip=True)


def test_an_unknown_event_says_what_it_is() -> None:
    with pytest.raises(UnknownEventError) as caught:
        LmStudioReader().read({"type": "tool_call.progress"}, Reply(), strip=True)
    assert caught.value.kind == "tool_call.progress"


def test_a_chat_of_endless_parts_is_not_read() -> None:
    reader = LmStudioReader()
    with pytest.raises(UnreadableError):
        for _ in range(6000):
            reader.read({"type": "message.start"}, Reply(), strip=True)
