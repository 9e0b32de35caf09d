"""The journal of one worker: entries are chained and written by the event loop, and made durable in groups by a thread.

While nothing is under way an entry is committed at once. While the disk is busy entries gather, and the next write and
fsync cover them all. An entry that could not be made durable leaves no trace: the file is cut back to the last good
line, or given up for a new chain in a new file, and nothing is taken until the disk takes a probe again.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from penstock.errors import ConfigurationError, StoreError
from penstock.exchange import JsonObject
from penstock.journal.chain import Chain, Head, chain_id
from penstock.journal.disk import Appended, File, Opener, hold, probe
from penstock.journal.entry import KINDS, MAX_LINE
from penstock.journal.segment import Mark, Segment, head, newest, write_mark
from penstock.journal.thread import DiskThread

SEGMENT_BYTES: Final = 32 * 1024 * 1024
"""A file is turned over at this size: readers parse what is not sealed yet, 0.1 s for a file of this size."""
SEGMENT_SECONDS: Final = 3600.0
PENDING_BYTES: Final = 2 * MAX_LINE
"""Entries are refused while this much waits for the disk."""
PROBE_SECONDS: Final = 0.5
PROBE_BYTES: Final = 256 * 1024
"""Free space that there must be before a journal that failed is taken to be well again."""
LAG_SECONDS: Final = 0.05
"""How long a noted entry, for which nobody waits, may stay without fsync (it is written at once)."""
TURN_AGAIN_SECONDS: Final = 5.0
"""After a new file could not be opened; the old one goes on meanwhile."""


class Journal:
    """The append-only record of one worker. All methods belong to one event loop."""

    def __init__(
        self,
        directory: Path,
        *,
        worker: str = "0",
        clock: Callable[[], float] = time.time,
        random: Callable[[int], bytes] = os.urandom,
        fsync: bool = True,
        segment_bytes: int = SEGMENT_BYTES,
        segment_seconds: float = SEGMENT_SECONDS,
        probe_seconds: float = PROBE_SECONDS,
        probe_bytes: int = PROBE_BYTES,
        lag_seconds: float = LAG_SECONDS,
        opener: Opener = Appended,
        turned: Callable[[], None] = lambda: None,
    ) -> None:
        """Opens a new chain in a new file; `turned` is called after each rotation.

        Raises: ConfigurationError when the directory cannot be written, or another process writes there as this worker.
        """
        if not re.fullmatch(r"[a-z0-9]{1,16}", worker):
            raise ConfigurationError(f"a worker is named by 1 to 16 of a-z and 0-9, not {worker!r}")
        self.directory = directory
        self.worker = worker
        self._clock = clock
        self._random = random
        self._fsync = fsync
        self._segment_bytes = segment_bytes
        self._segment_seconds = segment_seconds
        self._probe_seconds = probe_seconds
        self._probe_bytes = probe_bytes
        self._lag_seconds = lag_seconds
        self._opener = opener
        self._turned = turned

        self._lines: list[bytes] = []
        self._line_bytes = 0
        self._waiting: list[asyncio.Future[None]] = []
        """Who waits for what is in `_lines`, or was written since the last fsync began."""
        self._syncing: list[asyncio.Future[None]] = []
        """Who waits for the fsync that is under way."""
        self._busy = False
        """The thread has work: nothing is written meanwhile."""
        self._scheduled = False
        self._lag: asyncio.TimerHandle | None = None
        self._trouble: StoreError | None = None
        self._since = 0.0
        self._lost = 0
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: DiskThread
        self._lock = -1
        self._size = self._durable = 0
        """Bytes of whole lines in the file, and those of them that are durable; `_good` and `_last` are their heads."""
        try:
            self._lock = hold(directory / f"{worker}.lock", busy=f"another gateway is writing to {directory.parent}")
            self._file: File | None = self._begin(head(directory, worker))
        except OSError as error:
            if self._lock >= 0:
                os.close(self._lock)
            raise ConfigurationError(f"{directory}: the journal cannot be opened: {error.strerror}") from None

    @property
    def healthy(self) -> bool:
        """False from a failed write until a probe went well, and after `close`."""
        return self._trouble is None and not self._closed

    @property
    def chain(self) -> str:
        return self._chain.id

    @property
    def segment(self) -> Segment:
        """The file that is being written."""
        return self._segment

    # Appending

    def append(
        self, kind: str, exchange: str | None, body: JsonObject, payload: JsonObject | None = None
    ) -> asyncio.Future[None]:
        """Chains an entry; the future is done when it is durable, or failed with StoreError, which may be ignored.

        The values are read before this returns. When the entry is refused at once, the future has failed already.
        """
        future = (self._loop or self._bind()).create_future()
        refused = self._take(kind, exchange, body, payload)
        if refused is None:
            self._waiting.append(future)
        else:
            _fail(future, refused)
        return future

    def note(self, kind: str, exchange: str | None, body: JsonObject, payload: JsonObject | None = None) -> None:
        """As `append` where nobody waits, which saves an fsync: written with this turn of the loop, durable with the
        next group or 50 ms later. Raises: StoreError when it is refused at once."""
        if self._loop is None:
            self._bind()
        refused = self._take(kind, exchange, body, payload)
        if refused is not None:
            raise refused

    def _take(self, kind: str, exchange: str | None, body: JsonObject, payload: JsonObject | None) -> StoreError | None:
        if self._trouble is not None:
            self._lost += 1
            return self._trouble
        if self._closed:
            return StoreError("the journal is closed")
        if kind not in KINDS:
            return StoreError(f"the journal has no entries of kind {kind!r}")
        if self._line_bytes > PENDING_BYTES:
            return StoreError("the disk does not keep up with the journal")
        before = self._chain.head
        try:
            line = self._chain.extend(self._clock(), kind, exchange, body, payload)
        except (TypeError, UnicodeError) as error:
            return StoreError(f"the entry cannot be written as JSON: {error}")
        if len(line) > MAX_LINE:
            self._chain.rewind(before)
            return StoreError(f"an entry of {len(line)} bytes is too large to record (at most {MAX_LINE})")
        self._lines.append(line)
        self._line_bytes += len(line)
        self._schedule()
        return None

    def _bind(self) -> asyncio.AbstractEventLoop:
        self._loop = asyncio.get_running_loop()
        self._thread = DiskThread(self._loop)
        return self._loop

    def _schedule(self) -> None:
        if not self._scheduled and not self._busy:
            assert self._loop is not None
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        """Writes what gathered in one write, and has it made durable if somebody waits."""
        self._scheduled = False
        if self._busy or (self._lines and not self._write()):
            return
        if not self._fsync:
            self._made_durable()
        elif self._waiting:
            self._sync()
        elif self._size > self._durable and self._lag is None:
            assert self._loop is not None
            self._lag = self._loop.call_later(self._lag_seconds, self._lagged)

    def _lagged(self) -> None:
        self._lag = None
        if not self._busy and self._file is not None and (not self._lines or self._write()):
            self._sync()

    def _write(self) -> bool:
        assert self._file is not None
        data = self._lines[0] if len(self._lines) == 1 else b"".join(self._lines)
        try:
            done = self._file.write(data)
            while done < len(data):
                done += self._file.write(memoryview(data)[done:])
        except OSError as error:
            # EFBIG is the file's own limit: there may be room in another one.
            self._give_up(error, keep=error.errno != errno.EFBIG)
            return False
        self._lines.clear()
        self._line_bytes = 0
        self._size += len(data)
        self._good = self._chain.head
        return True

    # Making durable

    def _sync(self) -> None:
        if self._lag is not None:
            self._lag.cancel()
            self._lag = None
        if self._size == self._durable:
            _release(self._waiting)
            return
        assert self._file is not None
        self._syncing, self._waiting = self._waiting, []
        self._do(self._file.sync, self._synced)

    def _synced(self, _: File | None, error: OSError | None) -> None:
        self._busy = False
        if error is not None:
            self._give_up(error, keep=False)
        else:
            self._made_durable()

    def _made_durable(self) -> None:
        """All that was written is durable. The next group goes out before those who waited for this one wake up."""
        self._durable, self._last = self._size, self._good
        done = self._syncing if self._fsync else self._waiting
        if self._due():
            self._turn()
        elif self._fsync and (self._lines or self._waiting):
            self._flush()
        _release(done)

    def _do(self, work: Callable[[], File | None], then: Callable[[File | None, OSError | None], None]) -> None:
        self._busy = True
        self._thread.do(work, then)

    # Turning over

    def _begin(self, after: Head | None) -> File:
        """A new chain in a new file. Raises: OSError, and nothing has changed."""
        now = self._clock()
        latest = newest(self.directory, self.worker)
        chain = Chain(chain_id(now, latest.chain if latest is not None else ""), random=self._random, after=after)
        segment = Segment(self.worker, chain.id, 0)
        file = self._opener(segment.journal(self.directory))
        self._chain, self._segment = chain, segment
        self._good = self._last = chain.head
        self._fresh()
        return file

    def _fresh(self) -> None:
        self._opened = self._clock()
        self._turn_after = 0.0
        self._size = self._durable = 0

    def _due(self) -> bool:
        now = self._clock()
        if self._closed or self._size == 0 or now < self._turn_after:
            return False
        return (
            self._size >= self._segment_bytes
            or now - self._opened >= self._segment_seconds
            or now // 86400 != self._opened // 86400
        )

    def _turn(self) -> None:
        """Goes on in the next file of the chain; when that cannot be opened, in this one, and tries again later."""
        following = Segment(self.worker, self._chain.id, self._segment.number + 1)
        file, mark, end = self._file, self._segment.mark(self.directory), Mark(self._last, self._durable)

        def work() -> File:
            fresh = self._opener(following.journal(self.directory))
            _finish(file, mark, end)
            return fresh

        self._do(work, partial(self._turned_over, following))

    def _turned_over(self, following: Segment, fresh: File | None, _: OSError | None) -> None:
        self._busy = False
        if fresh is not None:
            self._file, self._segment = fresh, following
            self._fresh()
            self._turned()
        else:
            self._turn_after = self._clock() + TURN_AGAIN_SECONDS
        if self._lines or self._waiting:
            self._flush()

    # Trouble

    def _give_up(self, error: OSError, *, keep: bool) -> None:
        """Refuses what waits, and cuts the file back to what stands; `keep`: the file itself may still be good."""
        assert self._loop is not None and self._file is not None
        size, stands = (self._size, self._good) if keep else (self._durable, self._last)
        if self._trouble is None:
            self._since, self._lost = self._clock(), self._chain.head.seq - stands.seq
        self._trouble = StoreError(f"the journal cannot be written: {error.strerror or error}")
        self._lines.clear()
        self._line_bytes = 0
        try:
            self._file.truncate(size)
        except OSError:
            keep = False
        if keep:
            self._chain.rewind(stands)
        else:
            # What stands after the last durable entry was never acknowledged, and nothing is put behind it.
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None
        for future in (*self._syncing, *self._waiting):
            _fail(future, self._trouble)
        self._syncing.clear()
        self._waiting.clear()
        self._loop.call_later(self._probe_seconds, self._probe)

    def _probe(self) -> None:
        assert self._loop is not None
        if self._busy:
            self._loop.call_later(self._probe_seconds, self._probe)
        elif not self._closed:
            after = self._last if self._last.seq >= 0 else self._chain.after
            self._do(partial(self._try, after), self._probed)

    def _try(self, after: Head | None) -> File | None:
        probe(self.directory / f".{self.worker}.probe", self._probe_bytes)
        return self._begin(after) if self._file is None else None

    def _probed(self, fresh: File | None, error: OSError | None) -> None:
        """There is space again: the proof is an entry that says what was lost."""
        assert self._loop is not None
        self._busy = False
        if fresh is not None:
            self._file = fresh
        if self._closed:
            return
        if error is not None:
            self._loop.call_later(self._probe_seconds, self._probe)
            return
        body: JsonObject = {
            "event": "journal_recovered",
            "by": None,
            "reason": str(self._trouble),
            "since": self._since,
            "lost": self._lost,
        }
        self._lines.append(self._chain.extend(self._clock(), "admin", None, body))
        if self._write():
            assert self._file is not None
            self._do(self._file.sync, self._recovered)

    def _recovered(self, _: File | None, error: OSError | None) -> None:
        if error is None:
            self._trouble = None
        self._synced(None, error)

    # The end

    async def close(self) -> None:
        """Makes durable what was appended, and marks the file as done. Never raises; safe to call twice."""
        if self._closed:
            return
        loop = self._loop or self._bind()
        self._closed = True
        if self._trouble is None:
            drained = loop.create_future()
            self._waiting.append(drained)
            self._schedule()
            with contextlib.suppress(StoreError):
                await drained
        ended = loop.create_future()
        # Behind whatever the thread still does: a probe may be about to open a file.
        self._thread.do(lambda: None, lambda *_: ended.set_result(None))
        await ended
        _finish(
            self._file,
            self._segment.mark(self.directory),
            Mark(self._last, self._durable) if self._trouble is None else None,
        )
        self._thread.stop()
        os.close(self._lock)


def _finish(file: File | None, mark: Path, end: Mark | None) -> None:
    """Closes a file that is done. Without its mark it is an orphan, which is sealed all the same."""
    with contextlib.suppress(OSError):
        if end is not None:
            write_mark(mark, end)
    with contextlib.suppress(OSError):
        if file is not None:
            file.close()


def _release(futures: list[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)
    futures.clear()


def _fail(future: asyncio.Future[None], error: StoreError) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # seen: who ignores the future is not told of it when it is collected
