"""Makes audit.duckdb: views and macros over the journal and the segments, in a form that DuckDB 1.0 to 2.0 opens.

A process of its own (`python -m penstock.store.views DATA`), since DuckDB takes 0.3 s and 60 MB to load, and the
gateway itself never needs it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import duckdb

from penstock.store.columns import FIELDS, quoted, typed
from penstock.store.layout import Layout, layout


def connect() -> duckdb.DuckDBPyConnection:
    """A connection without a database, which keeps no secrets and loads nothing from anywhere."""
    return duckdb.connect(
        ":memory:", config={"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    )  # fmt: skip


def build(place: Layout) -> None:
    """Puts audit.duckdb in place, whole; readers of the one before keep it. Raises: OSError, duckdb.Error."""
    with connect() as con:
        write_empty(con, place)
        temporary = place.data / f".audit.{os.getpid()}.duckdb"
        temporary.unlink(missing_ok=True)
        try:
            con.execute(f"ATTACH '{quoted(str(temporary))}' AS audit (STORAGE_VERSION 'v1.0.0')")
            con.execute("USE audit")
            con.execute(place.sql)
            con.execute("USE memory")
            con.execute("DETACH audit")
            temporary.chmod(0o640)
            temporary.replace(place.database)
        finally:
            temporary.unlink(missing_ok=True)
    place.write_stamp(place.views)


def write_empty(con: duckdb.DuckDBPyConnection, place: Layout) -> None:
    """The Parquet file without rows, always in the columns of this version."""
    place.empty_segment.parent.mkdir(mode=0o750, exist_ok=True)
    temporary = place.empty_segment.with_suffix(f".{os.getpid()}.new")
    source = typed(str(place.journal / "empty.ndjson"))
    con.execute(
        f"COPY (SELECT {FIELDS} FROM ({source}))"  # noqa: S608 - paths of our own, quoted
        f" TO '{quoted(str(temporary))}' (FORMAT parquet)"
    )
    temporary.replace(place.empty_segment)


def main() -> int:
    try:
        build(layout(Path(sys.argv[1])))
    except (OSError, duckdb.Error) as error:
        print(str(error).splitlines()[0], file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
