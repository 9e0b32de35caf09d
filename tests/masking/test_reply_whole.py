"""A reply in one piece, case by case."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from penstock.apis.dialects import OPENAI
from penstock.apis.metadata import MetadataReader
from penstock.apis.xinference.ocr import OcrReader
from penstock.errors import Refusal
from penstock.exchange import Json, JsonObject
from tests.masking.replies import DONE, STOP, chunk, leaks, ollama, openai, reply_mask, said, texts

JSON = "application/json"


def completion(content: str, **more: Json) -> bytes:
    message: JsonObject = {"role": "assistant", "content": content, **more}
    return orjson.dumps(
        {"id": "chatcmpl-1", "model": "tiny", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    )


def refused(body: bytes, content_type: str = JSON, status: int = 200, **more: Any) -> Refusal:
    reply = openai(**more)
    with pytest.raises(Refusal) as caught:
        reply.whole(status, content_type, body)
    assert reply.stopped is caught.value and reply.reply.error == caught.value.message
    assert not reply.reply.complete and texts(reply) == {}
    return caught.value


def test_a_body_that_needs_no_edit_is_the_same_object() -> None:
    body = completion("nothing to see")
    reply = openai()
    assert reply.whole(200, "application/json; charset=utf-8", body) is body
    assert reply.reply.complete and reply.reply.finish == "stop" and reply.reply.model == "tiny"
    assert texts(reply) == {(0, "content"): "nothing to see"}


def test_texts_are_masked_where_they_stand() -> None:
    reply = openai()
    out = reply.whole(200, JSON, completion("mail bob@example.org", reasoning="4111 1111 1111 1111"))
    message = orjson.loads(out)["choices"][0]["message"]
    assert message == {"role": "assistant", "content": "mail [EMAIL]", "reasoning": "[CREDIT_CARD]"}
    assert reply.reply.masked == {"email": 1, "credit_card": 1}


def test_arguments_stay_json_and_a_repeated_key_hides_nothing() -> None:
    call: JsonObject = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "f", "arguments": '{"to": "bob@example.org"}'},
    }
    out = openai().whole(200, JSON, completion("", tool_calls=[call]))
    assert orjson.loads(orjson.loads(out)["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]) == {
        "to": "[EMAIL]"
    }
    twice = b'{"note":"bob@example.org","note":"x","choices":[]}'
    assert leaks(openai().whole(200, JSON, twice)) == []


def test_a_whole_reply_of_ollama() -> None:
    reply = ollama()
    out = reply.whole(200, "application/json; charset=utf-8", said("bob@example.org", done=True).strip())
    assert orjson.loads(out)["message"]["content"] == "[EMAIL]"
    assert (reply.reply.prompt_tokens, reply.reply.completion_tokens, reply.reply.finish) == (3, 4, "stop")


def test_a_stop_rule_or_a_judge_refuses_it() -> None:
    assert refused(completion("the falcon"), chosen=STOP).code == "policy_violation"
    no = Refusal("policy_violation", "Not this.")
    assert refused(completion("hello"), judge=lambda text: no if "hello" in text else None) is no
    heard: list[str] = []
    openai(judge=lambda text: heard.append(text)).whole(200, JSON, completion("mail bob@example.org"))
    assert heard == ["mail bob@example.org"]


@pytest.mark.parametrize("body", [b"not json", b"[]", b'"bob@example.org"', b'{"a":"\xff"}', b'{"choices":["x"]}'])
def test_a_body_that_cannot_be_read_is_refused(body: bytes) -> None:
    refusal = refused(body)
    assert refusal.code == "gateway_error" and refusal.status == 502


@pytest.mark.parametrize("status", [200, 404])
def test_a_string_in_place_of_a_document_is_one_text_where_an_api_has_such_replies(status: int) -> None:
    reply = reply_mask(OcrReader())
    assert reply.whole(status, JSON, orjson.dumps('to "bob@example.org"')) == b'"to \\"[EMAIL]\\""'
    assert reply.reply.complete and reply.reply.error == ('to "[EMAIL]"' if status == 404 else None)
    assert texts(reply) == {(-1, "body"): 'to "[EMAIL]"'} and reply.reply.masked == {"email": 1}
    same = b'"nothing to\\u0020see"'
    assert reply_mask(OcrReader()).whole(status, JSON, same) is same
    with pytest.raises(Refusal):
        reply_mask(OcrReader(), STOP).whole(status, JSON, b'"the falcon"')


def test_an_error_may_be_a_string_of_any_api() -> None:
    reply = openai()
    assert reply.whole(404, JSON, b'"no bob@example.org"') == b'"no [EMAIL]"' and reply.reply.error == "no [EMAIL]"


@pytest.mark.parametrize("content_type", ["text/html", "application/octet-stream", "", "audio/wav", "text/plain+x"])
def test_any_other_content_type_is_refused(content_type: str) -> None:
    assert refused(b"<p>bob@example.org", content_type).code == "gateway_error"


def test_an_empty_body_passes_under_any_content_type() -> None:
    for content_type in ("", JSON, "text/html"):
        reply = reply_mask(MetadataReader(OPENAI))
        assert reply.whole(200, content_type, b"") == b"" and reply.reply.complete


def test_plain_text_is_one_text() -> None:
    reply = openai()
    assert reply.whole(502, "text/plain; charset=utf-8", b"bob@example.org is gone") == b"[EMAIL] is gone"
    assert texts(reply) == {(-1, "body"): "[EMAIL] is gone"}
    same = b"Ollama is running"
    assert openai().whole(200, "text/plain", same) is same
    assert refused(b"\xff", "text/plain").code == "gateway_error"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"error": {"message": "no bob@example.org", "code": 400}}, "no [EMAIL]"),
        ({"error": "no bob@example.org"}, "no [EMAIL]"),
        ({"detail": "no bob@example.org"}, "no [EMAIL]"),
        ({"detail": [{"msg": "bob@example.org"}]}, "status 400"),
        ([{"msg": "bob@example.org"}], "status 400"),
        ({"object": "error", "message": "m"}, "m"),
    ],
)
def test_an_error_answer_is_masked_whatever_its_shape(body: Json, error: str) -> None:
    reply = openai()
    assert leaks(reply.whole(400, JSON, orjson.dumps(body))) == []
    assert reply.reply.error == error and reply.reply.status == 400 and reply.reply.complete


def test_an_error_with_status_200_is_an_error() -> None:
    reply = openai()
    reply.whole(200, JSON, orjson.dumps({"error": {"message": "m"}}))
    assert reply.reply.error == "m"


def test_a_stream_in_answer_to_a_call_that_asked_for_none_is_treated_as_one() -> None:
    reply = openai()
    out = reply.whole(
        200, "text/event-stream; charset=utf-8", chunk({"content": "bob@example.org"}) + chunk({}, finish="stop") + DONE
    )
    assert leaks(out) == [] and out.endswith(DONE) and reply.reply.complete
    cut = openai()
    with pytest.raises(Refusal):
        cut.whole(200, "text/event-stream", chunk({"content": "bob@example.org"}))
    assert cut.stopped is not None
    lines = ollama()
    assert leaks(lines.whole(200, "application/x-ndjson", said("bob@example.org") + said("", done=True))) == []


def test_a_reply_has_a_largest_size() -> None:
    assert "larger" in refused(completion("x" * 2000), limit=1000).message


def test_the_words_of_a_model_list_pass() -> None:
    body = orjson.dumps(
        {
            "models": [
                {
                    "name": "llama3.2:latest",
                    "modified_at": "2026-05-04T17:37:44.706-07:00",
                    "size": 2019393189,
                    "license": "mail bob@example.org",
                }
            ]
        }
    )
    reply = reply_mask(MetadataReader(OPENAI))
    assert orjson.loads(reply.whole(200, JSON, body))["models"] == [
        {
            "name": "llama3.2:latest",
            "modified_at": "2026-05-04T17:37:44.706-07:00",
            "size": 2019393189,
            "license": "mail [EMAIL]",
        }
    ]
    assert not reply.flags
