from __future__ import annotations

import orjson
import pytest

from penstock import apis
from penstock.apis.koboldcpp.errors import KOBOLD
from penstock.apis.koboldcpp.reply import KoboldReader
from penstock.errors import Refusal
from penstock.exchange import Json, JsonObject, Operation
from tests.apis.calls import call, said
from tests.masking.replies import documents, reply_mask, streamed, texts


def token(text: Json, finish: Json = None, **more: Json) -> bytes:
    return b"event: message\ndata: " + orjson.dumps({"token": text, "finish_reason": finish, **more}) + b"\n\n"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/v1/generate", "koboldcpp.generate"),
        ("/api/latest/generate", "koboldcpp.generate"),
        ("/api/extra/generate/stream", "koboldcpp.generate_stream"),
    ],
)
def test_prompt_and_memory_are_turns(path: str, name: str) -> None:
    made = call(path, {"prompt": "once", "memory": "you are", "max_length": 80, "stop_sequence": ["You:"]})
    assert made.api == name and made.operation == Operation.COMPLETE
    assert said(made) == [("system", "you are"), ("user", "once"), ("other", "You:")]
    assert made.parameters["max_tokens"] == 80 and not made.unusual
    assert made.stream == name.endswith("stream")
    assert isinstance(apis.by_name(name).reader(made), KoboldReader)


def test_the_largest_of_three_penalties_counts() -> None:
    assert call("/api/v1/generate", {"prompt": "", "rep_pen": 1.1, "repeat_penalty": 2}).parameters == {
        "repeat_penalty": 2
    }


def test_what_outlives_the_call_needs_a_grant() -> None:
    body: JsonObject = {"prompt": "x", "grammar": "root", "genkey": "k", "max_context_length": 1, "images": ["A" * 80]}
    made = call("/api/v1/generate", body)
    assert made.unusual == {"grammar", "genkey", "max_context_length"} and made.uninspected == ("image",)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"prompt": 1},
        {"prompt": "a", "stop_sequence": [1]},
        {"prompt": "a", "max_tokens": 1, "max_length": 9000},
        {"prompt": "a", "banned_tokens": [1]},
    ],
)
def test_any_other_body_is_refused(body: JsonObject) -> None:
    with pytest.raises(Refusal):
        call("/api/v1/generate", body)


@pytest.mark.parametrize("pending", [None, "null", ""])
def test_a_stream_ends_with_a_reason(pending: Json) -> None:
    reply = reply_mask(KoboldReader())
    out = streamed(reply, token("mail bob@", pending) + token("example.com", pending) + token("", "length"))
    assert "".join(each["token"] for each in documents(out)) == "mail [EMAIL]"
    assert reply.reply.complete and reply.reply.finish == "length"
    assert out.count(b"event: message\n") == out.count(b"data: ")
    cut = reply_mask(KoboldReader())
    streamed(cut, token("mail", pending))
    assert cut.stopped is not None


def test_a_refusal_in_mid_stream_is_a_token_that_people_see() -> None:
    refusal = Refusal("policy_violation", "No.")
    (document,) = documents(KOBOLD.event(refusal, "01TEST").removeprefix(b"event: message\n"))
    assert document["token"] == "\n\n[No. (exchange 01TEST)]" and document["error"]["type"] == "policy_violation"
    kind, body = KOBOLD.error(refusal, "")
    assert kind == "application/json" and orjson.loads(body) == {"detail": {"msg": "No.", "type": "policy_violation"}}


def test_a_whole_reply_is_masked() -> None:
    document: Json = {
        "results": [
            {"text": "bob@example.com", "finish_reason": "stop", "logprobs": {"content": ["bob@example.com"]}},
            {"text": "b", "prompt_tokens": 2, "completion_tokens": 3, "note": "bob@example.com", "tool_calls": []},
        ],
        "note": None,
    }
    reply = reply_mask(KoboldReader())
    out = reply.whole(200, "application/json", orjson.dumps(document))
    assert b"bob@" not in out and (reply.reply.prompt_tokens, reply.reply.completion_tokens) == (2, 3)
    assert texts(reply)[(0, "text")] == "[EMAIL]" and reply.reply.finish == "stop"
    plain = reply_mask(KoboldReader(), None)
    assert plain.whole(200, "application/json", orjson.dumps(document)) == orjson.dumps(document)


@pytest.mark.parametrize("document", ["a", [], {"results": ["a"]}])
def test_any_other_reply_is_not_let_through(document: Json) -> None:
    with pytest.raises(Refusal):
        reply_mask(KoboldReader()).whole(200, "application/json", orjson.dumps(document))


def test_an_error_in_a_stream_is_masked() -> None:
    reply = reply_mask(KoboldReader())
    out = streamed(reply, b'data: {"detail": {"msg": "no bob@example.com", "type": "x"}}\n\n')
    assert b"bob@" not in out and reply.reply.error is not None
