"""The demo, run as a person runs it."""

from __future__ import annotations

import signal
import socket
import subprocess
from pathlib import Path

import pytest

from scripts.model.answers import ANSWERS, CARD, EMAIL
from scripts.model.llama_server import start_llama
from scripts.model.tiny_gguf import write_model
from scripts.stage.port import free_port
from scripts.stage.process import Child, environment, python
from tests.e2e.people import Audit, eventually

MODULE = "scripts.walkthrough"


def run(*options: str) -> subprocess.CompletedProcess[str]:
    """The demo with a gateway on a port of its own, to its end."""
    command = python(MODULE, "--once", "--port", str(free_port()), *options)
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment(), check=False)


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(one) for one in found]


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_it_walks_through_everything_and_keeps_the_audit(tmp_path: Path) -> None:
    ran = run("--keep-data", str(tmp_path / "kept"))

    assert ran.returncode == 0, ran.stdout + ran.stderr
    for shown in (
        "Water turns the wheel",
        "[EMAIL]",
        "[CREDIT_CARD]",
        "status 403",
        "is approved",
        "curl -sN",
        "TOKEN=",
    ):
        assert shown in ran.stdout
    received = next(line for line in ran.stdout.splitlines() if line.startswith("alice receives"))
    assert EMAIL not in received.replace("|", "") and CARD not in received.replace("|", "")
    rows = Audit(tmp_path / "kept/audit.duckdb").rows("SELECT verdict FROM exchanges WHERE operation = 'chat'")
    assert sorted(row["verdict"] for row in rows) == ["allow", "allow", "allow", "deny"]
    assert "Traceback" not in ran.stdout + ran.stderr


def test_it_stands_in_front_of_a_model_server_that_is_there_already(tmp_path: Path) -> None:
    model = write_model(tmp_path / "other.gguf", ANSWERS)
    with start_llama(model, alias="other:7b", log=tmp_path / "log") as server:
        ran = run("--upstream", server.url)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "model other:7b" in ran.stdout
    assert EMAIL not in ran.stdout.replace("|", "")


def test_ctrl_c_ends_it_and_everything_it_started(tmp_path: Path) -> None:
    command = python(MODULE, "--port", str(free_port()))
    with Child("demo", command, log=tmp_path / "log") as demo:
        demo.wait_until(lambda: "stays up" in demo.output(), seconds=120)
        started = children(demo.pid)
        demo.signal(signal.SIGINT)

        assert demo.wait(seconds=30) == 0
    assert len(started) == 2
    eventually(lambda: not any(runs(pid) for pid in started))
    assert "Traceback" not in demo.output()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--upstream", "http://127.0.0.1:9"), "cannot be reached"),
        (("--upstream", "ftp://x"), "give scheme, host and port"),
        (("--upstream", "http://127.0.0.1:9/v1"), "give scheme, host and port"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(options: tuple[str, ...], said: str) -> None:
    ran = run(*options)

    assert ran.returncode == 1
    assert said in ran.stdout
    assert "Traceback" not in ran.stdout + ran.stderr


def test_a_port_that_is_taken_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = run("--port", str(taken.getsockname()[1]))

    assert ran.returncode == 1
    assert "is taken by another process" in ran.stdout
