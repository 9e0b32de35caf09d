from __future__ import annotations

import orjson
import pytest

from penstock import apis
from penstock.apis.llama_cpp.completion import count
from penstock.apis.llama_cpp.reply import NativeReader
from penstock.apis.replies.pieces import Place
from penstock.errors import Refusal
from penstock.exchange import Call, Json, JsonObject, Operation
from tests.apis.calls import call, said
from tests.apis.recorded import recorded
from tests.masking.replies import documents, event, reply_mask, streamed, texts


def complete(prompt: Json, **more: Json) -> Call:
    return call("/completion", {"prompt": prompt, **more})


def infill(**more: Json) -> Call:
    return call("/infill", {"input_prefix": "def a(", "input_suffix": "return", **more})


@pytest.mark.parametrize("path", ["/completion", "/completions"])
def test_a_prompt_is_a_turn_and_needs_no_model(path: str) -> None:
    made = call(path, {"prompt": "once", "stop": ["X"], "n_predict": 9, "stream": True})
    assert made.api == "llama_cpp.completion" and made.operation == Operation.COMPLETE
    assert made.model is None and made.stream and not made.unusual
    assert said(made) == [("user", "once"), ("other", "X")]
    assert made.parameters["max_tokens"] == 9


def test_a_router_is_told_the_model() -> None:
    assert complete("x", model="tiny").model == "tiny"
    with pytest.raises(Refusal):
        complete("x", model="a b")


@pytest.mark.parametrize(
    ("prompt", "expected", "uninspected", "prompts"),
    [
        (["a", "b"], [("prompt", 0), ("prompt", 1)], (), 2),
        ([1, 2, 3], [], ("token_ids",), 1),
        ([1, "a", 2, "b"], [("prompt", 1), ("prompt", 3)], ("token_ids",), 1),
        ([[1, 2], "a", [3, "b"]], [("prompt", 1), ("prompt", 2, 1)], ("token_ids",), 3),
        ({"prompt_string": "a"}, [("prompt", "prompt_string")], (), 1),
        (
            [{"prompt_string": "a", "multimodal_data": ["iVBO"]}, "b"],
            [("prompt", 0, "prompt_string"), ("prompt", 1)],
            ("audio", "image"),
            2,
        ),
        ({"prompt_string": "a", "multimodal_data": []}, [("prompt", "prompt_string")], (), 1),
    ],
)
def test_a_prompt_comes_in_many_forms(
    prompt: Json, expected: list[tuple[str | int, ...]], uninspected: tuple[str, ...], prompts: int
) -> None:
    made = complete(prompt)
    assert [turn.path for turn in made.turns] == expected
    assert made.uninspected == uninspected and count(prompt) == prompts


@pytest.mark.parametrize(
    "prompt",
    [None, 7, True, [], [[]], [True], [1.5], {}, {"prompt_string": 1}, {"prompt_string": "a", "x": 1}, [["a", None]]],
)
def test_any_other_prompt_is_refused(prompt: Json) -> None:
    with pytest.raises(Refusal) as caught:
        complete(prompt)
    assert "/prompt" in caught.value.message


def test_media_must_be_base64_strings() -> None:
    with pytest.raises(Refusal):
        complete({"prompt_string": "a", "multimodal_data": [1]})


@pytest.mark.parametrize(
    "key", ["grammar", "json_schema", "lora", "id_slot", "n_cache_reuse", "verbose", "reasoning_format", "anything"]
)
def test_what_changes_the_server_or_hides_text_needs_a_grant(key: str) -> None:
    given: dict[str, Json] = {"grammar": "root ::= x", "json_schema": {"a": "b"}, "lora": [{"id": 0, "scale": 1}]}
    made = complete("x", **{key: given.get(key, key == "verbose" or 1)})
    assert made.unusual == {key}


def test_the_largest_limit_is_judged_and_all_are_clamped() -> None:
    made = complete("x", n_predict=5, max_tokens=-1, n=3, n_cmpl=2)
    assert made.parameters["max_tokens"] == 2**31 - 1 and made.parameters["n"] == 3
    clamped = apis.by_name(made.api).with_parameters(made, {"max_tokens": 100, "n": 2})
    assert clamped.body is not None
    assert [clamped.body[key] for key in ("n_predict", "max_tokens", "n", "n_cmpl")] == [5, 100, 2, 2]


@pytest.mark.parametrize("key", ["repeat_last_n", "logprobs"])
def test_a_known_key_is_that_parameter(key: str) -> None:
    assert complete("x", **{key: 4}).parameters[key] == 4


def test_a_biased_text_is_a_turn() -> None:
    made = complete("x", logit_bias=[[15, -1.0], ["a@b.example", False]])
    assert said(made)[1:] == [("other", "a@b.example")] and not made.uninspected
    made = complete("x", logit_bias={"15": -1, "a@b.example": 1, "4111111111111111": 1, "word": 2})
    assert said(made)[1:] == [("other", "a@b.example"), ("other", "4111111111111111")]
    others: list[Json] = [[1], [[1]], [[None, 1]], [[1, "a"]], {"1": "a"}]
    for wrong in others:
        with pytest.raises(Refusal):
            complete("x", logit_bias=wrong)
    assert complete("x", logit_bias=None).parameters == {}


def test_streamed_fields_keep_the_marks_of_the_end() -> None:
    made = complete("x", stream=True, response_fields=["content", "stop"])
    assert made.body is not None and made.body["response_fields"] == ["content", "stop", "index"]
    for whole in ({"response_fields": ["content"]}, {"stream": True}, {"stream": True, "response_fields": []}):
        body = complete("x", **whole).body
        assert body is not None and body.get("response_fields") == whole.get("response_fields")


def test_code_is_filled_in_between_texts() -> None:
    made = infill(prompt="b", input_extra=[{"text": "import c", "filename": "c.py"}, {"text": ""}], n_predict=3)
    assert made.api == "llama_cpp.infill" and made.parameters["max_tokens"] == 3
    assert said(made) == [
        ("user", "def a("),
        ("user", "b"),
        ("user", "return"),
        ("user", "import c"),
        ("other", "c.py"),
    ]
    assert made.turns[3].path == ("input_extra", 0, "text")
    masked = apis.with_texts(made, {("input_extra", 0, "text"): "[X]"})
    assert masked.body is not None and said(masked)[3] == ("user", "[X]")


@pytest.mark.parametrize(
    "body",
    [
        {"input_prefix": "a"},
        {"input_prefix": 1, "input_suffix": "b"},
        {"input_prefix": "a", "input_suffix": "b", "prompt": ["x"]},
        {"input_prefix": "a", "input_suffix": "b", "input_extra": [{"text": 1}]},
        {"input_prefix": "a", "input_suffix": "b", "input_extra": ["x"]},
        {"input_prefix": "a", "input_suffix": "b", "input_extra": [{"text": "x", "path": "/etc"}]},
    ],
)
def test_any_other_infill_is_refused(body: JsonObject) -> None:
    with pytest.raises(Refusal):
        call("/infill", body)


def test_a_stream_ends_when_each_of_its_texts_has() -> None:
    api, body = apis.by_name("llama_cpp.completion"), recorded("llama_cpp.completion-llama_cpp_prompts_stream").body
    reply = reply_mask(api.reader(complete(["hi", "mail"])))
    out = streamed(reply, body)
    assert reply.reply.complete and out.startswith(b"data: null\n\n")
    assert texts(reply) == {
        (0, "content"): "Contact [EMAIL] or card [CREDIT_CARD].",
        (1, "content"): "Contact [EMAIL] or card [CREDIT_CARD].",
    }
    assert reply.reply.completion_tokens == 30 and reply.reply.finish == "eos" and reply.reply.model == "tiny"
    ended = reply_mask(api.reader(complete("hi")))
    assert len(streamed(ended, body)) < len(out), "one prompt has one end"


def test_copies_of_a_completion_are_counted() -> None:
    made = infill(n=2)
    for api, its in (("llama_cpp.infill", made), ("llama_cpp.completion", complete("x", n_cmpl=2))):
        reply = reply_mask(apis.by_name(api).reader(its))
        streamed(reply, event({"index": 0, "content": "a", "stop": True}))
        assert not reply.reply.complete, "its bytes ended before the second copy did"
        reply = reply_mask(apis.by_name(api).reader(its))
        reply.feed(event({"index": 0, "content": "a", "stop": True}))
        assert not reply.reply.complete
        reply.feed(event({"index": 1, "content": "a", "stop": True}))
        assert reply.reply.complete


def test_what_is_held_back_goes_out_before_the_end() -> None:
    reply = reply_mask(NativeReader(1))
    first = event({"index": 0, "content": "mail bob@example.com", "tokens": [7], "stop": False, "tokens_predicted": 1})
    last = event(
        {"index": 0, "content": "", "tokens": [], "stop": True, "stop_type": "word", "stopping_word": "bob@x.de"}
    )
    out = documents(streamed(reply, first + last))
    assert [document["content"] for document in out] == ["mail ", "[EMAIL]", ""]
    assert [document["stop"] for document in out] == [False, False, True]
    assert all(document["tokens"] == [] for document in out)
    assert out[2]["stopping_word"] == "[EMAIL]" and reply.reply.finish == "word"


def test_fields_that_say_the_text_again_are_emptied_and_keep_their_types() -> None:
    document: JsonObject = {
        "content": "a",
        "prompt": "bob@example.com",
        "tokens": [1],
        "generation_settings": {"grammar": "bob@example.com"},
        "generation_settings/grammar": "bob@example.com",
        "completion_probabilities": [{"token": "bob@example.com"}],
        "note": "bob@example.com",
        "truncated": None,
    }
    out = orjson.loads(reply_mask(NativeReader(None)).whole(200, "application/json", orjson.dumps([document])))
    assert out[0] == {
        "content": "a",
        "prompt": "",
        "tokens": [],
        "generation_settings": None,
        "generation_settings/grammar": "",
        "completion_probabilities": [],
        "note": "[EMAIL]",
        "truncated": None,
    }


@pytest.mark.parametrize("document", ["text", [1], [{"index": -1}], {"index": True}, {"index": "0"}])
def test_any_other_reply_is_not_let_through(document: Json) -> None:
    with pytest.raises(Refusal):
        reply_mask(NativeReader(None)).whole(200, "application/json", orjson.dumps(document))


def test_an_error_in_the_stream_is_masked_and_ends_it() -> None:
    reply = reply_mask(NativeReader(1))
    text = event({"index": 0, "content": "a", "stop": False, "note": "see bob@exam"})
    out = streamed(reply, text + event({"error": {"code": 500, "message": "bob@example.com failed"}}))
    assert b"bob@example" not in out and b"[EMAIL] failed" in out
    assert reply.reply.error == "[EMAIL] failed"


def test_a_text_elsewhere_that_goes_on_is_carried_too() -> None:
    reply = reply_mask(NativeReader(1))
    first = event({"index": 0, "content": "", "stop": False, "note": "see bob@exam"})
    out = documents(streamed(reply, first + event({"index": 0, "stop": True})))
    assert [document.get("note") for document in out] == ["see ", "bob@exam", None]
    assert out[1]["content"] == "" and documents(NativeReader(1).carry(Place((-1, "a"), ("a", "b")), "x")) == [
        {"a": {"b": "x"}}
    ]
