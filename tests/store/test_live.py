"""The store of a running gateway."""

from __future__ import annotations

import asyncio
import logging
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from penstock.errors import ConfigurationError
from penstock.store import live, open_store, plan
from tests.store.scenes import REQUEST, Scene, cli, environment, python


async def until(true: object, seconds: float = 30.0) -> None:
    assert callable(true)
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


async def test_a_store_opens_and_its_audit_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    store = open_store(tmp_path / "data")
    store.start()
    store.start()
    await store.journal.append("start", None, {"version": "1"})
    await until(store.layout.current)
    reader = duckdb.connect(str(store.layout.database), read_only=True)
    for n in range(5):
        await store.journal.append("request", f"E{n}", REQUEST, {"prompt": "user: hi", "headers": [], "body": "{}"})
        written = time.monotonic()
        assert reader.execute("SELECT count(*) FROM exchanges").fetchone() == (n + 1,)
        assert time.monotonic() - written < 30  # what it costs to ask; the answer is never stale
    assert cli(store.layout, "SELECT count(*) AS n FROM exchanges") == [{"n": 5}]
    store.journal.note("stop", None, {"reason": "test"})
    await store.close()
    await store.close()
    assert reader.execute("SELECT count(*) FROM events").fetchone() == (7,)
    reader.close()


async def test_what_an_earlier_boot_left_is_sealed_in_the_background(tmp_path: Path) -> None:
    scene = Scene(tmp_path, built=False)
    scene.exchange()
    store = open_store(tmp_path)
    store.start()
    await until(lambda: scene.segment in plan.sealed(store.layout))
    assert python(store.layout, "SELECT outcome FROM exchanges") == [("answered",)]
    await store.close()


async def test_a_full_journal_file_is_sealed_without_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.journal.file.SEGMENT_BYTES", 2000)
    store = open_store(tmp_path)
    store.journal._segment_bytes = 2000
    store.start()
    await until(store.layout.current)
    first = store.journal.segment
    while store.journal.segment == first:
        await store.journal.append("chunk", None, {"n": 1}, {"body": "x" * 500})
    await until(lambda: first in plan.sealed(store.layout))
    await store.close()


async def test_sealing_that_fails_is_told_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    Scene(tmp_path, built=False).exchange()
    (tmp_path / "segments" / ".lock").mkdir()
    monkeypatch.setattr(live, "TEND_SECONDS", 0.05)
    with caplog.at_level(logging.ERROR):
        store = open_store(tmp_path)
        store.start()
        await until(lambda: "sealing: " in caplog.text)
        (tmp_path / "segments" / ".lock").rmdir()
        await until(store.layout.current)
    await store.close()


async def test_a_directory_that_cannot_be_listed_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(live, "TEND_SECONDS", 0.01)
    monkeypatch.setattr(live, "plan", refuse)
    monkeypatch.setattr("penstock.store.layout.Layout.current", lambda self: True)
    with caplog.at_level(logging.ERROR):
        store = open_store(tmp_path)
        store.start()
        await until(lambda: caplog.text.count("cannot be tended: Permission denied") > 1)
    await store.close()


async def test_closing_ends_a_sealing_that_runs(tmp_path: Path) -> None:
    Scene(tmp_path, built=False).exchange()
    store = open_store(tmp_path)
    store.start()
    await asyncio.sleep(0.05)
    await asyncio.wait_for(store.close(), 20)
    again = open_store(tmp_path)
    await again.close()


async def test_two_gateways_do_not_share_a_directory_but_two_workers_do(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    with pytest.raises(ConfigurationError, match="another gateway is writing"):
        open_store(tmp_path)
    other = open_store(tmp_path, worker="1")
    await other.close()
    await store.close()


def test_another_layout_is_refused(tmp_path: Path) -> None:
    (tmp_path / "layout.json").write_text('{"layout": 0}')
    with pytest.raises(ConfigurationError, match="laid out as version 0"):
        open_store(tmp_path)


def test_a_gateway_does_not_load_duckdb() -> None:
    code = "import sys, penstock.store; sys.exit('duckdb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=environment(), check=False).returncode == 0


WRITER = """
import asyncio, sys
from pathlib import Path
from penstock.store import open_store

async def main():
    store = open_store(Path(sys.argv[1]))
    store.journal._segment_bytes = 30_000
    journal = store.journal
    await journal.append("start", None, {})

    async def caller(k):
        n = 0
        while True:
            n += 1
            id = f"{journal.chain}-{k}-{n}"
            await journal.append("request", id, {"verdict": "allow"}, {"prompt": "x" * 800})
            print(id, flush=True)
            journal.note("response", id, {"status": 200}, {"completion": "y" * 200})

    await asyncio.gather(*[caller(k) for k in range(6)])

asyncio.run(main())
"""


def test_every_entry_that_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    acknowledged: set[str] = set()
    for _ in range(10):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, env=environment(), text=True
        )
        assert process.stdout is not None
        before = len(acknowledged)
        for line in process.stdout:
            acknowledged.add(line.strip())
            if len(acknowledged) == before + 150:
                process.send_signal(signal.SIGKILL)
        process.wait()
        assert process.returncode == -signal.SIGKILL
    scene = Scene(tmp_path)
    found = {row[0] for row in python(scene.place, "SELECT id FROM exchanges")}
    assert len(acknowledged) > 1400
    assert {id for id in acknowledged if id.count("-") == 2} <= found
    assert python(scene.place, "SELECT count(*), count(DISTINCT (chain, seq)) FROM entries WHERE kind = 'request'") == [
        (len(found), len(found))
    ]
    outcomes = dict(python(scene.place, "SELECT outcome, count(*) FROM exchanges GROUP BY 1"))
    assert set(outcomes) <= {"answered", "lost"}

    from penstock.store.verify import verify

    chains = [each for each in verify(scene.place, now=time.time()) if each.entries]
    assert len(chains) == 10
    assert [each.problem for each in chains] == [None] * 10
    assert {each.ending for each in chains} == {"ended without stop"}
