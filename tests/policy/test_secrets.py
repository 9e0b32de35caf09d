"""Secrets: read from where they are, never shown, and named when they are not there."""

from __future__ import annotations

import copy
import os
import pickle
from pathlib import Path

import pytest

from penstock.policy.marked import Mark
from penstock.policy.reading import Reading, Unread
from penstock.policy.secrets import expand
from penstock.policy.settings import Secret

MARK = Mark("f.yaml", 3, 7)


def reading(directory: Path, **environ: str) -> Reading:
    return Reading(directory, environ, 0.0)


def private(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def test_an_environment_variable_stands_in_its_place(tmp_path: Path) -> None:
    here = reading(tmp_path, LAB_KEY="s3cret")
    secret = expand("Bearer ${env:LAB_KEY}", MARK, here)
    assert secret.reveal() == "Bearer s3cret"
    assert secret.source == "${env:LAB_KEY}"
    assert not here.problems
    assert not here.warnings


def test_a_file_is_found_beside_the_policy_and_loses_its_last_line_break(tmp_path: Path) -> None:
    private(tmp_path / "lab.key", b"s3cret\n")
    here = reading(tmp_path)
    assert expand("${file:lab.key}", MARK, here).reveal() == "s3cret"
    assert list(here.other_files) == [tmp_path / "lab.key"]


def test_a_credential_comes_from_the_directory_of_systemd(tmp_path: Path) -> None:
    private(tmp_path / "lab", b"s3cret")
    here = reading(tmp_path / "rules", CREDENTIALS_DIRECTORY=str(tmp_path))
    assert expand("${credential:lab}", MARK, here).reveal() == "s3cret"


def test_several_references_make_one_secret(tmp_path: Path) -> None:
    here = reading(tmp_path, A="one", B="two")
    assert expand("${env:A}-${env:B}", MARK, here).reveal() == "one-two"


def test_a_literal_secret_is_taken_with_a_warning(tmp_path: Path) -> None:
    here = reading(tmp_path)
    secret = expand("hunter2", MARK, here)
    assert secret.reveal() == "hunter2"
    assert secret.source == ""
    assert "stands in the policy itself" in here.warnings[0].message


def test_a_file_that_everyone_can_read_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("x")
    (tmp_path / "key").chmod(0o644)
    here = reading(tmp_path)
    expand("${file:key}", MARK, here)
    assert "chmod 600" in here.warnings[0].message


def refused(text: str, here: Reading) -> str:
    with pytest.raises(Unread):
        expand(text, MARK, here)
    (problem,) = here.problems
    assert (problem.file, problem.line, problem.column) == ("f.yaml", 3, 7)
    return problem.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${env:NONE}", "the environment variable NONE is not set"),
        ("${env:EMPTY}", "the environment variable EMPTY is empty"),
        ("${file:none.key}", "the secret file none.key cannot be read: No such file or directory"),
        ("${file:.}", "the secret file . cannot be read: Is a directory"),
        ("${vault:x}", "'${vault:x}' is none of ${env:NAME}, ${file:PATH}, ${credential:NAME}"),
        ("${NAME}", "'${NAME}' is none of ${env:NAME}, ${file:PATH}, ${credential:NAME}"),
        ("${env:}", "'${env:}' is none of ${env:NAME}, ${file:PATH}, ${credential:NAME}"),
        ("${env:X", "'${' without '}': write ${env:NAME}, ${file:PATH} or ${credential:NAME}"),
        ("${credential:x}", "credential 'x': CREDENTIALS_DIRECTORY is not set (systemd LoadCredential= does)"),
    ],
)
def test_what_is_not_there_is_named(tmp_path: Path, text: str, message: str) -> None:
    assert refused(text, reading(tmp_path, EMPTY="")) == message


@pytest.mark.parametrize("name", ["../x", "..", ".", "a/b"])
def test_a_credential_does_not_lead_out_of_its_directory(tmp_path: Path, name: str) -> None:
    here = reading(tmp_path, CREDENTIALS_DIRECTORY=str(tmp_path))
    assert refused(f"${{credential:{name}}}", here) == f"'{name}' is not the name of a credential"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"a\nb\n", "holds a line break or control character"),
        (b"a\r\nX-Evil: 1\r\n", "holds a line break or control character"),
        (b"a\x00b", "holds a line break or control character"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"x" * 70_000, "is larger than 65536 bytes"),
    ],
)
def test_a_file_that_is_no_single_line_of_text_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    private(tmp_path / "key", content)
    assert message in refused("${file:key}", reading(tmp_path))


def test_a_pipe_does_not_block_the_reading(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refused("${file:pipe}", reading(tmp_path)) == "the secret file pipe is not a regular file"


def test_a_secret_never_shows_itself() -> None:
    secret = Secret("hunter2", "${env:X}")
    for text in (repr(secret), str(secret), f"{secret}", f"{secret!r}", repr({"a": [secret]})):
        assert "hunter2" not in text
        assert "***" in text


def test_secrets_are_equal_when_their_values_are() -> None:
    assert Secret("a") == Secret("a", "${env:A}")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert hash(Secret("a")) == hash(Secret("a"))


def test_a_secret_is_not_serialised() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret("a"))
    with pytest.raises(TypeError):
        copy.deepcopy(Secret("a"))
