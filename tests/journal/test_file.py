"""The journal makes entries durable, or says that it did not."""

from __future__ import annotations

import asyncio
import errno
import gc
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.errors import ConfigurationError, StoreError
from penstock.journal import entry
from penstock.journal.entry import Line
from penstock.journal.file import Journal
from penstock.journal.segment import read_mark, segments
from tests.journal.fakes import FakeDisk

FAST: Any = {"probe_seconds": 0.005, "probe_bytes": 1}


def lines(directory: Path) -> list[Line]:
    """Every entry of every file in order; what is torn at the end of a file is left out, anything else fails."""
    found = []
    for segment in segments(directory):
        raw = segment.journal(directory).read_bytes()
        found += [entry.read(line + b"\n") for line in raw.split(b"\n")[:-1]]
    return found


def numbers(directory: Path) -> list[Any]:
    return [line.entry.body["n"] for line in lines(directory) if "n" in line.entry.body]


def chained(directory: Path) -> bool:
    """Each chain counts from 0 and holds."""
    heads: dict[str, Line] = {}
    for line in lines(directory):
        before = heads.get(line.entry.chain)
        if line.entry.seq != (before.entry.seq + 1 if before else 0) or (before and line.entry.prev != before.hash):
            return False
        heads[line.entry.chain] = line
    return True


def put(journal: Journal, n: int, size: int = 10) -> asyncio.Future[None]:
    return journal.append("chunk", "01K0ABCDEFGHJKMNPQRSTVWXYZ", {"n": n}, {"body": "x" * size, "encoding": "utf-8"})


async def recovered(journal: Journal) -> None:
    async with asyncio.timeout(10):
        while not journal.healthy:
            await asyncio.sleep(0.002)


async def test_an_acknowledged_entry_is_in_the_file(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    await put(journal, 1)
    assert numbers(tmp_path) == [1]
    await asyncio.gather(*[put(journal, n) for n in range(2, 50)])
    assert numbers(tmp_path) == list(range(1, 50))
    await journal.close()
    assert chained(tmp_path)


async def test_entries_of_one_turn_share_a_write_and_an_fsync(tmp_path: Path) -> None:
    disk = FakeDisk()
    journal = Journal(tmp_path, opener=disk.open)
    await asyncio.gather(*[put(journal, n) for n in range(40)])
    assert (disk.writes, disk.syncs) == (1, 1)
    await journal.close()


async def test_entries_that_come_while_the_disk_is_busy_share_the_next_fsync(tmp_path: Path) -> None:
    disk = FakeDisk()
    journal = Journal(tmp_path, opener=disk.open)
    disk.quick.clear()
    first = put(journal, 0)
    await asyncio.sleep(0)
    later = []
    for n in range(1, 10):
        later.append(put(journal, n))
        await asyncio.sleep(0)
    assert not first.done()
    disk.quick.set()
    await asyncio.gather(first, *later)
    assert disk.syncs == 2
    assert numbers(tmp_path) == list(range(10))
    await journal.close()


async def test_what_is_noted_is_written_at_once_and_durable_soon(tmp_path: Path) -> None:
    disk = FakeDisk()
    journal = Journal(tmp_path, opener=disk.open, lag_seconds=0.02)
    for n in range(3):
        journal.note("chunk", None, {"n": n})
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert numbers(tmp_path) == [0, 1, 2]
    assert disk.syncs == 0
    async with asyncio.timeout(5):
        while disk.syncs == 0:
            await asyncio.sleep(0.005)
    journal.note("chunk", None, {"n": 3})
    await put(journal, 4)
    assert disk.syncs == 2
    assert numbers(tmp_path) == list(range(5))
    await journal.close()


async def test_an_entry_appended_just_before_the_lag_ends_is_not_acknowledged_unwritten(tmp_path: Path) -> None:
    journal = Journal(tmp_path, lag_seconds=0.001)
    for n in range(0, 200, 2):
        journal.note("chunk", None, {"n": n})
        await asyncio.sleep(0.0009)
        await put(journal, n + 1)
        assert numbers(tmp_path)[-1] == n + 1
    await journal.close()


async def test_without_fsync_an_entry_is_acknowledged_when_it_is_written(tmp_path: Path) -> None:
    disk = FakeDisk()
    journal = Journal(tmp_path, opener=disk.open, fsync=False, segment_bytes=2000)
    for n in range(40):
        await put(journal, n)
        assert numbers(tmp_path)[-1] == n
    assert disk.syncs == 0
    await journal.close()
    assert len(disk.opened) > 2
    assert numbers(tmp_path) == list(range(40))
    assert chained(tmp_path)


async def test_the_values_are_read_at_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    body: Any = {"n": 1}
    future = journal.append("chunk", None, body)
    body["n"] = 2
    await future
    assert numbers(tmp_path) == [1]
    await journal.close()


async def test_a_caller_who_gave_up_waiting_harms_nobody(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    futures = [put(journal, n) for n in range(3)]
    futures[1].cancel()
    await futures[0]
    await futures[2]
    await journal.close()
    assert numbers(tmp_path) == [0, 1, 2]


@pytest.mark.parametrize(
    ("kind", "body", "message"),
    [
        ("chunk", {"n": 2**64}, "cannot be written as JSON"),
        ("chunk", {"n": "\ud800"}, "cannot be written as JSON"),
        ("gossip", {"n": 1}, "no entries of kind 'gossip'"),
    ],
)
async def test_what_cannot_be_an_entry_is_refused_and_leaves_no_trace(
    tmp_path: Path, kind: str, body: Any, message: str
) -> None:
    journal = Journal(tmp_path)
    await put(journal, 1)
    with pytest.raises(StoreError, match=message):
        await journal.append(kind, None, body)
    with pytest.raises(StoreError, match=message):
        journal.note(kind, None, body)
    assert journal.healthy
    await put(journal, 2)
    assert numbers(tmp_path) == [1, 2]
    assert chained(tmp_path)
    await journal.close()


async def test_an_entry_that_readers_could_not_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.journal.file.MAX_LINE", 5000)
    journal = Journal(tmp_path)
    await put(journal, 1)
    with pytest.raises(StoreError, match="too large to record"):
        await put(journal, 2, size=6000)
    await put(journal, 3)
    assert numbers(tmp_path) == [1, 3]
    assert chained(tmp_path)
    await journal.close()


async def test_entries_are_refused_when_too_many_wait_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.journal.file.PENDING_BYTES", 10_000)
    journal = Journal(tmp_path)
    futures = [put(journal, n, size=4000) for n in range(10)]
    results = await asyncio.gather(*futures, return_exceptions=True)
    assert [type(result) for result in results] == [type(None)] * 3 + [StoreError] * 7
    await put(journal, 99)
    assert numbers(tmp_path) == [0, 1, 2, 99]
    await journal.close()


# A full or broken disk


async def test_a_short_write_leaves_no_half_entry(tmp_path: Path) -> None:
    disk = FakeDisk()
    journal = Journal(tmp_path, opener=disk.open, **FAST)
    await put(journal, 1)
    disk.room = 100
    with pytest.raises(StoreError, match="No space left"):
        await put(journal, 2)
    assert not journal.healthy
    assert numbers(tmp_path) == [1]
    assert (journal.segment.journal(tmp_path)).read_bytes().endswith(b"\n")
    with pytest.raises(StoreError, match="No space left"):
        await put(journal, 3)
    with pytest.raises(StoreError, match="No space left"):
        journal.note("chunk", None, {"n": 4})
    disk.room = None
    await recovered(journal)
    await put(journal, 5)
    await journal.close()
    assert numbers(tmp_path) == [1, 5]
    assert chained(tmp_path)
    assert len(disk.opened) == 1
    told = next(line.entry.body for line in lines(tmp_path) if line.entry.kind == "admin")
    assert (told["event"], told["lost"]) == ("journal_recovered", 3)


async def test_a_disk_that_takes_less_than_asked_but_goes_on_is_fine(tmp_path: Path) -> None:
    disk = FakeDisk()
    journal = Journal(tmp_path, opener=disk.open)
    disk.room = 50

    class Dribble:
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

        def write(self, data: bytes | memoryview) -> int:
            disk.room = 33
            return int(self.inner.write(data))

    journal._file = Dribble(journal._file)
    await put(journal, 1)
    assert numbers(tmp_path) == [1]
    await journal.close()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EFBIG, errno.EACCES])
async def test_any_refusal_of_the_disk_refuses_the_entries_of_the_group(tmp_path: Path, number: int) -> None:
    disk = FakeDisk()
    journal = Journal(tmp_path, opener=disk.open, **FAST)
    await put(journal, 1)
    disk.write_error = number
    results = await asyncio.gather(*[put(journal, n) for n in (2, 3, 4)], return_exceptions=True)
    assert all(isinstance(result, StoreError) for result in results)
    await asyncio.sleep(0.03)
    assert not journal.healthy
    disk.write_error = 0
    await recovered(journal)
    await put(journal, 5)
    await journal.close()
    assert numbers(tmp_path) == [1, 5]
    assert chained(tmp_path)


async def test_after_a_failed_fsync_the_file_is_given_up_for_a_new_chain(tmp_path: Path) -> None:
    disk = FakeDisk()
    journal = Journal(tmp_path, opener=disk.open, **FAST)
    await put(journal, 1)
    first = journal.chain
    disk.sync_error = errno.EIO
    journal.note("chunk", None, {"n": 2})
    with pytest.raises(StoreError, match="Input/output error"):
        await put(journal, 3)
    await asyncio.sleep(0.03)
    disk.sync_error = 0
    await recovered(journal)
    assert journal.chain > first
    await put(journal, 4)
    await journal.close()
    assert numbers(tmp_path) == [1, 4]
    assert chained(tmp_path)
    opening = [line.entry.body["after"] for line in lines(tmp_path) if line.entry.seq == 0]
    assert opening[:2] == [None, {"chain": first, "seq": 0}]


async def test_entries_that_wait_behind_a_failed_fsync_are_refused_too(tmp_path: Path) -> None:
    disk = FakeDisk()
    journal = Journal(tmp_path, opener=disk.open, **FAST)
    disk.sync_error = errno.EIO
    early = put(journal, 1)
    await asyncio.sleep(0)
    late = put(journal, 2)
    results = await asyncio.gather(early, late, return_exceptions=True)
    assert [type(result) for result in results] == [StoreError, StoreError]
    disk.sync_error = 0
    await recovered(journal)
    await journal.close()
    assert numbers(tmp_path) == []


async def test_a_file_that_cannot_be_cut_back_is_not_written_again(tmp_path: Path) -> None:
    disk = FakeDisk()
    journal = Journal(tmp_path, opener=disk.open, **FAST)
    await put(journal, 1)
    first = journal.chain
    disk.room, disk.truncate_error = 100, errno.EIO
    with pytest.raises(StoreError):
        await put(journal, 2)
    disk.room, disk.open_error = None, errno.EACCES
    await asyncio.sleep(0.03)
    assert not journal.healthy
    disk.open_error = disk.truncate_error = 0
    await recovered(journal)
    await put(journal, 3)
    await journal.close()
    assert numbers(tmp_path) == [1, 3]
    assert chained(tmp_path)
    torn = min(tmp_path.glob("*.ndjson")).read_bytes()
    assert first in torn.decode()
    assert not torn.endswith(b"\n")


async def test_a_chain_of_which_nothing_was_kept_is_not_followed(tmp_path: Path) -> None:
    disk = FakeDisk()
    journal = Journal(tmp_path, opener=disk.open, **FAST)
    disk.sync_error = errno.EIO
    with pytest.raises(StoreError):
        await put(journal, 1)
    disk.sync_error = 0
    await recovered(journal)
    await journal.close()
    assert [line.entry.body["after"] for line in lines(tmp_path)] == [None]


async def test_recovery_waits_for_space_and_not_only_for_luck(tmp_path: Path) -> None:
    disk = FakeDisk()
    journal = Journal(tmp_path, opener=disk.open, probe_seconds=0.005, probe_bytes=1)
    disk.room = 0
    with pytest.raises(StoreError):
        await put(journal, 1)
    disk.room = 60
    await asyncio.sleep(0.05)
    assert not journal.healthy
    assert lines(tmp_path) == []
    disk.room = None
    await recovered(journal)
    await journal.close()


async def test_nobody_is_told_of_a_failure_that_was_ignored(tmp_path: Path) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    disk = FakeDisk()
    journal = Journal(tmp_path, opener=disk.open, **FAST)
    disk.write_error = errno.ENOSPC
    put(journal, 1)
    await asyncio.sleep(0.01)
    put(journal, 2)
    put(journal, 3)
    disk.write_error = 0
    await journal.close()
    put(journal, 4)
    gc.collect()
    await asyncio.sleep(0)
    assert complaints == []


# Turning over


async def test_a_full_file_is_marked_and_the_chain_goes_on_in_the_next(tmp_path: Path) -> None:
    turned: list[int] = []
    journal = Journal(tmp_path, segment_bytes=3000, turned=lambda: turned.append(1))
    for n in range(60):
        await put(journal, n)
    await journal.close()
    found = segments(tmp_path)
    assert len(found) == len(turned) + 1 > 5
    assert [segment.number for segment in found] == list(range(len(found)))
    assert numbers(tmp_path) == list(range(60))
    assert chained(tmp_path)
    for segment in found:
        mark = read_mark(segment.mark(tmp_path))
        raw = segment.journal(tmp_path).read_bytes()
        last = entry.read(raw.split(b"\n")[-2] + b"\n") if raw else None
        assert mark is not None
        assert mark.size == len(raw)
        assert last is None or (mark.head.seq, mark.head.hash) == (last.entry.seq, last.hash)


async def test_entries_appended_while_the_file_turns_are_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=2000)

    async def caller(start: int) -> None:
        for n in range(start, start + 50):
            await put(journal, n)

    await asyncio.gather(*[caller(base) for base in range(0, 400, 50)])
    journal.note("chunk", None, {"n": 400})
    await journal.close()
    assert sorted(numbers(tmp_path)) == list(range(401))
    assert chained(tmp_path)


async def test_a_file_is_turned_over_by_age_and_by_day(tmp_path: Path) -> None:
    now = [86_400.0 * 20_000 + 86_300]
    journal = Journal(tmp_path, clock=lambda: now[0], segment_seconds=50)
    for step in (0.0, 60.0, 10.0, 35.0, 5.0):
        now[0] += step
        await put(journal, 0)
    await put(journal, 0)
    await journal.close()
    assert journal.segment.number == 2


async def test_when_no_new_file_can_be_opened_the_old_one_goes_on(tmp_path: Path) -> None:
    now = [1000.0]
    disk = FakeDisk()
    journal = Journal(tmp_path, clock=lambda: now[0], opener=disk.open, segment_bytes=1000)
    disk.open_error = errno.ENOSPC
    for n in range(6):
        await put(journal, n, size=1000)
    assert journal.healthy
    disk.open_error = 0
    now[0] += 10
    await put(journal, 6)
    await put(journal, 7)
    await journal.close()
    assert len(disk.opened) == 2
    assert numbers(tmp_path) == list(range(8))
    assert chained(tmp_path)


# Starting and ending


async def test_a_boot_follows_the_last_entry_of_the_boot_before(tmp_path: Path) -> None:
    heads = []
    for _ in range(3):
        journal = Journal(tmp_path)
        await put(journal, 1)
        await journal.close()
        heads.append(lines(tmp_path)[-1])
    opening = [line for line in lines(tmp_path) if line.entry.seq == 0]
    assert [line.entry.prev for line in opening] == [entry.NONE, heads[0].hash, heads[1].hash]


async def test_a_boot_after_a_kill_follows_the_last_whole_line(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    await put(journal, 1)
    await put(journal, 2)
    path = journal.segment.journal(tmp_path)
    await journal.close()
    raw = path.read_bytes()
    path.write_bytes(raw[:-20])
    after = Journal(tmp_path)
    await put(after, 3)
    await after.close()
    assert numbers(tmp_path) == [1, 3]
    assert lines(tmp_path)[-1].entry.prev == lines(tmp_path)[0].hash


async def test_a_boot_after_sealing_follows_the_mark(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    await put(journal, 1)
    await journal.close()
    head = lines(tmp_path)[-1]
    journal.segment.journal(tmp_path).write_bytes(b"")
    after = Journal(tmp_path)
    await put(after, 2)
    await after.close()
    assert lines(tmp_path)[0].entry.prev == head.hash


async def test_an_end_that_cannot_be_read_is_not_followed(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    await put(journal, 1)
    await journal.close()
    journal.segment.journal(tmp_path).write_bytes(b"x" * 200_000)
    journal.segment.mark(tmp_path).write_bytes(b"{}")
    after = Journal(tmp_path)
    await put(after, 2)
    await after.close()
    assert entry.read(after.segment.journal(tmp_path).read_bytes()).entry.body["after"] is None


async def test_two_gateways_do_not_share_a_worker(tmp_path: Path) -> None:
    journal = Journal(tmp_path / ".")
    with pytest.raises(ConfigurationError, match="another gateway is writing"):
        Journal(tmp_path)
    other = Journal(tmp_path, worker="1")
    await journal.close()
    await other.close()
    again = Journal(tmp_path)
    await again.close()


def test_a_directory_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file") as caught:
        Journal(tmp_path / "missing")
    assert "\n" not in caught.value.line()
    disk = FakeDisk()
    disk.open_error = errno.EROFS
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="Read-only file system"):
            Journal(tmp_path, opener=disk.open)


@pytest.mark.parametrize("worker", ["", "A", "a-b", "x" * 17, "../x", "a\n"])
def test_a_worker_has_a_name_that_fits_in_a_file_name(tmp_path: Path, worker: str) -> None:
    with pytest.raises(ConfigurationError, match="a worker is named by"):
        Journal(tmp_path, worker=worker)


async def test_a_closed_journal_takes_nothing_and_closes_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    pending = put(journal, 1)
    await asyncio.gather(journal.close(), journal.close())
    assert pending.done()
    await journal.close()
    assert not journal.healthy
    with pytest.raises(StoreError, match="closed"):
        await put(journal, 2)
    assert numbers(tmp_path) == [1]


async def test_a_journal_that_never_wrote_closes(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    await journal.close()
    assert read_mark(journal.segment.mark(tmp_path)) is not None


async def test_closing_in_trouble_leaves_the_file_for_the_next_start(tmp_path: Path) -> None:
    disk = FakeDisk()
    journal = Journal(tmp_path, opener=disk.open, probe_seconds=0.001, probe_bytes=1)
    await put(journal, 1)
    disk.write_error = errno.ENOSPC
    with pytest.raises(StoreError):
        await put(journal, 2)
    await asyncio.sleep(0.02)
    await journal.close()
    assert read_mark(journal.segment.mark(tmp_path)) is None
    await asyncio.sleep(0.02)
    assert numbers(tmp_path) == [1]


@pytest.mark.parametrize("turns", range(6))
async def test_closing_while_it_recovers_is_clean(tmp_path: Path, turns: int) -> None:
    disk = FakeDisk()
    journal = Journal(tmp_path, opener=disk.open, probe_seconds=0, probe_bytes=1)
    disk.sync_error = errno.EIO
    with pytest.raises(StoreError):
        await put(journal, 1)
    disk.sync_error = 0
    for _ in range(turns):
        await asyncio.sleep(0)
    await journal.close()
    again = Journal(tmp_path)
    await put(again, 2)
    await again.close()
    assert numbers(tmp_path) == [2]
    assert chained(tmp_path)


async def test_a_mark_that_cannot_be_written_is_not_half_there(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    await put(journal, 1)
    mark = journal.segment.mark(tmp_path)
    mark.mkdir()
    await journal.close()
    assert list(tmp_path.glob(".*done*")) == []
    assert read_mark(mark) is None


# Real disks


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A directory of 1 MB: a tmpfs of its own."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = (
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], check=False).returncode == 0
    )
    yield place
    if mounted:
        subprocess.run(["umount", "-l", str(place)], check=True)


async def fill(journal: Journal) -> int:
    """Appends until the disk refuses; how many entries it took."""
    for n in range(2000):
        try:
            await put(journal, n, size=4000)
        except StoreError:
            return n
    raise AssertionError("the disk never filled up")


@pytest.mark.root
async def test_a_disk_that_is_really_full_refuses_and_recovers_when_there_is_space(small: Path) -> None:
    ballast = small / "ballast"
    ballast.write_bytes(bytes(500_000))
    journal = Journal(small, probe_seconds=0.02)
    taken = await fill(journal)
    assert numbers(small) == list(range(taken))
    assert 50 < taken < 130
    await asyncio.sleep(0.1)
    assert not journal.healthy
    ballast.unlink()
    await recovered(journal)
    await put(journal, 5000)
    await journal.close()
    assert numbers(small) == [*range(taken), 5000]
    assert chained(small)


async def test_a_file_that_may_not_grow_is_followed_by_another(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    journal = Journal(tmp_path, probe_seconds=0.02)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, limits[1]))
    try:
        taken = await fill(journal)
        assert numbers(tmp_path) == list(range(taken))
        await recovered(journal)
        await put(journal, 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    await journal.close()
    assert numbers(tmp_path) == [*range(taken), 5000]
    assert len(segments(tmp_path)) == 2
    assert chained(tmp_path)


async def test_a_journal_whose_file_was_removed_says_so_and_begins_a_new_one(tmp_path: Path) -> None:
    journal = Journal(tmp_path, **FAST)
    await put(journal, 1)
    journal.segment.journal(tmp_path).unlink()
    with pytest.raises(StoreError, match="removed"):
        await put(journal, 2)
    await recovered(journal)
    await put(journal, 3)
    await journal.close()
    assert numbers(tmp_path) == [3]
