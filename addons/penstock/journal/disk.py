"""The file under a journal: created locked, appended, made durable, cut back."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from penstock.errors import ConfigurationError


class File(Protocol):
    """What a journal needs of its file. Every method may raise OSError."""

    def write(self, data: bytes | memoryview) -> int:
        """Appends; returns how many bytes were taken, as `os.write`."""
        ...

    def sync(self) -> None:
        """Returns when all that was written would survive a power cut."""
        ...

    def truncate(self, size: int) -> None: ...

    def close(self) -> None: ...


type Opener = Callable[[Path], File]


class Appended:
    """A file of the real disk, locked for its writer until it is closed or the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        """Raises: OSError, also when the file is there already."""
        self.path = path
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        # Readers glob *.ndjson, and an unlocked one is an orphan to seal: it gets its name when it is locked.
        fresh = path.with_name(f".{path.name}.new")
        self._fd = os.open(fresh, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fresh.rename(path)
            sync_directory(path.parent)
        except OSError:
            self.close()
            raise

    def write(self, data: bytes | memoryview) -> int:
        return os.write(self._fd, data)

    def sync(self) -> None:
        os.fdatasync(self._fd)
        if os.fstat(self._fd).st_nlink == 0:
            raise OSError(errno.ENOENT, "the journal file was removed", str(self.path))

    def truncate(self, size: int) -> None:
        os.ftruncate(self._fd, size)

    def close(self) -> None:
        os.close(self._fd)


def sync_directory(path: Path) -> None:
    """Makes the names in a directory durable. Raises: OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def probe(path: Path, size: int) -> None:
    """Returns when `size` bytes could be written beside the journal, and are gone again. Raises: OSError."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        left = size
        while left > 0:
            left -= os.write(fd, bytes(min(left, 1 << 20)))
        os.fdatasync(fd)
    finally:
        os.close(fd)
        path.unlink(missing_ok=True)


def hold(path: Path, *, busy: str) -> int:
    """A descriptor that holds the lock at `path` until it is closed.

    Raises: ConfigurationError with `busy` when another process holds it; OSError.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise ConfigurationError(busy) from None
    return fd


def locked(path: Path) -> bool:
    """Whether a writer holds this file. Raises: OSError when it cannot be opened."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False
