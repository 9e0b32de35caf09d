"""Walks every chain of a data directory, in segments and journals, and says of each whether it holds."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby
from pathlib import Path

import duckdb

from penstock.journal.disk import locked
from penstock.journal.entry import EntryError, read
from penstock.journal.segment import Segment, read_mark, segments
from penstock.journal.verify import Chained, Place, Proof, Verified, missing
from penstock.store.layout import Layout
from penstock.store.plan import sealed
from penstock.store.rows import line_of, rows
from penstock.store.views import connect

type Proofs = dict[str, list[Proof]]


def verify(place: Layout) -> list[Verified]:
    """What is to be said of each chain, in the order of their boots. It may run beside a gateway that writes.

    Raises: OSError, duckdb.Error when the directory cannot be read.
    """
    listed = sorted({*segments(place.journal), *sealed(place)}, key=lambda each: (each.chain, each.number))
    proofs: Proofs = defaultdict(list)
    gathered: list[tuple[Chained, bool]] = []
    with connect() as con:
        for chain, group in groupby(listed, key=lambda each: each.chain):
            files = list(group)
            chained = Chained(chain, files[0].worker)
            running = False
            for each in files:
                running = _gather(con, place, each, chained, proofs, last=each == files[-1])
            gathered.append((chained, running))
    known = {chained.chain for chained, _ in gathered}
    gone: dict[str, Verified] = {}
    for chained, _ in gathered:
        if chained.after is not None:
            by = f"chain {chained.chain}"
            proofs[chained.after.chain].append((chained.after, by))
            if chained.after.chain not in known:
                gone[chained.after.chain] = missing(chained.after.chain, chained.worker, chained.after, by)
    found = [chained.conclude(proofs[chained.chain], running=running) for chained, running in gathered]
    return sorted([*found, *gone.values()], key=lambda each: each.chain)


def _gather(
    con: duckdb.DuckDBPyConnection, place: Layout, each: Segment, chained: Chained, proofs: Proofs, *, last: bool
) -> bool:
    """Adds the lines of one file; whether its writer is alive."""
    # The mark before the lines: when it is there, the file is whole.
    mark = read_mark(each.mark(place.journal))
    if mark is not None and mark.head.chain == chained.chain:
        proofs[chained.chain].append((mark.head, f"the mark {each}.done"))
    alive = _alive(place, each)
    found = _segment_of(place, each)
    journal = each.journal(place.journal)
    if found is None and journal.exists():
        if _from_journal(journal, each, chained, torn=last and mark is None) or mark is None:
            return alive
        found = _segment_of(place, each)  # sealed and emptied in the meantime
    if found is not None:
        _from_segment(con, found, each, chained)
    return alive


def _segment_of(place: Layout, each: Segment) -> Path | None:
    return next(iter(sorted(place.segments.glob(f"day=*/{each}.*.parquet"))), None)


def _alive(place: Layout, each: Segment) -> bool:
    try:
        return locked(each.journal(place.journal))
    except FileNotFoundError:
        return False


def _from_journal(path: Path, each: Segment, chained: Chained, *, torn: bool) -> int:
    """How many lines there were. `torn`: nobody said that the file is whole, and its last line may be half."""
    number = 0
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            at = Place(path.name, each.number, number)
            if torn and not raw.endswith(b"\n"):
                chained.torn = True
                break
            try:
                chained.add(at, read(raw))
            except EntryError as error:
                chained.add_broken(at, error)
    return number


def _from_segment(con: duckdb.DuckDBPyConnection, path: Path, each: Segment, chained: Chained) -> None:
    number = 0
    try:
        for number, row in enumerate(rows(con, path), 1):
            at = Place(path.name, each.number, number)
            try:
                chained.add(at, line_of(row))
            except EntryError as error:
                chained.add_broken(at, error)
    except duckdb.Error as error:
        broken = EntryError("unreadable", f"the segment cannot be read: {str(error).splitlines()[0]}")
        chained.add_broken(Place(path.name, each.number, number + 1), broken)
