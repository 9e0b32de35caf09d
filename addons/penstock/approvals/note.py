"""What the journal is told of a ticket: one note for each thing that happened to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from penstock.approvals.quorum import approvers
from penstock.approvals.ticket import Ticket
from penstock.caller import Caller
from penstock.exchange import JsonObject

type Happening = Literal["opened", "joined", "approved", "denied", "expired", "released", "abandoned"]


@dataclass(frozen=True, slots=True)
class Note:
    """Something happened to `ticket`, which is as it stands afterwards."""

    event: Happening
    ticket: Ticket
    at: float
    exchange: str | None
    """The request that it is about: the one that opened, joined or was released; None for a decision or a lapse."""
    digest: str
    """Of that request, or of the one that opened the ticket."""
    by: Caller | None = None
    reason: str = ""
    break_glass: bool = False

    def record(self) -> JsonObject:
        """The body of the `approval` entry."""
        ticket = self.ticket
        return {
            "ticket": ticket.id,
            "event": self.event,
            "by": None if self.by is None else {"issuer": self.by.issuer, "subject": self.by.subject},
            "rule": ",".join(ticket.summary.rules),
            "approval": ticket.rule.id,
            "digest": self.digest,
            "reason": self.reason,
            "needed": ticket.rule.quorum,
            "count": len(approvers(ticket.votes)),
            "expires": ticket.due,
            "break_glass": self.break_glass,
        }
