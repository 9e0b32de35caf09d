"""The shelf: the tickets that the desk remembers, by id, by what they bind and by when they lapse; it is bounded."""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from penstock.approvals.quorum import person
from penstock.approvals.ticket import State, Ticket
from penstock.caller import Caller
from penstock.errors import Refusal


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is kept at most; over it, new tickets are refused."""

    open_per_caller: int = 16
    """Undecided tickets of one person."""
    tickets: int = 1000
    """Undecided ones, grants in force and denials that stand."""
    prompts: int = 64_000_000
    """Characters of prompt text, for approvers to read."""
    closed: int = 200
    """Tickets that are over and can still be shown, without their text."""
    keep: bool = True
    """An undecided ticket outlives the requests that wait for it, so that a retry joins it; else it is abandoned."""


@dataclass(slots=True, eq=False)
class Folder:
    """A ticket, and the bells of the requests that wait for it."""

    ticket: Ticket
    places: dict[Place, asyncio.Event] = field(default_factory=dict["Place", asyncio.Event])

    def ring(self) -> None:
        for bell in self.places.values():
            bell.set()


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A request's place in the line of a ticket. Only it can be released, and once."""

    folder: Folder = field(repr=False)
    caller: Caller
    exchange: str
    digest: str

    @property
    def ticket(self) -> Ticket:
        """The ticket as it stands now."""
        return self.folder.ticket


class Shelf:
    """Folders with their indexes, which only `put` and `turn` change."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._folders: dict[str, Folder] = {}
        self._standing: dict[str, Folder] = {}  # binding -> the live ticket, or the denial, that stands for it
        self._due: list[tuple[float, str]] = []  # a heap; entries may be out of date
        self._open = Counter[str]()  # person -> undecided tickets
        self._prompts = 0
        self._closed = deque[str]()

    def __iter__(self) -> Iterator[Folder]:
        return iter(self._folders.values())

    def find(self, ticket_id: str) -> Folder | None:
        return self._folders.get(ticket_id)

    def standing(self, binding: str) -> Folder | None:
        """What holds for a request: its undecided ticket, its grant in force, or a denial that stands."""
        return self._standing.get(binding)

    def admit(self, caller: Caller, prompt: str) -> None:
        """Refusal (rate_limited) when there is no room for one more ticket."""
        wait = (("Retry-After", "60"),)
        if self._open[person(caller)] >= self._bounds.open_per_caller:
            raise Refusal("rate_limited", "Too many of your requests wait for approval already.", headers=wait)
        if len(self._standing) >= self._bounds.tickets or self._prompts + len(prompt) > self._bounds.prompts:
            raise Refusal("rate_limited", "Too many requests wait for approval already.", headers=wait)

    def put(self, ticket: Ticket) -> Folder:
        """A new, undecided ticket."""
        assert ticket.state is State.OPEN and ticket.id not in self._folders and ticket.binding not in self._standing
        folder = self._folders[ticket.id] = self._standing[ticket.binding] = Folder(ticket)
        heapq.heappush(self._due, (ticket.due, ticket.id))
        self._open[person(ticket.caller)] += 1
        self._prompts += len(ticket.summary.prompt)
        return folder

    def turn(self, folder: Folder, after: Ticket, now: float) -> None:
        """The ticket in `folder` is `after` from now on; who waits is woken when its state is another.

        One that is over loses its text. A denial stands for its request until the ticket would have expired.
        """
        before, folder.ticket = folder.ticket, after
        if before.state is after.state:
            return
        if before.state is State.OPEN:
            self._open -= Counter([person(before.caller)])
        if after.live:
            heapq.heappush(self._due, (after.due, after.id))
        else:
            self._prompts -= len(before.summary.prompt)
            folder.ticket = replace(after, summary=replace(after.summary, prompt=""))
            if after.state is State.DENIED and after.expires > now:
                heapq.heappush(self._due, (after.expires, after.id))
            else:
                self._retire(folder)
        folder.ring()

    def lapsed(self, now: float) -> Iterator[Folder]:
        """The live tickets that are due; denials that have stood long enough are retired on the way."""
        while self._due and self._due[0][0] <= now:
            _, ticket_id = heapq.heappop(self._due)
            folder = self._folders.get(ticket_id)
            if folder is None:
                continue
            if folder.ticket.live and folder.ticket.due <= now:
                yield folder
            elif folder.ticket.state is State.DENIED and folder.ticket.expires <= now:
                self._retire(folder)

    def _retire(self, folder: Folder) -> None:
        """It stands for no request any more; it can still be shown, until newer ones take its room."""
        ticket = folder.ticket
        if self._standing.get(ticket.binding) is not folder:
            return
        del self._standing[ticket.binding]
        self._closed.append(ticket.id)
        while len(self._closed) > self._bounds.closed:
            del self._folders[self._closed.popleft()]
