"""What the gateway answers itself, under `/.penstock/` and `/.well-known/`: never forwarded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson
from mitmproxy import http

from penstock.approvals import http as approvals
from penstock.errors import Refusal, failed
from penstock.proxy import answers, passage

if TYPE_CHECKING:
    from penstock.proxy.gateway import Gateway
    from penstock.proxy.passage import Passage

PREFIX: Final = "/.penstock/"
METADATA: Final = "/.well-known/oauth-protected-resource"
_PUBLIC: Final = frozenset({"/.penstock/health", "/.penstock/ready", METADATA})


def is_public(path: str) -> bool:
    """Reachable without a credential: it tells whether the gateway lives, and where to get a token."""
    return path in _PUBLIC


class Reserved:
    """Health, readiness, who am I, approvals and the OAuth metadata."""

    name = "penstock_reserved"

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        here = passage.of(flow)
        here.reserved = here.path == METADATA or here.path.startswith((PREFIX, "/.well-known/"))

    def request(self, flow: http.HTTPFlow) -> None:
        here = passage.of(flow)
        if not here.reserved:
            return
        if is_public(here.path) and here.method != "GET":
            raise Refusal("unknown_endpoint", "Only GET is served here.", 405, (("Allow", "GET"),))
        status, headers, body = self.answer(flow, here)
        flow.response = answers.response(status, "application/json", body, headers, exchange=here.id)

    def answer(self, flow: http.HTTPFlow, here: Passage) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
        path = here.path
        if path == "/.penstock/health":
            return 200, (), b'{"status":"ok"}'
        if path == "/.penstock/ready":
            reason = self.gateway.unready()
            return (503, (), orjson.dumps({"status": reason})) if reason else (200, (), b'{"status":"ready"}')
        if path == METADATA:
            return 200, (), orjson.dumps(self.gateway.identity.metadata())
        if here.caller is None:
            raise failed()
        if path == "/.penstock/whoami":
            caller = here.caller
            document = {
                "issuer": caller.issuer,
                "subject": caller.subject,
                "groups": sorted(caller.groups),
                "via": caller.via,
                "expires": int(caller.expires),
            }
            return 200, (), orjson.dumps(document)
        if path == "/.penstock/approvals" or path.startswith("/.penstock/approvals/"):
            answer = approvals.answer(
                self.gateway.desk,
                here.method,
                path,
                flow.request.data.headers.fields,
                flow.request.raw_content or b"",
                here.caller,
            )
            plain = {"content-type", "cache-control"}
            return answer.status, tuple(pair for pair in answer.headers if pair[0].lower() not in plain), answer.body
        raise Refusal("unknown_endpoint", "The gateway has no such page.")
