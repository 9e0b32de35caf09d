"""Seals journals that are done into Parquet segments: the same rows, a tenth of the size, and quick to query.

A process of its own (`python -m penstock.store.seal DATA`), at the lowest priority. A journal is emptied only when each
of its entries was read back from the segment and holds.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb

from penstock.errors import ConfigurationError, StoreError
from penstock.journal.chain import Head
from penstock.journal.disk import hold, sync_directory
from penstock.journal.entry import EntryError, Line, read
from penstock.journal.segment import Mark, Segment, replace, write_mark
from penstock.store import plan
from penstock.store.columns import FIELDS, quoted, typed
from penstock.store.layout import Layout, layout
from penstock.store.rows import line_of, rows
from penstock.store.views import build, connect

LEAD_SECONDS: Final = 5.0
"""How far ahead the time in a segment's name is, so that a stall between naming and renaming shows nothing twice."""

logger = logging.getLogger(__name__)


def tend(
    place: Layout,
    *,
    clock: Callable[[], float] = time.time,
    keep: float = plan.KEEP_SECONDS,
    remove: float = plan.REMOVE_SECONDS,
    lead: float = LEAD_SECONDS,
) -> int:
    """One pass over a data directory: the views, then all that is due. How many journals were sealed; 0, and nothing
    done, when another process is at it. Raises: StoreError, OSError, duckdb.Error."""
    try:
        lock = hold(place.segments / ".lock", busy="")
    except ConfigurationError:
        return 0
    try:
        if not place.current():
            build(place)
        for left in place.segments.glob("**/.*.new"):
            left.unlink(missing_ok=True)
        due = plan.plan(place, clock(), keep=keep, remove=remove)
        for each in due.empty:
            # Another file takes its name: who reads the old one reads on, where cutting it short would fail them.
            replace(each.journal(place.journal), b"")
        for each in due.remove:
            each.mark(place.journal).unlink(missing_ok=True)
            each.journal(place.journal).unlink(missing_ok=True)
        return sum(_seal_or_hold(place, each, clock, lead) for each in due.seal)
    finally:
        os.close(lock)


def _seal_or_hold(place: Layout, each: Segment, clock: Callable[[], float], lead: float) -> bool:
    try:
        seal(place, each, clock=clock, lead=lead)
    except EntryError as error:
        logger.error("%s is not sealed: %s; see `penstock verify`", each, error)  # noqa: TRY400
        plan.held(place, each).write_text(f"{error}\n", encoding="utf-8")
        return False
    return True


def seal(place: Layout, each: Segment, *, clock: Callable[[], float] = time.time, lead: float = LEAD_SECONDS) -> Path:
    """Writes the segment of a journal that is done, and checks it. Raises: EntryError when the journal does not hold,
    StoreError, OSError, duckdb.Error; nothing is there then."""
    source = each.journal(place.journal)
    hashes, first, last, size = _read(source, torn=not each.mark(place.journal).exists())
    if first is None or last is None:
        raise EntryError("unreadable", "no line of it is whole")
    day = datetime.fromtimestamp(first.entry.at / 1_000_000, UTC).date()
    directory = place.segments / f"day={day}"
    directory.mkdir(mode=0o750, exist_ok=True)
    temporary = directory / f".{each}.new"
    try:
        with connect() as con:
            con.execute("SET threads = 1")
            con.execute(
                f"COPY (SELECT {FIELDS} FROM ({typed(str(source))}))"  # noqa: S608 - paths of our own, quoted
                f" TO '{quoted(str(temporary))}' (FORMAT parquet, COMPRESSION zstd)"
            )
            if [line_of(row).hash for row in rows(con, temporary)] != hashes:
                raise StoreError(f"{each}: the segment does not have the entries of the journal")
        _sync(temporary)
        final = directory / f"{each}.{int((clock() + lead) * 1_000_000)}.parquet"
        temporary.rename(final)
    finally:
        temporary.unlink(missing_ok=True)
    sync_directory(directory)
    if not each.mark(place.journal).exists():
        write_mark(each.mark(place.journal), Mark(Head(last.entry.chain, last.entry.seq, last.hash), size))
    return final


def _read(path: Path, *, torn: bool) -> tuple[list[str], Line | None, Line | None, int]:
    """The hashes of a journal's entries, its first and last one, and its size; each is checked, and follows the other.

    Raises: EntryError. `torn`: its writer was killed, and the last line may be half.
    """
    hashes: list[str] = []
    first = last = None
    size = 0
    with path.open("rb") as file:
        for raw in file:
            if torn and not raw.endswith(b"\n"):
                break
            line = read(raw)
            if last is not None and (line.entry.prev, line.entry.seq) != (last.hash, last.entry.seq + 1):
                raise EntryError("envelope", f"entry {line.entry.seq} does not follow the one before it", line.entry)
            first, last = first or line, line
            hashes.append(line.hash)
            size += len(raw)
    return hashes, first, last, size


def _sync(path: Path) -> None:
    path.chmod(0o640)
    with path.open("rb") as file:
        os.fsync(file.fileno())


def main() -> int:
    os.nice(19)
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    try:
        place = layout(Path(sys.argv[1]))
        place.check()
        tend(place)
    except (StoreError, ConfigurationError, OSError, duckdb.Error) as error:
        print(str(error).splitlines()[0], file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
