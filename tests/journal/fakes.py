"""A disk whose failures a test decides."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path


class FakeDisk:
    """Opens real files (readers see them), and fails on demand."""

    def __init__(self) -> None:
        self.room: int | None = None
        """Bytes that may still be written; None: no limit. When it ends in the middle, the write is short."""
        self.write_error = 0
        self.sync_error = 0
        self.truncate_error = 0
        self.open_error = 0
        self.opened: list[Path] = []
        self.syncs = 0
        self.writes = 0
        self.quick = threading.Event()
        """While it is not set, the disk is busy: a sync waits for it."""
        self.quick.set()

    def open(self, path: Path) -> FakeFile:
        _raise(self.open_error)
        self.opened.append(path)
        return FakeFile(self, path)


class FakeFile:
    def __init__(self, disk: FakeDisk, path: Path) -> None:
        self.disk = disk
        self.fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL)

    def write(self, data: bytes | memoryview) -> int:
        self.disk.writes += 1
        _raise(self.disk.write_error)
        room = len(data) if self.disk.room is None else min(self.disk.room, len(data))
        if room == 0:
            _raise(errno.ENOSPC)
        if self.disk.room is not None:
            self.disk.room -= room
        return os.write(self.fd, data[:room])

    def sync(self) -> None:
        self.disk.syncs += 1
        self.disk.quick.wait(10)
        _raise(self.disk.sync_error)

    def truncate(self, size: int) -> None:
        _raise(self.disk.truncate_error)
        os.ftruncate(self.fd, size)

    def close(self) -> None:
        os.close(self.fd)


def _raise(number: int) -> None:
    if number:
        raise OSError(number, os.strerror(number))
