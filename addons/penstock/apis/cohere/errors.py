"""How Cohere's API says that something went wrong, whole and as an event."""

from __future__ import annotations

from typing import Final

from penstock.apis.api import Dialect
from penstock.apis.dialects import said
from penstock.apis.wire import sse
from penstock.apis.wire.body import emit
from penstock.errors import Refusal
from penstock.exchange import JsonObject


class CohereDialect:
    """`{"message", "id"}`; in a stream the end of the message with `error` in it. The SDK raises for no event at all;
    this is what vLLM sends, and where callers look."""

    name = "cohere"

    def error(self, refusal: Refusal, exchange_id: str) -> tuple[str, bytes]:
        document: JsonObject = {"message": said(refusal, exchange_id)}
        return "application/json", emit({**document, "id": exchange_id} if exchange_id else document)

    def event(self, refusal: Refusal, exchange_id: str) -> bytes:
        delta: JsonObject = {"error": said(refusal, exchange_id), "finish_reason": "ERROR"}
        document: JsonObject = {"type": "message-end", "id": exchange_id, "delta": delta}
        return sse.encode(document)


COHERE: Final[Dialect] = CohereDialect()
