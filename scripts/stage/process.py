"""A child process on loopback: started with a log of its own, waited for until it is ready, ended by its id."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Self

ROOT: Final = Path(__file__).resolve().parents[2]
_LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None
_SET_PARENT_DEATH_SIGNAL: Final = 1  # prctl(2), PR_SET_PDEATHSIG


class ProcessError(RuntimeError):
    """A child process did not start, or ended before its time; the message ends with the tail of its log."""


class Child:
    """A running child process. Ends when told to, when its `with` block is left, and when its parent dies.

    Start it from a thread that lives as long as it should: to Linux, the parent is the thread that forked.
    """

    def __init__(
        self, name: str, command: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None, cwd: Path = ROOT
    ) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as sink:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env=environment(env),
                cwd=cwd,
                start_new_session=True,
                preexec_fn=_end_with_parent if _LIBC else None,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Exit status, or None while it runs."""
        return self._process.poll()

    def output(self) -> str:
        """All that it has printed so far."""
        return self.log.read_text("utf-8", "replace")

    def wait_until[T](self, ready: Callable[[], T | None], *, seconds: float = 20.0) -> T:
        """Poll `ready` until it returns something true; ProcessError when the process ends or time runs out."""
        deadline = time.monotonic() + seconds
        pause = 0.005
        while True:
            if self.returncode is not None:
                raise self._failure(f"ended with status {self.returncode} before it was ready")
            if found := ready():
                return found
            if time.monotonic() > deadline:
                raise self._failure(f"was not ready after {seconds:g} s")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.1)

    def wait(self, *, seconds: float = 20.0) -> int:
        """Wait for it to end by itself and return its exit status."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise self._failure(f"was still running after {seconds:g} s") from None

    def signal(self, number: signal.Signals) -> None:
        if self.returncode is None:
            self._process.send_signal(number)

    def stop(self, *, grace: float = 5.0) -> int:
        """Ask it to end (SIGTERM), then make it (SIGKILL, to its whole process group); returns the exit status."""
        self.signal(signal.SIGTERM)
        try:
            return self._process.wait(grace)
        except subprocess.TimeoutExpired:
            return self.kill()
        finally:
            self._sweep()

    def kill(self) -> int:
        """End it at once, with everything it started."""
        self._sweep()
        self.signal(signal.SIGKILL)
        return self._process.wait(10)

    def _sweep(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def _failure(self, what: str) -> ProcessError:
        tail = "\n".join(self.output().splitlines()[-30:])
        return ProcessError(f"{self.name} {what}; the end of its log ({self.log}):\n{tail}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment with the checkout importable, whatever the current folder, and `extra` on top."""
    path = os.pathsep.join((str(ROOT), str(ROOT / "addons")))
    return {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **(extra or {})}


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of the checkout with this interpreter."""
    return [sys.executable, "-m", module, *arguments]


def _end_with_parent() -> None:
    assert _LIBC is not None
    _LIBC.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
