"""How LM Studio's own API says that something went wrong, whole and as an event."""

from __future__ import annotations

from typing import Final

from penstock.apis.api import Dialect
from penstock.apis.dialects import said
from penstock.apis.wire import sse
from penstock.apis.wire.body import emit
from penstock.errors import Refusal
from penstock.exchange import JsonObject


class LmStudioDialect:
    """`{"error": {"type", "message", "code"}}`; in a stream the same with a `type` beside it, as the event `error`."""

    name = "lm_studio"

    def error(self, refusal: Refusal, exchange_id: str) -> tuple[str, bytes]:
        return "application/json", emit({"error": _error(refusal, exchange_id)})

    def event(self, refusal: Refusal, exchange_id: str) -> bytes:
        return sse.encode({"type": "error", "error": _error(refusal, exchange_id)}, "error")


def _error(refusal: Refusal, exchange_id: str) -> JsonObject:
    kind = "invalid_request" if 400 <= refusal.status < 500 else "internal_error"
    return {"type": kind, "message": said(refusal, exchange_id), "code": refusal.code}


LM_STUDIO: Final[Dialect] = LmStudioDialect()
