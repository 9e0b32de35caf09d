"""A call that a rule holds waits here for people, and nobody else waits with it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mitmproxy import http

from penstock.approvals.digest import Held
from penstock.approvals.outcome import Released, refusal
from penstock.errors import Refusal, failed
from penstock.proxy import passage
from penstock.proxy.entries import late_verdict
from penstock.verdict import Hold

if TYPE_CHECKING:
    from mitmproxy.connection import Client

    from penstock.approvals.outcome import Outcome
    from penstock.exchange import JsonObject
    from penstock.proxy.gateway import Gateway
    from penstock.proxy.passage import Passage

EXPIRE_SECONDS = 1.0


class Holds:
    """Brings held calls to the desk and waits; what is not released is refused, also when the caller hangs up."""

    name = "penstock_hold"

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self._waiting: dict[str, asyncio.Task[Outcome]] = {}
        """Client id -> its wait (HTTP/1: one request of a connection at a time)."""
        self._ticker: asyncio.Task[None] | None = None

    def running(self) -> None:
        self._ticker = asyncio.get_running_loop().create_task(self._tick())

    def done(self) -> None:
        if self._ticker is not None:
            self._ticker.cancel()
        for wait in self._waiting.values():
            wait.cancel()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(EXPIRE_SECONDS)
            self.gateway.desk.expire()

    async def request(self, flow: http.HTTPFlow) -> None:
        here = passage.of(flow)
        if not isinstance(here.verdict, Hold):
            return
        outcome = await self._wait(flow, here, here.verdict)
        if isinstance(outcome, Released):
            await self._conclude(here, {"verdict": "allow", "status": None, "code": None, "message": None})
            here.released = True
            return
        answer = refusal(outcome)
        here.refuse(answer)
        here.refusal_recorded = True
        await self._conclude(here, late_verdict(here, answer))
        raise answer

    async def _wait(self, flow: http.HTTPFlow, here: Passage, verdict: Hold) -> Outcome:
        desk, client = self.gateway.desk, flow.client_conn
        place = desk.open(held(here, verdict), here.policy.approval(verdict.approval))
        here.ticket = place.ticket.id
        wait = asyncio.get_running_loop().create_task(desk.wait(place, here.policy.gateway.hold_seconds))
        self._waiting[client.id] = wait
        try:
            if not client.connected:
                wait.cancel()
            return await wait
        except asyncio.CancelledError:
            await self._gone(here)
            raise Refusal("approval_pending", "The caller went away before the call was decided.") from None
        finally:
            self._waiting.pop(client.id, None)
            desk.leave(place)  # a wait that was cancelled before its first step has not left by itself

    async def _gone(self, here: Passage) -> None:
        gone = Refusal("approval_pending", "the caller went away, or the gateway stopped, while it waited")
        here.refusal_recorded = True
        await self._conclude(here, late_verdict(here, gone))

    async def _conclude(self, here: Passage, body: JsonObject) -> None:
        """The end of the hold is on disk before anything follows from it."""
        body |= {"approval": here.ticket, "rule": here.verdict.approval if isinstance(here.verdict, Hold) else ""}
        await self.gateway.journal.append("verdict", here.id, body)

    def client_disconnected(self, client: Client) -> None:
        if (wait := self._waiting.get(client.id)) is not None:
            wait.cancel()


def held(here: Passage, verdict: Hold) -> Held:
    """Exactly what would be sent, as the desk binds it and approvers read it."""
    if here.caller is None or here.call is None or here.upstream is None:
        raise failed()
    return Held(
        exchange=here.id,
        caller=here.caller,
        method=here.method,
        upstream=here.upstream.name,
        path=here.path,
        operation=here.call.operation.value,
        model=here.call.model,
        body=here.forwarded.content,
        policy=here.policy.hash,
        rules=tuple(match.rule for match in verdict.matches if match.action == "hold" and match.mode == "enforce"),
        message=verdict.message,
        prompt="\n".join(f"{turn.role}: {turn.text}" for turn in here.call.turns),
    )
