"""vLLM's halves of a generation: a request as token ids (render), and token ids as a reply (derender)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from penstock.apis.anthropic.messages import AnthropicMessages
from penstock.apis.api import Api, ReplyReader, Route
from penstock.apis.calls.contents import Input, documents, integers
from penstock.apis.calls.fields import BOOL, INT, LIST, Field, Table, parameter
from penstock.apis.calls.pooling import SHARED, inputs
from penstock.apis.calls.turns import Turns
from penstock.apis.calls.whole import Borrowed, Whole
from penstock.apis.cohere.chat import CohereChat
from penstock.apis.openai.chat import OpenAiChat
from penstock.apis.openai.completions import OpenAiCompletions
from penstock.apis.openai.reply import OpenAiReader
from penstock.apis.openai.responses.api import OpenAiResponses
from penstock.errors import invalid
from penstock.exchange import Call, JsonObject, Operation


def _rendered(name: str, owner: Api, path: str) -> Borrowed:
    """The reply is the caller's own request as token ids, with the tools and parameters that came with it."""
    routes = (Route("POST", path, Operation.TOKENIZE),)
    return Borrowed(name, owner, routes, numbers=frozenset({"token_ids", "token_offsets"}))


RENDERS: Final = (
    _rendered("vllm.render", OpenAiChat(), "/v1/chat/completions/render"),
    _rendered("vllm.render_completion", OpenAiCompletions(), "/v1/completions/render"),
    _rendered("vllm.render_messages", AnthropicMessages(), "/v1/messages/render"),
    _rendered("vllm.render_responses", OpenAiResponses(), "/v1/responses/render"),
    _rendered("vllm.render_cohere", CohereChat(), "/cohere/v2/chat/render"),
)

_INPUTS: Final[Mapping[str, Input]] = dict.fromkeys(
    ("generate_response", "generate_responses", "prompt_token_ids", "chat_request", "completion_request"), documents
) | {"prompt_tokens": integers}


class VllmDerender(Whole):
    """`POST /v1/chat/completions/derender` and `/v1/completions/derender`: what token ids say, as a whole reply.

    Chunk by chunk (`stream`) it is refused: a text that is cut over several calls is one that no mask sees.
    """

    name = "vllm.derender"
    routes = (
        Route("POST", "/v1/chat/completions/derender", Operation.TOKENIZE),
        Route("POST", "/v1/completions/derender", Operation.TOKENIZE),
    )
    table = Table(
        {
            "model": SHARED["model"],
            "stream": Field(BOOL),
            "prompt_tokens": parameter(INT | LIST, "prompt_tokens"),
            **inputs(*_INPUTS),
        }
    )
    inputs: ClassVar[Mapping[str, Input]] = _INPUTS

    def read_keys(self, turns: Turns, body: JsonObject, unknown: list[str]) -> None:
        if body.get("stream") or body.get("generate_chunk") is not None:
            raise invalid("/stream must be false: text in chunks over several calls cannot be inspected.")
        super().read_keys(turns, body, unknown)
        turns.uninspected.add("token_ids")

    def reader(self, call: Call) -> ReplyReader:
        return OpenAiReader()
