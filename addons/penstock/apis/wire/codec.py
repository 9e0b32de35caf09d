"""What an encoding of request bodies is: bytes to an object, and back to bytes of our own making."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, Protocol

from penstock.exchange import JsonObject


class Emitted(NamedTuple):
    """A body as it is forwarded."""

    content_type: str
    headers: tuple[tuple[str, str], ...]
    """Further headers that the body needs to be read."""
    content: bytes


NOTHING: Final = Emitted("", (), b"")
"""No body at all."""


class Codec(Protocol):
    """One encoding."""

    @property
    def media(self) -> frozenset[str]:
        """Media types by which it is told from others of a route; empty: any."""
        ...

    def read(self, content: bytes, content_type: str | None, headers: Mapping[str, str]) -> JsonObject:
        """Raises: Refusal (`invalid_request`) for what can be read in more than one way, or not at all."""
        ...

    def emit(self, body: JsonObject) -> Emitted: ...
