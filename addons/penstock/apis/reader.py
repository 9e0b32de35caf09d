"""What readers of replies have in common, and what most of them leave as it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from penstock.apis.api import Dialect
from penstock.apis.pieces import Place, Reading, UnreadableError
from penstock.exchange import Json, Reply


class Reader(ABC):
    """Base of a `ReplyReader`; see there."""

    framing: Literal["sse", "ndjson"] = "sse"
    dialect: Dialect
    events: frozenset[str] = frozenset({"", "message", "error"})
    unterminated: bool = False
    plain: frozenset[str] = frozenset({"text/plain"})
    opaque: frozenset[str] = frozenset()
    one_reply: bool = False

    END: ClassVar[bytes] = b""
    """The terminator that is not JSON; none when empty."""

    def ends(self, data: bytes) -> bool:
        return bool(self.END) and data == self.END

    @abstractmethod
    def read(self, document: Json, reply: Reply, *, strip: bool) -> Reading: ...

    def carry(self, place: Place, text: str) -> bytes:
        """Raises: UnreadableError; replies that never stream have nothing to carry."""
        raise UnreadableError
