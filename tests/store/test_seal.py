"""What is sealed is what was journalled, and nothing is thrown away before that is certain."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import duckdb
import pytest

from penstock.errors import StoreError
from penstock.journal.disk import hold
from penstock.journal.entry import EntryError
from penstock.journal.file import Journal
from penstock.journal.segment import read_mark
from penstock.store import plan, seal
from penstock.store.layout import Layout
from penstock.store.rows import line_of
from tests.store.scenes import Scene, cli, python

ALL = "FROM entries ORDER BY chain, seq"
NOW = 1_772_700_000.0


def scene_of(data: Path, *, built: bool = False) -> Scene:
    """Two files that are done, and an empty one that goes on."""
    scene = Scene(data, built=built)
    scene.add("start")
    for n in range(5):
        scene.exchange(prompt=f"user: {n} é \x1f \x00 1.10 😀", parameters={"t": 1.10, "n": 2**63, "z": 1e22})
    scene.turn()
    scene.exchange()
    scene.turn()
    return scene


def test_sealed_entries_are_the_same_entries(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, built=True)
    before = python(scene.place, ALL)
    assert seal.tend(scene.place, clock=lambda: NOW) == 2
    found = plan.sealed(scene.place)
    assert len(found) == 2
    for path, when in found.values():
        assert path.parent.name == "day=2026-03-04"
        assert when == NOW + seal.LEAD_SECONDS
        assert path.stat().st_mode & 0o777 == 0o640
    for each in found:
        os.truncate(each.journal(tmp_path / "journal"), 0)
    assert python(scene.place, ALL) == before
    assert len(cli(scene.place, ALL)) == len(before)


def test_readers_take_each_row_from_one_side_only(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, built=True)
    count = python(scene.place, "SELECT count(*) FROM entries")
    seal.tend(scene.place)  # sealed "5 s ahead": journals are still what is read
    assert python(scene.place, "SELECT count(*) FROM entries") == count
    for path, _ in plan.sealed(scene.place).values():
        path.rename(path.with_name(path.name.split(".")[0] + ".1.parquet"))
    assert python(scene.place, "SELECT count(*) FROM entries") == count


def test_a_sealed_journal_stays_a_while_then_is_emptied_then_removed(tmp_path: Path) -> None:
    scene = scene_of(tmp_path)
    seal.tend(scene.place, clock=lambda: NOW)
    first, second = sorted(plan.sealed(scene.place))
    paths = [each.journal(scene.place.journal) for each in (first, second)]
    later = NOW + seal.LEAD_SECONDS
    assert not plan.plan(scene.place, later + 59)
    assert plan.plan(scene.place, later + 60).empty == (first, second)
    seal.tend(scene.place, clock=lambda: later + 60)
    assert [path.stat().st_size for path in paths] == [0, 0]
    assert not plan.plan(scene.place, later + 61)
    seal.tend(scene.place, clock=lambda: later + 86_401)
    assert not any(path.exists() for path in paths)
    assert read_mark(first.mark(scene.place.journal)) is None
    assert scene.path.exists()


def test_the_last_file_of_a_worker_is_kept_for_the_next_boot(tmp_path: Path) -> None:
    scene = Scene(tmp_path, built=False)
    scene.exchange()
    scene.mark()
    assert seal.tend(scene.place, clock=lambda: NOW) == 1
    assert not plan.plan(scene.place, NOW + 1e6)
    assert Scene(tmp_path).chain.after == scene.chain.head


def test_an_orphan_is_sealed_and_marked(tmp_path: Path) -> None:
    scene = Scene(tmp_path, built=False)
    scene.exchange()
    whole = scene.path.stat().st_size
    with scene.path.open("ab") as file:
        file.write(b'{"hash":"half a li')
    assert seal.tend(scene.place, clock=lambda: NOW) == 1
    mark = read_mark(scene.segment.mark(scene.place.journal))
    assert mark is not None
    assert (mark.head, mark.size) == (scene.chain.head, whole)
    assert python(scene.place, "SELECT count(*) FROM entries") == [(2,)]


async def test_a_journal_that_is_being_written_is_not_sealed(tmp_path: Path) -> None:
    scene = Scene(tmp_path, worker="9")
    scene.path.unlink()
    journal = Journal(scene.place.journal)
    await journal.append("start", None, {})
    assert not plan.plan(scene.place, NOW)
    assert seal.tend(scene.place) == 0
    await journal.close()
    assert plan.plan(scene.place, NOW).seal == (journal.segment,)


@pytest.mark.parametrize("damage", ["edit", "delete", "junk", "torn"])
def test_a_journal_that_does_not_hold_stays_as_it_is(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    scene = scene_of(tmp_path)
    segment = min(plan.plan(scene.place, NOW).seal)
    path = segment.journal(scene.place.journal)
    raws = path.read_bytes().splitlines(keepends=True)
    match damage:
        case "edit":
            raws[1] = raws[1].replace(b"user", b"USER")
        case "delete":
            del raws[2]
        case "junk":
            raws.insert(2, b"junk\n")
        case "torn":
            raws[-1] = raws[-1][:-10]
    path.write_bytes(b"".join(raws))
    before = path.read_bytes()
    with caplog.at_level(logging.ERROR):
        assert seal.tend(scene.place, clock=lambda: NOW) == 1
    assert "is not sealed" in caplog.text
    assert "penstock verify" in caplog.text
    assert path.read_bytes() == before
    assert segment not in plan.sealed(scene.place)
    assert plan.held(scene.place, segment).exists()
    assert not plan.plan(scene.place, NOW)


def test_a_file_without_a_whole_line_is_held(tmp_path: Path) -> None:
    scene = Scene(tmp_path, built=False)
    scene.path.write_bytes(b'{"hash":')
    assert seal.tend(scene.place, clock=lambda: NOW) == 0
    assert "no line of it is whole" in plan.held(scene.place, scene.segment).read_text()


def test_an_empty_file_that_is_over_is_removed_in_time(tmp_path: Path) -> None:
    scene = Scene(tmp_path, built=False)
    scene.turn()
    empty = scene.path.with_name(scene.path.name.replace("-000001", "-000000"))
    assert empty.stat().st_size == 0
    now = empty.stat().st_mtime
    assert not plan.plan(scene.place, now + 86_399)
    assert len(plan.plan(scene.place, now + 86_401).remove) == 1
    seal.tend(scene.place, clock=lambda: now + 86_401)
    assert not empty.exists()
    assert scene.path.exists()


def test_one_process_tends_at_a_time(tmp_path: Path) -> None:
    scene = scene_of(tmp_path)
    lock = hold(scene.place.segments / ".lock", busy="")
    assert seal.tend(scene.place) == 0
    os.close(lock)
    assert seal.tend(scene.place) == 2


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    scene = scene_of(tmp_path)
    day = scene.place.segments / "day=2026-03-04"
    day.mkdir()
    (day / ".x.new").write_bytes(b"half")
    seal.tend(scene.place)
    assert list(scene.place.segments.glob("**/.*.new")) == []


def test_a_segment_that_lost_an_entry_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = scene_of(tmp_path)
    monkeypatch.setattr(seal, "rows", lambda con, path: iter(()))
    with pytest.raises(StoreError, match="does not have the entries"):
        seal.tend(scene.place)
    assert plan.sealed(scene.place) == {}
    assert list(scene.place.segments.glob("**/.*.new")) == []


def test_views_are_made_when_they_are_missing(tmp_path: Path) -> None:
    scene = Scene(tmp_path, built=False)
    assert not scene.place.current()
    seal.tend(scene.place)
    assert scene.place.current()
    assert python(scene.place, "FROM exchanges") == []


def test_a_row_that_is_no_entry_is_told(tmp_path: Path) -> None:
    for row in ((None, None, None, None), ("h", "{}", None, None), ("h", "x", "s", "{")):
        with pytest.raises(EntryError):
            line_of(row)


def test_other_files_between_the_segments_are_ignored(tmp_path: Path) -> None:
    scene = scene_of(tmp_path)
    day = scene.place.segments / "day=2026-03-04"
    day.mkdir()
    with duckdb.connect() as con:
        con.execute(f"COPY (SELECT 1 AS x) TO '{day / 'other.parquet'}'")
    assert plan.sealed(scene.place) == {}


def test_the_command_seals_and_says_what_it_could_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = scene_of(tmp_path)
    monkeypatch.setattr(os, "nice", lambda by: 0)
    monkeypatch.setattr("sys.argv", ["seal", str(tmp_path)])
    assert seal.main() == 0
    assert len(plan.sealed(scene.place)) == 2
    (tmp_path / "layout.json").write_text('{"layout": 7}')
    assert seal.main() == 1
    assert "version 7" in capsys.readouterr().err


def test_a_layout_may_be_read_as_soon_as_it_is_sealed(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, built=True)
    place = Layout(tmp_path, settle=0.0)
    count = python(scene.place, "SELECT count(*) FROM entries")
    seal.tend(place, lead=0.0)
    for each in plan.sealed(place):
        os.truncate(each.journal(place.journal), 0)
    assert python(place, "SELECT count(*) FROM entries") == count
