"""The files of a policy's directory, read once, all of one moment."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from penstock.errors import PolicyError, Problem
from penstock.policy.marked import MAX_BYTES

SUFFIXES: Final = (".yaml", ".yml")
PACKS: Final = "packs"
"""The folder of a policy's own packs of guardrails."""
_FOLDERS: Final = ("cases", PACKS)
MAX_FILES: Final = 256
_ATTEMPTS: Final = 5

type Signed = tuple[int, int, int, int, int] | None
"""Device, inode, size, mtime and ctime of a file; None when it cannot be read. Follows symbolic links."""
type Signature = tuple[tuple[str, Signed], ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Names and contents, in name order, and the signature that they had before and after they were read."""

    files: tuple[tuple[str, bytes], ...]
    signature: Signature
    unread: tuple[str, ...] = ()
    """What lies in the directory and looks like policy, but is not read."""
    packs: tuple[tuple[str, bytes], ...] = ()
    """Names and contents of the files in `packs/`."""


def signed(found: os.stat_result) -> Signed:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def sign(path: Path) -> Signed:
    try:
        return signed(path.stat())
    except OSError:
        return None


def signature(directory: Path) -> Signature:
    """Changes whenever a file of the policy does; empty when the directory cannot be listed."""
    try:
        return tuple((name, sign(directory / name)) for name in [*names(directory), *_packs(directory)])
    except OSError:
        return ()


def names(directory: Path) -> list[str]:
    """The files that are read, in name order. Names that begin with a dot are not: editors and mounts make them."""
    return sorted(
        path.name
        for path in directory.iterdir()
        if path.name.lower().endswith(SUFFIXES) and not path.name.startswith(".")
    )


def _packs(directory: Path) -> list[str]:
    """The same in its folder of packs."""
    folder = directory / PACKS
    return [f"{PACKS}/{name}" for name in names(folder)] if folder.is_dir() else []


def snapshot(directory: Path) -> Snapshot:
    """Every file of one moment: when one changes while they are read, they are read again.

    Raises: PolicyError when the directory or a file cannot be read, or nothing holds still.
    """
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(0.02)
        before = signature(directory)
        found = _read(directory)
        packs = read_all(directory, _packs(directory))
        if before == signature(directory):
            return Snapshot(found, before, _unread(directory), packs)
    raise _cannot(directory, "changes while it is read: write files elsewhere and move them here")


def _cannot(path: Path, message: str) -> PolicyError:
    return PolicyError((Problem(str(path), 0, 0, message),))


def _read(directory: Path) -> tuple[tuple[str, bytes], ...]:
    if not directory.is_dir():
        what = "is a file: the policy is a directory of YAML files" if directory.exists() else "no such directory"
        raise _cannot(directory, what)
    try:
        found = names(directory)
    except OSError as error:
        raise _cannot(directory, f"cannot be listed: {error.strerror}") from None
    if not found:
        raise _cannot(directory, "no *.yaml file in it")
    if len(found) > MAX_FILES:
        raise _cannot(directory, f"more than {MAX_FILES} files: is this the right directory?")
    return read_all(directory, found)


def read_all(directory: Path, found: Sequence[str]) -> tuple[tuple[str, bytes], ...]:
    """The contents of these files.

    Raises: PolicyError with every one that cannot be read.
    """
    problems: list[Problem] = []
    contents: list[tuple[str, bytes]] = []
    for name in found:
        try:
            contents.append((name, _content(directory / name)))
        except OSError as error:
            problems.append(Problem(str(directory / name), 0, 0, f"cannot be read: {error.strerror or error}"))
    if problems:
        raise PolicyError(tuple(problems))
    return tuple(contents)


def _content(path: Path) -> bytes:
    """All of a regular file; a pipe or device never blocks the reading."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("not a regular file")
        return file.read(MAX_BYTES + 1)


def _unread(directory: Path) -> tuple[str, ...]:
    """Folders with YAML in them that are not known here: people may think that they are in force."""
    return tuple(
        sorted(
            entry.name
            for entry in directory.iterdir()
            if entry.is_dir()
            and entry.name not in _FOLDERS
            and not entry.name.startswith(".")
            and any(inner.suffix in SUFFIXES for inner in entry.iterdir())
        )
    )
