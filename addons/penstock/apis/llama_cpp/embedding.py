"""llama.cpp's own embeddings: the vectors of every token when the model does not pool them."""

from __future__ import annotations

from penstock.apis.api import Route
from penstock.apis.openai.embeddings import OpenAiEmbeddings
from penstock.exchange import Operation


class LlamaCppEmbedding(OpenAiEmbeddings):
    """`POST /embedding`; `/embeddings` is one path with OpenAI's."""

    name = "llama_cpp.embedding"
    routes = (Route("POST", "/embedding", Operation.EMBED),)
