"""Exchanges as they were recorded, whole: what was asked, what was answered, and what was decided."""

from __future__ import annotations

import base64
import binascii
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import orjson

from penstock.errors import StoreError
from penstock.store.query import Audit

type Headers = tuple[tuple[str, str], ...]

_BATCH: Final = 200
_FIELDS: Final = (
    "id", "session", "epoch_us(started)", "epoch_us(ended)", "caller", "groups", "address", "upstream", "method",
    '"path"', "operation", "model", "verdict", "outcome", "rule", "policy", "status", "code", "message", "ttft_ms",
    "approval", "error", "masked",
)  # fmt: skip
_EVENTS: Final = """
SELECT exchange, kind, envelope->'$.body', payload FROM entries
WHERE exchange BETWEEN ? AND ? AND list_contains(?, exchange) AND kind IN ('request', 'chunk', 'response', 'abort')
ORDER BY exchange, "time", seq
"""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One exchange. Times are unix seconds."""

    id: str
    session: str | None
    started: float
    ended: float | None
    caller: str | None
    groups: tuple[str, ...]
    address: str
    """Of the caller, `ip:port`."""
    upstream: str | None
    server: str
    """URL of the model server that was asked, when that was recorded, else empty."""
    method: str
    path: str
    operation: str | None
    model: str | None
    verdict: str
    outcome: str
    rule: str | None
    policy: str | None
    status: int | None
    code: str | None
    message: str | None
    first_byte: float | None
    """When the first byte of the reply came."""
    approval: str | None
    error: str | None
    masked: dict[str, int]
    request_headers: Headers
    request_body: bytes | None
    reply_headers: Headers
    reply_body: bytes | None
    """As it was delivered, streams in one piece; None when nothing was, or it was not the model's."""
    completion: str
    """The text in it; it is there also where the bytes of a stream were not kept, as when `record` rules mask."""


def recorded(
    audit: Audit, *, exchanges: Sequence[str] = (), since: str | None = None, where: str | None = None
) -> Iterator[Recorded]:
    """The exchanges that fit all conditions, in the order in which they started.

    `since`: an interval or a time, as `ago` takes it; `where`: an SQL condition on the view `exchanges`.
    Raises: StoreError.
    """
    picked = audit.ask(*pick(f"{', '.join(_FIELDS)}", exchanges=exchanges, since=since, where=where))
    servers = _servers(audit)
    while batch := list(islice(picked.rows, _BATCH)):
        ids = sorted(row[0] for row in batch)
        events: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for exchange, kind, body, payload in audit.ask(_EVENTS, (ids[0], ids[-1], ids)).rows:
            events[exchange].append((kind, orjson.loads(body), orjson.loads(payload) if payload else {}))
        for row in batch:
            yield _recorded(row, events[row[0]], servers)


def pick(
    fields: str, *, exchanges: Sequence[str] = (), since: str | None = None, where: str | None = None
) -> tuple[str, list[object]]:
    """The question for these exchanges, with its parameters."""
    conditions: list[str] = []
    parameters: list[object] = []
    if exchanges:
        conditions.append("list_contains(?, id)")
        parameters.append(list(exchanges))
    if since is not None:
        conditions.append("started >= ago(?)")
        parameters.append(since)
    if where is not None:
        conditions.append(f"(\n{where}\n)")
    chosen = " AND ".join(conditions) or "true"
    return f"SELECT {fields} FROM exchanges WHERE {chosen} ORDER BY started, id", parameters  # noqa: S608 - sandboxed


def check_since(audit: Audit, since: str | None) -> None:
    """Raises: StoreError when `since` is neither an interval nor a time."""
    if since is not None and next(audit.ask("SELECT ago(?)", (since,)).rows)[0] is None:
        raise StoreError(f"{since!r} is neither an interval nor a time", advice="'2 hours', '2026-01-31 12:00'")


def _servers(audit: Audit) -> dict[str, str]:
    """Upstream -> URL of a server, as the latest start of a gateway recorded it."""
    rows = audit.ask("SELECT envelope->'$.body.upstreams' FROM entries WHERE kind = 'start' ORDER BY \"time\"").rows
    found: dict[str, str] = {}
    for (text,) in rows:
        for name, urls in (orjson.loads(text or b"null") or {}).items():
            if isinstance(urls, list) and urls and isinstance(urls[0], str):
                found[name] = urls[0]
    return found


def _recorded(row: tuple[Any, ...], events: list[tuple[Any, ...]], servers: dict[str, str]) -> Recorded:
    (
        id, session, started, ended, caller, groups, address, upstream, method, path, operation, model, verdict,
        outcome, rule, policy, status, code, message, ttft_ms, approval, error, masked,
    ) = row  # fmt: skip
    _, asked, request = next((event for event in events if event[0] == "request"), ("", {}, {}))
    _, told, reply = next((event for event in events if event[0] in ("response", "abort")), ("", {}, {}))
    return Recorded(
        id=id,
        session=session,
        started=started / 1_000_000,
        ended=ended / 1_000_000 if ended is not None else None,
        caller=caller,
        groups=tuple(groups or ()),
        address=address or "",
        upstream=upstream,
        server=told.get("replica") or asked.get("replica") or servers.get(upstream or "", ""),
        method=method or "POST",
        path=path or "/",
        operation=operation,
        model=model,
        verdict=verdict,
        outcome=outcome,
        rule=rule,
        policy=policy,
        status=status,
        code=code,
        message=message,
        first_byte=(started + ttft_ms * 1000) / 1_000_000 if ttft_ms is not None else None,
        approval=approval,
        error=error,
        masked=dict(masked or {}),
        request_headers=_headers(request),
        request_body=_bytes(request),
        reply_headers=_headers(reply),
        reply_body=_reply_body(reply, [payload for kind, _, payload in events if kind == "chunk"]),
        completion=reply.get("completion") or "",
    )


def _reply_body(reply: dict[str, Any], chunks: list[dict[str, Any]]) -> bytes | None:
    whole = _bytes(reply)
    return whole if whole is not None or not chunks else b"".join(_bytes(chunk) or b"" for chunk in chunks)


def _headers(payload: dict[str, Any]) -> Headers:
    return tuple((str(name), str(value)) for name, value in payload.get("headers") or ())


def _bytes(payload: dict[str, Any]) -> bytes | None:
    body = payload.get("body")
    if body is None:
        return None
    if payload.get("encoding") == "base64":
        try:
            return base64.b64decode(body, validate=True)
        except binascii.Error:
            raise StoreError("a recorded body is not base64 as it says") from None
    return str(body).encode("utf-8")
