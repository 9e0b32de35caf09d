"""The desk: requests wait, people decide, grants are used up."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from penstock.approvals.desk import Desk
from penstock.approvals.outcome import Denied, Expired, Outcome, Pending, Released, Spent
from penstock.approvals.ruling import NotDecided, Why
from penstock.approvals.shelf import Bounds, Place
from penstock.approvals.ticket import State
from penstock.errors import Refusal, StoreError
from tests.approvals.desk_kit import ALICE, EVE, HELD, HOURLY, OTTO, RULE, SAM, START, TESS, TWO, Bench, someone

AGAIN = replace(HELD, exchange="X2")


async def waits(bench: Bench, place: Place, within: float | None = None) -> asyncio.Task[Outcome]:
    """A wait that has begun and found nothing yet."""
    task = asyncio.create_task(bench.desk.wait(place, within))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not task.done()
    return task


def why(bench: Bench, decide: str, *args: object) -> Why:
    with pytest.raises(NotDecided) as refused:
        getattr(bench.desk, decide)(*args)
    return refused.value.why


# Releases


async def test_a_held_request_is_released_when_it_is_approved(bench: Bench) -> None:
    place = bench.desk.open(HELD, RULE)
    task = await waits(bench, place)
    bench.desk.approve("T1", SAM)
    outcome = await task
    assert isinstance(outcome, Released)
    assert outcome.ticket.state is State.RELEASED and outcome.ticket.uses == 1
    assert bench.journal.events == ["opened", "approved", "released"]


async def test_a_request_that_nobody_decides_in_time_is_pending_and_the_ticket_stays(bench: Bench) -> None:
    outcome = await bench.desk.wait(bench.desk.open(HELD, RULE), 0)
    assert isinstance(outcome, Pending)
    assert [ticket.id for ticket in bench.desk.tickets(SAM)] == ["T1"]
    assert bench.desk.waiting("T1") == 0


async def test_a_retry_joins_the_ticket(bench: Bench) -> None:
    await bench.desk.wait(bench.desk.open(HELD, RULE), 0)
    place = bench.desk.open(AGAIN, RULE)
    assert place.ticket.id == "T1"
    task = await waits(bench, place)
    bench.desk.approve("T1", SAM)
    assert isinstance(await task, Released)
    assert bench.journal.events == ["opened", "joined", "approved", "released"]
    assert bench.journal.notes[-1].exchange == "X2"


async def test_a_retry_uses_the_grant_at_once(bench: Bench) -> None:
    await bench.desk.wait(bench.desk.open(HELD, RULE), 0)
    bench.desk.approve("T1", SAM)
    assert isinstance(await bench.desk.wait(bench.desk.open(AGAIN, RULE), 0), Released)


async def test_a_grant_serves_one_request(bench: Bench) -> None:
    bench.desk.open(HELD, RULE)
    bench.desk.approve("T1", SAM)
    assert isinstance(await bench.desk.wait(bench.desk.open(AGAIN, RULE), 0), Released)
    third = bench.desk.open(replace(HELD, exchange="X3"), RULE)
    assert third.ticket.id == "T2"
    assert isinstance(await bench.desk.wait(third, 0), Pending)


@pytest.mark.parametrize("crowd", [2, 5])
async def test_a_grant_releases_exactly_one_of_those_who_wait(bench: Bench, crowd: int) -> None:
    tasks = [await waits(bench, bench.desk.open(replace(HELD, exchange=f"X{n}"), RULE)) for n in range(crowd)]
    bench.desk.approve("T1", SAM)
    outcomes = await asyncio.gather(*tasks)
    assert [type(outcome) for outcome in outcomes] == [Released] + [Spent] * (crowd - 1)
    assert bench.journal.events.count("released") == 1


async def test_another_body_does_not_use_the_grant(bench: Bench) -> None:
    bench.desk.open(HELD, RULE)
    bench.desk.approve("T1", SAM)
    other = bench.desk.open(replace(HELD, body=b"{}"), RULE)
    assert isinstance(await bench.desk.wait(other, 0), Pending)


async def test_another_caller_does_not_use_the_grant(bench: Bench) -> None:
    bench.desk.open(HELD, RULE)
    bench.desk.approve("T1", SAM)
    other = bench.desk.open(replace(HELD, caller=EVE), RULE)
    assert isinstance(await bench.desk.wait(other, 0), Pending)


async def test_a_new_policy_voids_the_grant(bench: Bench) -> None:
    bench.desk.open(HELD, RULE)
    bench.desk.approve("T1", SAM)
    other = bench.desk.open(replace(HELD, policy="q" * 64), RULE)
    assert isinstance(await bench.desk.wait(other, 0), Pending)


async def test_a_restart_denies(bench: Bench) -> None:
    bench.desk.open(HELD, RULE)
    bench.desk.approve("T1", SAM)
    after = Desk(bench.clock, bench.journal)
    assert isinstance(await after.wait(after.open(AGAIN, RULE), 0), Pending)
    assert why_of(after) is Why.UNKNOWN


def why_of(desk: Desk) -> Why:
    with pytest.raises(NotDecided) as refused:
        desk.approve("T1", SAM)
    return refused.value.why


# Grants for a time


async def test_a_grant_for_a_time_serves_every_request_of_its_scope(bench: Bench) -> None:
    bench.desk.open(HELD, HOURLY)
    bench.desk.approve("T1", SAM)
    for n in range(3):
        place = bench.desk.open(replace(HELD, exchange=f"Y{n}", body=b"%d" % n), HOURLY)
        outcome = await bench.desk.wait(place, 0)
        assert isinstance(outcome, Released) and outcome.ticket.uses == n + 1
    assert len({note.digest for note in bench.journal.notes if note.event == "released"}) == 3


async def test_a_grant_for_a_time_releases_everyone_who_waits(bench: Bench) -> None:
    tasks = [await waits(bench, bench.desk.open(replace(HELD, body=b"%d" % n), HOURLY)) for n in range(3)]
    bench.desk.approve("T1", SAM)
    assert all(isinstance(outcome, Released) for outcome in await asyncio.gather(*tasks))


async def test_a_grant_for_a_time_is_not_for_other_people_or_other_rules(bench: Bench) -> None:
    bench.desk.open(HELD, HOURLY)
    bench.desk.approve("T1", SAM)
    for other in (replace(HELD, caller=EVE), replace(HELD, rules=("another",))):
        assert isinstance(await bench.desk.wait(bench.desk.open(other, HOURLY), 0), Pending)


async def test_a_grant_for_a_time_ends(bench: Bench) -> None:
    bench.desk.open(HELD, HOURLY)
    bench.desk.approve("T1", SAM)
    bench.later(1800)  # past the expiry of the request, within that of the grant
    assert isinstance(await bench.desk.wait(bench.desk.open(AGAIN, HOURLY), 0), Released)
    bench.later(1800)
    assert isinstance(await bench.desk.wait(bench.desk.open(AGAIN, HOURLY), 0), Pending)
    assert "expired" in bench.journal.events


async def test_a_grant_for_a_time_can_be_taken_back(bench: Bench) -> None:
    bench.desk.open(HELD, HOURLY)
    bench.desk.approve("T1", SAM)
    assert isinstance(await bench.desk.wait(bench.desk.open(AGAIN, HOURLY), 0), Released)
    assert bench.desk.deny("T1", TESS).state is State.DENIED
    assert isinstance(await bench.desk.wait(bench.desk.open(AGAIN, HOURLY), 0), Denied)


async def test_a_grant_taken_back_late_can_be_asked_for_anew(bench: Bench) -> None:
    bench.desk.open(HELD, HOURLY)
    bench.desk.approve("T1", SAM)
    bench.later(1800)
    bench.desk.deny("T1", TESS)
    assert isinstance(await bench.desk.wait(bench.desk.open(AGAIN, HOURLY), 0), Pending)


# Quorum and people


async def test_a_quorum_takes_distinct_people(bench: Bench) -> None:
    task = await waits(bench, bench.desk.open(HELD, TWO))
    assert bench.desk.approve("T1", TESS).state is State.OPEN
    assert why(bench, "approve", "T1", replace(TESS, groups=frozenset({"corp:leads"}))) is Why.TWICE
    assert why(bench, "approve", "T1", replace(TESS, issuer="partner")) is Why.TWICE
    assert not task.done()
    assert bench.desk.approve("T1", SAM).state is State.APPROVED
    assert isinstance(await task, Released)
    assert [note.record()["count"] for note in bench.journal.notes] == [0, 1, 2, 2]


async def test_any_denial_wins(bench: Bench) -> None:
    task = await waits(bench, bench.desk.open(HELD, TWO))
    bench.desk.approve("T1", SAM)
    bench.desk.deny("T1", TESS, "not today")
    assert isinstance(await task, Denied)
    assert why(bench, "approve", "T1", someone("uma", "corp:security")) is Why.STATE
    assert bench.journal.notes[-1].reason == "not today"


async def test_a_denial_wins_over_a_grant_that_is_not_used_yet(bench: Bench) -> None:
    bench.desk.open(HELD, RULE)
    bench.desk.approve("T1", SAM)
    bench.desk.deny("T1", TESS)
    assert isinstance(await bench.desk.wait(bench.desk.open(AGAIN, RULE), 0), Denied)


async def test_an_approver_may_change_an_approval_into_a_denial(bench: Bench) -> None:
    bench.desk.open(HELD, TWO)
    bench.desk.approve("T1", SAM)
    assert bench.desk.deny("T1", SAM).state is State.DENIED


async def test_a_denial_stands_until_the_ticket_would_have_expired(bench: Bench) -> None:
    bench.desk.open(HELD, RULE)
    bench.desk.deny("T1", SAM)
    bench.later(RULE.expires - 1)
    again = bench.desk.open(AGAIN, RULE)
    assert again.ticket.id == "T1" and isinstance(await bench.desk.wait(again, 60), Denied)
    bench.later(1)
    fresh = bench.desk.open(AGAIN, RULE)
    assert fresh.ticket.id == "T2" and isinstance(await bench.desk.wait(fresh, 0), Pending)
    assert bench.journal.events == ["opened", "denied", "opened"]


def test_nobody_decides_a_request_of_their_own(bench: Bench) -> None:
    bench.desk.open(HELD, RULE)
    admin = replace(ALICE, groups=frozenset({"corp:security", "corp:oncall"}))
    for by in (ALICE, admin, replace(admin, issuer="partner")):
        for decide in ("approve", "deny", "break_glass"):
            assert why(bench, decide, "T1", by, "please") is Why.OWN


def test_a_stranger_learns_nothing_of_a_ticket(bench: Bench) -> None:
    bench.desk.open(HELD, RULE)
    assert why(bench, "approve", "T1", EVE) is why(bench, "approve", "T9", EVE) is Why.UNKNOWN
    assert bench.desk.ticket("T1", EVE) is None
    assert bench.desk.tickets(EVE) == ()


def test_the_groups_that_count_are_those_at_the_decision(bench: Bench) -> None:
    bench.desk.open(HELD, TWO)
    bench.desk.approve("T1", SAM)
    assert why(bench, "approve", "T1", replace(TESS, groups=frozenset({"corp:oncall"}))) is Why.ROLE


def test_an_approver_whose_token_expired_decides_nothing(bench: Bench) -> None:
    bench.desk.open(HELD, RULE)
    assert why(bench, "approve", "T1", replace(SAM, expires=START)) is Why.TOKEN


def test_a_rule_can_demand_a_reason(bench: Bench) -> None:
    bench.desk.open(HELD, replace(RULE, reason_required=True))
    for decide in ("approve", "deny"):
        assert why(bench, decide, "T1", SAM, "  ") is Why.REASON
    assert bench.desk.approve("T1", SAM, " ticket 7 ").votes[0].reason == "ticket 7"


def test_what_is_decided_is_not_approved_again(bench: Bench) -> None:
    bench.desk.open(HELD, RULE)
    bench.desk.approve("T1", SAM)
    assert why(bench, "approve", "T1", TESS) is Why.STATE
    assert why(bench, "break_glass", "T1", OTTO, "fire") is Why.STATE


# Break-glass


async def test_breaking_the_glass_releases_alone_with_a_reason_and_is_marked(bench: Bench) -> None:
    task = await waits(bench, bench.desk.open(HELD, TWO))
    assert why(bench, "break_glass", "T1", OTTO, "") is Why.REASON
    bench.desk.break_glass("T1", OTTO, "production is down")
    assert isinstance(await task, Released)
    note = bench.journal.notes[1]
    assert (note.event, note.break_glass, note.reason) == ("approved", True, "production is down")
    assert note.record()["break_glass"] is True


def test_only_the_named_group_breaks_the_glass(bench: Bench) -> None:
    bench.desk.open(HELD, TWO)
    assert why(bench, "break_glass", "T1", SAM, "hurry") is Why.ROLE
    assert why(bench, "approve", "T1", OTTO, "hurry") is Why.ROLE


# Time


async def test_a_ticket_expires_while_a_request_waits(bench: Bench) -> None:
    task = await waits(bench, bench.desk.open(HELD, RULE))
    bench.later(RULE.expires)
    bench.desk.expire()
    outcome = await task
    assert isinstance(outcome, Expired) and outcome.what == "request"
    assert why(bench, "approve", "T1", SAM) is Why.STATE


async def test_a_ticket_expires_by_itself_on_a_real_clock() -> None:
    loop = asyncio.get_running_loop()
    desk = Desk(loop.time, lambda note: None)
    caller = replace(ALICE, expires=loop.time() + 60)
    place = desk.open(replace(HELD, caller=caller), replace(RULE, expires=0.01))
    assert isinstance(await desk.wait(place, None), Expired)


async def test_a_short_wait_ends_on_a_real_clock(bench: Bench) -> None:
    assert isinstance(await bench.desk.wait(bench.desk.open(HELD, RULE), 0.01), Pending)


async def test_an_unused_grant_expires(bench: Bench) -> None:
    bench.desk.open(HELD, RULE)
    bench.later(600)
    granted = bench.desk.approve("T1", SAM)
    assert granted.due == START + 600 + RULE.expires
    bench.later(RULE.expires)
    assert isinstance(await bench.desk.wait(bench.desk.open(AGAIN, RULE), 0), Pending)
    assert bench.journal.events == ["opened", "approved", "expired", "opened"]


async def test_a_grant_outlives_the_time_in_which_it_had_to_be_given(bench: Bench) -> None:
    bench.desk.open(HELD, RULE)
    bench.later(RULE.expires - 1)
    bench.desk.approve("T1", SAM)
    bench.later(2)
    assert isinstance(await bench.desk.wait(bench.desk.open(AGAIN, RULE), 0), Released)


async def test_a_place_on_a_grant_that_lapsed_is_told_so(bench: Bench) -> None:
    place = bench.desk.open(HELD, RULE)
    bench.desk.approve("T1", SAM)
    bench.later(RULE.expires)
    outcome = await bench.desk.wait(place, 0)
    assert isinstance(outcome, Expired) and outcome.what == "grant"


async def test_a_requester_whose_token_expired_is_not_released_and_the_grant_stays(bench: Bench) -> None:
    short = replace(HELD, caller=replace(ALICE, expires=START + 60))
    task = await waits(bench, bench.desk.open(short, RULE))
    bench.later(60)
    bench.desk.approve("T1", SAM)
    outcome = await task
    assert isinstance(outcome, Expired) and outcome.what == "caller"
    assert isinstance(await bench.desk.wait(bench.desk.open(AGAIN, RULE), 0), Released)


# Those who go away


async def test_a_request_that_goes_away_uses_nothing_up(bench: Bench) -> None:
    task = await waits(bench, bench.desk.open(HELD, RULE))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert bench.desk.waiting("T1") == 0
    bench.desk.approve("T1", SAM)
    assert isinstance(await bench.desk.wait(bench.desk.open(AGAIN, RULE), 0), Released)


async def test_a_request_cancelled_as_it_is_approved_leaves_the_grant_to_the_next(bench: Bench) -> None:
    first, second = [await waits(bench, bench.desk.open(HELD, RULE)) for _ in range(2)]
    bench.desk.approve("T1", SAM)
    first.cancel()
    assert isinstance(await second, Released)
    assert first.cancelled()


async def test_a_place_that_left_is_never_released(bench: Bench) -> None:
    place = bench.desk.open(HELD, RULE)
    bench.desk.leave(place)
    bench.desk.leave(place)
    bench.desk.approve("T1", SAM)
    with pytest.raises(RuntimeError, match="left its line"):
        await bench.desk.wait(place, 0)
    assert bench.journal.events == ["opened", "approved"]


async def test_a_released_place_is_not_released_twice(bench: Bench) -> None:
    place = bench.desk.open(HELD, HOURLY)
    bench.desk.approve("T1", SAM)
    assert isinstance(await bench.desk.wait(place, 0), Released)
    with pytest.raises(RuntimeError, match="left its line"):
        await bench.desk.wait(place, 0)


async def test_a_desk_that_keeps_nothing_abandons_a_ticket_with_its_last_request() -> None:
    bench = Bench(Bounds(keep=False))
    first, second = bench.desk.open(HELD, RULE), bench.desk.open(AGAIN, RULE)
    bench.desk.leave(first)
    assert bench.desk.tickets(SAM)
    assert isinstance(await bench.desk.wait(second, 0), Pending)
    assert bench.desk.tickets(SAM) == ()
    assert bench.journal.events[-1] == "abandoned"
    assert why(bench, "approve", "T1", SAM) is Why.STATE


async def test_a_desk_that_keeps_nothing_keeps_a_grant(bench: Bench) -> None:
    bench = Bench(Bounds(keep=False))
    place = bench.desk.open(HELD, RULE)
    bench.desk.approve("T1", SAM)
    bench.desk.leave(place)
    assert isinstance(await bench.desk.wait(bench.desk.open(AGAIN, RULE), 0), Released)


async def test_who_waits_on_an_abandoned_ticket_is_refused(bench: Bench) -> None:
    task = await waits(bench, bench.desk.open(HELD, RULE))
    bench.desk.abandon("T1")
    bench.desk.abandon("T1")
    bench.desk.abandon("T9")
    assert isinstance(await task, Expired)


# The journal


def test_a_ticket_that_cannot_be_recorded_is_not_opened(bench: Bench) -> None:
    bench.journal.full = True
    with pytest.raises(StoreError):
        bench.desk.open(HELD, RULE)
    assert bench.desk.tickets(SAM) == ()


def test_an_approval_that_cannot_be_recorded_is_not_given(bench: Bench) -> None:
    bench.desk.open(HELD, RULE)
    bench.journal.full = True
    with pytest.raises(StoreError):
        bench.desk.approve("T1", SAM)
    assert bench.desk.tickets(SAM)[0].state is State.OPEN


async def test_a_release_that_cannot_be_recorded_uses_nothing_up(bench: Bench) -> None:
    task = await waits(bench, bench.desk.open(HELD, RULE))
    bench.desk.approve("T1", SAM)
    bench.journal.full = True
    with pytest.raises(StoreError):
        await task
    bench.journal.full = False
    assert isinstance(await bench.desk.wait(bench.desk.open(AGAIN, RULE), 0), Released)


async def test_a_denial_holds_at_once_and_is_recorded_when_that_is_possible_again(bench: Bench) -> None:
    task = await waits(bench, bench.desk.open(HELD, RULE))
    bench.journal.full = True
    bench.desk.deny("T1", SAM, "no")
    assert isinstance(await task, Denied)
    with pytest.raises(StoreError):
        bench.desk.open(replace(HELD, body=b"{}"), RULE)
    bench.journal.full = False
    bench.desk.open(replace(HELD, body=b"{}"), RULE)
    assert bench.journal.events == ["opened", "denied", "opened"]


def test_expiry_does_not_wait_for_the_journal(bench: Bench) -> None:
    bench.desk.open(HELD, RULE)
    bench.desk.open(replace(HELD, body=b"{}"), RULE)
    bench.journal.full = True
    bench.later(RULE.expires)
    bench.desk.expire()
    assert bench.desk.tickets(SAM) == ()
    bench.journal.full = False
    bench.desk.expire()
    assert bench.journal.events == ["opened", "opened", "expired", "expired"]


def test_the_journal_is_told_everything_but_the_prompt(bench: Bench) -> None:
    bench.desk.open(HELD, TWO)
    bench.desk.approve("T1", SAM, "fine")
    opened, approved = (note.record() for note in bench.journal.notes)
    assert opened == {
        "ticket": "T1",
        "event": "opened",
        "by": {"issuer": "corp", "subject": "alice"},
        "rule": "bulk-export",
        "approval": "two",
        "digest": bench.journal.notes[0].digest,
        "reason": "",
        "needed": 2,
        "count": 0,
        "expires": START + 900,
        "break_glass": False,
    }
    assert approved["by"] == {"issuer": "corp", "subject": "sam"} and approved["count"] == 1
    assert bench.journal.notes[1].exchange is None


# Bounds


def test_one_caller_opens_so_many_tickets() -> None:
    bench = Bench(Bounds(open_per_caller=2))
    for n in range(2):
        bench.desk.open(replace(HELD, body=b"%d" % n), RULE)
    with pytest.raises(Refusal) as refused:
        bench.desk.open(replace(HELD, body=b"9"), RULE)
    assert refused.value.code == "rate_limited"
    bench.desk.open(replace(HELD, caller=EVE), RULE)  # another caller
    bench.desk.open(replace(HELD, body=b"0"), RULE)  # a retry joins
    bench.desk.deny("T1", SAM)
    bench.desk.open(replace(HELD, body=b"9"), RULE)


@pytest.mark.parametrize("bounds", [Bounds(tickets=1), Bounds(prompts=len(HELD.prompt))])
def test_the_desk_holds_so_much_in_all(bounds: Bounds) -> None:
    bench = Bench(bounds)
    bench.desk.open(HELD, RULE)
    with pytest.raises(Refusal) as refused:
        bench.desk.open(replace(HELD, caller=EVE), RULE)
    assert refused.value.status == 429 and ("Retry-After", "60") in refused.value.headers
    bench.later(RULE.expires)
    bench.desk.open(replace(HELD, caller=EVE), RULE)


def test_a_ticket_that_is_over_loses_its_text_and_later_goes() -> None:
    bench = Bench(Bounds(closed=1))
    for n in range(3):
        bench.desk.open(replace(HELD, body=b"%d" % n), RULE)
    bench.later(RULE.expires)
    assert bench.desk.ticket("T1", SAM) is None
    last = bench.desk.ticket("T3", SAM)
    assert last is not None and last.state is State.EXPIRED and last.summary.prompt == ""


async def test_a_request_hears_of_its_ticket_even_after_it_went(bench: Bench) -> None:
    bench = Bench(Bounds(closed=0))
    task = await waits(bench, bench.desk.open(HELD, RULE))
    bench.later(RULE.expires)
    bench.desk.expire()
    assert bench.desk.ticket("T1", SAM) is None and bench.desk.waiting("T1") == 0
    assert isinstance(await task, Expired)


async def test_a_ticket_that_went_before_its_time_leaves_no_trace() -> None:
    bench = Bench(Bounds(closed=0))
    place = bench.desk.open(HELD, RULE)
    bench.desk.approve("T1", SAM)
    assert isinstance(await bench.desk.wait(place, 0), Released)
    bench.later(RULE.expires)
    bench.desk.expire()
    assert bench.journal.events == ["opened", "approved", "released"]


def test_a_clock_that_goes_back_does_not_make_a_denial_stand_for_ever(bench: Bench) -> None:
    bench.desk.open(HELD, HOURLY)
    bench.desk.approve("T1", SAM)
    bench.later(1000)
    bench.desk.expire()
    bench.later(-1000)
    bench.desk.deny("T1", SAM)
    bench.later(1000)
    assert bench.desk.open(AGAIN, HOURLY).ticket.id == "T2"


def test_tickets_are_listed_oldest_first_to_who_may_decide_and_who_asks(bench: Bench) -> None:
    bench.desk.open(HELD, RULE)
    bench.later(1)
    bench.desk.open(replace(HELD, caller=EVE), RULE)
    assert [ticket.id for ticket in bench.desk.tickets(SAM)] == ["T1", "T2"]
    assert [ticket.id for ticket in bench.desk.tickets(OTTO)] == ["T1", "T2"]
    assert [ticket.id for ticket in bench.desk.tickets(EVE)] == ["T2"]
    assert bench.desk.waiting("T1") == 1


def test_ids_cannot_be_guessed() -> None:
    desk = Desk(lambda: START, lambda note: None)
    ids = {desk.open(replace(HELD, body=b"%d" % n), RULE).ticket.id for n in range(8)}
    assert len({id_[10:] for id_ in ids}) == 8 and all(len(id_) == 26 for id_ in ids)
