from __future__ import annotations

import orjson
import pytest

from penstock import apis
from penstock.errors import Refusal
from penstock.exchange import Json, JsonObject, Operation
from tests.apis.calls import call, said
from tests.masking.replies import reply_mask


@pytest.mark.parametrize(
    ("path", "body", "operation"),
    [
        ("/pooling", {"model": "m", "input": ["a", "b"], "task": "token_embed"}, Operation.EMBED),
        ("/pooling", {"model": "m", "data": {"x": "a", "y": ["b"]}}, Operation.EMBED),
        ("/classify", {"input": ["a", "b"], "raw_scores": True}, Operation.SCORE),
        ("/v1/classify", {"input": ["a", "b"], "rid": "r1"}, Operation.SCORE),
        ("/score", {"text_1": "a", "text_2": ["b"]}, Operation.SCORE),
        ("/v1/score", {"data_1": "a", "data_2": {"content": [{"type": "text", "text": "b"}]}}, Operation.SCORE),
        ("/v1/score", {"queries": "a", "items": "b"}, Operation.SCORE),
        ("/score", {"queries": ["a"], "documents": ["b"]}, Operation.SCORE),
        (
            "/generative_scoring",
            {"query": "a", "items": ["b"], "label_token_ids": [5], "item_first": True},
            Operation.SCORE,
        ),
        ("/invocations", {"text_1": "a", "text_2": "b"}, Operation.SCORE),
    ],
)
def test_each_endpoint_reads_its_texts(path: str, body: JsonObject, operation: Operation) -> None:
    made = call(path, body)
    assert (made.api, made.operation) == ("vllm.pooling", operation)
    assert said(made) == [("user", "a"), ("user", "b")] and not made.uninspected and not made.unusual


def test_ids_and_vectors_need_a_grant() -> None:
    assert call("/get_ppl", {"input": [1, 2]}).uninspected == ("token_ids",)
    made = call("/v1/score", {"query": [1], "items": [[2]], "query_embed_overrides": [[0.5]]})
    assert made.uninspected == ("embeddings", "token_ids")


def test_instructions_and_templates_are_read() -> None:
    made = call("/score", {"text_1": "a", "instruction": "i", "chat_template_kwargs": {"instruction": "k"}})
    assert said(made) == [("user", "a"), ("system", "i"), ("other", "k")] and made.unusual == {"chat_template_kwargs"}


def test_nothing_to_read_is_refused() -> None:
    for body in ({}, {"model": "m"}, {"text": "a"}):
        with pytest.raises(Refusal):
            call("/score", body)  # type: ignore[arg-type]


def test_sglangs_own_classify_is_told_by_its_keys() -> None:
    made = call("/classify", {"text": "a"})
    assert (made.api, made.operation) == ("sglang.encode", Operation.SCORE) and said(made) == [("user", "a")]
    with pytest.raises(Refusal):
        call("/classify", {"text": "a", "input": "b"})
    assert call("/classify", {"text": ["a", "b"]}, "PUT").api == "sglang.encode"


def test_sglangs_encode_takes_text_ids_and_media() -> None:
    for method in ("POST", "PUT"):
        body: JsonObject = {"text": "a", "input_ids": [1], "image_data": "x.png", "input_embeds": [[0.5]]}
        made = call("/encode", body, method)
        assert made.uninspected == ("embeddings", "image", "token_ids", "url")
        assert said(made) == [("user", "a"), ("other", "x.png")] and made.operation == Operation.EMBED


def test_sglangs_text_tools_give_back_masked_text() -> None:
    made = call("/separate_reasoning", {"text": "bob@example.org", "reasoning_parser": "qwen3", "return_blocks": True})
    assert said(made) == [("user", "bob@example.org")] and not made.unusual and made.operation == Operation.TOKENIZE
    mask = reply_mask(apis.by_name(made.api).reader(made))
    assert mask.whole(200, "application/json", b'{"text":"bob@example.org"}') == b'{"text":"[EMAIL]"}'
    made = call(
        "/parse_function_call", {"text": "a", "tools": [{"description": "b"}], "tool_call_parser": "not a name"}
    )
    assert said(made) == [("user", "a"), ("user", "b"), ("other", "not a name")]


@pytest.mark.parametrize(
    "document",
    [
        {"data": [{"index": 0, "object": "pooling", "data": [[0.5, 1.0], [2, 3]]}]},
        {"data": [{"index": 0, "probs": [0.5, 0.5], "num_classes": 2, "label": None}]},
        {"scores": [[0.2], [0.8]], "token_logprobs": [[0.5]], "pooled_hidden_states": [[None, 1.5]]},
        {"ppl": 4.5},
        [{"embedding": [0.5], "meta_info": {"id": "x"}}],
    ],
)
def test_numbers_pass_as_they_are(document: Json) -> None:
    for made in (call("/pooling", {"input": "a"}), call("/encode", {"text": "a"})):
        if isinstance(document, list) == (made.api == "sglang.encode"):
            body = orjson.dumps(document)
            assert reply_mask(apis.by_name(made.api).reader(made)).whole(200, "application/json", body) == body


def test_labels_are_text() -> None:
    made = call("/classify", {"input": "a"})
    body = b'{"data":[[{"score":0.5,"label":"of bob@example.org"}]]}'
    assert b"[EMAIL]" in reply_mask(apis.by_name(made.api).reader(made)).whole(200, "application/json", body)
