from __future__ import annotations

import orjson
import pytest

from penstock import apis
from penstock.errors import Refusal
from penstock.exchange import Json, Operation
from tests.apis.calls import call, said
from tests.masking.replies import reply_mask

PATHS = ["/rerank", "/v1/rerank", "/v2/rerank", "/reranking", "/v1/reranking", "/v3/rerank"]


@pytest.mark.parametrize("path", PATHS)
def test_query_and_documents_are_turns_on_every_path(path: str) -> None:
    made = call(path, {"model": "tiny", "query": "q", "documents": ["a", {"text": "b", "title": "c"}], "top_n": 1})
    assert (made.api, made.operation) == ("rerank", Operation.RERANK)
    assert said(made) == [("user", "q"), ("user", "a"), ("user", "b"), ("user", "c")]
    assert made.parameters == {"top_n": 1} and not made.unusual


def test_tei_and_llama_cpp_say_texts() -> None:
    made = call("/rerank", {"query": "q", "texts": ["a", "b"], "return_text": True, "truncate": True})
    assert said(made) == [("user", "q"), ("user", "a"), ("user", "b")] and not made.unusual and made.model is None


def test_parts_with_images_need_a_grant() -> None:
    query: Json = [{"type": "text", "text": "q"}, {"type": "image_url", "image_url": {"url": "http://x/i.png"}}]
    made = call("/v1/rerank", {"query": query, "documents": [{"content": [{"type": "text", "text": "a"}]}]}, "PUT")
    assert said(made) == [("user", "q"), ("other", "http://x/i.png"), ("user", "a")]
    assert made.uninspected == ("image", "url")


def test_instructions_are_turns_and_what_is_hidden_is_unusual() -> None:
    made = call("/rerank", {"query": "q", "documents": [], "instruct": "do", "kwargs": '{"x": 1}', "backend": "b"})
    assert said(made) == [("user", "q"), ("system", "do"), ("other", '{"x": 1}'), ("other", "b")]
    assert made.unusual == {"kwargs", "backend"}


@pytest.mark.parametrize("path", ["/invocations", "/"])
def test_a_path_for_everything_takes_it_when_nothing_else_is_in_the_body(path: str) -> None:
    assert call(path, {"query": "q", "texts": ["a"]}).api == "rerank"
    strays: list[dict[str, Json]] = [{"inputs": "x"}, {"messages": []}, {"prompt": "x"}]
    for more in strays:
        with pytest.raises(Refusal):
            call(path, {"query": "q", "texts": ["a"], **more})


@pytest.mark.parametrize(
    "document",
    [
        {"results": [{"index": 0, "relevance_score": 0.5, "document": {"text": "to bob@example.com"}}]},
        {"results": [{"index": 0, "relevance_score": 0.5, "document": "to bob@example.com"}]},
        [{"index": 0, "score": 0.5, "text": "to bob@example.com"}],
        [{"index": 0, "score": 0.5, "document": "to bob@example.com", "meta_info": {"id": "x"}}],
    ],
)
def test_documents_in_the_reply_are_masked(document: Json) -> None:
    api = apis.by_name("rerank")
    mask = reply_mask(api.reader(call("/rerank", {"query": "q", "documents": ["a"]})))
    out = mask.whole(200, "application/json", orjson.dumps(document))
    assert out == orjson.dumps(document).replace(b"bob@example.com", b"[EMAIL]")


def test_scores_alone_pass_as_they_are() -> None:
    body = b'{"results": [{"index": 0, "relevance_score": 0.5}, {"index": 1, "relevance_score": -7}]}'
    mask = reply_mask(apis.by_name("rerank").reader(call("/rerank", {"query": "q", "documents": ["a"]})))
    assert mask.whole(200, "application/json", body) == body
