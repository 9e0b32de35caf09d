"""What there is to do in a data directory: journals to seal, sealed ones to empty, empty ones to remove."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from penstock.journal.disk import locked
from penstock.journal.segment import Segment, segment, segments
from penstock.store.layout import Layout

KEEP_SECONDS: Final = 60.0
"""How long a sealed journal stays: longer than any query that began to read it may take."""
REMOVE_SECONDS: Final = 86_400.0
"""How long an emptied journal file stays. A reader that listed it and then cannot open it fails, so that removals are
rare and come in batches."""

_SEALED: Final = re.compile(r"(.+)\.([0-9]+)\.parquet\Z")


@dataclass(frozen=True, slots=True)
class Plan:
    """What one pass has to do."""

    seal: tuple[Segment, ...]
    empty: tuple[Segment, ...]
    remove: tuple[Segment, ...]

    def __bool__(self) -> bool:
        return bool(self.seal or self.empty or self.remove)


def plan(place: Layout, now: float, *, keep: float = KEEP_SECONDS, remove: float = REMOVE_SECONDS) -> Plan:
    """What is due at `now` (unix seconds). Raises: OSError."""
    done = sealed(place)
    found = segments(place.journal)
    newest = {each.worker: each for each in found}  # the last of each worker: the next boot follows its last entry
    to_seal, to_empty, to_remove = [], [], []
    for each in found:
        path = each.journal(place.journal)
        last = each == newest[each.worker]
        if each in done:
            age = now - done[each][1]
            if age >= keep and not last and path.stat().st_size > 0:
                to_empty.append(each)
            elif age >= remove and not last:
                to_remove.append(each)
        elif not held(place, each).exists() and _over(place, each):
            if path.stat().st_size > 0:
                to_seal.append(each)
            elif not last and now - path.stat().st_mtime >= remove:
                to_remove.append(each)
    return Plan(tuple(to_seal), tuple(to_empty), tuple(to_remove))


def sealed(place: Layout) -> dict[Segment, tuple[Path, float]]:
    """The sealed segments: where each is, and the time in its name."""
    return {each: found[0] for each, found in copies(place).items()}


def copies(place: Layout) -> dict[Segment, list[tuple[Path, float]]]:
    """Every sealed file that readers take for a segment: one each, unless somebody put in another."""
    found: dict[Segment, list[tuple[Path, float]]] = {}
    for path in sorted(place.segments.glob("**/*.parquet")):
        parts = _SEALED.match(path.name)
        name = segment(parts[1]) if parts else None
        if parts and name is not None:
            found.setdefault(name, []).append((path, int(parts[2]) / 1_000_000))
    return found


def held(place: Layout, each: Segment) -> Path:
    """A note beside a journal that does not hold: it is not sealed, and stays as it is for `penstock verify`."""
    return place.journal / f"{each}.held"


def _over(place: Layout, each: Segment) -> bool:
    """Nobody will add to this file: it is marked, or its writer is gone."""
    return each.mark(place.journal).exists() or not locked(each.journal(place.journal))
