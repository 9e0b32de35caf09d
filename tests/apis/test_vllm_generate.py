from __future__ import annotations

import orjson
import pytest

from penstock import apis
from penstock.errors import Refusal
from penstock.exchange import JsonObject, Operation
from tests.apis.calls import call, said
from tests.apis.recorded import recorded
from tests.masking.replies import documents, event, reply_mask, streamed, texts

GENERATE = "/inference/v1/generate"
DERENDER = "/v1/chat/completions/derender"
BODY: JsonObject = {"token_ids": [1, 2], "sampling_params": {"max_tokens": 9, "stop": ["X"], "n": 2}, "stream": True}


def test_a_prompt_of_token_ids_needs_a_grant_and_its_limits_are_judged() -> None:
    made = call(GENERATE, {**BODY, "model": "m", "output_mode": "text", "request_id": "r-1"})
    assert (made.api, made.operation, made.model, made.stream) == (
        "vllm.tokens_generate",
        Operation.COMPLETE,
        "m",
        True,
    )
    assert made.uninspected == ("token_ids",) and said(made) == [("other", "X")]
    assert made.parameters["max_tokens"] == 9 and made.parameters["n"] == 2 and not made.unusual
    less = apis.by_name(made.api).with_parameters(made, {"max_tokens": 3})
    assert less.body is not None and less.body["sampling_params"] == {"max_tokens": 3, "stop": ["X"], "n": 2}


def test_texts_around_the_ids_are_turns_and_what_is_not_known_is_unusual() -> None:
    made = call(
        GENERATE,
        {
            "token_ids": [1],
            "content_parts": [{"type": "image_url", "image_url": {"url": "http://x/i"}}],
            "parse_context": {"tools": [{"function": {"description": "d"}}]},
            "sampling_params": {"structured_outputs": {"regex": "r"}, "temperature": None},
            "kv_transfer_params": {"host": "h"},
        },
    )
    assert said(made) == [("other", "http://x/i"), ("user", "d"), ("other", "h"), ("other", "r")]
    assert made.unusual == {"kv_transfer_params", "sampling_params.structured_outputs"}
    assert made.uninspected == ("image", "token_ids", "url")


def test_a_wrong_limit_is_refused() -> None:
    for sampling in ({"max_tokens": "9"}, {"Max_Tokens": 9}, {"stop_token_ids": ["x"]}):
        with pytest.raises(Refusal):
            call(GENERATE, {"token_ids": [1], "sampling_params": sampling})  # type: ignore[dict-item]
    assert not call(GENERATE, {"token_ids": [1], "sampling_params": {"stop_token_ids": [2]}}).unusual


def test_no_prompt_at_all_still_needs_the_grant() -> None:
    assert call(GENERATE, {"token_ids": []}).uninspected == ("token_ids",)


def test_a_stream_of_text_is_masked_and_keeps_its_head() -> None:
    given = recorded("vllm.tokens_generate-vllm_text_stream")
    mask = reply_mask(given.reader())
    out = documents(streamed(mask, given.body, range(0, len(given.body), 7)))
    assert texts(mask) == {(0, "text"): "Write to [EMAIL] or pay [CREDIT_CARD] now."}
    assert {document["request_id"] for document in out} == {"9a3f5d0e8b7c4f21"}
    assert {document.get("output_mode") for document in out} == {"text"}
    assert mask.reply.finish == "stop" and mask.reply.completion_tokens == 10 and mask.reply.complete
    assert all(not choice.get("token_ids") for document in out for choice in document["choices"])


def test_what_is_held_back_is_said_like_any_other_event() -> None:
    mask = reply_mask(recorded("vllm.tokens_generate-vllm_text_stream").reader())
    mask.feed(
        event({"request_id": "r", "output_mode": "text", "choices": [{"index": 0, "text": "to bob@"}], "note": "x y"})
    )
    out = documents(mask.feed(b"data: [DONE]\n\n"))
    head = {"request_id": "r", "output_mode": "text"}
    assert out == [
        {**head, "choices": [{"index": 0, "text": "bob@", "finish_reason": None}]},
        {**head, "note": "y"},
    ]


def test_a_strange_head_is_text() -> None:
    mask = reply_mask(recorded("vllm.tokens_generate-vllm_tokens").reader())
    out = mask.whole(200, "application/json", b'{"request_id":"bob@example.org","choices":[]}')
    assert out == b'{"request_id":"[EMAIL]","choices":[]}'


def test_token_ids_become_a_whole_reply_and_never_chunks_of_one() -> None:
    made = call(DERENDER, {"model": "m", "generate_response": {"choices": [{"index": 0, "token_ids": [1]}]}})
    assert (made.api, made.operation, made.uninspected) == ("vllm.derender", Operation.TOKENIZE, ("token_ids",))
    strays: list[JsonObject] = [{"stream": True}, {"generate_chunk": {}}]
    for more in strays:
        with pytest.raises(Refusal):
            call(DERENDER, {"generate_response": {}, **more})
    reply: JsonObject = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "bob@example.org"}}]}
    out = reply_mask(apis.by_name(made.api).reader(made)).whole(200, "application/json", orjson.dumps(reply))
    assert b"[EMAIL]" in out and b"bob" not in out


def test_the_request_behind_the_ids_is_read() -> None:
    body: JsonObject = {"generate_responses": [], "completion_request": {"prompt": "p", "suffix": "s"}, "stream": False}
    assert said(call("/v1/completions/derender", body)) == [("user", "p"), ("user", "s")]


def test_a_rendered_request_keeps_its_ids_and_its_texts_are_masked() -> None:
    for name in ("vllm.render-vllm_render", "vllm.render_completion-vllm_render_completion"):
        given = recorded(name)
        before = orjson.loads(given.body)
        after = orjson.loads(reply_mask(given.reader()).whole(200, given.content_type, given.body))
        first, second = (each[0] if isinstance(each, list) else each for each in (before, after))
        assert second["token_ids"] == first["token_ids"]
        assert second["sampling_params"]["max_tokens"] == 64


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/completions/render", {"prompt": "a", "model": "m"}),
        ("/v1/messages/render", {"messages": [{"role": "user", "content": "a"}], "max_tokens": 5, "model": "m"}),
        ("/v1/responses/render", {"input": "a", "model": "m"}),
        ("/cohere/v2/chat/render", {"messages": [{"role": "user", "content": "a"}], "model": "m"}),
    ],
)
def test_every_body_that_can_be_rendered_is_read_by_the_api_it_is_of(path: str, body: JsonObject) -> None:
    made = call(path, body)
    assert made.api.startswith("vllm.render_") and made.operation == Operation.TOKENIZE and made.model == "m"
    assert said(made) == [("user", "a")]
    changed = apis.with_texts(made, {made.turns[0].path: "b"})
    assert said(changed) == [("user", "b")] and changed.api == made.api
