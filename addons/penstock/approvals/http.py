"""The approvers' endpoints under `/.penstock/approvals`: from an authenticated request to an answer, without IO.

`GET /.penstock/approvals`       the tickets that the reader may decide, and his own
`GET /.penstock/approvals/ID`    one ticket, with the whole prompt
`POST /.penstock/approvals/ID`   {"decision": "approve" | "deny" | "break_glass", "reason": "…"}

A GET decides nothing. A POST needs `Content-Type: application/json`, which no page of another site can send without
asking first, and must not come from a page at all unless its origin is named.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, NamedTuple

from penstock.approvals.desk import Desk
from penstock.approvals.ruling import NotDecided, Why
from penstock.approvals.ticket import Decision
from penstock.approvals.view import view
from penstock.caller import Caller
from penstock.errors import StoreError
from penstock.exchange import Json, JsonObject

ROOT: Final = "/.penstock/approvals"
MAX_BODY: Final = 16_384
MAX_REASON: Final = 1_000

type Headers = Sequence[tuple[bytes, bytes]]

_HEADERS: Final = (
    ("Content-Type", "application/json"),
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("x-should-retry", "false"),
)

# Why a decision was not taken -> the status that says so.
_STATUS: Final = {
    Why.UNKNOWN: 404,
    Why.OWN: 403,
    Why.ROLE: 403,
    Why.TOKEN: 401,
    Why.STATE: 409,
    Why.TWICE: 409,
    Why.REASON: 400,
}


class Answer(NamedTuple):
    """What to send."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class _Refused(Exception):
    """The request itself is not acceptable."""

    def __init__(self, status: int, code: str, message: str, *headers: tuple[str, str]) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, headers


def answer(
    desk: Desk,
    method: str,
    path: str,
    headers: Headers,
    body: bytes,
    caller: Caller,
    *,
    origins: frozenset[str] = frozenset(),
) -> Answer:
    """The answer to a request for `ROOT` or below it, whose `caller` has been authenticated.

    `path` is the normalised one, without a query. `origins` are those of web pages that may decide (`https://host`).
    """
    try:
        return _answer(desk, method, path, headers, body, caller, origins)
    except _Refused as refused:
        return _error(refused.status, refused.code, str(refused), *refused.headers)
    except NotDecided as undecided:
        return _error(_STATUS[undecided.why], undecided.why, str(undecided))
    except StoreError:
        return _error(503, "gateway_error", "The decision could not be recorded and was not taken.")


def _answer(
    desk: Desk, method: str, path: str, headers: Headers, body: bytes, caller: Caller, origins: frozenset[str]
) -> Answer:
    ticket_id = _ticket_id(path)
    match method, ticket_id:
        case "GET", "":
            tickets = desk.tickets(caller)
            views: list[Json] = [view(t, caller, waiting=desk.waiting(t.id), whole=False) for t in tickets]
            return _json(200, {"approvals": views})
        case "GET", _:
            return _one(desk, ticket_id, caller)
        case "POST", id_ if id_:
            _check_origin(headers, origins)
            decision, reason = read(headers, body)
            desk.decide(id_, caller, decision, reason)
            return _one(desk, id_, caller)
        case _:
            allowed = "GET, POST" if ticket_id else "GET"
            raise _Refused(405, "invalid_request", "This method is not known here.", ("Allow", allowed))


def _ticket_id(path: str) -> str:
    """The id in the path, empty for the list."""
    if path == ROOT:
        return ""
    head, _, ticket_id = path.rpartition("/")
    if head != ROOT or not (ticket_id.isascii() and ticket_id.isalnum()):
        raise NotDecided(Why.UNKNOWN, "There is no such ticket.")
    return ticket_id


def _one(desk: Desk, ticket_id: str, caller: Caller) -> Answer:
    ticket = desk.ticket(ticket_id, caller)
    if ticket is None:
        raise NotDecided(Why.UNKNOWN, "There is no such ticket.")
    return _json(200, view(ticket, caller, waiting=desk.waiting(ticket_id), whole=True))


def _check_origin(headers: Headers, origins: frozenset[str]) -> None:
    """Browsers name the page that asks; programs name none."""
    for name, value in headers:
        match name.lower():
            case b"origin" if value.decode("latin-1") not in origins:
                raise _Refused(403, "foreign_origin", "Decisions are not taken from this origin.")
            case b"sec-fetch-site" if value not in (b"same-origin", b"none") and not origins:
                raise _Refused(403, "foreign_origin", "Decisions are not taken from web pages.")


def read(headers: Headers, body: bytes) -> tuple[Decision, str]:
    """The decision and the reason in a POST, or a refusal: one JSON object of known, single, well-typed members."""
    types = [value for name, value in headers if name.lower() == b"content-type"]
    if len(types) != 1 or types[0].split(b";")[0].strip().lower() != b"application/json":
        raise _Refused(415, "invalid_request", "A decision is sent as application/json.")
    if len(body) > MAX_BODY:
        raise _Refused(413, "body_too_large", f"A decision has {MAX_BODY} bytes at most.")
    try:
        fields = json.loads(body.decode("utf-8"), object_pairs_hook=_single, parse_constant=_constant)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict) or not {"decision"} <= fields.keys() <= {"decision", "reason"}:
        raise _Refused(400, "invalid_request", 'A decision is one JSON object: {"decision": …, "reason": …}.')
    decision, reason = fields["decision"], fields.get("reason", "")
    if decision not in list(Decision):
        known = ", ".join(Decision)
        raise _Refused(400, "invalid_request", f"A decision is one of {known}.")
    if not isinstance(reason, str) or len(reason) > MAX_REASON or not _plain(reason):
        raise _Refused(400, "invalid_request", f"A reason is plain text of {MAX_REASON} characters at most.")
    return Decision(decision), reason


def _single(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is there twice")
    return members


def _constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _plain(reason: str) -> bool:
    """Nothing that could act on the terminal or the page of who reads it."""
    return all(char.isprintable() or char == "\n" for char in reason)


def _json(status: int, value: JsonObject, *headers: tuple[str, str]) -> Answer:
    return Answer(status, (*_HEADERS, *headers), json.dumps(value).encode("ascii"))


def _error(status: int, code: str, message: str, *headers: tuple[str, str]) -> Answer:
    return _json(status, {"error": {"code": code, "message": message}}, *headers)
