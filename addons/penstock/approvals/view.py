"""What a reader sees of a ticket, as JSON: deciders what they decide on, the one who asks how it stands."""

from __future__ import annotations

from penstock.approvals.quorum import approvers, may, own
from penstock.approvals.ticket import Decision, State, Ticket, Vote
from penstock.caller import Caller
from penstock.exchange import Json, JsonObject
from penstock.policy.settings import ApprovalRule

PREVIEW = 200
"""Characters of the prompt in a list; a ticket by itself shows it whole."""


def view(ticket: Ticket, reader: Caller, *, waiting: int, whole: bool) -> JsonObject:
    """The ticket for one who may see it. Who voted, and why, is for deciders only."""
    summary, rule = ticket.summary, ticket.rule
    shown: JsonObject = {
        "id": ticket.id,
        "state": ticket.state,
        "opened": ticket.opened,
        "expires": ticket.due,
        "approval": rule.id,
        "rules": list(summary.rules),
        "message": summary.message,
        "caller": _caller(ticket.caller),
        "method": summary.method,
        "upstream": summary.upstream,
        "path": summary.path,
        "operation": summary.operation,
        "model": summary.model,
        "prompt": summary.prompt if whole else summary.prompt[:PREVIEW],
        "prompt_length": len(summary.prompt),
        "digest": ticket.digest,
        "needed": rule.quorum,
        "count": len(approvers(ticket.votes)),
        "grant": _grant(rule),
        "uses": ticket.uses,
        "waiting": waiting,
        "reason_required": rule.reason_required,
        "own": own(ticket, reader),
        "may": _may(ticket, reader),
    }
    if not shown["own"]:
        shown["votes"] = [_vote(vote) for vote in ticket.votes]
    return shown


def _grant(rule: ApprovalRule) -> Json:
    if rule.grant_for is None:
        return "once"
    return {"for": rule.grant_for, "scope": list[Json](sorted(rule.grant_scope))}


def _may(ticket: Ticket, reader: Caller) -> list[Json]:
    """What the reader may still say, as the ticket stands."""
    if not ticket.live:
        return []
    said = may(ticket, reader)
    return list[Json](sorted(said & {Decision.DENY} if ticket.state is State.APPROVED else said))


def _caller(caller: Caller) -> JsonObject:
    groups = list[Json](sorted(caller.groups))
    return {"issuer": caller.issuer, "subject": caller.subject, "groups": groups, "client": caller.client}


def _vote(vote: Vote) -> JsonObject:
    by: JsonObject = {"issuer": vote.by.issuer, "subject": vote.by.subject}
    return {"by": by, "decision": vote.decision, "reason": vote.reason, "at": vote.at}
