"""The real file under a journal."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.errors import ConfigurationError
from penstock.journal.disk import Appended, hold, locked, probe


def test_a_file_has_its_name_only_when_it_is_locked(tmp_path: Path) -> None:
    file = Appended(tmp_path / "a.ndjson")
    assert locked(tmp_path / "a.ndjson")
    assert [path.name for path in tmp_path.iterdir()] == ["a.ndjson"]
    assert (tmp_path / "a.ndjson").stat().st_mode & 0o137 == 0
    file.close()
    assert not locked(tmp_path / "a.ndjson")


def test_a_file_that_is_there_is_not_taken_over(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_bytes(b"evidence\n")
    with pytest.raises(FileExistsError):
        Appended(tmp_path / "a.ndjson")
    assert (tmp_path / "a.ndjson").read_bytes() == b"evidence\n"


def test_a_file_that_somebody_else_is_making_is_left_to_them(tmp_path: Path) -> None:
    other = hold(tmp_path / ".a.ndjson.new", busy="")
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(BlockingIOError):
        Appended(tmp_path / "a.ndjson")
    assert len(os.listdir("/proc/self/fd")) == before
    os.close(other)


def test_writing_syncing_and_cutting_back(tmp_path: Path) -> None:
    file = Appended(tmp_path / "a.ndjson")
    assert file.write(b"one\ntwo\n") == 8
    file.truncate(4)
    file.write(b"three\n")
    file.sync()
    assert (tmp_path / "a.ndjson").read_bytes() == b"one\nthree\n"
    (tmp_path / "a.ndjson").unlink()
    with pytest.raises(OSError, match="removed"):
        file.sync()
    file.close()


def test_a_probe_leaves_nothing(tmp_path: Path) -> None:
    probe(tmp_path / "p", 3_000_000)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match="No such"):
        probe(tmp_path / "no" / "p", 1)


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    fd = hold(tmp_path / "lock", busy="taken")
    with pytest.raises(ConfigurationError, match="taken"):
        hold(tmp_path / "lock", busy="taken")
    os.close(fd)
    os.close(hold(tmp_path / "lock", busy="taken"))
