"""How each family of APIs says that something went wrong, so that every SDK shows the message."""

from __future__ import annotations

from typing import Final

from penstock.apis.api import Dialect
from penstock.apis.wire import ndjson, sse
from penstock.errors import Refusal
from penstock.exchange import Json

_JSON: Final = "application/json"

# What OpenAI calls an error of a status; SDKs raise a class of its own for most of them.
_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "invalid_request_error",
    429: "rate_limit_error",
}


class OpenAiDialect:
    """`{"error": {"message", "type", "param", "code"}}`, whole and as an event (openai-python raises on both)."""

    name = "openai"

    def error(self, refusal: Refusal, exchange_id: str) -> tuple[str, bytes]:
        return _JSON, ndjson.encode(self._document(refusal, exchange_id)).rstrip(b"\n")

    def event(self, refusal: Refusal, exchange_id: str) -> bytes:
        return sse.encode(self._document(refusal, exchange_id))

    def _document(self, refusal: Refusal, exchange_id: str) -> Json:
        return {
            "error": {
                "message": said(refusal, exchange_id),
                "type": _TYPES.get(refusal.status, "api_error"),
                "param": None,
                "code": refusal.code,
            }
        }


class OllamaDialect:
    """`{"error": "..."}`, whole and as a line (Ollama's clients raise on both)."""

    name = "ollama"

    def error(self, refusal: Refusal, exchange_id: str) -> tuple[str, bytes]:
        return _JSON, self.event(refusal, exchange_id).rstrip(b"\n")

    def event(self, refusal: Refusal, exchange_id: str) -> bytes:
        return ndjson.encode({"error": said(refusal, exchange_id)})


def said(refusal: Refusal, exchange_id: str) -> str:
    """The message as callers read it; the id finds the exchange in the audit."""
    return f"{refusal.message} (exchange {exchange_id})" if exchange_id else refusal.message


OPENAI: Final[Dialect] = OpenAiDialect()
OLLAMA: Final[Dialect] = OllamaDialect()


def dialect_of(path: str) -> Dialect:
    """The dialect of a path that no API has: OpenAI's, but Ollama's below `/api` and `/v2` (KServe says it alike)."""
    return OLLAMA if path.split("/", 2)[1:2] in (["api"], ["v2"]) else OPENAI
