"""How KoboldCpp says that something went wrong."""

from __future__ import annotations

from typing import Final

from penstock.apis.api import Dialect
from penstock.apis.dialects import said
from penstock.apis.wire import ndjson, sse
from penstock.errors import Refusal
from penstock.exchange import Json


class KoboldDialect:
    """`{"detail": {"msg": "...", "type": "..."}}`.

    Its streams have no errors, and its clients show nothing but tokens: there the message is the last of them, beside
    an `error` for those who look.
    """

    name = "koboldcpp"

    def error(self, refusal: Refusal, exchange_id: str) -> tuple[str, bytes]:
        document: Json = {"detail": self._detail(refusal, exchange_id)}
        return "application/json", ndjson.encode(document).rstrip(b"\n")

    def event(self, refusal: Refusal, exchange_id: str) -> bytes:
        detail = self._detail(refusal, exchange_id)
        token = f"\n\n[{said(refusal, exchange_id)}]"
        return sse.encode({"token": token, "finish_reason": "error", "error": detail}, "message")

    def _detail(self, refusal: Refusal, exchange_id: str) -> Json:
        return {"msg": said(refusal, exchange_id), "type": refusal.code}


KOBOLD: Final[Dialect] = KoboldDialect()
