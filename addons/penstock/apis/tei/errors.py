"""How Hugging Face's servers say that something went wrong."""

from __future__ import annotations

from typing import Final

from penstock.apis.api import Dialect
from penstock.apis.dialects import said
from penstock.apis.wire import ndjson, sse
from penstock.errors import Refusal
from penstock.exchange import Json

_TYPES: Final = {400: "validation", 413: "validation", 422: "validation", 429: "overloaded"}


class TeiDialect:
    """`{"error": "...", "error_type": "..."}` (huggingface_hub shows both)."""

    name = "tei"

    def error(self, refusal: Refusal, exchange_id: str) -> tuple[str, bytes]:
        return "application/json", ndjson.encode(self._document(refusal, exchange_id)).rstrip(b"\n")

    def event(self, refusal: Refusal, exchange_id: str) -> bytes:
        return sse.encode(self._document(refusal, exchange_id))

    def _document(self, refusal: Refusal, exchange_id: str) -> Json:
        return {"error": said(refusal, exchange_id), "error_type": _TYPES.get(refusal.status, refusal.code)}


TEI: Final[Dialect] = TeiDialect()
