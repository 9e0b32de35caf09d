"""A model's reply on its way to the caller: masked piece by piece, noted as delivered, stopped when it must be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final, Literal

import orjson

from penstock.apis.api import ReplyReader
from penstock.apis.metadata import read_anything
from penstock.apis.replies.pieces import (
    DOCUMENT,
    Piece,
    Place,
    Reading,
    UnknownEventError,
    UnreadableError,
    Walk,
    plain_word,
)
from penstock.apis.wire import ndjson, sse
from penstock.apis.wire.body import SPACED_KEY, emit_line
from penstock.apis.wire.framing import Event, Framer
from penstock.apis.wire.ndjson import Ndjson
from penstock.apis.wire.sse import Sse
from penstock.errors import Refusal, failed
from penstock.exchange import Json, Reply
from penstock.masking.finding import Finding
from penstock.masking.mask import Mask
from penstock.masking.reply_channel import StoppedError
from penstock.masking.reply_text import ReplyTexts
from penstock.masking.vault import Vault

STREAMS: Final = frozenset({"text/event-stream", "application/x-ndjson"})
"""Media types of replies that are streams, whatever the call asked for."""

_UNITS: Final = frozenset({"unit", "object", "key", "repeat"})
_LONGEST_KIND: Final = 64
_LONGEST_ERROR: Final = 2000
loads: Final[Callable[[bytes], Json]] = orjson.loads
_UNREADABLE: Final = (UnreadableError, orjson.JSONDecodeError, UnicodeDecodeError)


class ReplyMask:
    """One reply, whole or streamed; it does no IO, and what it cannot read it does not let through.

    `text` masks what is said, `tool` the names and arguments of tool calls. With either, or with a judge, what says
    the same again (logprobs, token ids, contexts) is emptied, in streams and in whole replies alike, and comments of
    a stream keep nothing but their colon. Events and bodies that need no edit pass byte for byte.

    A judge reads the whole reply, choice by choice and before masking, so nothing is released until it has.
    """

    def __init__(
        self,
        reader: ReplyReader,
        *,
        text: Mask | None,
        tool: Mask | None,
        buffered: bool = False,
        judge: Callable[[str], Refusal | None] | None = None,
        exchange_id: str = "",
        limit: int = 100_000_000,
        refusal: Callable[[Finding], Refusal] | None = None,
        unknown_events: Literal["refuse", "pass"] = "refuse",
        vault: Vault | None = None,
    ) -> None:
        """`limit`: bytes of the reply. `refusal`: what a rule that stops the reply tells the caller.
        `vault`: what the tokens in the prompt stand for. `unknown_events`: with `pass`, events of a kind that the
        reader does not know are masked string by string."""
        self.reply = Reply()
        self.stopped: Refusal | None = None
        self.headers: tuple[tuple[str, str], ...] = ()
        """What a whole reply in a form of its own needs to be read; set by `whole`."""
        self._reader = reader
        self._ends, self._known = reader.ends, reader.events
        self._buffered = buffered or judge is not None
        self._strict = text is not None or tool is not None or self._buffered or bool(vault)
        self._texts = ReplyTexts(
            self.reply, text, tool, judge, hold=self._buffered, vault=vault, together=reader.one_reply
        )
        self._exchange = exchange_id
        self._limit = limit
        self._refusal = refusal
        self._pass_unknown = unknown_events == "pass"
        self._framer: Framer = Sse() if reader.framing == "sse" else Ndjson()
        self._bytes = 0
        self._closed: set[int] = set()
        self._held: list[bytes] = []
        self._out: list[bytes] = []
        self._emit = self._held.append if self._buffered else self._out.append

    @property
    def flags(self) -> list[Finding]:
        """What rules found that only flag."""
        return self._texts.flags

    def whole(
        self, status: int, content_type: str, body: bytes, headers: Mapping[str, str] = MappingProxyType({})
    ) -> bytes:
        """The body as it may be delivered: `body` itself when nothing in it had to change. `headers`: those of the
        reply that say how to read it (`PACKED_HEADERS`).

        Raises: Refusal when a rule stops the reply, or when it cannot be read.
        """
        self.reply.status = status
        try:
            return self._whole(status, content_type.partition(";")[0].strip().lower(), body, headers)
        except Exception as error:  # noqa: BLE001 - the gateway refuses here
            refusal = self._why(error)
        self._texts.no_event()
        self._end(refusal)
        raise refusal

    def _whole(self, status: int, media: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        if media in STREAMS:
            out = self.feed(body) + self.finish()
            if self.stopped is not None:
                raise self.stopped
            return out
        self._measure(len(body))
        document = self._reader.unpack(media, body, headers) if body and status < 400 else None
        if document is not None:
            out = self._packed(document, body, headers)
        else:
            out = self._json(status, body) if _is_json(media) and body else self._plain(media, body)
        self._texts.judged()
        self._texts.whole_event()
        self._texts.delivered()
        self.reply.complete = True
        return out

    def _json(self, status: int, body: bytes) -> bytes:
        document = loads(body)
        if isinstance(document, str) and (status >= 400 or self._reader.bare):
            said = self._text(document)
            self.reply.error = said[:_LONGEST_ERROR] if status >= 400 else None
            return emit_line(said) if said != document else body
        if status >= 400:
            reading = read_anything(Walk(), document, strip=self._strict)
        else:
            reading = self._reader.read(document, self.reply, strip=self._strict)
        edited = reading.edited or (self._strict and hides(body, reading.keys))
        edited |= self._texts.every(reading.pieces)
        if status >= 400 or reading.error:
            self.reply.error = error_text(document) or f"status {status}"
        return emit_line(document) if edited else body

    def _packed(self, document: Json, body: bytes, headers: Mapping[str, str]) -> bytes:
        """A reply in a form of its own. With a mask it is always written anew: what was not read is not there then."""
        reading = self._reader.read(document, self.reply, strip=self._strict)
        edited = reading.edited or self._strict
        edited |= self._texts.every(reading.pieces)
        if not edited:
            self.headers = tuple(headers.items())
            return body
        self.headers, out = self._reader.pack(document)
        return out

    def _plain(self, media: str, body: bytes) -> bytes:
        """Text without any structure: one text. Or bytes that a grant lets pass, as the call has said beforehand."""
        if body and media not in self._reader.plain:
            if media in self._reader.opaque or f"{media.partition('/')[0]}/*" in self._reader.opaque:
                self.reply.uninspected.add(media)
                return body
            raise UnreadableError
        text = body.decode("utf-8")
        said = self._text(text)
        return said.encode() if said != text else body

    def _text(self, text: str) -> str:
        """A reply that is one text."""
        holder: list[Json] = [text]
        self._texts.complete(Piece(holder, 0, text, Place((DOCUMENT, "body"), ()), "unit"))
        return str(holder[0])

    def feed(self, data: bytes) -> bytes:
        """Bytes of the model in, bytes for the caller out. After `stopped`, and behind the end, there are none."""
        if self.stopped is not None or self.reply.complete:
            return b""
        try:
            self._measure(len(data))
            self._events(self._framer.feed(data))
        except Exception as error:  # noqa: BLE001 - the gateway refuses here
            return self._broken(error)
        return self._drain()

    def finish(self) -> bytes:
        """The model's bytes have ended. If its reply had not, it ends in an error, and what is pending stays unsaid."""
        if self._over():
            return b""
        out = self._step(lambda: self._events(self._framer.flush()))
        if self._over():
            return out
        if self.reply.error is not None:
            return out + self._step(self._release)
        ended = len(self._closed) >= self._reader.choices and not self._texts.pending()
        if self._reader.unterminated or ended:
            return out + self._step(self._terminate)
        return out + self.refuse(Refusal("upstream_unreachable", "The model's reply ended before it was complete."))

    def _over(self) -> bool:
        return self.stopped is not None or self.reply.complete

    def refuse(self, refusal: Refusal) -> bytes:
        """Ends a stream that is not over with the dialect's error event. What is held back is never said."""
        if self._over():
            return b""
        self._end(refusal)
        return self._reader.dialect.event(refusal, self._exchange)

    def _step(self, work: Callable[[], None]) -> bytes:
        """Does a part of the stream's end."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the gateway refuses here
            return self._broken(error)
        return self._drain()

    def _broken(self, error: Exception) -> bytes:
        """Whatever goes wrong becomes the stream's last event, behind what could still be said."""
        refusal = self._why(error)
        self._held.clear()
        return self._drain() + self.refuse(refusal)

    def _drain(self) -> bytes:
        """What may go out now."""
        if not self._out:
            return b""
        out = self._out[0] if len(self._out) == 1 else b"".join(self._out)
        self._out.clear()
        return out

    def _events(self, events: Iterable[Event]) -> None:
        for event in events:
            if self.reply.complete:
                return
            self._event(event)
        if self._framer.overflow:
            raise UnreadableError

    def _event(self, event: Event) -> None:
        data = event.data
        if data is None:
            self._out.append(_bare(event.raw) if self._strict else event.raw)
        elif self._ends(data):
            self._terminate(event.raw if event.plain else b"data: " + data + b"\n\n")
        elif event.name not in self._known and not self._pass_unknown:
            raise UnknownEventError(event.name)
        elif (document := loads(data)) is not None:
            self._document(event, data, document)
        else:
            self._emit(event.raw if event.plain else self._encode(None, event.name))

    def _document(self, event: Event, data: bytes, document: Json) -> None:
        texts, reading = self._texts, self._read(event.name, document)
        reading.error |= event.name == "error"
        strict = self._strict
        edited = reading.edited or (strict and not event.plain)
        try:
            for piece in reading.pieces:
                unit = piece.mode in _UNITS or reading.error
                edited |= texts.complete(piece) if unit else texts.flow(piece, reading.closes)
            if reading.closes:
                self._closed.update(reading.closes)
                self._carry(texts.rests(reading.closes))
        except StoppedError:
            self._carry(texts.part_of_event())
            raise
        except Exception:
            texts.no_event()
            raise
        if reading.error:
            self.reply.error = error_text(document) or "The model server reported an error."
        edited = edited or (strict and hides(data, reading.keys))
        self._emit(self._encode(document, event.name) if edited else event.raw)
        texts.whole_event()
        if reading.done:
            self._terminate()

    def _read(self, name: str, document: Json) -> Reading:
        """What an event holds; one of an unknown kind is read as a document of which nothing is known.

        Raises: UnreadableError.
        """
        kind = name
        if name not in self._known and not plain_word(name.replace(".", "_").replace("-", "_")):
            raise UnknownEventError(name)
        if name in self._known:
            try:
                return self._reader.read(document, self.reply, strip=self._strict)
            except UnknownEventError as error:
                if not self._pass_unknown:
                    raise
                kind = error.kind
        self.reply.uninspected.add(f"event:{kind[:_LONGEST_KIND]}" if plain_word(kind.replace(".", "_")) else "event")
        return read_anything(Walk(), document, strip=self._strict)

    def _carry(self, texts: Iterable[tuple[Place, str]]) -> None:
        for place, text in texts:
            self._emit(self._reader.carry(place, text))

    def _terminate(self, last: bytes = b"") -> None:
        """The reply is complete: the rest of every text that no event closed, then what the judge says to it."""
        self._carry(self._texts.rests())
        if last:
            self._emit(last)
        self._release()
        self.reply.complete = True

    def _release(self) -> None:
        """Nothing more is coming: what was held for the judge goes out, or the judge refuses."""
        self._texts.judged()
        self._texts.delivered()
        self._out += self._held
        self._held.clear()

    def _measure(self, size: int) -> None:
        self._bytes += size
        if self._bytes > self._limit:
            raise _too_large()

    def _encode(self, document: Json, name: str) -> bytes:
        return sse.encode(document, name) if self._reader.framing == "sse" else ndjson.encode(document)

    def _why(self, error: Exception) -> Refusal:
        """What the caller is told of a failure."""
        if isinstance(error, StoppedError):
            return self._refusal(error.finding) if self._refusal is not None else _stopped()
        if isinstance(error, Refusal):
            return error
        return _unreadable() if isinstance(error, _UNREADABLE) else failed()

    def _end(self, refusal: Refusal) -> None:
        self.stopped = refusal
        self.reply.error = refusal.message
        self.reply.finish = None


def hides(data: bytes, keys: int) -> bool:
    """Whether raw JSON may say more than what was parsed of it, because a key stands twice in an object.

    Each key shows as `":`. So does a quote before a colon in a string, as `\\":`, but for one that a backslash ends.
    """
    extra = data.count(b'":') - keys
    if extra and (b'\\\\":' in data or extra != data.count(b'\\":')):
        return True
    return SPACED_KEY.search(data) is not None


def error_text(document: Json) -> str | None:
    """The message of an error document, as it was masked."""
    if not isinstance(document, dict):
        return None
    found: Json = document.get("error")
    if isinstance(found, dict):
        found = found.get("message")
    found = found or document.get("message") or document.get("detail")
    return found[:_LONGEST_ERROR] if isinstance(found, str) else None


def _bare(raw: bytes) -> bytes:
    """A comment without its text (or just the line ends that it is): it still keeps the connection alive."""
    return raw if not raw.strip(b"\r\n") else b":\n\n"


def _is_json(media: str) -> bool:
    return media == "application/json" or media.endswith("+json")


def _stopped() -> Refusal:
    return Refusal("policy_violation", "The reply was stopped by a rule.")


def _unreadable() -> Refusal:
    return Refusal("gateway_error", "The model server answered in a form that this gateway does not read.", 502)


def _too_large() -> Refusal:
    return Refusal("gateway_error", "The model's reply is larger than this gateway accepts.", 502)
