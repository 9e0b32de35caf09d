"""What the chain writes to the journal about an exchange: the bodies and payloads of its entries."""

from __future__ import annotations

import hashlib
import re
import time
from typing import TYPE_CHECKING, Final

from mitmproxy import http

from penstock import apis
from penstock.errors import Refusal
from penstock.proxy.dispatch import FORWARDED
from penstock.proxy.mask import masked_call
from penstock.proxy.passage import Passage
from penstock.proxy.stream import Stream, recordable
from penstock.verdict import Hold, Match, rule_of

if TYPE_CHECKING:
    from penstock.exchange import Json, JsonObject

_WORD: Final = re.compile(r"[a-z_]{1,40}")


def request_entry(flow: http.HTTPFlow, here: Passage) -> tuple[JsonObject, JsonObject]:
    """Envelope body and payload of a `request` entry, allowed, held or denied."""
    if here.refusal is not None and not here.forwarded.content:
        _mask_denied(here)
    call, verdict, refusal = here.call, here.verdict, here.refusal
    matches = [*(verdict.matches if verdict is not None else ()), *here.matches]
    caller = here.caller
    outcome = "deny" if refusal is not None else "hold" if isinstance(verdict, Hold) else "allow"
    body: JsonObject = {
        "session": here.session,
        "caller": None
        if caller is None
        else {
            "issuer": caller.issuer,
            "subject": caller.subject,
            "groups": [*sorted(caller.groups)],
            "via": caller.via,
            "client": caller.client,
        },
        "address": here.client,
        "upstream": here.upstream.name if here.upstream is not None else None,
        "method": here.method,
        "path": here.path,
        "api": call.api if call is not None else None,
        "operation": call.operation.value if call is not None else None,
        "model": _kept(here, call.model) if call is not None else None,
        "parameters": {name: _kept(here, value) for name, value in here.record_parameters().items()},
        "tools": [_kept(here, tool) for tool in call.tools] if call is not None else [],
        "stream": call.stream if call is not None else False,
        "verdict": outcome,
        "rule": rule_of(verdict) if verdict is not None else "",
        "rules": [dict(match.record()) for match in matches],
        "policy": here.policy.hash,
        "status": refusal.status if refusal is not None else None,
        "code": refusal.code if refusal is not None else None,
        "message": refusal.message if refusal is not None else verdict.message if isinstance(verdict, Hold) else None,
        "masked": dict(here.prompt_masked),
        "uninspected": list(call.uninspected) if call is not None else [],
        "bytes": len(here.forwarded.content),
        "digest": here.digest,
    }
    prompt = "\n".join(f"{turn.role}: {turn.text}" for turn in call.turns) if call is not None else ""
    text = _view(here)
    if here.screen is not None and here.screen.record is not None:
        prompt = here.screen.record.whole(prompt).text
        text = here.screen.record.whole_json(text).text if text is not None else None
    headers: list[Json] = [
        [name.decode("ascii", "replace"), _kept(here, value.decode("utf-8", "replace"))]
        for name, value in flow.request.data.headers.fields
        if name.lower() in FORWARDED
    ]
    if text is not None:
        headers.append(["content-type", "application/json"])
    return body, {"prompt": prompt, "headers": headers, "body": text}


def _view(here: Passage) -> str | None:
    """The body as it is recorded: what is not JSON (forms, tensors, files) as JSON, with digests for its bytes."""
    if here.call is None or here.call.body is None or not here.forwarded.content:
        return None
    content = here.forwarded.content if here.call.encoding == "json" else apis.emit(here.call.body)
    return content.decode("utf-8")


def _kept(here: Passage, value: Json) -> Json:
    """A value as it may be recorded: texts under the record's own masks."""
    if isinstance(value, str) and here.screen is not None and here.screen.record is not None:
        return here.screen.record.whole(value).text
    return value


def _mask_denied(here: Passage) -> None:
    """A denied prompt is recorded masked as it would have been forwarded."""
    if here.call is None or here.caller is None or here.upstream is None:
        return
    here.screen = here.policy.screen(here.caller, here.call, here.upstream.name)
    if here.screen.prompt is not None:
        here.call, here.prompt_masked, here.vault = masked_call(here.call, here.screen.prompt)
    if here.call.body is not None:
        here.forwarded = apis.emitted(here.call)
        here.digest = hashlib.sha256(here.forwarded.content).hexdigest()


def late_verdict(here: Passage, refusal: Refusal) -> JsonObject:
    """A denial that came after the `request` entry: of a held call, or in the middle of a reply."""
    return {
        "verdict": "deny",
        "rule": "",
        "status": refusal.status,
        "code": refusal.code,
        "message": refusal.message,
        "approval": here.ticket or None,
    }


def _word(finish: str | None) -> str | None:
    """A finish reason, which is a word; anything longer is a text in the wrong place."""
    return finish if finish is None or _WORD.fullmatch(finish) else "other"


def _reply_matches(here: Passage, completion: str) -> list[Match]:
    """Rules that the reply hit without being stopped by them: flags and rules under observation."""
    if here.screen is None or here.reply is None:
        return []
    found = {finding.rule: here.screen.match(finding.rule) for finding in here.reply.flags}
    found |= {match.rule: match for match in here.screen.review(completion)}
    return list(found.values())


def end_entry(flow: http.HTTPFlow, here: Passage) -> tuple[JsonObject, JsonObject]:
    """Envelope body and payload of a `response` or `abort` entry: the reply as it was delivered."""
    reply = here.reply.reply if here.reply is not None else None
    stream = flow.response.stream if flow.response is not None else None
    delivered = b""
    if isinstance(stream, Stream):
        size, digest = stream.bytes, stream.hash.hexdigest()
    else:
        if flow.response is not None and here.reply is not None and here.refusal is None:
            delivered = flow.response.raw_content or b""
        size, digest = len(delivered), hashlib.sha256(delivered).hexdigest()
    now = time.time()
    completion = reply.completion() if reply is not None else ""
    status = flow.response.status_code if flow.response is not None else None
    if here.refusal is not None and not here.streamed:
        status = here.refusal.status
    body: JsonObject = {
        "status": status,
        "finish": _word(reply.finish) if reply is not None else None,
        "prompt_tokens": reply.prompt_tokens if reply is not None else None,
        "completion_tokens": reply.completion_tokens if reply is not None else None,
        "ttft_ms": round((here.first_byte_at - here.forwarded_at) * 1000, 3) if here.first_byte_at else None,
        "duration_ms": round((now - here.at) * 1000, 3),
        "masked": dict(reply.masked) if reply is not None else {},
        "error": reply.error if reply is not None else None,
        "complete": reply.complete if reply is not None else False,
        "streamed": here.streamed,
        "uninspected": [*sorted(reply.uninspected)] if reply is not None else [],
        "replica": str(here.replica) if here.replica is not None else None,
        "bytes": size,
        "sha256": digest,
        "rules": [dict(match.record()) for match in _reply_matches(here, completion)],
    }
    text, encoding = recordable(delivered) if delivered else (None, "utf-8")
    if here.vault:
        text = None  # it says the values; the completion has the tokens
    if here.screen is not None and here.screen.record is not None:
        completion = here.screen.record.whole(completion).text
        text = here.screen.record.whole_json(text).text if text is not None else None
    headers: list[Json] = []
    if flow.response is not None:
        headers = [
            [name.decode("ascii", "replace"), value.decode("utf-8", "replace")]
            for name, value in flow.response.headers.fields
            if name.lower() == b"content-type"
        ]
    return body, {"completion": completion, "headers": headers, "body": text, "encoding": encoding}
