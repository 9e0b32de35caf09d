"""The figures of all rounds brought together: medians, ratios to plain mitmdump, the bars, and a table for people."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table

from scripts.benchmark.contenders import DIRECT, PLAIN, SERVE
from scripts.benchmark.measure import Figures, Load

type Results = Mapping[str, Mapping[str, Sequence[Figures]]]

_COLUMNS: Final = {
    "cpu_us_per_call": "CPU/call",
    "cpu_us_per_event": "CPU/event",
    "first_p50_ms": "first p50",
    "first_p99_ms": "first p99",
    "p50_ms": "p50",
    "p99_ms": "p99",
    "calls_per_s": "calls/s",
}
_COMPARED: Final = frozenset({"cpu_us_per_call", "cpu_us_per_event", "p50_ms", "first_p50_ms"})
"""Shown with how many times plain mitmdump's."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A promise: the gateway's figure is at most so many times plain mitmdump's."""

    name: str
    load: str
    figure: str
    limit: float
    ratio: float
    met: bool


_BARS: Final = (
    ("CPU of a JSON call", "json", "cpu_us_per_call", 1.0),
    ("CPU of a streamed event", "230 events", "cpu_us_per_event", 1.6),
)


def medians(rounds: Sequence[Figures]) -> Figures:
    """The median of each figure over the rounds."""
    return {name: statistics.median(figures[name] for figures in rounds) for name in (rounds[0] if rounds else ())}


def ratios(rounds: Sequence[Figures], reference: Sequence[Figures]) -> Figures:
    """How many times the reference each figure is: the median of the rounds' own ratios, which noise moves least."""
    pairs = list(zip(rounds, reference, strict=True))
    names = [name for name in (rounds[0] if rounds else ()) if all(other[name] for _, other in pairs)]
    return {name: statistics.median(one[name] / other[name] for one, other in pairs) for name in names}


def bars(results: Results) -> list[Bar]:
    """The bars that this run can tell of: those whose contenders were measured."""
    if not {PLAIN, SERVE} <= results.keys():
        return []
    made: list[Bar] = []
    for name, load, figure, limit in _BARS:
        if rounds := results[SERVE].get(load):
            ratio = ratios(rounds, results[PLAIN][load])[figure]
            made.append(Bar(name, load, figure, limit, round(ratio, 3), ratio <= limit))
    return made


def document(results: Results, loads: Sequence[Load], rounds: int, pace: float) -> dict[str, Any]:
    """Everything for a machine: settings, medians, ratios, bars and each round's figures."""
    reference = results.get(PLAIN, {})
    return {
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
        "settings": {"rounds": rounds, "pace_ms": pace, "loads": [asdict(load) for load in loads]},
        "medians": _each(results, lambda name, load: medians(results[name][load])),
        "ratios_to_mitmdump": _each(
            results, lambda name, load: ratios(results[name][load], reference[load]) if load in reference else {}
        ),
        "bars": [asdict(bar) for bar in bars(results)],
        "rounds": results,
    }


def _each(results: Results, make: Any) -> dict[str, dict[str, Figures]]:
    return {
        name: {load: {key: round(value, 3) for key, value in make(name, load).items()} for load in loads}
        for name, loads in results.items()
    }


def show(results: Results, loads: Sequence[Load], console: Console) -> None:
    """One table a load: medians, and in brackets how many times plain mitmdump."""
    console.print("Medians; CPU in µs, times in ms, in brackets times plain mitmdump.", style="dim")
    for load in loads:
        console.print(_table(results, load))
    for bar in bars(results):
        verdict = "[green]met[/]" if bar.met else "[red]not met[/]"
        console.print(f"{bar.name}: {bar.ratio:.2f} times plain mitmdump; the bar is {bar.limit:g}: {verdict}")


def _table(results: Results, load: Load) -> Table:
    what = f"streams of {load.events} events" if load.events else "JSON calls"
    connections = f"{load.connections} connection{'s' if load.connections > 1 else ''}"
    table = Table(title=f"{what}, {connections}", box=box.SIMPLE_HEAD, title_justify="left")
    table.add_column("", no_wrap=True)
    shown = [name for name in _COLUMNS if any(name in medians(loads[load.name]) for loads in results.values())]
    if load.events:  # how long a stream takes is the model's pace, and CPU is told for each event
        shown = [name for name in shown if name not in ("cpu_us_per_call", "p50_ms", "p99_ms", "calls_per_s")]
    for name in shown:
        table.add_column(_COLUMNS[name], justify="right", no_wrap=True)
    for contender, measured in results.items():
        middle = medians(measured[load.name])
        times = ratios(measured[load.name], results[PLAIN][load.name]) if PLAIN in results else {}
        table.add_row(contender, *(_cell(contender, name, middle, times) for name in shown))
    return table


def _cell(contender: str, name: str, middle: Figures, times: Figures) -> str:
    if contender == DIRECT and name.startswith("cpu"):
        return ""
    value = f"{middle[name]:,.0f}" if middle[name] >= 100 else f"{middle[name]:.2f}"
    return (
        value
        if contender == PLAIN or name not in _COMPARED or name not in times
        else f"{value} [dim]({times[name]:.2f})[/]"
    )
