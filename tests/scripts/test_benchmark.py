"""The benchmark counts what it says it counts."""

from __future__ import annotations

import json
import os
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from scripts.benchmark import report, texts, upstream
from scripts.benchmark.cpu import cpu_seconds
from scripts.benchmark.load import Refused, calls
from scripts.benchmark.measure import Figures, Load
from scripts.stage.process import Child, environment, python

BURN = "import time; end = time.process_time() + {seconds}\nwhile time.process_time() < end: pass"


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("bench") / "log"
    with Child("upstream", python("scripts.benchmark.upstream", "--pace", "0.5"), log=log) as child:
        yield child.wait_until(lambda: child.output().partition(upstream.READY)[2].strip() or None)


def test_requests_and_replies_have_the_size_they_are_said_to_have() -> None:
    assert len(texts.request("bench-1", stream=False)) == texts.SIZE
    assert len(texts.reply()) == texts.SIZE


@pytest.mark.parametrize("count", [1, 25, 230])
def test_a_stream_has_so_many_events_with_text(count: int) -> None:
    events = texts.events(count)

    assert sum(b'"content"' in event for event in events) == count
    assert events[-1] == b"data: [DONE]\n\n"


def test_the_upstream_speaks_http_that_others_understand(stub: str) -> None:
    whole = httpx.post(f"{stub}/v1/chat/completions", content=texts.request("bench-1", stream=False), trust_env=False)
    stream = httpx.post(f"{stub}/v1/chat/completions", content=texts.request("bench-25", stream=True), trust_env=False)

    assert whole.json()["choices"][0]["finish_reason"] == "stop"
    assert stream.text.count('"content"') == 25
    assert stream.text.endswith("data: [DONE]\n\n")


def test_every_call_is_made_and_timed(stub: str) -> None:
    whole = calls(stub, "token", 40, connections=4)
    streams = calls(stub, "token", 6, connections=2, events=25)

    assert len(whole.latencies) == 40 and not whole.first
    assert len(streams.latencies) == len(streams.first) == 6
    assert streams.events == 150
    assert all(first < whole for first, whole in zip(streams.first, streams.latencies, strict=True))


class Refuses(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.recv(65536)
        self.request.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")


def test_an_answer_that_is_no_success_ends_the_measurement() -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), Refuses) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        with pytest.raises(Refused, match="403 Forbidden"):
            calls(f"http://127.0.0.1:{server.server_address[1]}", "token", 1, connections=1)
        server.shutdown()


def test_cpu_of_threads_and_children_is_counted() -> None:
    children = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BURN.format(seconds=0.2)!r}])\n"
    thread = f"import threading; t = threading.Thread(target=exec, args=({BURN.format(seconds=0.4)!r}, {{}}))\n"
    program = children + thread + "t.start(); t.join(); print('done', flush=True); import time; time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        spent = cpu_seconds(process.pid)
        process.kill()

    assert 0.55 < spent < 5


def test_cpu_of_a_child_that_still_runs_is_counted() -> None:
    before = cpu_seconds(os.getpid())
    with subprocess.Popen([sys.executable, "-c", BURN.format(seconds=60)]) as process:
        deadline = time.monotonic() + 30
        while cpu_seconds(os.getpid()) - before < 0.3:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.kill()


ROUNDS: dict[str, dict[str, list[Figures]]] = {
    "mitmdump": {"json": [{"cpu_us_per_call": 100.0}, {"cpu_us_per_call": 200.0}, {"cpu_us_per_call": 150.0}]},
    "penstock serve": {"json": [{"cpu_us_per_call": 90.0}, {"cpu_us_per_call": 190.0}, {"cpu_us_per_call": 180.0}]},
}


def test_ratios_are_taken_within_a_round() -> None:
    found = report.ratios(ROUNDS["penstock serve"]["json"], ROUNDS["mitmdump"]["json"])

    assert found["cpu_us_per_call"] == pytest.approx(0.95)


def test_a_bar_is_told_of_only_when_it_was_measured() -> None:
    [bar] = report.bars(ROUNDS)

    assert (bar.load, bar.limit, bar.met) == ("json", 1.0, True)
    assert report.bars({"mitmdump": ROUNDS["mitmdump"]}) == []


def test_the_table_shows_every_contender(capsys: pytest.CaptureFixture[str]) -> None:
    report.show(ROUNDS, [Load("json", 10, 16)], Console(width=100))
    shown = capsys.readouterr().out

    assert "mitmdump" in shown and "penstock serve" in shown and "0.95 times plain mitmdump" in shown


def test_the_command_prints_json_for_machines() -> None:
    ran = subprocess.run(
        python("scripts.benchmark.gateway", "--quick", "--rounds", "1", "--json", "--only", "direct", "--load", "json"),
        capture_output=True,
        text=True,
        timeout=120,
        env=environment(),
        check=True,
    )
    document = json.loads(ran.stdout)

    assert document["medians"]["direct"]["json"]["calls_per_s"] > 0
    assert document["settings"]["rounds"] == 1
    assert document["bars"] == []


def test_the_launchers_can_be_run() -> None:
    folder = Path(__file__).parents[2] / "scripts"

    for name in ("environment", "lock", "test", "bench", "demo"):
        assert os.access(folder / name, os.X_OK), name
        subprocess.run(["bash", "-n", str(folder / name)], check=True)
