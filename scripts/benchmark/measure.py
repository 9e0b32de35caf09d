"""One round: every kind of load at every contender in turn, and what each cost."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from scripts.benchmark.contenders import Contender, Field
from scripts.benchmark.cpu import cpu_seconds
from scripts.benchmark.load import Outcome, calls

type Figures = dict[str, float]
"""Figure -> value; the unit is in the name."""


@dataclass(frozen=True, slots=True)
class Load:
    """A kind of load: so many calls over so many connections, streams of so many events (0: whole JSON replies)."""

    name: str
    calls: int
    connections: int
    events: int = 0


LOADS: Final = (
    Load("json", 2400, 16),
    Load("json alone", 300, 1),
    Load("25 events", 160, 8, 25),
    Load("230 events", 32, 8, 230),
)
QUICK: Final = (
    Load("json", 600, 16),
    Load("json alone", 100, 1),
    Load("25 events", 48, 8, 25),
    Load("230 events", 16, 8, 230),
)
_SETTLE: Final = 0.15
"""Seconds after a load in which a gateway may finish what it does behind it (journal, sealing); counted as its own."""


def play(
    field: Field, loads: Sequence[Load], rounds: int, *, told: Callable[[str], None]
) -> dict[str, dict[str, list[Figures]]]:
    """Play `rounds` rounds after one to warm up; contender -> load -> the figures of each round.

    Within a load the contenders come one right after the other, in an order that turns from round to round, so that
    whatever else the machine does falls on all alike.
    """
    results: dict[str, dict[str, list[Figures]]] = {
        one.name: {load.name: [] for load in loads} for one in field.contenders
    }
    for number in range(rounds + 1):
        told(f"round {number} of {rounds}" if number else "warming up")
        shift = number % len(field.contenders)
        order = (*field.contenders[shift:], *field.contenders[:shift])
        for load in loads:
            for contender in order:
                figures = _once(contender, load, field.token(), warm=not number)
                if number:
                    results[contender.name][load.name].append(figures)
    return results


def _once(contender: Contender, load: Load, token: str, *, warm: bool) -> Figures:
    target = (contender.streams or contender) if load.events else contender
    count = max(load.connections * 2, load.calls // 4) if warm else load.calls
    before = cpu_seconds(target.pid) if target.pid else 0.0
    outcome = calls(target.url, token, count, connections=load.connections, events=load.events)
    time.sleep(_SETTLE)
    spent = cpu_seconds(target.pid) - before if target.pid else 0.0
    return _figures(outcome, count, spent, load)


def _figures(outcome: Outcome, count: int, spent: float, load: Load) -> Figures:
    p50, p99 = _percentiles(outcome.latencies)
    figures = {
        "cpu_us_per_call": spent / count * 1e6,
        "p50_ms": p50,
        "p99_ms": p99,
        "calls_per_s": count / outcome.took,
    }
    if load.events:
        figures["cpu_us_per_event"] = spent / outcome.events * 1e6
        figures["first_p50_ms"], figures["first_p99_ms"] = _percentiles(outcome.first)
    return figures


def _percentiles(seconds: list[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return cuts[49] * 1000, cuts[98] * 1000
