"""`penstock export` writes whole files or none."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from penstock.cli.export import command
from penstock.errors import PenstockError, StoreError
from penstock.store.query import Audit
from penstock.store.recorded import recorded
from tests.store.scenes import APPROVAL, CLI, Scene


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    scene = Scene(tmp_path_factory.mktemp("data"), built=False)
    scene.add("start")
    scene.add("policy", None, {"hash": "p" * 64, "event": "loaded"})
    scene.request("A")
    scene.response("A")
    scene.request("B", verdict="hold", session="other", policy="q")
    scene.add("approval", "B", APPROVAL)
    scene.request("C", verdict="deny", status=403, code="policy_violation")
    return scene


def run(scene: Scene, *args: str) -> Result:
    return CliRunner().invoke(command, ["--data", str(scene.place.data), *args])


def tables(file: Path) -> dict[str, int]:
    with duckdb.connect(str(file), read_only=True) as con:
        names = [row[0] for row in con.execute("SHOW TABLES").fetchall()]
        return {name: int((con.execute(f"SELECT count(*) FROM {name}").fetchone() or (0,))[0]) for name in names}


def test_a_duckdb_file_has_the_views_as_tables_of_its_own(scene: Scene, tmp_path: Path) -> None:
    file = tmp_path / "it's.duckdb"
    done = run(scene, "--duckdb", str(file))
    assert (done.exit_code, done.output) == (0, f"3 exchanges written to {file}\n")
    assert tables(file) == {"approvals": 1, "decisions": 3, "events": 7, "exchanges": 3, "policies": 1, "sessions": 2}
    shown = subprocess.run(
        [str(CLI), "-readonly", "-json", str(file), "-c", "SELECT id, prompt, groups FROM exchanges WHERE id = 'A'"],
        capture_output=True,
        check=True,
    )
    assert json.loads(shown.stdout)[0]["prompt"] == "user: hello"


def test_a_part_of_the_audit_has_what_belongs_to_it(scene: Scene, tmp_path: Path) -> None:
    file = tmp_path / "some.duckdb"
    assert run(scene, "--duckdb", str(file), "--where", "verdict = 'hold'", "--since", "2026-01-01").exit_code == 0
    assert tables(file) == {"approvals": 1, "decisions": 1, "events": 2, "exchanges": 1, "policies": 0, "sessions": 1}
    assert run(scene, "--duckdb", str(file), "--exchange", "A", "--exchange", "nobody", "--force").exit_code == 0
    assert tables(file) == {"approvals": 0, "decisions": 1, "events": 2, "exchanges": 1, "policies": 1, "sessions": 1}


def test_both_files_are_written_at_once(scene: Scene, tmp_path: Path) -> None:
    done = run(scene, "--duckdb", str(tmp_path / "a"), "--mitm", str(tmp_path / "b"), "--exchange", "A")
    assert done.output == f"1 exchange written to {tmp_path / 'b'}\n1 exchange written to {tmp_path / 'a'}\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.parametrize(
    ("kind", "args", "message"),
    [
        ("--mitm", ["--where", "nope = 1"], 'column "nope" not found'),
        ("--mitm", ["--where", "true) UNION ALL (SELECT 1"], "Error"),
        ("--duckdb", ["--where", "true); COPY (SELECT 1) TO '/tmp/penstock-never'; --"], "Error"),
        ("--duckdb", ["--where", "'x'::INT = 1"], "Could not convert"),
        ("--duckdb", ["--since", "last week"], "'last week' is neither an interval nor a time"),
    ],
)
def test_what_cannot_be_asked_writes_nothing(
    scene: Scene, tmp_path: Path, kind: str, args: list[str], message: str
) -> None:
    file = tmp_path / "out"
    file.write_text("mine")
    done = run(scene, kind, str(file), "--force", *args)
    assert done.exit_code == 1
    assert isinstance(done.exception, StoreError)
    assert message in done.exception.line()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert file.read_text() == "mine"
    assert not Path("/tmp/penstock-never").exists()


@pytest.mark.parametrize("kind", ["--mitm", "--duckdb"])
def test_a_file_is_not_replaced_unasked_nor_written_where_it_cannot_be(scene: Scene, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "out"
    file.write_text("mine")
    done = run(scene, kind, str(file))
    assert isinstance(done.exception, StoreError)
    assert "--force" in done.exception.line()
    done = run(scene, kind, str(tmp_path / "no" / "out"))
    assert isinstance(done.exception, PenstockError)
    assert "no such directory" in done.exception.line()
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir" / "x").mkdir()
    done = run(scene, kind, str(tmp_path / "dir"), "--force")
    assert done.exit_code != 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dir", "out"]


@pytest.mark.root
@pytest.mark.parametrize("kind", ["--mitm", "--duckdb"])
def test_a_full_disk_leaves_nothing(scene: Scene, tmp_path: Path, kind: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(tmp_path)], check=True)
    try:
        done = run(scene, kind, str(tmp_path / "out"))
        assert isinstance(done.exception, StoreError)
        assert "\n" not in done.exception.line()
        assert list(tmp_path.iterdir()) == []
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def test_where_to_must_be_said(scene: Scene) -> None:
    done = run(scene)
    assert done.exit_code == 2
    assert "--mitm FILE" in done.output


def test_a_body_that_is_not_what_it_says_is_told(tmp_path: Path) -> None:
    scene = Scene(tmp_path, built=False)
    id = scene.request()
    scene.add("response", id, {"status": 200}, {"body": "???", "encoding": "base64", "headers": None})
    with Audit(tmp_path) as audit, pytest.raises(StoreError, match="not base64"):
        list(recorded(audit))
