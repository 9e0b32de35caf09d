"""Reranking: documents ordered by how well they answer a query, as Jina, Cohere, TEI and the servers after them do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from penstock.apis.api import Route
from penstock.apis.calls.contents import Input, contents
from penstock.apis.calls.fields import BOOL, INT, LIST, OBJECT, STRING, Table, parameter
from penstock.apis.calls.pooling import SHARED, inputs
from penstock.apis.calls.turns import LABEL
from penstock.apis.calls.whole import Whole
from penstock.exchange import Operation

_PATHS: Final = ("/rerank", "/v1/rerank", "/v2/rerank", "/reranking", "/v1/reranking", "/v3/rerank")
_MARKS: Final = frozenset({"query", "documents", "texts"})


class Rerank(Whole):
    """`POST /rerank`: `query`, and `documents` (Jina, Cohere) or `texts` (TEI, llama.cpp): strings or objects."""

    name = "rerank"
    routes = (
        *(Route("POST", path, Operation.RERANK) for path in _PATHS),
        Route("PUT", "/v1/rerank", Operation.RERANK),
        # SageMaker's and TEI's path for whatever the model is for.
        Route("POST", "/invocations", Operation.RERANK, marks=_MARKS),
        Route("POST", "/", Operation.RERANK, marks=_MARKS),
    )
    table = Table(
        {
            **SHARED,
            **inputs("query", "documents", "texts"),
            "top_n": parameter(INT, "top_n"),
            "top_k": parameter(INT, "top_n"),
            "return_documents": parameter(BOOL, "return_documents"),
            "return_text": parameter(BOOL, "return_documents"),
            "max_tokens_per_query": parameter(INT, "max_tokens_per_query"),
            "max_tokens_per_doc": parameter(INT, "max_tokens_per_doc"),
            "max_chunks_per_doc": parameter(INT, "max_chunks_per_doc"),
            "rank_fields": parameter(LIST, "rank_fields", role=LABEL),
            "return_len": parameter(BOOL, "return_len"),
            "chat_template_kwargs": parameter(OBJECT, "chat_template_kwargs", ordinary=False, role="other"),
            # Xinference: more parameters, as JSON in a string.
            "kwargs": parameter(STRING, "kwargs", ordinary=False, role="other"),
        }
    )
    inputs: ClassVar[Mapping[str, Input]] = {"query": contents, "documents": contents, "texts": contents}
    # Only rows of index and score: a document in a row is text.
    numbers = frozenset({"results", ""})
