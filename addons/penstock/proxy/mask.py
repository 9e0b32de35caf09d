"""What must not be seen: the prompt before it is forwarded, the reply before it is delivered."""

from __future__ import annotations

import hashlib
import re
import time
from collections import Counter
from typing import TYPE_CHECKING, Final

from mitmproxy import http
from mitmproxy.net.http.status_codes import RESPONSES

from penstock import apis
from penstock.apis.api import PACKED_HEADERS
from penstock.errors import Refusal, failed
from penstock.masking.reply import ReplyMask
from penstock.masking.together import mask_turns
from penstock.masking.vault import Vault
from penstock.proxy import answers, passage
from penstock.proxy.passage import Passage
from penstock.proxy.stream import Stream

if TYPE_CHECKING:
    from penstock.exchange import Call, Path
    from penstock.masking.mask import Mask
    from penstock.proxy.gateway import Gateway

_MEDIA: Final = re.compile(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60}")
_WAIT: Final = re.compile(rb"[0-9]{1,6}")
"""Seconds to wait: eleven days at most, too few digits to spell a value."""
_PACKED: Final = frozenset(name.encode() for name in PACKED_HEADERS)
_STREAMS: Final = frozenset({"text/event-stream", "application/x-ndjson"})


class Masks:
    """Masks prompts in `request`; in `responseheaders` chooses whole or streaming by the reply's Content-Type."""

    name = "penstock_mask"

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def request(self, flow: http.HTTPFlow) -> None:
        here = passage.of(flow)
        if here.reserved:
            return
        if here.caller is None or here.call is None or here.upstream is None:
            raise failed()
        here.screen = here.policy.screen(here.caller, here.call, here.upstream.name)
        if here.screen.prompt is not None:
            here.call, here.prompt_masked, here.vault = masked_call(here.call, here.screen.prompt)
        here.matches.extend(here.screen.matches)
        here.forwarded = apis.emitted(here.call)
        here.digest = hashlib.sha256(here.forwarded.content).hexdigest()

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        here = passage.of(flow)
        if here.local:
            return
        assert flow.response is not None
        if (
            here.api is None
            or here.call is None
            or here.screen is None
            or here.cleared is None
            or here.upstream is None
        ):
            raise failed()
        content_type = media_type(flow.response)
        screen = here.screen
        here.reply = ReplyMask(
            here.api.reader(here.call),
            text=screen.completion,
            tool=screen.tool,
            buffered=screen.buffered,
            judge=screen.judge if screen.buffered else None,
            exchange_id=here.id,
            limit=here.policy.gateway.limits.response_body,
            refusal=lambda finding: screen.refusal(finding.rule),
            unknown_events=here.upstream.unknown_events,
            vault=here.vault,
        )
        here.streamed = content_type in _STREAMS and flow.response.status_code == 200
        flow.response = rebuilt(flow, here)
        if here.streamed:
            flow.response.stream = Stream(self.gateway, here, flow)

    def response(self, flow: http.HTTPFlow) -> None:
        here = passage.of(flow)
        if here.local:
            return
        if here.reply is None or flow.response is None:
            raise failed()
        if here.streamed:
            if not here.last_byte_at:
                raise Refusal("upstream_unreachable", "The model's reply ended before it began.")
            return
        here.first_byte_at = here.last_byte_at = time.time()
        headers = flow.response.headers
        given = {name: headers.pop(name) for name in PACKED_HEADERS if name in headers}
        body = here.reply.whole(
            flow.response.status_code, headers.get("content-type", ""), flow.response.raw_content or b"", given
        )
        flow.response.data.content = body
        for name, value in here.reply.headers:
            if name.lower() in PACKED_HEADERS:
                headers[name] = value
        headers["Content-Length"] = str(len(body))


def masked_call(call: Call, mask: Mask) -> tuple[Call, dict[str, int], Vault]:
    """The call with every text masked, how many values of which detector were, and what tokens stand for."""
    vault = Vault(turn.text for turn in call.turns)
    texts: dict[Path, str] = {}
    counts: Counter[str] = Counter()
    for turn, masked in zip(call.turns, mask_turns(mask, call.turns, vault), strict=True):
        if masked.text is not turn.text:
            texts[turn.path] = masked.text
        counts.update(finding.detector for finding in masked.findings if finding.action == "mask")
    return (apis.with_texts(call, texts) if texts else call), dict(counts), vault


def media_type(response: http.Response) -> str:
    """The reply's media type, lower case.

    Raises: Refusal for a reply that cannot be read: encoded, an upgrade, or with two types.
    """
    headers = response.headers
    if response.status_code < 200:
        raise Refusal("gateway_error", "The model server answered in a way this gateway does not read.", 502)
    if headers.get("content-encoding", "identity").lower() not in ("identity", ""):
        raise Refusal("gateway_error", "The model server sent an encoded reply, which cannot be inspected.", 502)
    types = headers.get_all("content-type")
    if len(types) > 1:
        raise Refusal("gateway_error", "The model server sent two content types.", 502)
    return types[0].partition(";")[0].strip().lower() if types else ""


def plain_type(value: str) -> bytes:
    """The media type without parameters (they could carry text), but for the one encoding that is ever meant.

    Raises: Refusal for what is no media type.
    """
    media, _, parameters = value.partition(";")
    media = media.strip().lower()
    if not _MEDIA.fullmatch(media):
        raise Refusal("gateway_error", "The model server sent a content type that this gateway does not read.", 502)
    return (media + ("; charset=utf-8" if "charset=utf-8" in parameters.lower() else "")).encode()


def rebuilt(flow: http.HTTPFlow, here: Passage) -> http.Response:
    """The reply's head with known headers only (others could carry text past the mask)."""
    old = flow.response
    assert old is not None
    known = [(name.lower(), value) for name, value in old.headers.fields]
    waits = [value for name, value in known if name == b"retry-after"]
    fields = [(b"Retry-After", waits[0])] if len(waits) == 1 and _WAIT.fullmatch(waits[0]) else []
    if not here.streamed:
        fields += [(name, value) for name, value in known if name in _PACKED and value.isdigit()]
    if (kind := old.headers.get("content-type")) is not None:
        fields.append((b"Content-Type", plain_type(kind)))
    fields.append((answers.EXCHANGE_HEADER, here.id.encode()))
    if here.streamed:
        fields.append((b"Cache-Control", b"no-cache"))
        if flow.request.data.http_version == b"HTTP/1.1":
            fields.append((b"Transfer-Encoding", b"chunked"))
    if here.close or (here.streamed and flow.request.data.http_version != b"HTTP/1.1"):
        fields.append((b"Connection", b"close"))
    data = old.data
    return http.Response(
        b"HTTP/1.1",
        data.status_code,
        RESPONSES.get(data.status_code, "").encode(),
        http.Headers(fields),
        data.content,
        None,
        data.timestamp_start,
        data.timestamp_end,
    )
