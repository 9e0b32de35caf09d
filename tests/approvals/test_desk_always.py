"""The desk under any sequence of events: what must hold always, judged by the journal alone, as an auditor would."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.approvals.note import Note
from penstock.approvals.outcome import Outcome, Released
from penstock.approvals.quorum import person
from penstock.approvals.ruling import NotDecided
from penstock.approvals.shelf import Bounds
from penstock.approvals.ticket import Decision
from penstock.caller import Caller
from penstock.errors import Refusal, StoreError
from penstock.policy.settings import ApprovalRule
from tests.approvals.desk_kit import HELD, HOURLY, RULE, TWO, Bench, someone

RULES = {rule.id: rule for rule in (RULE, TWO, HOURLY)}
PEOPLE = [
    someone("alice", "corp:security", "corp:oncall"),
    someone("alice", "corp:security", issuer="partner"),
    someone("sam", "corp:security"),
    someone("sam", "corp:leads", issuer="partner"),
    someone("tess", "corp:leads"),
    someone("otto", "corp:oncall"),
    someone("eve"),
]

type Event = Callable[[World], None]


class World:
    """A desk, the requests at it, and what can happen to them."""

    def __init__(self, keep: bool) -> None:
        self.bench = Bench(Bounds(open_per_caller=3, tickets=4, closed=2, keep=keep))
        self.waits: list[tuple[str, asyncio.Task[Outcome]]] = []

    def ask(self, by: Caller, rule: ApprovalRule, body: bytes, lives: float) -> None:
        caller = replace(by, expires=self.bench.clock.now + lives)
        held = replace(HELD, caller=caller, body=body, exchange=f"X{len(self.waits)}")
        try:
            place = self.bench.desk.open(held, rule)
        except (Refusal, StoreError):
            return
        self.waits.append((held.exchange, asyncio.create_task(self.bench.desk.wait(place, 3600.0))))

    def decide(self, by: Caller, decision: Decision, back: int, reason: str) -> None:
        opened = [note.ticket.id for note in self.bench.journal.notes if note.event == "opened"]
        if not opened:
            return
        try:
            self.bench.desk.decide(opened[-1 - back % len(opened)], by, decision, reason)
        except (NotDecided, StoreError):
            return

    def hang_up(self, which: int) -> None:
        if self.waits:
            self.waits[which % len(self.waits)][1].cancel()

    def disk(self, full: bool) -> None:
        self.bench.journal.full = full

    def pass_time(self, seconds: float) -> None:
        self.bench.later(seconds)
        self.bench.desk.expire()

    def released(self) -> list[str]:
        """The requests that were told to go."""
        ended = [(name, task) for name, task in self.waits if task.done() and not task.cancelled()]
        return [name for name, task in ended if not task.exception() and isinstance(task.result(), Released)]


def event(name: str, *arguments: st.SearchStrategy[object]) -> st.SearchStrategy[Event]:
    return st.tuples(*arguments).map(lambda values: lambda world: getattr(world, name)(*values))


ANYBODY = st.sampled_from(PEOPLE)
ASKS = event(
    "ask",
    st.sampled_from([*PEOPLE[:2], PEOPLE[6], PEOPLE[6]]),
    st.sampled_from(list(RULES.values())),
    st.sampled_from([b"a", b"a", b"b"]),
    st.sampled_from([100.0, 10_000.0, 10_000.0]),
)
DECIDES = event(
    "decide",
    ANYBODY,
    st.sampled_from([Decision.APPROVE] * 4 + [Decision.DENY, Decision.BREAK_GLASS]),
    st.integers(0, 2),
    st.sampled_from(["", "because"]),
)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    ASKS,
    ASKS,
    DECIDES,
    DECIDES,
    DECIDES,
    event("pass_time", st.sampled_from([1.0, 1.0, 99.0, 901.0, 3601.0])),
    event("hang_up", st.integers(0, 5)),
    event("disk", st.sampled_from([True, False, False, False])),
)


def judge(release: Note, before: list[Note]) -> None:
    """Everything that must have happened, and nothing that must not, before a request was released."""
    mine = [note for note in before if note.ticket.id == release.ticket.id]
    assert not {"denied", "expired", "abandoned"} & {note.event for note in mine}
    approvals = [note for note in mine if note.event == "approved"]
    approvers = {person(note.by) for note in approvals if note.by is not None}
    rule = RULES[release.ticket.rule.id]
    assert any(note.break_glass and note.reason for note in approvals) or len(approvers) >= rule.quorum
    assert release.by is not None and person(release.by) not in approvers
    assert release.by.id == release.ticket.caller.id
    assert release.at < release.by.expires
    assert release.at - approvals[-1].at < (rule.expires if rule.grant_for is None else rule.grant_for)
    if rule.grant_for is None:
        assert "released" not in {note.event for note in mine}
        assert release.digest == release.ticket.digest


def run(world: Callable[[], Coroutine[None, None, None]]) -> None:
    with asyncio.Runner() as runner:
        runner.run(world())


@settings(deadline=None)
@given(st.lists(st.tuples(EVENTS, st.booleans()), min_size=20, max_size=60), st.booleans())
def test_every_release_follows_from_what_the_journal_holds(events: list[tuple[Event, bool]], keep: bool) -> None:
    async def play() -> None:
        world = World(keep)
        for happens, turn in events:
            happens(world)
            if turn:
                await asyncio.sleep(0)
        for _ in range(3):
            await asyncio.sleep(0)
        notes = world.bench.journal.notes
        for at, note in enumerate(notes):
            if note.event == "released":
                judge(note, notes[:at])
        told = [str(note.exchange) for note in notes if note.event == "released"]
        assert len(told) == len(set(told))
        assert sorted(world.released()) == sorted(told)
        for _, task in world.waits:
            task.cancel()
        await asyncio.gather(*(task for _, task in world.waits), return_exceptions=True)

    run(play)
