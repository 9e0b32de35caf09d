"""What is asked: the body becomes a `Call` of a known inference API, or the request is refused as unknown."""

from __future__ import annotations

from typing import Final

from mitmproxy import http

from penstock import apis
from penstock.errors import Refusal, invalid
from penstock.proxy import passage

BODY_HEADERS: Final = ("inference-header-content-length",)
"""Headers, beside Content-Type, without which a body cannot be read."""


class Recognise:
    """Reads the request strictly; what it does not know in full, it refuses."""

    name = "penstock_recognise"

    def request(self, flow: http.HTTPFlow) -> None:
        here = passage.of(flow)
        if here.reserved:
            return
        found = apis.recognise(here.method, here.path)
        here.api, here.route, here.dialect = found.api, found.route, found.api.dialect
        content = self.content(flow, here.policy.gateway.limits.request_body)
        headers = flow.request.headers
        needed = {name: value for name in BODY_HEADERS if (value := headers.get(name)) is not None}
        here.call = apis.asked(found, here.path, content, headers.get("content-type"), needed)
        if here.call.api != here.api.name:  # several share the path, and the body has told which
            here.api = apis.by_name(here.call.api)
            here.dialect = here.api.dialect

    def content(self, flow: http.HTTPFlow, limit: int) -> bytes:
        """The body's bytes.

        Raises: Refusal for a body that is too large, or with something behind it.
        """
        content = flow.request.data.content or b""
        if flow.request.trailers:
            raise invalid("Trailers are not accepted.")
        if len(content) > limit:
            raise Refusal("body_too_large", f"The request body is larger than {limit} bytes.")
        return content
