"""Who may decide a ticket, and how many people have."""

from __future__ import annotations

from collections.abc import Iterable

from penstock.approvals.ticket import Decision, Ticket, Vote
from penstock.caller import Caller


def person(caller: Caller) -> str:
    """Who a caller is, whichever provider says so.

    A subject that two providers know is one person: alice approves neither her own request nor twice by signing in
    elsewhere. Letter case is no difference.
    """
    return caller.subject.strip().casefold()


def own(ticket: Ticket, by: Caller) -> bool:
    """Whether `by` is the one who asks."""
    return person(ticket.caller) == person(by)


def may(ticket: Ticket, by: Caller) -> frozenset[Decision]:
    """What `by` may say on this ticket while it can be decided: empty for strangers and for the one who asks."""
    if own(ticket, by):
        return frozenset()
    said = set[Decision]()
    if by.groups & ticket.rule.approvers:
        said |= {Decision.APPROVE, Decision.DENY}
    if by.groups & ticket.rule.break_glass:
        said.add(Decision.BREAK_GLASS)
    return frozenset(said)


def approvers(votes: Iterable[Vote]) -> frozenset[str]:
    """The distinct people who approved: one person in two groups, or with two providers, counts once."""
    return frozenset(person(vote.by) for vote in votes if vote.decision is not Decision.DENY)


def met(ticket: Ticket, vote: Vote) -> bool:
    """Whether the ticket is granted once `vote` is counted."""
    if vote.decision is Decision.BREAK_GLASS:
        return True
    return len(approvers((*ticket.votes, vote))) >= max(1, ticket.rule.quorum)
