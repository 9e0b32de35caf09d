"""`scripts/bench`: what the gateway costs, beside plain mitmdump and no gateway at all."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from scripts.benchmark import report
from scripts.benchmark.contenders import NAMES, field
from scripts.benchmark.load import Refused
from scripts.benchmark.measure import LOADS, QUICK, Load, play
from scripts.stage.process import ProcessError


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rounds", type=click.IntRange(1, 100), default=None, help="Rounds, interleaved; 7, or 3 with --quick.")
@click.option("--quick", is_flag=True, help="A look in about a minute: fewer calls, fewer rounds.")
@click.option("--only", "names", multiple=True, type=click.Choice(NAMES), help="Who is measured; may be repeated.")
@click.option("--load", "chosen", multiple=True, type=click.Choice([load.name for load in LOADS]), help="Which loads.")
@click.option("--pace", type=float, default=4.0, show_default=True, help="Milliseconds between events of a stream.")
@click.option("--json", "machine", is_flag=True, help="Print JSON on standard output.")
@click.option("--check", is_flag=True, help="Exit with 1 when a bar is not met.")
def main(
    rounds: int | None,
    quick: bool,
    names: tuple[str, ...],
    chosen: tuple[str, ...],
    pace: float,
    machine: bool,
    check: bool,
) -> None:
    """Measure CPU and latency of the gateway, with everything on (JWT, 20 guardrails, 15 detectors, fsynced journal),
    interleaved with plain mitmdump and with direct calls."""
    aside = Console(stderr=True)
    rounds = rounds or (3 if quick else 7)
    loads = [load for load in (QUICK if quick else LOADS) if not chosen or load.name in chosen]
    contestants = tuple(name for name in NAMES if not names or name in names)
    try:
        results = _measured(contestants, loads, rounds, pace, aside)
    except (Refused, ProcessError) as error:
        raise click.ClickException(str(error)) from None
    if machine:
        print(json.dumps(report.document(results, loads, rounds, pace), indent=2))
    else:
        report.show(results, loads, Console(width=None if sys.stdout.isatty() else 100))
    if check and not all(bar.met for bar in report.bars(results)):
        sys.exit(1)


def _measured(
    names: tuple[str, ...], loads: Sequence[Load], rounds: int, pace: float, aside: Console
) -> report.Results:
    with (
        tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder,
        field(names, Path(folder), pace=pace) as running,
    ):
        return play(running, loads, rounds, told=lambda text: aside.print(f"[dim]{text}[/]"))


if __name__ == "__main__":
    main()
