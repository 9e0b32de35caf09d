"""Text Embeddings Inference: vectors, classes and similarities of `inputs`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from penstock.apis.api import Dialect, Route
from penstock.apis.calls.contents import Input, contents
from penstock.apis.calls.fields import OBJECT, Table, parameter
from penstock.apis.calls.pooling import SHARED, inputs
from penstock.apis.calls.turns import LABEL
from penstock.apis.calls.whole import Whole
from penstock.apis.tei.errors import TEI
from penstock.exchange import Operation


class TeiEmbed(Whole):
    """`inputs`: text, texts, token ids, pairs of texts, or `{source_sentence, sentences}`. The reply is a list.

    `/rerank` is with the other rerankers. `/`, `/vertex` and `/invocations` with `inputs` are read as TGI's, whose
    model would write a text: nothing in the body tells the two apart.
    """

    name = "tei.embed"
    dialect: ClassVar[Dialect] = TEI
    routes = (
        Route("POST", "/embed", Operation.EMBED),
        Route("POST", "/embed_all", Operation.EMBED),
        Route("POST", "/embed_sparse", Operation.EMBED),
        Route("POST", "/similarity", Operation.SCORE),
        Route("POST", "/predict", Operation.SCORE, marks=frozenset({"inputs"})),
    )
    table = Table(
        {**SHARED, **inputs("inputs"), "parameters": parameter(OBJECT, "parameters", ordinary=False, role=LABEL)}
    )
    inputs: ClassVar[Mapping[str, Input]] = {"inputs": contents}
    numbers = frozenset({""})
