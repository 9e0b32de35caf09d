"""How Anthropic's API says that something went wrong, whole and as an event."""

from __future__ import annotations

from typing import Final

from penstock.apis.api import Dialect
from penstock.apis.dialects import said
from penstock.apis.wire import sse
from penstock.apis.wire.body import emit
from penstock.errors import Refusal
from penstock.exchange import JsonObject

# https://docs.anthropic.com/en/api/errors
_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
}


class AnthropicDialect:
    """`{"type": "error", "error": {"type", "message"}, "request_id"}`; in a stream as the event `error` (the SDKs drop
    what has no name)."""

    name = "anthropic"

    def error(self, refusal: Refusal, exchange_id: str) -> tuple[str, bytes]:
        return "application/json", emit(self._document(refusal, exchange_id))

    def event(self, refusal: Refusal, exchange_id: str) -> bytes:
        return sse.encode(self._document(refusal, exchange_id), "error")

    def _document(self, refusal: Refusal, exchange_id: str) -> JsonObject:
        kind = _TYPES.get(refusal.status, "api_error")
        document: JsonObject = {"type": "error", "error": {"type": kind, "message": said(refusal, exchange_id)}}
        return {**document, "request_id": exchange_id} if exchange_id else document


ANTHROPIC: Final[Dialect] = AnthropicDialect()
