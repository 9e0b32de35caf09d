"""A data directory says what it is, and is refused when it is something else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from penstock.errors import ConfigurationError
from penstock.store.layout import Layout, layout
from penstock.store.views import build
from tests.store.scenes import Scene, python


def test_directories_are_made_for_the_gateway_alone(tmp_path: Path) -> None:
    place = layout(tmp_path / "deep" / "data")
    place.prepare()
    assert place.data.stat().st_mode & 0o777 == 0o700
    assert place.journal.is_dir()
    assert place.segments.is_dir()
    place.prepare()


def test_a_relative_directory_is_where_the_process_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert layout(Path("data")).data == tmp_path / "data"


@pytest.mark.parametrize("name", ["a*", "a?", "a[1]", "{a}"])
def test_a_name_that_is_a_pattern_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="may not have"):
        layout(tmp_path / name).prepare()


def test_a_directory_of_another_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "layout.json").write_text('{"layout": 2, "views": ""}')
    with pytest.raises(ConfigurationError, match="laid out as version 2") as caught:
        layout(tmp_path).prepare()
    assert "another data directory" in caught.value.line()
    assert [path.name for path in tmp_path.iterdir()] == ["layout.json"]


@pytest.mark.parametrize("stamp", [b"", b"[]", b"{", b"{}"])
def test_a_stamp_that_says_nothing_is_written_again(tmp_path: Path, stamp: bytes) -> None:
    (tmp_path / "layout.json").write_bytes(stamp)
    place = layout(tmp_path)
    place.prepare()
    assert place.stamp.read_bytes() == b'{"layout":1,"views":""}\n'


def test_a_directory_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for data in (tmp_path / "file", tmp_path / "file" / "data"):
        with pytest.raises(ConfigurationError, match="cannot be written") as caught:
            layout(data).prepare()
        assert "\n" not in caught.value.line()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "journal").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be written: File exists"):
        layout(tmp_path / "data").prepare()


@pytest.mark.root
def test_a_read_only_directory_is_said_in_one_line(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(data)], check=True)
    try:
        with pytest.raises(ConfigurationError, match="Read-only file system"):
            layout(data).prepare()
    finally:
        subprocess.run(["umount", "-l", str(data)], check=True)


def test_older_views_are_replaced_whole(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.exchange()
    assert scene.place.current()
    other = Layout(tmp_path, settle=1.0)
    assert not other.current()
    before = other.database.stat().st_ino
    build(other)
    assert other.current()
    assert other.database.stat().st_ino != before
    assert python(other, "SELECT count(*) FROM exchanges") == [(1,)]
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_views_that_were_moved_are_not_current(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    assert not layout(tmp_path / "there").current()
    assert scene.place.views != layout(tmp_path / "there").views
