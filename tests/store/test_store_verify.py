"""`penstock verify` over journals and segments, with a gateway that writes and without."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from penstock.cli.verify import command
from penstock.errors import StoreError
from penstock.journal.file import Journal
from penstock.journal.verify import Verified
from penstock.store import plan, seal
from penstock.store.layout import layout
from penstock.store.verify import verify
from penstock.store.views import connect, write_empty
from tests.store.scenes import Scene

NOW = 1_772_700_000.0


def boots(data: Path, count: int = 3) -> list[Scene]:
    """Boots of one worker, each of two files, each stopped."""
    scenes = []
    for n in range(count):
        scene = Scene(data, at=1_772_600_767.0 + 100 * n, built=False)
        scene.add("start")
        scene.exchange()
        scene.turn()
        scene.exchange()
        scene.add("stop")
        scene.mark()
        scenes.append(scene)
    return scenes


def sealed(data: Path, count: int = 3) -> list[Scene]:
    scenes = boots(data, count)
    with connect() as con:
        write_empty(con, scenes[0].place)
    for each in plan.plan(scenes[0].place, NOW).seal:
        seal.seal(scenes[0].place, each, clock=lambda: NOW)
        os.truncate(each.journal(scenes[0].place.journal), 0)
    return scenes


def problems(found: list[Verified]) -> list[tuple[str, str, int]]:
    return [(each.problem.what, each.problem.chain, each.problem.seq) for each in found if each.problem]


@pytest.mark.parametrize("make", [boots, sealed])
def test_what_nobody_touched_holds(tmp_path: Path, make: Callable[[Path], list[Scene]]) -> None:
    scenes = make(tmp_path)
    found = verify(scenes[0].place, now=NOW)
    assert problems(found) == []
    assert [(each.chain, each.entries, each.ending) for each in found] == [
        (scene.chain.id, 6, "stopped") for scene in scenes
    ]


@pytest.mark.parametrize("make", [boots, sealed])
def test_a_chain_that_was_removed_whole_is_missed_by_the_next(
    tmp_path: Path, make: Callable[[Path], list[Scene]]
) -> None:
    scenes = make(tmp_path)
    gone = scenes[1].chain.id
    for path in [*tmp_path.glob(f"journal/*{gone}*"), *tmp_path.glob(f"segments/*/*{gone}*")]:
        path.unlink()
    assert problems(verify(scenes[0].place, now=NOW)) == [("deletion", gone, 0)]


def test_a_journal_that_was_cut_short_is_missed_by_its_mark_and_by_the_next_chain(tmp_path: Path) -> None:
    scenes = boots(tmp_path)
    path = scenes[1].path
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:1]))
    assert problems(verify(scenes[0].place, now=NOW)) == [("truncation", scenes[1].chain.id, 4)]
    scenes[1].segment.mark(scenes[1].place.journal).unlink()
    assert problems(verify(scenes[0].place, now=NOW)) == [("truncation", scenes[1].chain.id, 4)]


def test_the_last_chain_is_proven_by_its_mark(tmp_path: Path) -> None:
    scenes = boots(tmp_path)
    path = scenes[2].path
    path.write_bytes(path.read_bytes()[:-30])
    assert problems(verify(scenes[0].place, now=NOW)) == [("edit", scenes[2].chain.id, 5)]
    path.write_bytes(b"")
    assert problems(verify(scenes[0].place, now=NOW)) == [("truncation", scenes[2].chain.id, 3)]


def test_a_middle_file_that_is_gone_is_a_deletion(tmp_path: Path) -> None:
    scene = Scene(tmp_path, built=False)
    for _ in range(3):
        scene.exchange()
        scene.turn()
    scene.exchange()
    for path in tmp_path.glob("journal/*-000001.*"):
        path.unlink()
    assert problems(verify(scene.place, now=NOW)) == [("deletion", scene.chain.id, 2)]


def test_a_killed_gateway_leaves_a_torn_line_and_no_suspicion(tmp_path: Path) -> None:
    scene = Scene(tmp_path, built=False)
    scene.exchange()
    with scene.path.open("ab") as file:
        file.write(b'{"hash":"')
    Scene(tmp_path, built=False).exchange()
    found = verify(scene.place, now=NOW)
    assert problems(found) == []
    assert [(each.ending, each.torn, each.entries) for each in found] == [
        ("ended without stop", True, 2),
        ("ended without stop", False, 2),
    ]


async def test_a_gateway_that_writes_can_be_verified(tmp_path: Path) -> None:
    place = Scene(tmp_path, worker="9", built=False).place
    journal = Journal(place.journal, segment_bytes=2000)
    for n in range(30):
        await journal.append("chunk", None, {"n": n}, {"body": "x" * 100})
    found = [each for each in verify(place, now=NOW) if each.worker == "0"]
    assert problems(found) == []
    assert [(each.entries, each.ending) for each in found] == [(30, "running")]
    await journal.close()


def test_a_journal_that_is_sealed_meanwhile_is_read_from_its_segment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenes = sealed(tmp_path)
    looks = iter([{}, *[plan.copies(scenes[0].place)] * 9])  # the first look is from before the sealing
    monkeypatch.setattr("penstock.store.verify.copies", lambda place: next(looks))
    found = verify(scenes[0].place, now=NOW)
    assert problems(found) == []
    assert [each.entries for each in found] == [6, 6, 6]


@pytest.fixture(scope="module")
def one_boot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sealed(tmp_path_factory.mktemp("sealed"), 1)[0].place.data


def rewrite(path: Path, change: str) -> None:
    """Writes a segment again as an intruder with DuckDB would."""
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE t AS FROM read_parquet('{path}', hive_partitioning = false)")
        con.execute(change)
        con.execute(f"COPY t TO '{path}' (FORMAT parquet)")


@pytest.mark.parametrize(
    ("change", "what", "seq"),
    [
        ("UPDATE t SET payload = replace(payload::VARCHAR, 'hello', 'HELLO') WHERE seq = 1", "edit", 1),
        ("UPDATE t SET envelope = replace(envelope, 'llama', 'LLAMA') WHERE seq = 1", "edit", 1),
        ("UPDATE t SET envelope = NULL WHERE seq = 1", "edit", 1),
        ("UPDATE t SET verdict = 'deny' WHERE seq = 1", "edit", 1),
        ("UPDATE t SET text = 'user: something else' WHERE seq = 1", "edit", 1),
        ("UPDATE t SET exchange = NULL WHERE seq = 2", "edit", 2),
        ("UPDATE t SET masked = MAP {'email': 9} WHERE seq = 2", "edit", 2),
        ("UPDATE t SET payload = NULL, salt = NULL, text = NULL WHERE seq = 2", "erasure", 2),
        ("DELETE FROM t WHERE seq = 1", "deletion", 1),
        ("DELETE FROM t WHERE seq = 2", "truncation", 2),
        ("INSERT INTO t SELECT * FROM t WHERE seq = 1", "insertion", 1),
        ("CREATE OR REPLACE TABLE t AS FROM t ORDER BY seq DESC", "reordering", 2),
    ],
)
def test_whatever_is_done_to_a_segment_is_found(
    one_boot: Path, tmp_path: Path, change: str, what: str, seq: int
) -> None:
    shutil.copytree(one_boot, tmp_path, dirs_exist_ok=True)
    place = layout(tmp_path)
    first = min(plan.sealed(place))
    rewrite(plan.sealed(place)[first][0], change)
    assert problems(verify(place, now=NOW)) == [(what, first.chain, seq)]


def test_a_second_copy_of_a_segment_is_an_insertion(tmp_path: Path) -> None:
    scenes = sealed(tmp_path)
    first = min(plan.sealed(scenes[0].place))
    path, _ = plan.sealed(scenes[0].place)[first]
    (scenes[0].place.segments / f"{first}.1.parquet").write_bytes(path.read_bytes())
    assert problems(verify(scenes[0].place, now=NOW)) == [("insertion", scenes[0].chain.id, 0)]


def test_segments_hold_without_the_journals_that_they_were_made_of(tmp_path: Path) -> None:
    scenes = sealed(tmp_path)
    for path in scenes[0].place.journal.glob("*-*"):
        path.unlink()
    assert problems(verify(scenes[0].place, now=NOW)) == []


def test_a_segment_that_readers_do_not_see_is_told(tmp_path: Path) -> None:
    scenes = sealed(tmp_path)
    first = min(plan.sealed(scenes[0].place))
    path, _ = plan.sealed(scenes[0].place)[first]
    path.rename(path.with_name(f"{first}.{10**17}.parquet"))
    (found, *_) = verify(scenes[0].place, now=NOW)
    assert found.problem is not None
    assert found.problem.message == "readers do not see this segment: the time in its name is to come"


def test_a_segment_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    scenes = sealed(tmp_path)
    path, _ = plan.sealed(scenes[0].place)[scenes[0].segment]
    path.write_bytes(b"not parquet")
    (found, *_) = verify(scenes[0].place, now=NOW)
    assert found.problem is not None
    assert (found.problem.what, found.problem.seq) == ("edit", 3)
    assert "cannot be read" in found.problem.message


def test_the_command_says_that_all_holds(tmp_path: Path) -> None:
    boots(tmp_path)
    done = CliRunner().invoke(command, ["--data", str(tmp_path)])
    assert done.exit_code == 0
    assert "3 chains, 18 entries: all hold." in done.output
    (tmp_path / "empty" / "journal").mkdir(parents=True)
    empty = CliRunner().invoke(command, ["--data", str(tmp_path / "empty")])
    assert (empty.exit_code, empty.output) == (0, "No chain has been begun yet.\n")


def test_the_command_names_what_does_not_hold_and_fails(tmp_path: Path) -> None:
    scenes = boots(tmp_path)
    path = scenes[1].path
    path.write_bytes(path.read_bytes().replace(b"user: hello", b"user: HELLO", 1))
    with scenes[2].path.open("ab") as file:
        file.write(b"torn")
    done = CliRunner().invoke(command, ["--data", str(tmp_path)])
    assert done.exit_code == 1
    assert f"edit: {scenes[1].chain.id}:3 ({path.name}:1): the payload is not the one that was hashed" in done.output
    assert "3 chains, 18 entries: 2 do not hold." in done.output
    told = CliRunner().invoke(command, ["--data", str(tmp_path), "--json"])
    assert told.exit_code == 1
    found = json.loads(told.output)
    assert found["holds"] is False
    assert [chain["problem"] and chain["problem"]["what"] for chain in found["chains"]] == [None, "edit", "edit"]


def test_a_directory_that_cannot_be_read_is_said_in_one_line(tmp_path: Path) -> None:
    scene = boots(tmp_path, 1)[0]
    scene.path.unlink()
    scene.path.mkdir()
    done = CliRunner().invoke(command, ["--data", str(tmp_path)])
    assert isinstance(done.exception, StoreError)
    assert "cannot be read: Is a directory" in done.exception.line()


@pytest.mark.parametrize("args", [["--data", "nowhere"], ["--data", "."]])
def test_where_there_is_no_audit_the_command_says_so(tmp_path: Path, args: list[str],
                                                     monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(command, args)
    assert done.exit_code == 1
    assert "there is no audit" in str(done.exception)
