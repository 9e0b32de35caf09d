"""What takes too long is ended: slow heads and bodies, dead model servers, silent streams."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from penstock.errors import Refusal
from penstock.proxy import passage
from penstock.proxy.handler import GovernedHandler
from penstock.proxy.stream import Stream

if TYPE_CHECKING:
    from mitmproxy import http
    from mitmproxy.proxy.server_hooks import ServerConnectionHookData

    from penstock.policy.settings import Upstream
    from penstock.proxy.gateway import Gateway
    from penstock.proxy.passage import Passage

SWEEP_SECONDS: Final = 0.25
# A request head must be complete this long after its first byte, a body this long after its head.
HEAD_SECONDS: Final = 30.0
BODY_SECONDS: Final = 120.0


class Watchdog:
    """Sweeps over everything that is under way, four times a second."""

    name = "penstock_watchdog"

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self._connecting: dict[str, tuple[float, float]] = {}
        """Client id -> when its connection to a model server was begun, and how long that may take."""
        self._task: asyncio.Task[None] | None = None

    def running(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._watch())

    def done(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def server_connect(self, data: ServerConnectionHookData) -> None:
        if data.server.address is not None and data.server.error is None:
            limit = self.gateway.connect_timeout(data.server.address[0], data.server.address[1])
            self._connecting[data.client.id] = (time.time(), limit)

    def server_connected(self, data: ServerConnectionHookData) -> None:
        self._connecting.pop(data.client.id, None)

    def server_connect_error(self, data: ServerConnectionHookData) -> None:
        self._connecting.pop(data.client.id, None)
        if data.server.address is not None:
            self.gateway.replicas.failed(data.server.address[0], data.server.address[1])

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.sweep(time.time(), asyncio.get_running_loop().time())

    def sweep(self, now: float, loop_now: float) -> None:
        """Ends what is overdue at `now` (wall clock; heads are measured on the loop's clock)."""
        for handler in self.gateway.handlers():
            if handler.waits_for_head(loop_now) > HEAD_SECONDS:
                handler.abort()
        for client, (since, limit) in list(self._connecting.items()):
            if now - since > limit:
                del self._connecting[client]
                self._cut(client)
        for flow, here in passage.under_way():
            if flow.live and not here.ended:
                self._look(flow, here, now)

    def _look(self, flow: http.HTTPFlow, here: Passage, now: float) -> None:
        if not here.forwarded_at:
            body_late = flow.request.timestamp_end is None and now - here.at > BODY_SECONDS
            if body_late and (handler := self.gateway.handler(flow.client_conn.id)) is not None:
                handler.abort()
            return
        stream = flow.response.stream if flow.response is not None else None
        if isinstance(stream, Stream):
            stream.tick(now)
        if here.upstream is not None and overdue(here, here.upstream, now):
            refusal = Refusal("upstream_timeout", "The model server did not answer in time.")
            if isinstance(stream, Stream):
                stream.overdue(refusal)
            else:
                here.refuse(refusal)
                self._cut(flow.client_conn.id)

    def _cut(self, client: str) -> None:
        handler = self.gateway.handler(client)
        if isinstance(handler, GovernedHandler):
            handler.close_upstream()


def overdue(here: Passage, upstream: Upstream, now: float) -> bool:
    if not here.forwarded_at:
        return False
    if not here.last_byte_at:
        return now - here.forwarded_at > upstream.first_byte + upstream.connect
    return here.streamed and now - here.last_byte_at > upstream.idle
