"""Walks every chain of a data directory, in segments and journals, and says of each whether it holds."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from itertools import groupby
from pathlib import Path
from typing import Final

import duckdb

from penstock.journal.disk import locked
from penstock.journal.entry import EntryError, read
from penstock.journal.segment import Segment, read_mark, segments
from penstock.journal.verify import Chained, Place, Proof, Verified, missing
from penstock.store.columns import differing
from penstock.store.layout import Layout
from penstock.store.plan import copies
from penstock.store.rows import line_of, rows
from penstock.store.views import connect

_AHEAD_SECONDS: Final = 60.0
"""A sealed segment is named a few seconds ahead; one that is named later than this is hidden from readers."""

type Proofs = dict[str, list[Proof]]


def verify(place: Layout, *, now: float) -> list[Verified]:
    """What is to be said of each chain, in the order of their boots. It may run beside a gateway that writes.

    What readers see is verified too: that the columns of a segment are those of its entries, and that none is hidden.

    Raises: OSError, duckdb.Error when the directory cannot be read.
    """
    done = copies(place)
    listed = sorted({*segments(place.journal), *done}, key=lambda each: (each.chain, each.number))
    proofs: Proofs = defaultdict(list)
    with connect() as con:
        gathered = [
            _walk(con, place, list(files), done, proofs, now)
            for _, files in groupby(listed, key=lambda each: each.chain)
        ]
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


def _walk(
    con: duckdb.DuckDBPyConnection,
    place: Layout,
    files: list[Segment],
    done: dict[Segment, list[tuple[Path, float]]],
    proofs: Proofs,
    now: float,
) -> tuple[Chained, bool]:
    """The lines of one chain, and whether its writer is alive."""
    chained, running = Chained(files[0].chain, files[0].worker), False
    for each in files:
        mark = read_mark(each.mark(place.journal))  # before the lines: where it is, the file is whole
        if mark is not None and mark.head.chain == each.chain:
            proofs[each.chain].append((mark.head, f"the mark {each}.done"))
        running = _alive(place, each)
        if each not in done:
            torn = each == files[-1] and mark is None
            if not _from_journal(place, each, chained, torn=torn) and mark is not None:
                done |= copies(place)  # sealed and emptied in the meantime
        for path, sealed_at in done.get(each, ()):
            _from_segment(con, path, each, chained, hidden=sealed_at > now + _AHEAD_SECONDS)
    return chained, running


def _alive(place: Layout, each: Segment) -> bool:
    try:
        return locked(each.journal(place.journal))
    except FileNotFoundError:
        return False


def _from_journal(place: Layout, each: Segment, chained: Chained, *, torn: bool) -> int:
    """How many lines there were. `torn`: nobody said that the file is whole, and its last line may be half."""
    number = 0
    path = each.journal(place.journal)
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
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


def _from_segment(con: duckdb.DuckDBPyConnection, path: Path, each: Segment, chained: Chained, *, hidden: bool) -> None:
    number = 0
    try:
        if hidden:
            raise EntryError("unreadable", "readers do not see this segment: the time in its name is to come")
        wrong = _misleading(con, path)
        for number, row in enumerate(rows(con, path), 1):
            at = Place(path.name, each.number, number)
            try:
                line = line_of(row)
                if number == wrong:
                    raise EntryError("envelope", "readers are shown something else than the entry says", line.entry)
                chained.add(at, line)
            except EntryError as error:
                chained.add_broken(at, error)
    except EntryError as error:
        chained.add_broken(Place(path.name, each.number, 1), error)
    except duckdb.Error as error:
        broken = EntryError("unreadable", f"the segment cannot be read: {str(error).splitlines()[0]}")
        chained.add_broken(Place(path.name, each.number, number + 1), broken)


def _misleading(con: duckdb.DuckDBPyConnection, path: Path) -> int:
    """The first row whose columns are not what its entry says, from 1; 0 when there is none."""
    with contextlib.suppress(duckdb.Error):  # an entry that is not JSON is found when the rows are read
        found = con.execute(differing(str(path))).fetchone()
        return int(found[0]) if found is not None else 0
    return 0
