"""Whether a chain holds, and if not, what was done to it: the first entry that does not hold, by name.

What can be told from the chain alone: anything done to an entry that another one, a mark or a later chain proves. Who
may rewrite all of it may also rewrite the end; signed checkpoints outside the host are what tells then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from penstock.journal.chain import Head
from penstock.journal.entry import NONE, EntryError, Line

type Proof = tuple[Head, str]
"""An entry that somebody outside the chain says it has, and who."""
type Tampering = Literal["edit", "erasure", "deletion", "insertion", "reordering", "truncation"]
type Ending = Literal["running", "stopped", "ended without stop"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line stands."""

    file: str
    number: int
    """Of the file within its chain."""
    line: int
    """From 1."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Row:
    """What verification keeps of a line."""

    place: Place
    seq: int
    """-1 when it cannot be read."""
    prev: str
    hash: str
    fault: str = ""
    """Why the line does not hold by itself."""
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """The first entry of a chain that does not hold."""

    what: Tampering
    chain: str
    seq: int
    where: str
    """file:line, or what proves it."""
    message: str

    def __str__(self) -> str:
        return f"{self.what}: {self.chain}:{self.seq} ({self.where}): {self.message}"


@dataclass(frozen=True, slots=True)
class Verified:
    """What verification says of a chain."""

    chain: str
    worker: str
    entries: int
    started: int
    """Unix microseconds of its first entry; 0 when there is none."""
    ended: int
    ending: Ending
    torn: bool
    """The last line is half: its writer was killed while it wrote, and nobody was told that it was written."""
    problem: Problem | None


class Chained:
    """Gathers the lines of one chain in the order of its files, and then says whether it holds."""

    def __init__(self, chain: str, worker: str) -> None:
        self.chain = chain
        self.worker = worker
        self.after: Head | None = None
        """What its first entry says of the chain before it."""
        self.torn = False
        self._rows: list[Row] = []
        self._started: int | None = None
        self._ended = 0
        self._last_kind = ""

    def add(self, place: Place, line: Line) -> None:
        entry = line.entry
        if entry.chain != self.chain:
            self._rows.append(Row(place, -1, "", "", f"it belongs to chain {entry.chain}"))
            return
        if entry.seq == 0:
            self.after = _after(line)
        self._started = entry.at if self._started is None else self._started
        self._ended, self._last_kind = entry.at, entry.kind
        self._rows.append(Row(place, entry.seq, entry.prev, line.hash))

    def add_broken(self, place: Place, error: EntryError) -> None:
        """A line that does not hold by itself."""
        entry = error.entry
        if entry is None or entry.chain != self.chain or error.fault in ("unreadable", "envelope"):
            self._rows.append(Row(place, -1, "", "", str(error)))
            return
        self._rows.append(Row(place, entry.seq, entry.prev, "", str(error), erased=error.fault == "erased"))

    def conclude(self, proofs: Iterable[Proof], *, running: bool) -> Verified:
        """`proofs`: heads that this chain must have, and who says so. `running`: its writer is alive."""
        known = sorted(proofs, key=lambda proof: proof[0].seq)
        problem = self._beginning() or _first(self._rows, self.chain, known) or _unproven(self._rows, self.chain, known)
        ending: Ending = "running" if running else "stopped" if self._last_kind == "stop" else "ended without stop"
        count = sum(row.seq >= 0 for row in self._rows)
        return Verified(
            self.chain, self.worker, count, self._started or 0, self._ended, ending, self.torn, problem
        )  # fmt: skip

    def _beginning(self) -> Problem | None:
        """The first entry names the chain that it follows, or follows none."""
        row = self._rows[0] if self._rows else None
        if row is None or row.seq != 0 or row.fault or self.after is not None or row.prev == NONE:
            return None
        return Problem("edit", self.chain, 0, str(row.place), "it does not name the chain that it follows")


def missing(chain: str, worker: str, proof: Head, by: str) -> Verified:
    """What is said of a chain of which nothing is left but a proof that it was."""
    problem = Problem("deletion", chain, 0, by, f"the whole chain is gone; it had {proof.seq + 1} entries or more")
    return Verified(chain, worker, 0, 0, 0, "ended without stop", torn=False, problem=problem)


def _after(line: Line) -> Head | None:
    match line.entry.body.get("after"):
        case {"chain": str(chain), "seq": int(seq)}:
            return Head(chain, seq, line.entry.prev)
        case _:
            return None


def _first(rows: Sequence[Row], chain: str, proofs: Sequence[Proof]) -> Problem | None:
    """The first thing wrong between the lines of a chain."""
    before: Row | None = None
    for index, row in enumerate(rows):
        expected = before.seq + 1 if before is not None else 0
        if row.fault:
            return _broken(rows, index, expected, chain)
        if row.seq > expected:
            return _gap(rows, index, expected, chain, proofs)
        if row.seq < expected:
            return _twice(rows, index, chain, proofs)
        if before is not None and row.prev != before.hash:
            return _apart(rows, index, chain)
        before = row
    return None


def _broken(rows: Sequence[Row], index: int, expected: int, chain: str) -> Problem:
    row = rows[index]
    if row.erased:
        return Problem("erasure", chain, row.seq, str(row.place), row.fault)
    following = next((each for each in rows[index + 1 :] if each.seq >= 0), None)
    if row.seq < 0 and following is not None and following.seq == expected:
        return Problem("insertion", chain, expected, str(row.place), f"a line that is not the chain's: {row.fault}")
    return Problem("edit", chain, expected if row.seq < 0 else row.seq, str(row.place), row.fault)


def _gap(rows: Sequence[Row], index: int, expected: int, chain: str, proofs: Sequence[Proof]) -> Problem:
    row = rows[index]
    later = next((each for each in rows[index + 1 :] if expected <= each.seq < row.seq), None)
    if later is not None:
        return Problem("reordering", chain, row.seq, str(row.place), f"it stands before entry {later.seq}")
    gone = f"entries {expected} to {row.seq - 1} are" if row.seq - expected > 1 else f"entry {expected} is"
    end = rows[index - 1].place if index else None
    whole = any(head.seq == expected - 1 for head, _ in proofs)  # the mark of a file that ends there
    if end is not None and end.number + 1 == row.place.number and not whole:
        return Problem(
            "truncation", chain, expected, f"the end of {end.file}", f"{gone} gone, as entry {row.seq} proves"
        )  # fmt: skip
    return Problem("deletion", chain, expected, f"before {row.place}", f"{gone} gone, as entry {row.seq} proves")


def _twice(rows: Sequence[Row], index: int, chain: str, proofs: Sequence[Proof]) -> Problem:
    """Two entries have one number: the one that nothing proves was put in."""
    second = rows[index]
    first = next(each for each in rows if each.seq == second.seq)
    proved = {each.prev for each in rows if each.seq == second.seq + 1}
    proved |= {head.hash for head, _ in proofs if head.seq == second.seq}
    false = first if second.hash in proved and first.hash not in proved else second
    return Problem("insertion", chain, false.seq, str(false.place), f"there are two entries {false.seq}")


def _apart(rows: Sequence[Row], index: int, chain: str) -> Problem:
    """An entry does not prove the one before it: either of them was edited, or this one was put in."""
    row, before = rows[index], rows[index - 1]
    if any(each.seq == row.seq and each.prev == before.hash for each in rows[index + 1 :]):
        return Problem("insertion", chain, row.seq, str(row.place), f"there are two entries {row.seq}")
    following = rows[index + 1] if index + 1 < len(rows) else None
    edited = before if following is None or following.prev == row.hash else row
    return Problem("edit", chain, edited.seq, str(edited.place), "it is not the entry that the next one proves")


def _unproven(rows: Sequence[Row], chain: str, proofs: Sequence[Proof]) -> Problem | None:
    """The first entry that somebody outside the chain proves and that is not there. The rows themselves hold."""
    for head, by in proofs:
        if head.seq < 0:
            continue
        if head.seq >= len(rows):
            end = rows[-1].place.file if rows else "the chain"
            return Problem(
                "truncation", chain, len(rows), f"the end of {end}", f"{by} proves entries up to {head.seq}"
            )  # fmt: skip
        if rows[head.seq].hash != head.hash:
            row = rows[head.seq]
            return Problem("edit", chain, row.seq, str(row.place), f"it is not the entry that {by} proves")
    return None
