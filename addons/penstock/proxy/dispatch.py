"""Last in the chain: builds what goes to the model from what was judged, and answers everything else itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from mitmproxy import http

from penstock.errors import failed
from penstock.proxy import answers, passage
from penstock.proxy.governed import always
from penstock.proxy.passage import Passage
from penstock.verdict import Allow, Hold

if TYPE_CHECKING:
    from penstock.proxy.gateway import Gateway

# The only request headers of the caller that the model gets to see.
FORWARDED: Final = frozenset({b"accept", b"user-agent"})


class Dispatch:
    """Forwards what carries an explicit allow and is recorded; refuses the rest, whatever the reason."""

    name = "penstock_dispatch"

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    @always
    def request(self, flow: http.HTTPFlow) -> None:
        here = passage.of(flow)
        if here.reserved and flow.response is not None:
            here.local = True
            return
        if here.refusal is None and not may_pass(here):
            here.refuse(failed())
        if here.refusal is not None:
            here.local = True
            flow.response = answers.bodiless(flow.request, answers.safely(here, here.refusal, here.path))
            return
        self.clear(flow, here)

    def clear(self, flow: http.HTTPFlow, here: Passage) -> None:
        """Writes the request that the model gets and seals it."""
        assert here.upstream is not None
        here.replica = self.gateway.replicas.choose(here.upstream, flow.client_conn.id)
        data = flow.request.data
        here.close = "close" in flow.request.headers.get("connection", "").lower()
        data.host, data.port, data.scheme = here.replica.host, here.replica.port, here.replica.scheme.encode()
        data.authority = b""
        data.path = here.path.encode("ascii")
        data.content = here.forwarded.content
        data.headers = http.Headers(self.headers(flow.request, here))
        here.forwarded_at = time.time()
        here.cleared = passage.seal(flow.request)

    def headers(self, request: http.Request, here: Passage) -> list[tuple[bytes, bytes]]:
        assert here.upstream is not None and here.replica is not None
        fields = [(b"Host", str(here.replica.address).encode())]
        fields += [(name, value) for name, value in request.data.headers.fields if name.lower() in FORWARDED]
        fields.append((b"Accept-Encoding", b"identity"))  # what cannot be read cannot be masked
        content_type, more, content = here.forwarded
        if content_type:
            fields.append((b"Content-Type", content_type.encode()))
            fields += [(name.encode(), value.encode()) for name, value in more]
            fields.append((b"Content-Length", b"%d" % len(content)))
        if (credential := here.upstream.credential) is not None:
            fields.append((credential.header.encode(), credential.value.reveal().encode()))
        return fields


def may_pass(here: Passage) -> bool:
    """An explicit allow, or a hold that was released, and on disk."""
    return here.recorded and (isinstance(here.verdict, Allow) or (isinstance(here.verdict, Hold) and here.released))
