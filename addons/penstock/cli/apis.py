"""`penstock apis`: the inference APIs that the gateway understands, what it refuses, and what callers tried beside."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import click
import orjson
from rich import box
from rich.table import Table
from rich.text import Text

from penstock.apis.catalogue import Server, servers, traits
from penstock.apis.coverage import Outcome, outcome
from penstock.apis.refused import REFUSED
from penstock.apis.registry import APIS
from penstock.cli.query import console, show
from penstock.store.query import Audit

UNMATCHED: Final = """
SELECT
    method,
    split_part("path", '?', 1) AS "path",
    count(*) AS tried,
    list_sort(list(DISTINCT caller) FILTER (caller IS NOT NULL)) AS callers,
    max(started) AS last_seen,
    CASE code WHEN 'not_served' THEN substr(any_value(message), position(': ' IN any_value(message)) + 2)
        ELSE 'not known' END AS reason
FROM exchanges
WHERE code IN ('unknown_endpoint', 'not_served')
GROUP BY method, split_part("path", '?', 1), code
ORDER BY tried DESC, last_seen DESC, 1, 2
"""


@click.command
@click.option("--server", metavar="NAME", help="The endpoints of this model server, and what becomes of each.")
@click.option("--refused", is_flag=True, help="The endpoints that are refused on purpose, and why.")
@click.option("--unmatched", is_flag=True, help="From the audit: what callers tried that is not served.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=Path("data"),
    show_default=True,
    envvar="PENSTOCK_DATA",
    help="The gateway's data directory, for --unmatched.",
)
@click.option("--json", "machine", is_flag=True, help="For machines: a list of JSON objects.")
def command(server: str | None, refused: bool, unmatched: bool, data: Path, machine: bool) -> None:
    """Show which inference APIs are understood, endpoint by endpoint.

    What is not listed is answered with 404; what --refused lists, with 403 and the reason. An operation is what a
    grant names (`operations: [chat, embed]`); what is uninspected, a grant must name too (`uninspected: [image]`).
    """
    if sum((server is not None, refused, unmatched)) > 1:
        raise click.UsageError("--server, --refused and --unmatched ask for different things: name one")
    if unmatched:
        _tried(data, machine)
    elif server is not None:
        _print(_SERVER, list(_endpoints(_named(server))), machine)
    elif refused:
        _print(
            _REFUSED, [{"method": each.method, "path": each.path, "reason": each.reason} for each in REFUSED], machine
        )
    else:
        _print(_SERVED, list(_served()), machine)
        if not machine:
            console().print(f"Servers: {', '.join(servers())}.\n  penstock apis --server NAME", markup=False)


type Row = dict[str, Any]

_SERVED: Final = ("api", "operation", "method", "path", "bodies", "streams", "uninspected")
_SERVER: Final = ("method", "path", "kind", "becomes")
_REFUSED: Final = ("method", "path", "reason")


def _served() -> Iterator[Row]:
    for api in APIS:
        known = traits().get(api.name)
        for route in api.routes:
            yield {
                "api": api.name,
                "operation": route.operation.value,
                "method": route.method,
                "path": route.path,
                "bodies": list(route.encodings),
                "streams": known is not None and known.streams,
                "uninspected": list(known.uninspected) if known is not None else [],
            }


def _endpoints(server: Server) -> Iterator[Row]:
    for endpoint in server.endpoints:
        found = outcome(endpoint)
        yield {
            "method": endpoint.method,
            "path": endpoint.path,
            "kind": endpoint.kind,
            "apis": list(found.apis),
            "operations": [operation.value for operation in dict.fromkeys(found.operations)],
            "reason": found.reason,
            "becomes": _becomes(found),
        }


def _becomes(found: Outcome) -> str:
    if found.served:
        operations = ", ".join(operation.value for operation in dict.fromkeys(found.operations))
        return f"{operations} ({', '.join(found.apis)})"
    return f"refused: {found.reason}" if found.known else "not known, and so refused"


def _named(name: str) -> Server:
    """The server that is meant, by its key or its name."""
    known = servers()
    for server in known.values():
        if name.lower() in (server.key, server.name.lower()):
            return server
    near = difflib.get_close_matches(name.lower(), known, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"one of {', '.join(known)}"
    raise click.BadParameter(f"no server is known by that name ({hint})", param_hint="--server")


def _tried(data: Path, machine: bool) -> None:
    with Audit(data) as audit:
        answer = audit.ask(UNMATCHED)
        if not machine:
            show(answer, console())
            return
        rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
        click.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2 | orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z))


def _print(columns: Sequence[str], rows: Sequence[Row], machine: bool) -> None:
    if machine:
        click.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold", no_wrap=name in ("method", "operation", "streams"))
    last: object = None
    for row in rows:
        cells = [_cell(row[name]) for name in columns]
        if columns is _SERVED and row["api"] == last:
            cells[0] = Text()  # a name once, over all that it serves
        last = row.get("api")
        table.add_row(*cells)
    screen = console()
    screen.print(table)
    screen.print(f"{len(rows)} endpoints")


def _cell(value: object) -> Text:
    match value:
        case None | False | []:
            return Text("-", style="dim")
        case True:
            return Text("yes")
        case list():
            return Text(", ".join(map(str, value)))
        case _:
            return Text(str(value))
