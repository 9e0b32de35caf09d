"""The evidence: a call on disk before it is forwarded, a denial before it is answered, a reply as it was delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mitmproxy import http

from penstock import apis
from penstock.errors import Refusal, failed
from penstock.proxy import answers, passage
from penstock.proxy.entries import end_entry, late_verdict, request_entry
from penstock.proxy.governed import always
from penstock.proxy.passage import Passage
from penstock.proxy.stream import Stream

if TYPE_CHECKING:
    from penstock.proxy.gateway import Gateway

# Refusals that somebody decided; the others are failures, and no verdict.
_DENIALS: Final = frozenset({"policy_violation", "not_granted", "rate_limited", "approval_pending", "approval_denied"})
_UNRECORDED: Final = Refusal(
    "gateway_error", "The gateway cannot record calls at the moment, so it forwards none. Try again later."
)


class Record:
    """Writes the `request` entry and waits for the disk; later the `response` or the `abort` entry."""

    name = "penstock_record"

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    @always
    async def request(self, flow: http.HTTPFlow) -> None:
        here = passage.of(flow)
        if here.reserved and flow.response is not None and here.refusal is None:
            return
        await self._write_request(flow, here)

    async def _write_request(self, flow: http.HTTPFlow, here: Passage) -> None:
        if here.recorded:
            return
        try:
            await self.gateway.journal.append("request", here.id, *request_entry(flow, here))
        except BaseException:
            # A denial stays a denial, but "recorded" it is not; an allowed call ends here.
            here.refusal = _UNRECORDED
            raise
        here.recorded = True
        here.refusal_recorded = here.refusal is not None

    @always
    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """A local answer to a refused call is complete: nothing more will come of it."""
        here = passage.of(flow)
        if here.local:
            self.gateway.finish(here)

    @always
    def response(self, flow: http.HTTPFlow) -> None:
        here = passage.of(flow)
        if here.ended or here.forwarded_at == 0.0:
            self.gateway.finish(here)
            return
        kind = "response" if here.refusal is None else "abort"
        self._write_end(flow, here, kind, _reason(here) if here.refusal is not None else "")

    @always
    async def error(self, flow: http.HTTPFlow) -> None:
        here = passage.find(flow)
        if here is None:  # broken before the head was complete: there is nothing to say, and nobody to say it of
            return
        here.dialect = here.dialect or apis.dialect_of("")
        if here.forwarded_at == 0.0:
            await self._never_forwarded(flow, here)
        elif not here.ended:
            handler = self.gateway.handler(flow.client_conn.id)
            crashed = handler is not None and handler.crashed
            if here.refusal is None and (crashed or not _client_left(flow)):
                here.refuse(failed() if crashed else answers.by_status(502))
            if here.refusal is not None:
                stream = flow.response.stream if flow.response is not None else None
                tail = stream.last_words(here.refusal) if isinstance(stream, Stream) else b""
                answers.prepare(flow.request, answers.safely(here, here.refusal, here.path), tail)
            self._write_end(flow, here, "abort", _reason(here))

    async def _never_forwarded(self, flow: http.HTTPFlow, here: Passage) -> None:
        if here.refusal is None:
            here.refuse(_cause(flow))
        assert here.refusal is not None
        answers.prepare(flow.request, answers.safely(here, here.refusal, here.path))
        self.gateway.finish(here)
        if not here.reserved:
            await self._write_request(flow, here)

    def _write_end(self, flow: http.HTTPFlow, here: Passage, kind: str, reason: str) -> None:
        here.ended = True
        self.gateway.finish(here)
        if flow.response is not None and isinstance(flow.response.stream, Stream):
            flow.response.stream.flush()
        body, payload = end_entry(flow, here)
        if reason:
            body["reason"] = reason
            body["message"] = here.refusal.message if here.refusal is not None else "the caller went away"
        self.gateway.journal.note(kind, here.id, body, payload)
        if here.refusal is not None and here.refusal.code in _DENIALS and not here.refusal_recorded:
            here.refusal_recorded = True
            self.gateway.journal.note("verdict", here.id, late_verdict(here, here.refusal))


def _client_left(flow: http.HTTPFlow) -> bool:
    return not flow.client_conn.connected or (flow.error is not None and flow.error.msg == "Client disconnected.")


def _reason(here: Passage) -> str:
    """Who ended an exchange early."""
    if here.refusal is None:
        return "client"
    return "upstream" if here.refusal.code in ("upstream_unreachable", "upstream_timeout") else "gateway"


def _cause(flow: http.HTTPFlow) -> Refusal:
    """Why mitmproxy ended an exchange before it was forwarded, from the only thing it tells: its message."""
    message = flow.error.msg if flow.error is not None else ""
    if "body_size_limit" in message:
        return answers.by_status(413)
    if "disconnected" in message.lower() or "killed" in message.lower():
        return Refusal("invalid_request", "The caller went away before the call was decided.")
    return answers.by_status(400)
