"""Child processes: ready when they say so, told about when they fail, gone when they should be."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from scripts.stage.port import free_port, listens
from scripts.stage.process import Child, ProcessError
from tests.e2e.people import eventually


def script(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def alive(pid: int) -> bool:
    """Whether the process runs; one that nobody has waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_it_is_ended_with_everything_it_started(tmp_path: Path) -> None:
    starts = "import subprocess, time; print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"
    with Child("parent", script(starts), log=tmp_path / "log") as child:
        grandchild = int(child.wait_until(lambda: child.output().strip() or None))
        assert alive(grandchild)

    assert child.returncode == -signal.SIGTERM
    eventually(lambda: not alive(grandchild))


def test_one_that_does_not_listen_to_sigterm_is_killed(tmp_path: Path) -> None:
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
    )
    child = Child("deaf", script(deaf), log=tmp_path / "log")
    child.wait_until(lambda: "ready" in child.output())

    assert child.stop(grace=0.2) == -signal.SIGKILL


def test_one_that_fails_is_shown_with_the_end_of_its_log(tmp_path: Path) -> None:
    child = Child("broken", script("raise SystemExit('the wheel is stuck')"), log=tmp_path / "log")
    with pytest.raises(ProcessError, match=r"(?s)broken ended with status 1 before it was ready.*the wheel is stuck"):
        child.wait_until(lambda: None)
    assert child.stop() == 1


def test_one_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    with (
        Child("slow", ["sleep", "60"], log=tmp_path / "log") as child,
        pytest.raises(ProcessError, match="was not ready after"),
    ):
        child.wait_until(lambda: None, seconds=0.1)


def test_it_does_not_outlive_a_parent_that_is_killed(tmp_path: Path) -> None:
    text = (
        "import sys, time; from pathlib import Path; from scripts.stage.process import Child\n"
        f"child = Child('sleep', ['sleep', '60'], log=Path({str(tmp_path / 'inner')!r}))\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    parent = Child("parent", script(text), log=tmp_path / "log")
    grandchild = int(parent.wait_until(lambda: parent.output().strip() or None))
    os.kill(parent.pid, signal.SIGKILL)

    assert parent.wait() == -signal.SIGKILL
    eventually(lambda: not alive(grandchild))


def test_free_ports_differ_and_are_free() -> None:
    ports = {free_port() for _ in range(20)}

    assert len(ports) == 20
    assert not any(listens(port) for port in ports)
