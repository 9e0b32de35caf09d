"""The files of a directory: all of one moment, or a clear problem."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.errors import PolicyError
from penstock.policy import directory
from penstock.policy.directory import signature, snapshot


def problem(path: Path) -> str:
    with pytest.raises(PolicyError) as caught:
        snapshot(path)
    return "\n".join(str(each) for each in caught.value.problems)


def test_yaml_files_are_read_in_name_order_and_others_left_alone(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", "C.YAML", "notes.md", "d.yaml~", ".hidden.yaml", ".#a.yaml", "e.yaml.bak"):
        (tmp_path / name).write_text(name)
    assert snapshot(tmp_path).files == (("C.YAML", b"C.YAML"), ("a.yml", b"a.yml"), ("b.yaml", b"b.yaml"))


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert problem(tmp_path / "none") == f"{tmp_path}/none: no such directory"


def test_a_file_in_its_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("x")
    assert problem(tmp_path / "a.yaml") == f"{tmp_path}/a.yaml: is a file: the policy is a directory of YAML files"


def test_a_directory_without_yaml_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("x")
    assert problem(tmp_path) == f"{tmp_path}: no *.yaml file in it"


def test_too_many_files_are_the_wrong_directory(tmp_path: Path) -> None:
    for index in range(257):
        (tmp_path / f"{index}.yaml").touch()
    assert "is this the right directory?" in problem(tmp_path)


def test_pipes_folders_and_dead_links_are_named_all_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").mkdir()
    (tmp_path / "c.yaml").symlink_to("nowhere")
    (tmp_path / "d.yaml").write_text("fine: 1")
    (tmp_path / "e.yaml").symlink_to("e.yaml")
    assert problem(tmp_path).splitlines() == [
        f"{tmp_path}/a.yaml: cannot be read: not a regular file",
        f"{tmp_path}/b.yaml: cannot be read: Is a directory",
        f"{tmp_path}/c.yaml: cannot be read: No such file or directory",
        f"{tmp_path}/e.yaml: cannot be read: Too many levels of symbolic links",
    ]


def test_a_directory_that_cannot_be_listed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: Path) -> list[str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(directory, "names", refused)
    assert problem(tmp_path) == f"{tmp_path}: cannot be listed: Permission denied"


def test_folders_with_yaml_are_reported_as_unread(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("x: 1")
    for folder in ("more", "cases", ".git", "empty"):
        (tmp_path / folder).mkdir()
        if folder != "empty":
            (tmp_path / folder / "b.yaml").touch()
    assert snapshot(tmp_path).unread == ("more",)


def test_the_signature_changes_with_every_kind_of_change(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("x: 1")
    seen = [signature(tmp_path)]

    def changed() -> bool:
        seen.append(signature(tmp_path))
        return seen[-1] not in seen[:-1]

    file.write_text("x: 12")
    assert changed()
    stat = file.stat()
    file.write_text("x: 21")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert changed()
    (tmp_path / "b.yaml").touch()
    assert changed()
    (tmp_path / "b.yaml").rename(tmp_path / "c.yaml")
    assert changed()
    (tmp_path / "c.yaml").unlink()
    (tmp_path / "new").write_text("x: 21")
    (tmp_path / "new").rename(file)
    assert changed()


def test_the_signature_of_what_is_not_there_is_empty(tmp_path: Path) -> None:
    assert signature(tmp_path / "none") == ()


def test_a_directory_that_changes_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the old files and half of the new ones would be a policy that nobody wrote."""
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text("old")
    real, reads = directory._content, []

    def content(path: Path) -> bytes:
        found = real(path)
        reads.append(path.name)
        if len(reads) == 1:
            for name in ("a.yaml", "b.yaml"):
                (tmp_path / name).write_text("brand new")
        return found

    monkeypatch.setattr(directory, "_content", content)
    assert [data for _, data in snapshot(tmp_path).files] == [b"brand new", b"brand new"]
    assert reads == ["a.yaml", "b.yaml"] * 2


def test_a_directory_that_never_holds_still_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("x")
    monkeypatch.setattr(directory, "_content", lambda path: path.write_text(path.read_text() + "x") and b"")
    assert "changes while it is read" in problem(tmp_path)
