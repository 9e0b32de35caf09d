"""`penstock export`: take recorded exchanges elsewhere, as mitmproxy flows or as a DuckDB file."""

from __future__ import annotations

import os
from pathlib import Path

import click

from penstock.errors import StoreError
from penstock.store.query import Audit
from penstock.store.recorded import check_since, recorded


@click.command
@click.option("--mitm", type=click.Path(path_type=Path, dir_okay=False), help="Write mitmproxy flows to this file.")
@click.option("--duckdb", type=click.Path(path_type=Path, dir_okay=False), help="Write DuckDB tables to this file.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=Path("data"),
    show_default=True,
    envvar="PENSTOCK_DATA",
    help="The gateway's data directory.",
)
@click.option("--exchange", "exchanges", multiple=True, metavar="ID", help="Only this exchange; may be repeated.")
@click.option("--since", metavar="WHEN", help="Only what started since: '2 hours', '2026-01-31 12:00' (UTC).")
@click.option("--where", metavar="SQL", help="Only where this condition on the view `exchanges` holds.")
@click.option("--to", metavar="URL", help="With --mitm: the server that a replay is sent to.  [default: the model's]")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def command(
    mitm: Path | None,
    duckdb: Path | None,
    data: Path,
    exchanges: tuple[str, ...],
    since: str | None,
    where: str | None,
    to: str | None,
    force: bool,
) -> None:
    """Copy recorded exchanges out of the audit.

    `--mitm FILE` opens in `mitmproxy -nr FILE`, `mitmweb -nr FILE` and `mitmdump -nr FILE`, and is sent again by
    `mitmdump --client-replay FILE`. Denied calls are marked and have the answer that the caller got; each flow names
    the caller, the verdict, the rule and the exchange. `--duckdb FILE` has the audit's views as tables.
    """
    if mitm is None and duckdb is None:
        raise click.UsageError("say where to: --mitm FILE, --duckdb FILE, or both")
    for file in (mitm, duckdb):
        if file is not None and file.exists() and not force:
            raise StoreError(f"{file}: is there already", advice="--force replaces it")
    with Audit(data) as audit:
        check_since(audit, since)
        if mitm is not None:
            from penstock.replay import flow

            with _Whole(mitm) as temporary, temporary.open("wb") as out:
                count = flow.write(recorded(audit, exchanges=exchanges, since=since, where=where), out, to=to)
            _say(count, mitm)
        if duckdb is not None:
            from penstock.store import native

            with _Whole(duckdb) as temporary:
                count = native.write(audit, temporary, exchanges=exchanges, since=since, where=where)
            _say(count, duckdb)


class _Whole:
    """A file that gets its name when it is finished; what was there stays when it does not get so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.temporary = path.with_name(f".{path.name}.{os.getpid()}.new")

    def __enter__(self) -> Path:
        if not self.path.absolute().parent.is_dir():
            raise StoreError(f"{self.path.absolute().parent}: there is no such directory")
        return self.temporary

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, _: object) -> None:
        try:
            if isinstance(problem, OSError):
                raise problem
            if problem is None:
                self.temporary.replace(self.path)
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be written: {error.strerror}") from None
        finally:
            self.temporary.unlink(missing_ok=True)


def _say(count: int, file: Path) -> None:
    click.echo(f"{count} exchange{'' if count == 1 else 's'} written to {file}", err=True)
