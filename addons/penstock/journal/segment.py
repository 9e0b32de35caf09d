"""One journal file: its name, its mark when it is done, and its last entry.

`<worker>-<chain>-<n>.ndjson` is never renamed while it is written; `<worker>-<chain>-<n>.done` beside it says that
nothing will be added, and what the last entry is.
"""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from penstock.journal.chain import Head
from penstock.journal.entry import MAX_LINE, EntryError, Line, read

NAME: Final = "[a-z0-9]{1,16}-[0-7][0-9A-HJKMNP-TV-Z]{25}-[0-9]{6,}"
"""What `str(Segment)` looks like, as a regular expression of Python's and of DuckDB's."""
_NAME: Final = re.compile(rf"(?={NAME}\Z)([^-]+)-([^-]+)-([^-]+)")
_BLOCK: Final = 64 * 1024


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """What a journal file, and the Parquet file made of it, is called."""

    worker: str
    chain: str
    number: int

    def __str__(self) -> str:
        return f"{self.worker}-{self.chain}-{self.number:06d}"

    def journal(self, directory: Path) -> Path:
        return directory / f"{self}.ndjson"

    def mark(self, directory: Path) -> Path:
        return directory / f"{self}.done"


@dataclass(frozen=True, slots=True)
class Mark:
    """The end of a file that is done."""

    head: Head
    size: int


def segment(name: str) -> Segment | None:
    """The segment whose file is called `name` (its stem); None for any other file."""
    found = _NAME.match(name)
    return Segment(found[1], found[2], int(found[3])) if found else None


def segments(directory: Path) -> list[Segment]:
    """The journal files of a directory, in the order in which each worker wrote them."""
    names = (segment(path.stem) for path in directory.glob("*.ndjson"))
    return sorted(found for found in names if found is not None)


def write_mark(path: Path, mark: Mark) -> None:
    """Durable and whole, or not there. Raises: OSError."""
    head = mark.head
    replace(path, orjson.dumps({"chain": head.chain, "seq": head.seq, "hash": head.hash, "size": mark.size}) + b"\n")


def read_mark(path: Path) -> Mark | None:
    """None when there is no mark that can be read."""
    try:
        found = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    match found:
        case {"chain": str(chain), "seq": int(seq), "hash": str(hashed), "size": int(size)}:
            return Mark(Head(chain, seq, hashed), size)
        case _:
            return None


def replace(path: Path, data: bytes) -> None:
    """Puts `data` where readers find either what was there or all of it. Raises: OSError."""
    temporary = path.with_name(f".{path.name}.new")
    try:
        with open(temporary, "wb", opener=_private) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def last(path: Path) -> Line | None:
    """The last entry of a file that can be read, from its end; None when there is none. Raises: OSError."""
    with path.open("rb") as file:
        start = end = file.seek(0, os.SEEK_END)
        tail = b""
        while start > 0 and end - start <= 2 * MAX_LINE:
            start = max(0, start - max(_BLOCK, len(tail)))
            file.seek(start)
            tail = file.read(end - start)
            found = _last_of(tail, whole=start == 0)
            if found is not None:
                return found
    return None


def _last_of(tail: bytes, *, whole: bool) -> Line | None:
    lines = tail.split(b"\n")[0 if whole else 1 : -1]
    for raw in reversed(lines):
        with contextlib.suppress(EntryError):
            return read(raw + b"\n")
    return None


def newest(directory: Path, worker: str) -> Segment | None:
    """The file that a worker wrote last."""
    return max((found for found in segments(directory) if found.worker == worker), default=None)


def head(directory: Path, worker: str) -> Head | None:
    """The last entry that a worker wrote, in any boot, as far as the journal still tells. Raises: OSError."""
    for found in sorted((each for each in segments(directory) if each.worker == worker), reverse=True):
        line = last(found.journal(directory))
        if line is not None:
            return Head(line.entry.chain, line.entry.seq, line.hash)
        mark = read_mark(found.mark(directory))
        if mark is not None:
            return mark.head
    return None


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o640)
