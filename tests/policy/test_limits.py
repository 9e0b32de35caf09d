"""Limits: never more than granted in any window, and room again when it was promised."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.policy.amounts import Rate
from penstock.policy.limits import Limits, Quota, Window

PER_MINUTE = Quota(requests=Rate(3, 60.0))


def test_calls_over_the_rate_are_told_when_there_is_room() -> None:
    limits = Limits()
    assert [limits.take("a", "g", PER_MINUTE, now) for now in (0.0, 10.0, 20.0)] == [None, None, None]
    assert limits.take("a", "g", PER_MINUTE, 30.0) == 30
    assert limits.take("a", "g", PER_MINUTE, 59.5) == 1
    assert limits.take("a", "g", PER_MINUTE, 60.0) is None
    assert limits.take("a", "g", PER_MINUTE, 60.0) == 10


def test_callers_and_grants_are_counted_apart() -> None:
    limits = Limits()
    for _ in range(3):
        assert limits.take("a", "g", PER_MINUTE, 0.0) is None
    assert limits.take("a", "g", PER_MINUTE, 0.0) is not None
    assert limits.take("b", "g", PER_MINUTE, 0.0) is None
    assert limits.take("a", "h", PER_MINUTE, 0.0) is None


def test_a_refused_call_is_not_counted() -> None:
    limits = Limits()
    for _ in range(50):
        limits.take("a", "g", PER_MINUTE, 0.0)
    assert limits.take("a", "g", PER_MINUTE, 60.0) is None


def test_calls_at_the_same_time_are_bounded_until_one_ends() -> None:
    limits, quota = Limits(), Quota(concurrent=2)
    assert limits.take("a", "g", quota, 0.0) is None
    lease = limits.lease("a", "g")
    assert limits.take("a", "g", quota, 0.0) is None
    assert limits.take("a", "g", quota, 0.0) == 1
    lease.end(tokens=0, now=1.0)
    lease.end(tokens=0, now=1.0)
    assert limits.take("a", "g", quota, 1.0) is None
    assert limits.take("a", "g", quota, 1.0) == 1


def test_tokens_are_charged_when_a_reply_ends() -> None:
    limits, quota = Limits(), Quota(tokens=Rate(100, 60.0))
    assert limits.take("a", "g", quota, 0.0) is None
    assert limits.take("a", "g", quota, 0.0) is None
    limits.lease("a", "g").end(tokens=150, now=5.0)
    assert limits.take("a", "g", quota, 10.0) == 55
    assert limits.take("a", "g", quota, 65.0) is None


def test_the_longest_wait_is_told() -> None:
    limits, quota = Limits(), Quota(requests=Rate(1, 10.0), tokens=Rate(10, 60.0))
    assert limits.take("a", "g", quota, 0.0) is None
    limits.lease("a", "g").end(tokens=10, now=0.0)
    assert limits.take("a", "g", quota, 0.0) == 60


def test_a_clock_that_runs_backwards_frees_nothing_and_breaks_nothing() -> None:
    limits = Limits()
    for _ in range(3):
        assert limits.take("a", "g", PER_MINUTE, 100.0) is None
    assert limits.take("a", "g", PER_MINUTE, 50.0) == 60
    assert limits.take("a", "g", PER_MINUTE, 160.0) is None


def test_a_reload_with_another_quota_holds_at_once() -> None:
    limits = Limits()
    assert limits.take("a", "g", PER_MINUTE, 0.0) is None
    assert limits.take("a", "g", Quota(requests=Rate(1, 60.0)), 1.0) == 59
    assert limits.take("a", "g", Quota(), 1.0) is None
    assert limits.take("a", "g", Quota(concurrent=2), 1.0) == 1


def test_a_lease_of_a_call_that_was_never_counted_in_does_nothing() -> None:
    Limits().lease("nobody", "g").end(tokens=5, now=0.0)


def test_idle_callers_are_forgotten_and_running_ones_are_not() -> None:
    limits = Limits()
    for index in range(100):
        limits.take(f"caller-{index}", "g", PER_MINUTE, 0.0)
        if index:
            limits.lease(f"caller-{index}", "g").end(tokens=0, now=0.0)
    limits.take("other", "g", PER_MINUTE, 61.0)
    assert limits.remembered == 2


def test_a_window_stays_small_however_much_goes_through() -> None:
    window = Window(60.0)
    for index in range(200_000):
        window.add(1, index / 4000)
    assert len(window._entries) <= 1100
    assert window.used == 200_000


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 6),
    st.lists(st.integers(0, 320).map(lambda n: n / 64), max_size=60),
)
def test_no_window_ever_holds_more_than_granted(count: int, gaps: list[float]) -> None:
    limits, quota, now = Limits(), Quota(requests=Rate(count, 10.0)), 0.0
    taken: list[float] = []
    for gap in gaps:
        now += gap
        wait = limits.take("a", "g", quota, now)
        if wait is None:
            taken.append(now)
        else:
            # What was promised is kept: after that time there is room.
            assert sum(1 for at in taken if at > now + wait - 10.0) < count
    assert all(sum(1 for at in taken if start <= at < start + 10.0) <= count for start in taken)


@pytest.mark.parametrize("count", [1, 5, 1000])
def test_a_steady_caller_at_exactly_the_rate_is_never_refused(count: int) -> None:
    limits, quota = Limits(), Quota(requests=Rate(count, 60.0))
    assert all(limits.take("a", "g", quota, index * 60.0 / count) is None for index in range(3 * min(count, 300)))
