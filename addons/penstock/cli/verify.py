"""`penstock verify`: does the audit still say what was written?"""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click
import orjson
from rich import box
from rich.table import Table
from rich.text import Text

from penstock.cli.query import console
from penstock.errors import StoreError
from penstock.journal.verify import Verified
from penstock.store.layout import layout
from penstock.store.verify import verify


@click.command
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=Path("data"),
    show_default=True,
    envvar="PENSTOCK_DATA",
    help="The gateway's data directory.",
)
@click.option("--json", "machine", is_flag=True, help="For machines: one JSON object.")
def command(data: Path, machine: bool) -> None:
    """Recompute every hash of the audit and name the first entry of each chain that does not hold.

    There is one chain for each start of a gateway's worker. Told apart: edit, erasure of a payload, deletion,
    insertion, reordering, truncation. A chain that ended without stop (a crash, a kill) is not tampering, nor is the
    half line that it may leave. Exit status 1 when anything does not hold.
    """
    place = layout(data)
    place.check()
    if not place.journal.is_dir():
        raise StoreError(f"there is no audit in {data}", advice="name the gateway's data directory with --data")
    try:
        found = verify(place, now=time.time())
    except OSError as error:
        raise StoreError(f"{error.filename}: cannot be read: {error.strerror}") from None
    problems = [each.problem for each in found if each.problem is not None]
    if machine:
        click.echo(orjson.dumps({"holds": not problems, "chains": [asdict(each) for each in found]}))
    else:
        _show(found)
    if problems:
        raise SystemExit(1)


def _show(found: list[Verified]) -> None:
    screen = console()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("chain", "worker", "started", "entries", "ending", "holds"):
        table.add_column(name, justify="right" if name == "entries" else "left", no_wrap=name == "chain")
    for each in found:
        ending = f"{each.ending}, last line half" if each.torn and each.ending != "running" else each.ending
        holds = Text("no", style="bold red") if each.problem is not None else Text("yes", style="green")
        table.add_row(each.chain, each.worker, _time(each.started), str(each.entries), ending, holds)
    if found:
        screen.print(table)
    problems = [each.problem for each in found if each.problem is not None]
    for problem in problems:
        screen.print(Text(str(problem)), soft_wrap=True)
    entries = sum(each.entries for each in found)
    chains = f"{len(found)} chain{'' if len(found) == 1 else 's'}, {entries} entries"
    if problems:
        screen.print(f"{chains}: {len(problems)} {'does' if len(problems) == 1 else 'do'} not hold.")
    else:
        screen.print(f"{chains}: all hold." if found else "No chain has been begun yet.")


def _time(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1_000_000, UTC):%Y-%m-%d %H:%M:%S}" if at else "-"
