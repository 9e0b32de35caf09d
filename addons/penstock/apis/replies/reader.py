"""What readers of replies have in common, and what most of them leave as it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Literal

from penstock.apis.api import Dialect, Packed
from penstock.apis.replies.pieces import Place, Reading, UnreadableError
from penstock.exchange import Json, Reply


class Reader(ABC):
    """Base of a `ReplyReader`; see there."""

    framing: Literal["sse", "ndjson"] = "sse"
    dialect: Dialect
    events: frozenset[str] = frozenset({"", "message", "error"})
    unterminated: bool = False
    plain: frozenset[str] = frozenset({"text/plain"})
    opaque: frozenset[str] = frozenset()
    choices: int = 1
    bare: bool = False
    one_reply: bool = False

    END: ClassVar[bytes] = b""
    """The terminator that is not JSON; none when empty."""

    def ends(self, data: bytes) -> bool:
        return bool(self.END) and data == self.END

    @abstractmethod
    def read(self, document: Json, reply: Reply, *, strip: bool) -> Reading: ...

    def unpack(self, media: str, body: bytes, headers: Mapping[str, str]) -> Json:
        return None

    def pack(self, document: Json) -> Packed:
        """Raises: UnreadableError; what was not unpacked is not packed."""
        raise UnreadableError

    def carry(self, place: Place, text: str) -> bytes:
        """Raises: UnreadableError; replies that never stream have nothing to carry."""
        raise UnreadableError
