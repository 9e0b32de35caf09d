"""How TorchServe says that something went wrong."""

from __future__ import annotations

from typing import Final

from penstock.apis.api import Dialect
from penstock.apis.dialects import said
from penstock.apis.wire import ndjson, sse
from penstock.errors import Refusal
from penstock.exchange import Json


class TorchServeDialect:
    """`{"code", "type", "message"}`."""

    name = "torchserve"

    def error(self, refusal: Refusal, exchange_id: str) -> tuple[str, bytes]:
        return "application/json", ndjson.encode(self._document(refusal, exchange_id)).rstrip(b"\n")

    def event(self, refusal: Refusal, exchange_id: str) -> bytes:
        return sse.encode(self._document(refusal, exchange_id))

    def _document(self, refusal: Refusal, exchange_id: str) -> Json:
        return {"code": refusal.status, "type": refusal.code, "message": said(refusal, exchange_id)}


TORCHSERVE: Final[Dialect] = TorchServeDialect()
