"""`penstock query`: ask the audit, in SQL, while the gateway runs or not."""

from __future__ import annotations

import csv
import datetime as dt
import shutil
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

import click
import orjson
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from penstock.cli.printable import printable
from penstock.store.query import Answer, Audit

TABLE_ROWS: Final = 200
WIDE: Final = 12
"""Columns; more than this are shown one under the other."""

OVERVIEW: Final = """
SELECT strftime(started, '%m-%d %H:%M:%S') AS started, id, caller, model, verdict, outcome, rule, status,
    completion_tokens AS tokens, round(duration_ms)::BIGINT AS ms
FROM exchanges ORDER BY exchanges.started DESC LIMIT 15
"""
TOTALS: Final = """
SELECT count(*), count(*) FILTER (verdict = 'deny'), count(*) FILTER (outcome = 'waiting'),
    count(*) FILTER (outcome = 'lost'), min(started)
FROM exchanges
"""
HINT: Final = """Ask on:
  penstock query "FROM exchanges ORDER BY started DESC LIMIT 1"     everything about the last call
  penstock query "FROM blocked('1 hour')"                           what was denied, and by which rule
  penstock query "FROM replay('<exchange or session>')"             what happened, in order
  penstock query "FROM timeline('<caller>')"  "FROM busiest()"      who did what; who uses most
  penstock query "SHOW TABLES"  "DESCRIBE exchanges"                what there is; times are UTC: started > ago('1 day')
"""


@click.command
@click.argument("sql", required=False)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=Path("data"),
    show_default=True,
    envvar="PENSTOCK_DATA",
    help="The gateway's data directory.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv", "ndjson"]),
    default="table",
    show_default=True,
    help="How to print the answer.",
)
def command(sql: str | None, data: Path, form: str) -> None:
    """Ask the audit in SQL; without a question, show the last calls.

    Views: exchanges, events, sessions, decisions, approvals, policies. Macros: replay(id), timeline(caller),
    blocked(since), busiest(since), ago(interval). The audit is only read, and the gateway is never held up.
    """
    with Audit(data) as audit:
        if sql is None and form == "table":
            _overview(audit)
            return
        answer = audit.ask(sql if sql is not None else OVERVIEW)
        match form:
            case "json":
                _write_json(answer)
            case "ndjson":
                for row in _objects(answer):
                    _out(orjson.dumps(row, default=_other) + b"\n")
            case "csv":
                writer = csv.writer(sys.stdout)
                writer.writerow(answer.columns)
                writer.writerows([_plain(value) for value in row] for row in answer.rows)
            case _:
                show(answer, console())


def console() -> Console:
    """Stdout; where that is not a terminal the lines are long, and not folded."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 200
    return Console(width=width, highlight=False, soft_wrap=False)


def _overview(audit: Audit) -> None:
    screen = console()
    count, denied, waiting, lost, first = next(audit.ask(TOTALS).rows)
    if not count:
        screen.print("No call has been recorded yet.")
    else:
        show(audit.ask(OVERVIEW), screen)
        notes = [f"{count} calls since {first:%Y-%m-%d %H:%M} UTC", f"{denied} denied"]
        notes += [f"{waiting} waiting for approval"] if waiting else []
        notes += [f"{lost} unfinished when a gateway ended"] if lost else []
        screen.print(", ".join(notes) + ".\n")
    screen.print(HINT, end="", markup=False)


def show(answer: Answer, screen: Console) -> None:
    """Prints an answer for people: a table, or where that would be too wide, each row from top to bottom."""
    rows = list(islice(answer.rows, TABLE_ROWS))
    more = sum(1 for _ in answer.rows)
    if len(answer.columns) > WIDE:
        for number, row in enumerate(rows, 1):
            screen.print(_record(answer, number, row))
    else:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for name, kind in zip(answer.columns, answer.types, strict=True):
            number = kind.endswith(("INT", "INTEGER", "DOUBLE", "FLOAT")) or kind.startswith("DECIMAL")
            table.add_column(name, justify="right" if number else "left", overflow="fold")
        for row in rows:
            table.add_row(*[_cell(value) for value in row])
        screen.print(table)
    total = len(rows) + more
    screen.print(f"{total} row{'' if total == 1 else 's'}" + (f", the first {len(rows)} shown" if more else ""))


def _record(answer: Answer, number: int, row: tuple[Any, ...]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, title=f"row {number}", title_justify="left")
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in zip(answer.columns, row, strict=True):
        table.add_row(name, _cell(value))
    return table


def _cell(value: object) -> Text:
    """A recorded text may hold what a terminal would obey: it is shown, and not done."""
    return Text("-", style="dim") if value is None else Text(printable(_plain(value)))


def _plain(value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case dt.datetime():
            return value.isoformat(sep=" ", timespec="milliseconds")
        case dict() | list() | tuple():
            return orjson.dumps(value, default=_other, option=orjson.OPT_NON_STR_KEYS).decode()
        case _:
            return str(value)


def _objects(answer: Answer) -> Iterator[dict[str, Any]]:
    """Rows as JSON objects: JSON columns parsed, times in ISO 8601 with their Z."""
    for row in answer.rows:
        yield {
            name: orjson.loads(value) if kind == "JSON" and value is not None else _json(value)
            for name, kind, value in zip(answer.columns, answer.types, row, strict=True)
        }


def _json(value: Any) -> Any:
    match value:
        case dt.datetime():
            return value.isoformat() + "Z"
        case list() | tuple():
            return [_json(each) for each in value]
        case dict():
            return {str(key): _json(each) for key, each in value.items()}
        case int() if not -(2**63) <= value < 2**64:
            return str(value)
        case _:
            return value


def _other(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _write_json(answer: Answer) -> None:
    separator = b"[\n"
    for row in _objects(answer):
        _out(separator + orjson.dumps(row, default=_other))
        separator = b",\n"
    _out(b"[]\n" if separator == b"[\n" else b"\n]\n")


def _out(data: bytes) -> None:
    click.echo(data, nl=False)
