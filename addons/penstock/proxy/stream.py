"""A streamed reply on its way: masked chunk by chunk, recorded as it goes, cut when anything fails."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import time
from typing import TYPE_CHECKING, Final

from penstock.errors import Refusal, failed
from penstock.proxy.handler import GovernedHandler

if TYPE_CHECKING:
    from mitmproxy import http

    from penstock.proxy.gateway import Gateway
    from penstock.proxy.passage import Passage

logger = logging.getLogger("penstock")


def recordable(data: bytes) -> tuple[str, str]:
    """Bytes as the journal holds them: text and its encoding, `utf-8`, or `base64` for what is no text."""
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return base64.b64encode(data).decode("ascii"), "base64"


# A `chunk` entry is written when this much was delivered, or this long after the last one.
CHUNK_BYTES: Final = 65_536
CHUNK_SECONDS: Final = 0.25


class Stream:
    """mitmproxy's streaming callable for one reply: bytes of the model in, bytes for the caller out.

    It never raises and never returns `b""` in mid-stream (mitmproxy would end the message there). After a stop it
    delivers the dialect's error event, ends the message properly, and closes the connection to the model.
    """

    def __init__(self, gateway: Gateway, here: Passage, flow: http.HTTPFlow) -> None:
        assert here.reply is not None
        self._here = here
        self._reply = here.reply
        self._journal = gateway.journal
        self._handler = gateway.handler(flow.client_conn.id)
        self._server = flow.server_conn
        self._chunked = flow.request.data.http_version == b"HTTP/1.1"
        self._terminator = b"0\r\n\r\n" if self._chunked else b""
        self._keep = (here.screen is None or here.screen.record is None) and not here.vault
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._flushed_at = time.time()
        self._done = False
        self._model_ended = False
        self.hash = hashlib.sha256()
        self.bytes = 0
        self.chunks = 0

    @property
    def over(self) -> bool:
        """Nothing more of this reply is delivered, or the model's message has ended."""
        return self._done or self._model_ended

    def __call__(self, data: bytes) -> list[bytes]:
        try:
            return self._pass(data)
        except BaseException as error:  # noqa: BLE001 - the gateway refuses here
            logger.error("stream cut after %s", type(error).__name__)  # noqa: TRY400 - no trace: it may show text
            return self.refuse(failed())

    def _pass(self, data: bytes) -> list[bytes]:
        if not data:
            self._model_ended = True
        if self._done:
            return []
        here = self._here
        now = time.time()
        if data:
            here.last_byte_at = now
            if not here.first_byte_at:
                here.first_byte_at = now
                if self._handler is not None:
                    self._handler.shorten(self._server, self, chunked=self._chunked)
            out = self._reply.feed(data)
        else:
            out = self._reply.finish()
        if out:
            self._deliver(out, now)
        if self._reply.stopped is not None:
            self._stop(self._reply.stopped)
        elif not data:
            self._done = True
            self.flush()
        return [out] if out else []

    def _deliver(self, out: bytes, now: float) -> None:
        self.hash.update(out)
        self.bytes += len(out)
        if self._keep:
            self._pending.append(out)
            self._pending_bytes += len(out)
        if self._pending_bytes >= CHUNK_BYTES or now - self._flushed_at >= CHUNK_SECONDS:
            self.flush()
            self._flushed_at = now

    def flush(self) -> None:
        """Writes what was delivered since the last entry.

        Raises: StoreError when the journal is down (the stream is cut: it could not be recorded).
        """
        if not self._pending:
            return
        body = b"".join(self._pending)
        self._pending.clear()
        self._pending_bytes = 0
        offset = self.bytes - len(body)
        self._journal.note(
            "chunk",
            self._here.id,
            {"n": self.chunks, "bytes": len(body), "offset": offset},
            dict(zip(("body", "encoding"), recordable(body), strict=True)),
        )
        self.chunks += 1

    def tick(self, now: float) -> None:
        """Records what was delivered a while ago, also when nothing comes after it; called by the watchdog."""
        if self._pending and now - self._flushed_at >= CHUNK_SECONDS:
            self.flush()
            self._flushed_at = now

    def refuse(self, refusal: Refusal) -> list[bytes]:
        """Ends the stream with the dialect's error event, and soon after the message and both connections."""
        if self._done:
            return []
        out = self._refused(refusal)
        self._stop(refusal)
        return [out] if out else []

    def overdue(self, refusal: Refusal) -> None:
        """The model has said nothing for too long: ends the message, with an error unless the reply is complete."""
        if self._reply.reply.complete:
            self._close()
        elif self._handler is not None:
            self._handler.write_early(self._framed(self.refuse(refusal)))

    def last_words(self, refusal: Refusal) -> bytes:
        """The end of a message whose model broke off: the error event and the terminator, as they go on the wire."""
        if self._done:
            return b""
        out = self._refused(refusal)
        self._done = True
        self._here.refuse(refusal)
        return self._framed([out] if out else []) + self._terminator

    def _refused(self, refusal: Refusal) -> bytes:
        try:
            out = self._reply.refuse(refusal)
        except BaseException:  # noqa: BLE001 - the gateway refuses here
            return b""
        if out:
            self.hash.update(out)
            self.bytes += len(out)
            self._pending.append(out)
            self._pending_bytes += len(out)
        return out

    def _framed(self, parts: list[bytes]) -> bytes:
        return b"".join([b"%x\r\n%s\r\n" % (len(part), part) for part in parts] if self._chunked else parts)

    def _stop(self, refusal: Refusal) -> None:
        self._here.refuse(refusal)
        self._close()

    def _close(self) -> None:
        self._done = True
        try:
            self.flush()
        except BaseException:  # noqa: BLE001 - the journal is down; the stream is being cut for it already
            logger.error("stream cut, and its last chunk could not be recorded")  # noqa: TRY400
        asyncio.get_running_loop().call_soon(self._end)

    def _end(self) -> None:
        """Ends the message to the caller and closes both sides; if the model's has ended, mitmproxy does so."""
        if not self._model_ended and isinstance(self._handler, GovernedHandler):
            self._handler.end_early(self._terminator)
