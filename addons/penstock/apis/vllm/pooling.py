"""What a model makes of texts beside embeddings: classes, scores, rewards. vLLM's endpoints, and who else has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from penstock.apis.api import Route
from penstock.apis.calls.contents import Input, contents, integers, messages, vectors
from penstock.apis.calls.fields import BOOL, INT, LIST, NUMBER, STRING, Field, Table, parameter
from penstock.apis.calls.pooling import OVERRIDES, SHARED, TEMPLATED, inputs
from penstock.apis.calls.whole import Whole
from penstock.exchange import Operation

_INPUTS: Final[Mapping[str, Input]] = {
    "input": contents,
    "messages": messages,
    "data": contents,
    "text_1": contents,
    "text_2": contents,
    "data_1": contents,
    "data_2": contents,
    "query": contents,
    "queries": contents,
    "documents": contents,
    "items": contents,
}
_MARKS: Final = frozenset({"text_1", "text_2", "data_1", "data_2", "queries"})


class VllmPooling(Whole):
    """`/pooling`, `/classify`, `/score`, `/generative_scoring`: one table, since their bodies differ in keys alone.

    `/classify` of infinity and SGLang's `/v1/classify`, `/v1/score` are the same; SGLang's own `/classify` is not.
    """

    name = "vllm.pooling"
    routes = (
        Route("POST", "/pooling", Operation.EMBED),
        Route("POST", "/classify", Operation.SCORE),
        Route("POST", "/v1/classify", Operation.SCORE),
        Route("POST", "/score", Operation.SCORE),
        Route("POST", "/v1/score", Operation.SCORE),
        Route("POST", "/generative_scoring", Operation.SCORE),
        # lmdeploy: the perplexity of a text.
        Route("POST", "/get_ppl", Operation.SCORE),
        Route("POST", "/invocations", Operation.SCORE, marks=_MARKS),
    )
    table = Table(
        {
            **SHARED,
            **TEMPLATED,
            **OVERRIDES,
            **inputs(*_INPUTS),
            "query_embed_overrides": Field(LIST),
            "item_embed_overrides": Field(LIST),
            "label_token_ids": parameter(LIST, "label_token_ids"),
            "apply_softmax": parameter(BOOL, "apply_softmax"),
            "item_first": parameter(BOOL, "item_first"),
            "temperature": parameter(NUMBER, "temperature"),
            "return_token_logprobs": parameter(BOOL, "logprobs"),
            "score_extraction_token": parameter(STRING, "score_extraction_token", role="other"),
            "max_tokens_per_query": parameter(INT, "max_tokens_per_query"),
            "max_tokens_per_doc": parameter(INT, "max_tokens_per_doc"),
        }
    )
    inputs: ClassVar[Mapping[str, Input]] = {
        **_INPUTS,
        "embed_overrides": vectors,
        "query_embed_overrides": vectors,
        "item_embed_overrides": vectors,
        "label_token_ids": integers,
    }
    numbers = frozenset({"data", "probs", "scores", "token_logprobs", "pooled_hidden_states", ""})
