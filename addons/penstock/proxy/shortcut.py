"""Ways past mitmproxy's machinery where it spends time on nothing that is needed here; what passes is the same.

Measured with 230 events a stream: the generators, commands and header look-ups between an upstream read and the
client's socket took more CPU than masking. Once a streamed reply is on its way the bytes in between are always the
same: unchunk, call the stream, chunk, write. `Shortcut` does just that and gives everything else back to the layers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h11
from mitmproxy import http

if TYPE_CHECKING:
    from asyncio import StreamWriter

    from mitmproxy.proxy.layers.http._http1 import Http1Connection

    from penstock.proxy.stream import Stream


class Shortcut:
    """Carries the body of one streamed reply from the model's HTTP/1 connection to the caller's socket."""

    def __init__(self, http1: Http1Connection, stream: Stream, *, chunked: bool) -> None:
        self._http1 = http1
        self._stream = stream
        self._chunked = chunked

    def take(self, data: bytes, writer: StreamWriter) -> bool:
        """Passes on what arrived; False when the layers must see the event (with what is left in their buffer).

        The layers take over for the end of the message, for what is not HTTP, and when nothing is being streamed.
        """
        http1 = self._http1
        if self._stream.over or http1.state.__name__ != "read_body":
            http1.buf += data
            return False
        http1.buf += data
        parts: list[bytes] = []
        try:
            while (event := http1.body_reader(http1.buf)) is not None:
                if not isinstance(event, h11.Data):
                    http1.body_reader = _Again(event)  # type: ignore[assignment]
                    return False
                parts += self._stream(bytes(event.data))
        except h11.ProtocolError as error:
            http1.body_reader = _Again(error)  # type: ignore[assignment]
            return False
        finally:
            if parts:
                writer.write(
                    b"".join([b"%x\r\n%s\r\n" % (len(part), part) for part in parts] if self._chunked else parts)
                )
        return True


class _Again:
    """A body reader that says once more what the real one has said already, to the layers that take over."""

    def __init__(self, said: Any) -> None:
        self._said = said

    def __call__(self, _buffer: Any) -> Any:
        if isinstance(self._said, h11.ProtocolError):
            raise self._said
        return self._said

    def read_eof(self) -> Any:
        return self(None)


def install() -> None:
    """Leaves out a check of mitmproxy's own: the types of every field of every message, 9 % of a JSON call."""
    http.MessageData.__post_init__ = lambda _self: None  # type: ignore[method-assign]
