"""One thread that does blocking work for an event loop, a job at a time, in order."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

from penstock.journal.disk import File

type Work = Callable[[], File | None]
type Then = Callable[[File | None, OSError | None], None]


class DiskThread:
    """Runs `work` in the thread and then, in the loop, `then` with what it returned or the OSError it raised."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._jobs: SimpleQueue[tuple[Work, Then] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="penstock-journal", daemon=True)
        self._thread.start()

    def do(self, work: Work, then: Then) -> None:
        self._jobs.put((work, then))

    def stop(self) -> None:
        """Ends the thread when it has done what was asked, and waits for that."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            work, then = job
            found, problem = None, None
            try:
                found = work()
            except OSError as error:
                problem = error
            with contextlib.suppress(RuntimeError):  # the loop was closed without closing the journal
                self._loop.call_soon_threadsafe(then, found, problem)
