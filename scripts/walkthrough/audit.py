"""What the audit says of the demo's calls, read with DuckDB while the gateway goes on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

import duckdb
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scripts.walkthrough.scenes import NotAsItShould
from scripts.walkthrough.setting import Setting

QUERY: Final = """\
SELECT started, caller, verdict, exchanges.rule, status, masked, approved_by, prompt, completion
FROM exchanges LEFT JOIN approvals ON ticket = exchanges.approval
WHERE operation = 'chat' ORDER BY started"""
_STYLES: Final = {"allow": "green", "deny": "red", "hold": "yellow"}


def show(here: Setting, console: Console, *, calls: int) -> None:
    """Print a row for each call that the demo made; NotAsItShould when one of them is missing."""
    rows = _rows(here, calls)
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("when", "caller", "verdict", "rule", "status", "masked", "prompt", "completion"):
        table.add_column(name, overflow="fold", no_wrap=name in ("when", "caller", "verdict"))
    for row in rows:
        table.add_row(
            f"{row['started']:%H:%M:%S}",
            str(row["caller"]),
            _verdict(row),
            str(row["rule"] or ""),
            str(row["status"] or ""),
            _counts(row["masked"]),
            _short(row["prompt"]),
            _short(row["completion"]),
        )
    console.print(table)


def _rows(here: Setting, calls: int) -> list[dict[str, Any]]:
    """The chats in the audit, waited for: the view may be a second behind."""
    deadline = time.monotonic() + 15
    rows: list[dict[str, Any]] = []
    while time.monotonic() < deadline:
        rows = _query(here.gateway.data / "audit.duckdb")
        if len(rows) >= calls and all(row["status"] for row in rows):
            return rows
        time.sleep(0.2)
    raise NotAsItShould(f"{calls} calls were made, and the audit has {len(rows)}")


def _query(database: Path) -> list[dict[str, Any]]:
    if not database.exists():  # made in the background, right after a first start
        return []
    with duckdb.connect(str(database), read_only=True) as audit:
        found = audit.execute(QUERY)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _counts(masked: Any) -> str:
    if isinstance(masked, dict):
        return ", ".join(f"{count} {name}" for name, count in masked.items())
    return str(masked or "").strip("{}").replace('"', "")


def _verdict(row: dict[str, Any]) -> Text:
    """What was decided, and by whom when a person did."""
    verdict = str(row["verdict"])
    people = "".join(f"\n({person.partition('|')[2]})" for person in row["approved_by"] or ())
    return Text(verdict + people, _STYLES.get(verdict, ""))


def _short(text: Any) -> str:
    line = " ".join(str(text or "").split())
    return line if len(line) <= 60 else line[:59] + "…"
