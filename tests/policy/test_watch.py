"""The watcher: a change is found, waited for, read whole and told once; the last good policy stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.errors import PolicyError
from penstock.policy import Policy, load
from penstock.policy.watch import Watcher

from .conftest import BASE, Write

GRANT = "grants: [{id: g, groups: [a], upstreams: [lab], operations: [list]}]\n"


@pytest.fixture
def rules(write: Write) -> Path:
    return write(BASE)


def watching(rules: Path, **environ: str) -> Watcher:
    return Watcher(rules, load(rules, environ=environ), environ=environ)


def settled(watcher: Watcher) -> Policy | PolicyError | None:
    """Two polls: seen, and held still."""
    assert watcher.poll() is None
    return watcher.poll()


def test_nothing_is_told_while_nothing_changes(rules: Path) -> None:
    watcher = watching(rules)
    assert [watcher.poll() for _ in range(5)] == [None] * 5


def test_a_change_is_told_once_after_it_held_still(rules: Path) -> None:
    watcher = watching(rules)
    before = watcher.policy
    (rules / "b.yaml").write_text(GRANT)
    found = settled(watcher)
    assert isinstance(found, Policy)
    assert found is watcher.policy
    assert found.hash != before.hash
    assert [grant.id for grant in found.grants] == ["g"]
    assert watcher.poll() is None


def test_files_that_are_still_being_written_are_waited_for(rules: Path) -> None:
    watcher = watching(rules)
    for text in ("grants:", "grants: [{", GRANT):
        (rules / "b.yaml").write_text(text)
        assert watcher.poll() is None
    assert isinstance(watcher.poll(), Policy)


def test_files_that_never_hold_still_are_read_in_the_end(rules: Path) -> None:
    watcher = watching(rules)
    found: Policy | PolicyError | None = None
    for index in range(12):
        (rules / "b.yaml").write_text(GRANT + "#" * index)
        found = found or watcher.poll()
    assert isinstance(found, Policy)


def test_a_bad_change_is_told_once_and_the_last_good_policy_stays(rules: Path) -> None:
    watcher = watching(rules)
    good = watcher.policy
    (rules / "b.yaml").write_text("grantz: []\n")
    error = settled(watcher)
    assert isinstance(error, PolicyError)
    assert "did you mean 'grants'?" in str(error)
    assert watcher.policy is good
    assert [watcher.poll() for _ in range(3)] == [None] * 3
    (rules / "b.yaml").write_text(GRANT)
    assert isinstance(settled(watcher), Policy)


def test_a_vanished_directory_is_an_error_told_once(rules: Path) -> None:
    watcher = watching(rules)
    rules.rename(rules.with_name("gone"))
    error = settled(watcher)
    assert isinstance(error, PolicyError)
    assert "no such directory" in str(error)
    assert watcher.poll() is None
    rules.with_name("gone").rename(rules)
    assert isinstance(settled(watcher), Policy)


def test_a_change_between_loading_and_watching_is_not_missed(rules: Path) -> None:
    policy = load(rules, environ={})
    (rules / "b.yaml").write_text(GRANT)
    assert isinstance(settled(Watcher(rules, policy, environ={})), Policy)


def test_a_mount_that_swaps_its_data_link_is_seen(tmp_path: Path) -> None:
    """Kubernetes: rules/a.yaml -> ..data/a.yaml, and ..data -> ..2024_1, exchanged by a rename."""
    rules = tmp_path / "rules"
    rules.mkdir()
    for name, text in (("..1", BASE), ("..2", BASE + GRANT)):
        (rules / name).mkdir()
        (rules / name / "a.yaml").write_text(text)
    (rules / "..data").symlink_to("..1")
    (rules / "a.yaml").symlink_to("..data/a.yaml")
    watcher = watching(rules)
    assert not watcher.policy.grants
    (rules / "..new").symlink_to("..2")
    (rules / "..new").rename(rules / "..data")
    found = settled(watcher)
    assert isinstance(found, Policy)
    assert found.grants


def test_a_rules_directory_that_is_a_link_itself_is_seen_to_move(tmp_path: Path, write: Write) -> None:
    first = write(BASE)
    second = tmp_path / "second"
    second.mkdir()
    (second / "a.yaml").write_text(BASE + GRANT)
    link = tmp_path / "current"
    link.symlink_to(first)
    watcher = watching(link)
    (tmp_path / "next").symlink_to(second)
    (tmp_path / "next").rename(link)
    found = settled(watcher)
    assert isinstance(found, Policy)
    assert found.grants


CREDENTIAL = (
    "upstreams: {x: {replicas: ['http://10.0.0.9'], credential: {header: x-api-key, value: '${file:../lab.key}'}}}\n"
)


def secret(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)


def key_of(policy: Policy | PolicyError | None) -> str:
    assert isinstance(policy, Policy)
    credential = policy.gateway.upstreams["x"].credential
    assert credential is not None
    return credential.value.reveal()


def test_a_secret_that_is_exchanged_is_seen_and_does_not_change_the_hash(rules: Path, tmp_path: Path) -> None:
    (rules / "b.yaml").write_text(CREDENTIAL)
    secret(tmp_path / "lab.key", "one")
    watcher = watching(rules)
    before = watcher.policy
    secret(tmp_path / "lab.key", "two")
    found = settled(watcher)
    assert key_of(found) == "two"
    assert key_of(before) == "one"
    assert watcher.policy.hash == before.hash


def test_a_secret_that_was_missing_is_found_when_it_comes(rules: Path, tmp_path: Path) -> None:
    watcher = watching(rules)
    (rules / "b.yaml").write_text(CREDENTIAL)
    assert isinstance(settled(watcher), PolicyError)
    assert watcher.poll() is None
    secret(tmp_path / "lab.key", "late")
    assert key_of(settled(watcher)) == "late"


def test_a_touch_without_a_change_keeps_the_hash(rules: Path) -> None:
    watcher = watching(rules)
    before = watcher.policy.hash
    os.utime(rules / "a.yaml", (1, 1))
    found = settled(watcher)
    assert isinstance(found, Policy)
    assert found.hash == before
