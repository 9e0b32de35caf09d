"""Who is calling: the credential becomes a `Caller`, before the body is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mitmproxy import http

from penstock.proxy import passage, reserved

if TYPE_CHECKING:
    from penstock.proxy.gateway import Gateway


class Identify:
    """Authenticates every request but those for the few public documents of the gateway itself."""

    name = "penstock_identify"

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    async def requestheaders(self, flow: http.HTTPFlow) -> None:
        here = passage.of(flow)
        if reserved.is_public(here.path):
            return
        identity = self.gateway.identity
        headers = flow.request.data.headers.fields
        here.caller = identity.recall(headers) or await identity.authenticate(headers)
