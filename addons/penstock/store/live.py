"""The store of a running gateway: its journal, and the process that seals what the journal leaves behind."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import penstock
from penstock.journal.file import Journal
from penstock.store.layout import Layout, layout
from penstock.store.plan import plan

TEND_SECONDS: Final = 30.0
"""How often to look whether something is due, beside each rotation."""
GRACE_SECONDS: Final = 2.0

logger = logging.getLogger(__name__)


class Store:
    """What `open_store` gives. The journal takes entries at once; `start` begins to tend the rest."""

    def __init__(self, place: Layout, journal: Journal, wake: asyncio.Event) -> None:
        self.layout = place
        self.journal = journal
        self._wake = wake
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Makes audit.duckdb and seals what earlier boots left, in the background; to be called in the running loop."""
        if self._task is None:
            self._wake.set()
            self._task = asyncio.get_running_loop().create_task(self._tend(), name="penstock-store")

    async def close(self) -> None:
        """Closes the journal, durably, and ends the sealing. Safe to call twice."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        await self.journal.close()

    async def _tend(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), TEND_SECONDS)
            self._wake.clear()
            try:
                if await asyncio.to_thread(self._due):
                    await self._run()
            except OSError as error:  # a full disk: the journal says so too; sealing waits for the next round
                logger.error("the audit cannot be tended: %s", error.strerror or error)  # noqa: TRY400

    def _due(self) -> bool:
        return not self.layout.current() or bool(plan(self.layout, time.time()))

    async def _run(self) -> None:
        """One pass, in a process of its own, which never takes the gateway's time and outlives nobody's interrupt."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "penstock.store.seal",
            str(self.layout.data),
            env=environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            _, problem = await process.communicate()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), GRACE_SECONDS)
            raise
        for line in problem.decode("utf-8", "replace").splitlines()[-5:]:
            logger.error("sealing: %s", line)


def environment() -> dict[str, str]:
    """The environment of a Python process that finds this package, installed or not."""
    home = str(Path(penstock.__file__).parent.parent)
    known = os.environ.get("PYTHONPATH", "")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([home, known] if known else [home])}


def open_store(data: Path, *, worker: str = "0", clock: Callable[[], float] = time.time, fsync: bool = True) -> Store:
    """The store at `data`, made when it is not there, with a new chain of `worker` begun in its journal.

    Raises: ConfigurationError in one line when it cannot be written, another version of Penstock laid it out, or
    another process writes to it as the same worker.
    """
    place = layout(data)
    place.prepare()
    wake = asyncio.Event()
    journal = Journal(place.journal, worker=worker, clock=clock, fsync=fsync, turned=wake.set)
    return Store(place, journal, wake)
