"""Reads the rows of a sealed segment as the journal lines that they were."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import orjson

from penstock.journal.entry import EntryError, Line, check
from penstock.store.columns import quoted

type Row = tuple[str | None, str | None, str | None, str | None]
"""hash, envelope, salt, payload."""


def rows(con: duckdb.DuckDBPyConnection, path: Path) -> Iterator[Row]:
    """The rows of a segment, in order. Raises: duckdb.Error."""
    source = f"read_parquet('{quoted(str(path))}', hive_partitioning = false)"
    found = con.execute(f"SELECT hash, envelope, salt, payload FROM {source}")  # noqa: S608 - a path of our own, quoted
    while batch := found.fetchmany(500):
        yield from batch


def line_of(row: Row) -> Line:
    """The line in a row, checked by itself. Raises: EntryError.

    DuckDB writes the numbers and escapes of JSON in its own way: parsed and emitted, it is what was hashed.
    """
    hashed, envelope, salt, payload = row
    try:
        body = None if payload is None else orjson.dumps(orjson.loads(payload))
    except orjson.JSONDecodeError:
        raise EntryError("payload", "the payload is not JSON") from None
    return check(hashed or "", (envelope or "").encode(), salt, body)
