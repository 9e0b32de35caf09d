"""How KServe, Triton, MLServer and OpenVINO Model Server say that something went wrong."""

from __future__ import annotations

from typing import Final

from penstock.apis.api import Dialect
from penstock.apis.dialects import said
from penstock.apis.wire import ndjson, sse
from penstock.errors import Refusal


class KserveDialect:
    """`{"error": "..."}`, whole and as an event without a name (Triton's clients raise on the first and show the
    second)."""

    name = "kserve"

    def error(self, refusal: Refusal, exchange_id: str) -> tuple[str, bytes]:
        return "application/json", ndjson.encode({"error": said(refusal, exchange_id)}).rstrip(b"\n")

    def event(self, refusal: Refusal, exchange_id: str) -> bytes:
        return sse.encode({"error": said(refusal, exchange_id)})


KSERVE: Final[Dialect] = KserveDialect()
