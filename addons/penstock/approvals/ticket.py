"""A ticket: one question to the approvers, what has been answered so far, and the only ways it can go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from penstock.caller import Caller
from penstock.policy.settings import ApprovalRule


class State(StrEnum):
    """Where a ticket stands."""

    OPEN = "open"
    """Nobody has decided yet, or fewer people than the quorum."""
    APPROVED = "approved"
    """Granted and in force: the next request that it binds passes."""
    RELEASED = "released"
    """Granted once, and used up by exactly one request."""
    DENIED = "denied"
    EXPIRED = "expired"
    """Nobody decided in time, or a grant was not used in time."""
    ABANDONED = "abandoned"
    """Every request that waited has gone, and the desk does not keep such tickets."""


class Move(StrEnum):
    """What can happen to a ticket."""

    JOIN = "join"
    """The same request arrived again and waits too."""
    VOTE = "vote"
    """An approval that leaves the quorum unmet."""
    GRANT = "grant"
    """The approval that meets the quorum, or breaks the glass."""
    DENY = "deny"
    LAPSE = "lapse"
    """Its time is over."""
    ABANDON = "abandon"
    SPEND = "spend"
    """A request passes by a grant that serves once."""
    USE = "use"
    """A request passes by a grant that serves for a time."""


# The state machine, whole. Two rules hold in it, and a test keeps them: only APPROVED leads to a release, and
# nothing leads out of DENIED, EXPIRED, ABANDONED or RELEASED. A denial ends a grant in force too: any denial wins.
TABLE: Final[Mapping[tuple[State, Move], State]] = MappingProxyType(
    {
        (State.OPEN, Move.JOIN): State.OPEN,
        (State.OPEN, Move.VOTE): State.OPEN,
        (State.OPEN, Move.GRANT): State.APPROVED,
        (State.OPEN, Move.DENY): State.DENIED,
        (State.OPEN, Move.LAPSE): State.EXPIRED,
        (State.OPEN, Move.ABANDON): State.ABANDONED,
        (State.APPROVED, Move.JOIN): State.APPROVED,
        (State.APPROVED, Move.SPEND): State.RELEASED,
        (State.APPROVED, Move.USE): State.APPROVED,
        (State.APPROVED, Move.DENY): State.DENIED,
        (State.APPROVED, Move.LAPSE): State.EXPIRED,
    }
)

LIVE: Final = frozenset({State.OPEN, State.APPROVED})


class Decision(StrEnum):
    """What an approver can say."""

    APPROVE = "approve"
    DENY = "deny"
    BREAK_GLASS = "break_glass"
    """One person alone, of a named group and with a reason: meets any quorum, and is marked in the audit."""


@dataclass(frozen=True, slots=True)
class Vote:
    """What one approver said."""

    by: Caller
    decision: Decision
    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class Summary:
    """What approvers see of the request that opened the ticket."""

    method: str
    upstream: str
    path: str
    operation: str
    model: str | None
    rules: tuple[str, ...]
    """The rules that held it."""
    message: str
    """The rule's own words to the caller."""
    prompt: str
    """All the text a rule can read, whole: an approver never decides on a part of it. Empty once the ticket is over
    (the audit keeps it)."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """One question to the approvers. Times are unix seconds."""

    id: str
    rule: ApprovalRule
    """As it was when the ticket was opened: a policy that changes meanwhile does not change who may decide it."""
    caller: Caller
    """Who asks."""
    exchange: str
    """The request that opened it."""
    digest: str
    """Of the request that opened it."""
    binding: str
    """What a grant of this ticket is good for: equal to `digest`, or to the digest of a scope."""
    summary: Summary
    opened: float
    expires: float
    state: State = State.OPEN
    votes: tuple[Vote, ...] = ()
    granted_until: float | None = None
    """When the grant lapses; None while there was none."""
    uses: int = 0
    """How many requests passed by its grant."""

    @property
    def live(self) -> bool:
        return self.state in LIVE

    @property
    def due(self) -> float:
        """When it lapses by itself."""
        return self.expires if self.granted_until is None else self.granted_until

    @property
    def once(self) -> bool:
        """Whether its grant serves one request only."""
        return self.rule.grant_for is None

    def moved(self, move: Move) -> Ticket:
        """The ticket after `move`; `Impossible` where the table knows no such way."""
        state = TABLE.get((self.state, move))
        if state is None:
            raise Impossible(f"a ticket that is {self.state} cannot {move}")
        return replace(self, state=state)

    def voted(self, vote: Vote, move: Move) -> Ticket:
        """The ticket with one more vote, after `move`."""
        return replace(self.moved(move), votes=(*self.votes, vote))


class Impossible(ValueError):
    """A move that the table of states does not know: a defect of the gateway, never an answer to a caller."""
