"""Whether an approver's decision is taken, and if not, why."""

from __future__ import annotations

from enum import StrEnum

from penstock.approvals.quorum import approvers, may, own, person
from penstock.approvals.ticket import Decision, State, Ticket
from penstock.caller import Caller
from penstock.errors import PenstockError


class Why(StrEnum):
    """Why a decision was not taken."""

    UNKNOWN = "not_found"
    OWN = "own_request"
    ROLE = "not_an_approver"
    TOKEN = "token_expired"
    STATE = "already_decided"
    TWICE = "already_approved_by_you"
    REASON = "reason_required"


class NotDecided(PenstockError):
    """The decision was not taken; `why` is one of a few, and the text is safe to send to who decided."""

    def __init__(self, why: Why, message: str) -> None:
        super().__init__(message)
        self.why = why


def visible(ticket: Ticket, reader: Caller) -> bool:
    """Whether `reader` may know of the ticket at all: it is theirs, or they may decide it."""
    return own(ticket, reader) or bool(may(ticket, reader))


def check(ticket: Ticket | None, by: Caller, decision: Decision, reason: str, now: float) -> Ticket:
    """The ticket, when `by` may say this of it now; else NotDecided.

    Groups are those that `by` has now, not those of an earlier vote. A ticket that `by` may not know of is unknown.
    """
    if ticket is None or not visible(ticket, by):
        raise NotDecided(Why.UNKNOWN, "There is no such ticket.")
    if own(ticket, by):
        raise NotDecided(Why.OWN, "Nobody decides on a request of their own.")
    if decision not in may(ticket, by):
        raise NotDecided(Why.ROLE, f"Your groups do not let you say {decision} on this ticket.")
    if by.expires <= now:
        raise NotDecided(Why.TOKEN, "Your token has expired; sign in again.")
    if not ticket.live or (ticket.state is State.APPROVED and decision is not Decision.DENY):
        raise NotDecided(Why.STATE, f"This ticket is {ticket.state} already.")
    if decision is Decision.APPROVE and person(by) in approvers(ticket.votes):
        raise NotDecided(Why.TWICE, "You have approved this already; it takes another person.")
    if not reason and (ticket.rule.reason_required or decision is Decision.BREAK_GLASS):
        raise NotDecided(Why.REASON, "This takes a reason.")
    return ticket
