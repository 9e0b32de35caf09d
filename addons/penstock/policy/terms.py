"""Lists of terms that a policy's detector finds: written out in the policy, or in a file beside it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from penstock.detect.spelling import spelt
from penstock.detect.terms import LONGEST, MOST_CHARACTERS, MOST_TERMS, Terms, ready
from penstock.policy.directory import signed
from penstock.policy.marked import Items, Mark, Node
from penstock.policy.readers import TEXT, Reader
from penstock.policy.reading import Reading, Unread, shown

MAX_BYTES: Final = 8_000_000
"""Of a file: a million characters, and room for comments."""
_MOST_SHOWN: Final = 20
"""Problems of one list that are told."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Terms as they were written, each with its place."""

    mark: Mark
    texts: tuple[str, ...]
    place: Callable[[int], Mark]
    """Index of a term -> where it stands."""


def compiled(listed: Listed, reading: Reading, *, ignore_case: bool, whole_words: bool) -> Terms:
    """The list, ready to be found. Raises: Unread, with what is wrong noted."""
    seen: dict[str, int] = {}
    wrong: list[tuple[int, str]] = []
    for index, text in enumerate(listed.texts):
        term = spelt(text, ignore_case=ignore_case)
        if not term:
            wrong.append((index, "nothing in this term can be seen: remove it"))
        elif len(term) > LONGEST:
            wrong.append((index, f"the term has {len(term)} characters, more than {LONGEST}: shorten it"))
        elif (first := seen.setdefault(term, index)) != index:
            wrong.append((index, f"the term is there already, at {listed.place(first)}: keep one"))
    for index, message in wrong[:_MOST_SHOWN]:
        reading.wrong(listed.place(index), message)
    if len(wrong) > _MOST_SHOWN:
        reading.wrong(listed.mark, f"and {len(wrong) - _MOST_SHOWN} more problems in this list")
    if (size := sum(map(len, seen))) > MOST_CHARACTERS:
        raise reading.wrong(
            listed.mark,
            f"{size:,} characters in the list, more than {MOST_CHARACTERS:,}: split it over several detectors",
        )
    if wrong:
        raise Unread("terms")
    return ready(tuple(seen), ignore_case=ignore_case, whole_words=whole_words)


def _few(count: int, mark: Mark, reading: Reading) -> None:
    if not count:
        raise reading.wrong(mark, "the list is empty: name a term or remove the key")
    if count > MOST_TERMS:
        raise reading.wrong(mark, f"{count:,} terms, more than {MOST_TERMS:,}: split the list over several detectors")


def _read_list(node: Node, reading: Reading) -> Listed:
    if not isinstance(node, Items):
        raise reading.wrong(node.mark, f"expected a list of terms, not {shown(node)}")
    _few(len(node.items), node.mark, reading)
    texts: list[str] = []
    for item in node.items:
        try:
            texts.append(TEXT.read(item, reading))
        except Unread:
            continue  # the others may have problems too
    if len(texts) < len(node.items):
        raise Unread("terms")
    return Listed(node.mark, tuple(texts), lambda index: node.items[index].mark)


def _read_file(node: Node, reading: Reading) -> Listed:
    name = TEXT.read(node, reading)
    path = reading.directory / name
    if not _within(path, reading.directory):
        raise reading.wrong(node.mark, f"'{name}' lies outside the policy's directory: put the file beside the policy")
    data = _content(path, name, node.mark, reading)
    try:
        lines = data.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        message = f"byte 0x{data[error.start]:02x} is not UTF-8: save the file as UTF-8"
        raise reading.wrong(Mark(str(path), line, column), message) from None
    kept = [number for number, line in enumerate(lines, 1) if (text := line.strip()) and not text.startswith("#")]
    _few(len(kept), Mark(str(path), 0, 0), reading)
    return Listed(node.mark, tuple(lines[number - 1] for number in kept), lambda at: Mark(str(path), kept[at], 1))


def _within(path: Path, directory: Path) -> bool:
    """Whether a file lies in a directory or below it, wherever symbolic links lead."""
    try:
        return path.resolve().is_relative_to(directory.resolve())
    except (OSError, ValueError, RuntimeError):
        return False


def _content(path: Path, name: str, mark: Mark, reading: Reading) -> bytes:
    reading.other_files[path] = None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            reading.other_files[path] = signed(found)
            if not stat.S_ISREG(found.st_mode):
                raise reading.wrong(mark, f"the file of terms {name} is not a regular file")
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        where = "; its path starts at the policy's directory" if isinstance(error, FileNotFoundError) else ""
        raise reading.wrong(mark, f"the file of terms {name} cannot be read: {reason}{where}") from None
    if len(data) > MAX_BYTES:
        raise reading.wrong(
            mark, f"the file of terms {name} is larger than {MAX_BYTES:,} bytes: split it over several detectors"
        )
    return data


LIST: Final[Reader[Listed]] = Reader(
    "a list of terms",
    _read_list,
    lambda definitions: {"type": "array", "items": TEXT.schema(definitions), "minItems": 1, "maxItems": MOST_TERMS},
)
FILE: Final[Reader[Listed]] = Reader("a file in the policy's directory", _read_file, TEXT.schema)
