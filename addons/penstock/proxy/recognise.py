"""What is asked: the body becomes a `Call` of a known inference API, or the request is refused as unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mitmproxy import http

from penstock import apis
from penstock.errors import Refusal, invalid
from penstock.proxy import passage

if TYPE_CHECKING:
    from penstock.exchange import JsonObject


class Recognise:
    """Reads the request strictly; what it does not know in full, it refuses."""

    name = "penstock_recognise"

    def request(self, flow: http.HTTPFlow) -> None:
        here = passage.of(flow)
        if here.reserved:
            return
        here.api, here.route = apis.recognise(here.method, here.path)
        here.dialect = here.api.dialect
        here.call = here.api.call(here.route, here.path, self.body(flow, here.policy.gateway.limits.request_body))

    def body(self, flow: http.HTTPFlow, limit: int) -> JsonObject | None:
        """The parsed body; None when there is none and the method has none.

        Raises: Refusal for a body that is too large, not strict JSON, or where none belongs.
        """
        content = flow.request.data.content
        if flow.request.trailers:
            raise invalid("Trailers are not accepted.")
        if content and len(content) > limit:
            raise Refusal("body_too_large", f"The request body is larger than {limit} bytes.")
        if flow.request.data.method in (b"GET", b"HEAD"):
            if content:
                raise invalid("A GET request must not have a body.")
            return None
        return apis.parse(content or b"", flow.request.headers.get("content-type"))
