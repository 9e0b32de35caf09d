"""Copies the audit, or a part of it, into a DuckDB file of its own: tables, which need neither journal nor segments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import duckdb

from penstock.errors import StoreError
from penstock.store.columns import quoted
from penstock.store.query import Audit
from penstock.store.recorded import pick
from penstock.store.views import connect

# Table -> which of its rows belong to the exchanges that were picked.
TABLES: Final = {
    "exchanges": "id IN (FROM picked)",
    "events": "exchange IN (FROM picked)",
    "decisions": "exchange IN (FROM picked)",
    "sessions": "session IN (SELECT session FROM exchanges WHERE id IN (FROM picked))",
    "approvals": "list_has_any(exchanges, (SELECT list(id) FROM picked))",
    "policies": "hash IN (SELECT policy FROM exchanges WHERE id IN (FROM picked))",
}


def write(
    audit: Audit, file: Path, *, exchanges: Sequence[str] = (), since: str | None = None, where: str | None = None
) -> int:
    """Writes the tables to `file`, which must not be there; how many exchanges. Raises: StoreError, OSError."""
    some = bool(exchanges) or since is not None or where is not None
    # A condition of the user's is only ever run in the sandbox; this connection, which may write, gets names alone.
    ids = [row[0] for row in audit.ask(*pick("id", exchanges=exchanges, since=since, where=where)).rows] if some else []
    try:
        with connect() as con:
            return _write(con, audit, file, ids if some else None)
    except duckdb.Error as error:
        raise StoreError(f"{file}: {str(error).splitlines()[0]}") from None


def _write(con: duckdb.DuckDBPyConnection, audit: Audit, file: Path, ids: list[str] | None) -> int:
    con.execute(audit.layout.sql)
    con.execute("CREATE TABLE picked (id VARCHAR)")
    if ids is not None:
        con.execute("INSERT INTO picked SELECT unnest(?)", (ids,))
    con.execute(f"ATTACH '{quoted(str(file))}' AS copy (STORAGE_VERSION 'v1.0.0')")
    for name, condition in TABLES.items():
        chosen = "true" if ids is None else condition
        con.execute(f"CREATE TABLE copy.{name} AS FROM {name} WHERE {chosen}")
    found = con.execute("SELECT count(*) FROM copy.exchanges").fetchone()
    con.execute("DETACH copy")
    return int(found[0]) if found else 0
