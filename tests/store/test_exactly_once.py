"""Readers see each entry exactly once, whatever is turned over, sealed or emptied while they look."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import duckdb

from penstock.store import seal
from penstock.store.layout import Layout
from penstock.store.views import build
from tests.store.scenes import cli, environment

WRITER = """
import asyncio, sys
from pathlib import Path
from penstock.journal import Journal

async def main():
    journal = Journal(Path(sys.argv[1]) / "journal", worker=sys.argv[2], segment_bytes=24_000)
    for n in range(int(sys.argv[3])):
        journal.note("request", f"{sys.argv[2]}-{n:06d}", {"verdict": "allow", "model": "m"}, {"prompt": "x" * 500})
        await journal.append("response", f"{sys.argv[2]}-{n:06d}", {"status": 200}, {"completion": "y" * 300})
        await asyncio.sleep(0.002)
    await journal.close()

asyncio.run(main())
"""
COUNTS = """
SELECT count(*)::BIGINT AS a, count(DISTINCT (chain, seq))::BIGINT AS b, coalesce(sum(last), 0)::BIGINT AS c FROM (
    SELECT chain, seq, (seq = max(seq) OVER (PARTITION BY chain))::INT * (seq + 1) AS last FROM entries
)
"""
EACH = 160


def test_each_entry_once_at_any_time(tmp_path: Path) -> None:
    # Seconds became tenths: a dozen files are turned over, sealed and emptied while three readers look.
    place = Layout(tmp_path, settle=0.25)
    place.prepare()
    build(place)
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(n), str(EACH)], env=environment())
        for n in range(2)
    ]
    over = threading.Event()
    problems: list[str] = []
    seen: list[int] = []
    sealed = 0

    def read(reader: str) -> None:
        latest = 0
        while not over.is_set():
            try:
                if reader == "cli":
                    (row,) = cli(place, COUNTS)
                    count, distinct, gapless = row["a"], row["b"], row["c"]
                else:
                    with duckdb.connect(str(place.database), read_only=True) as con:
                        count, distinct, gapless = con.execute(COUNTS).fetchall()[0]
            except (AssertionError, duckdb.Error) as error:
                problems.append(f"{reader}: {error}")
                return
            if not count == distinct == gapless or count < latest:
                problems.append(f"{reader}: {count} rows, {distinct} entries, {gapless} by number, {latest} before")
            latest = count
            seen.append(count)

    readers = [threading.Thread(target=read, args=(reader,)) for reader in ("cli", "python", "python")]
    for thread in readers:
        thread.start()
    try:
        while any(writer.poll() is None for writer in writers):
            sealed += seal.tend(place, keep=0.6, remove=1e9, lead=0.25)
        for _ in range(3):
            sealed += seal.tend(place, keep=0.6, remove=1e9, lead=0.25)
            threading.Event().wait(0.5)
    finally:
        over.set()
        for thread in readers:
            thread.join()
        for writer in writers:
            writer.wait()
    assert problems == []
    assert [writer.returncode for writer in writers] == [0, 0]
    with duckdb.connect(str(place.database), read_only=True) as con:
        assert con.execute("SELECT count(*) FROM entries").fetchone() == (4 * EACH,)
        assert con.execute("SELECT count(*) FROM exchanges WHERE outcome = 'answered'").fetchone() == (2 * EACH,)
    assert sealed > 8
    assert len(seen) > 5
    emptied = [path for path in place.journal.glob("*.ndjson") if path.stat().st_size == 0]
    assert len(emptied) > 5
