"""How waiting for an approval ends, and what the caller is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, assert_never

from penstock.approvals.quorum import approvers
from penstock.approvals.ticket import Ticket
from penstock.errors import Refusal


@dataclass(frozen=True, slots=True)
class Released:
    """Forward this request, once: the grant has been counted as used."""

    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Pending:
    """Nobody has decided yet; sending the same request again waits on, or uses the grant."""

    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Denied:
    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Expired:
    """Too late: nobody decided (`request`), the grant lapsed (`grant`), or the caller's token did (`caller`)."""

    ticket: Ticket
    what: Literal["request", "grant", "caller"]


@dataclass(frozen=True, slots=True)
class Spent:
    """An identical request that waited beside this one used the grant, which serves one."""

    ticket: Ticket


type Outcome = Released | Pending | Denied | Expired | Spent

_SPENT = "Another identical request used this approval; send it again to ask anew."
_LATE = {
    "request": "Nobody approved this request in time; send it again to ask anew.",
    "grant": "The approval of this request was not used in time; send it again to ask anew.",
    "caller": "Your token expired while this request waited for approval; sign in again and resend it.",
}


def refusal(outcome: Pending | Denied | Expired | Spent, *, base: str = "") -> Refusal:
    """The answer to a caller whose request is not released: 403, with the ticket's id in `Penstock-Approval`.

    `base` is the gateway's own URL as the caller knows it; with it the message holds a link. Says nothing of who
    decided or why.
    """
    ticket = outcome.ticket
    match outcome:
        case Pending():
            code, message = "approval_pending", _pending(ticket, base)
        case Denied():
            code, message = "approval_denied", f"Approval {ticket.id} was denied."
        case Expired(what=what):
            code, message = "approval_denied", _LATE[what]
        case Spent():
            code, message = (
                "approval_denied",
                "Another identical request used this approval; send it again to ask anew.",
            )
        case _:
            assert_never(outcome)
    own = ticket.summary.message.strip()
    return Refusal(code, f"{own} {message}" if own else message, headers=(("Penstock-Approval", ticket.id),))


def _pending(ticket: Ticket, base: str) -> str:
    asked = f"Approval {ticket.id} is pending ({len(approvers(ticket.votes))} of {ticket.rule.quorum})"
    link = f", see {base.rstrip('/')}/.penstock/approvals/{ticket.id}" if base else ""
    return f"{asked}{link}; send the same request again to wait for it."
