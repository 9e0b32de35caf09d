"""The desk: where held requests wait, approvers decide, and grants are used up.

It lives in the memory of one process, on one thread: after a restart every ticket and every grant is gone, which is
a denial. Whatever opens a way (a ticket, a vote, a grant, a release) is told to the journal before it takes effect,
and does not when the journal refuses; whatever closes one takes effect at once and is told as soon as that is
possible.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from penstock.approvals.digest import Held, binding, digest
from penstock.approvals.note import Happening, Note
from penstock.approvals.outcome import Denied, Expired, Outcome, Pending, Released, Spent
from penstock.approvals.quorum import met
from penstock.approvals.ruling import check, visible
from penstock.approvals.shelf import Bounds, Folder, Place, Shelf
from penstock.approvals.ticket import Decision, Move, State, Ticket, Vote
from penstock.caller import Caller
from penstock.errors import StoreError
from penstock.exchange import ulid
from penstock.policy.settings import ApprovalRule


class Desk:
    """Tickets, decisions and releases.

    Times are what `clock` gives (unix seconds), ids what `ids` gives (not guessable). `journal` is called for each
    thing that happens, in order; it raises StoreError when it cannot keep it.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        journal: Callable[[Note], None],
        *,
        ids: Callable[[], str] = ulid,
        bounds: Bounds = Bounds(),
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._ids = ids
        self._keep = bounds.keep
        self._shelf = Shelf(bounds)
        self._untold = deque[Note]()

    # What requests do

    def open(self, held: Held, rule: ApprovalRule) -> Place:
        """A place for a held request: on a new ticket, on the undecided one it shares, or on a grant in force.

        A denial stands until the ticket would have expired: the same request is denied at once. Refusal
        (rate_limited) over the bounds; StoreError when the journal refuses.
        """
        now = self.expire()
        mark = digest(held, rule)
        folder = self._shelf.standing(binding(held, rule))
        if folder is None:
            folder = self._new(held, rule, mark, now)
        elif folder.ticket.live:
            after = folder.ticket.moved(Move.JOIN)
            self._tell(Note("joined", after, now, held.exchange, mark, held.caller))
            self._shelf.turn(folder, after, now)
        place = Place(folder, held.caller, held.exchange, mark)
        folder.places[place] = asyncio.Event()
        return place

    async def wait(self, place: Place, within: float | None) -> Outcome:
        """How it ends for this place, which then leaves the line; after `within` seconds at most (None: no such bound).

        Cancelling the wait leaves the line too, and uses nothing up. StoreError when a release cannot be recorded:
        the grant is then unused.
        """
        loop = asyncio.get_running_loop()
        deadline = None if within is None else loop.time() + within
        try:
            while (outcome := self._outcome(place)) is None:
                left = max(0.0, min(place.ticket.due, place.caller.expires) - self._clock())
                if deadline is not None:
                    if (until := deadline - loop.time()) <= 0:
                        return Pending(place.ticket)
                    left = min(left, until)
                await _ring(place, left)
            return outcome
        finally:
            self.leave(place)

    def leave(self, place: Place) -> None:
        """The request waits no longer: its caller hung up, or it was answered. Harmless when it has left."""
        folder = place.folder
        if folder.places.pop(place, None) is not None and not self._keep and not folder.places:
            self.abandon(folder.ticket.id)

    def abandon(self, ticket_id: str) -> None:
        """Give up an undecided ticket; nothing happens to one that is decided or over."""
        folder = self._shelf.find(ticket_id)
        if folder is not None and folder.ticket.state is State.OPEN:
            self._close(folder, folder.ticket.moved(Move.ABANDON), "abandoned")

    # What approvers do

    def approve(self, ticket_id: str, by: Caller, reason: str = "") -> Ticket:
        """Count an approval; the ticket is granted when it meets the quorum. NotDecided says why it was not counted."""
        return self.decide(ticket_id, by, Decision.APPROVE, reason)

    def break_glass(self, ticket_id: str, by: Caller, reason: str) -> Ticket:
        """Grant at once, alone: for the rule's break-glass groups, with a reason, and marked in the journal."""
        return self.decide(ticket_id, by, Decision.BREAK_GLASS, reason)

    def deny(self, ticket_id: str, by: Caller, reason: str = "") -> Ticket:
        """Deny it, whatever others have said: an undecided ticket, and a grant in force as well."""
        return self.decide(ticket_id, by, Decision.DENY, reason)

    def decide(self, ticket_id: str, by: Caller, decision: Decision, reason: str = "") -> Ticket:
        """Any of the three; the ticket as it stands afterwards. NotDecided, or StoreError and nothing has changed."""
        now = self.expire()
        reason = reason.strip()
        folder = self._shelf.find(ticket_id)
        ticket = check(None if folder is None else folder.ticket, by, decision, reason, now)
        assert folder is not None
        vote = Vote(by, decision, reason, now)
        if decision is Decision.DENY:
            self._close(folder, ticket.voted(vote, Move.DENY), "denied", vote)
            return folder.ticket
        after = ticket.voted(vote, Move.GRANT if met(ticket, vote) else Move.VOTE)
        if after.state is State.APPROVED:
            rule = ticket.rule
            after = replace(after, granted_until=now + (rule.expires if rule.grant_for is None else rule.grant_for))
        broken = decision is Decision.BREAK_GLASS
        self._tell(Note("approved", after, now, None, ticket.digest, by, reason, broken))
        self._shelf.turn(folder, after, now)
        return after

    def tickets(self, reader: Caller) -> tuple[Ticket, ...]:
        """The live tickets that `reader` may decide, and his own; oldest first."""
        self.expire()
        live = (folder.ticket for folder in self._shelf if folder.ticket.live)
        return tuple(sorted((ticket for ticket in live if visible(ticket, reader)), key=lambda ticket: ticket.opened))

    def ticket(self, ticket_id: str, reader: Caller) -> Ticket | None:
        """A ticket that `reader` may see, for a while also one that is over; None for any other id."""
        self.expire()
        folder = self._shelf.find(ticket_id)
        return folder.ticket if folder is not None and visible(folder.ticket, reader) else None

    def waiting(self, ticket_id: str) -> int:
        """How many requests wait for a ticket now."""
        folder = self._shelf.find(ticket_id)
        return 0 if folder is None else len(folder.places)

    # What time does

    def expire(self) -> float:
        """Close what is due, and give the time.

        Every call of the desk does it first; call it every second or so too, so that the journal hears of it in time.
        """
        now = self._clock()
        for folder in self._shelf.lapsed(now):
            self._close(folder, folder.ticket.moved(Move.LAPSE), "expired")
        self._catch_up()
        return now

    # Within

    def _new(self, held: Held, rule: ApprovalRule, mark: str, now: float) -> Folder:
        summary = held.summary()
        self._shelf.admit(held.caller, summary.prompt)
        ticket = Ticket(
            self._ids(),
            rule,
            held.caller,
            held.exchange,
            mark,
            binding(held, rule),
            summary,
            opened=now,
            expires=now + rule.expires,
        )
        self._tell(Note("opened", ticket, now, held.exchange, mark, held.caller))
        return self._shelf.put(ticket)

    def _outcome(self, place: Place) -> Outcome | None:
        """What holds for `place` now, using the grant up when there is one; None while it must wait."""
        now = self.expire()
        ticket = place.ticket
        if place not in place.folder.places:
            raise RuntimeError("this place has left its line")
        if ticket.live and place.caller.expires <= now:
            return Expired(ticket, "caller")
        match ticket.state:
            case State.OPEN:
                return None
            case State.APPROVED:
                return Released(self._use(place, now))
            case State.RELEASED:
                return Spent(ticket)
            case State.DENIED:
                return Denied(ticket)
            case State.EXPIRED | State.ABANDONED:
                return Expired(ticket, "request" if ticket.granted_until is None else "grant")
            case _:
                assert_never(ticket.state)

    def _use(self, place: Place, now: float) -> Ticket:
        ticket = place.ticket
        after = replace(ticket.moved(Move.SPEND if ticket.once else Move.USE), uses=ticket.uses + 1)
        self._tell(Note("released", after, now, place.exchange, place.digest, place.caller))
        self._shelf.turn(place.folder, after, now)
        return after

    def _close(self, folder: Folder, after: Ticket, event: Happening, vote: Vote | None = None) -> None:
        """What closes a way: it is so at once, and the journal is told now or later."""
        now = self._clock()
        by, reason = (None, "") if vote is None else (vote.by, vote.reason)
        self._untold.append(Note(event, after, now, None, after.digest, by, reason))
        self._shelf.turn(folder, after, now)
        self._catch_up()

    def _tell(self, note: Note) -> None:
        """What opens a way: the journal is told before it is so, after all it has not been told yet."""
        self._flush()
        self._journal(note)

    def _catch_up(self) -> None:
        with contextlib.suppress(StoreError):  # told again with the next thing that happens
            self._flush()

    def _flush(self) -> None:
        while self._untold:
            self._journal(self._untold[0])
            self._untold.popleft()


async def _ring(place: Place, seconds: float) -> None:
    """Wait until the ticket's state changes, `seconds` at most."""
    bell = place.folder.places[place]
    try:
        async with asyncio.timeout(seconds):
            await bell.wait()
    except TimeoutError:
        return
    bell.clear()
