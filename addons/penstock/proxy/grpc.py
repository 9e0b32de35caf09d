"""gRPC: not served, and said so in the way that its clients show."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from penstock.errors import Refusal

UNIMPLEMENTED: Final = "12"
UNAVAILABLE: Final = "14"
_PRINTABLE: Final = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")


def refusal() -> Refusal:
    return Refusal(
        "not_served", "gRPC is not served here, because its messages cannot be judged. Use the HTTP/1.1 API."
    )


def is_grpc(content_type: str) -> bool:
    """`application/grpc`, `application/grpc-web-text+proto` and the like."""
    return content_type.strip().lower().startswith("application/grpc")


def status_headers(message: str, status: str = UNIMPLEMENTED) -> tuple[tuple[str, str], ...]:
    """What a gRPC client reads in place of a reply (gRPC over HTTP/2: the message is percent-encoded)."""
    return ("grpc-status", status), ("grpc-message", quote(message, safe=_PRINTABLE))
