"""`penstock check`: every problem on stderr, a summary on stdout, and nothing in between."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from penstock.cli import penstock
from penstock.policy.schema import schema

from .conftest import BASE, Write

GRANT = "grants: [{id: readers, groups: [a], upstreams: [lab], operations: [list]}]\n"


def check(*arguments: str | Path) -> Result:
    return CliRunner().invoke(penstock, ["check", *map(str, arguments)])


def test_a_policy_that_holds_is_summed_up(write: Write) -> None:
    result = check(write(BASE, GRANT))
    assert result.exit_code == 0
    assert "the policy holds" in result.stdout
    assert "readers" in result.stdout
    assert "127.0.0.1:8080 lab" in result.stdout
    assert "warning: " in result.stderr


def test_problems_go_to_stderr_with_their_place(write: Write) -> None:
    folder = write(BASE, "grantz: []\n", "masking: 5\n")
    result = check(folder)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        f"{folder}/b.yaml:1:1: unknown key 'grantz' (did you mean 'grants'?)",
        f"{folder}/c.yaml:1:10: expected a list, not 5: write [5]",
        "2 problems",
    ]


def test_a_directory_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    result = check(tmp_path / "none")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [f"{tmp_path}/none: no such directory", "1 problem"]


def test_json_for_machines(write: Write) -> None:
    good = check(write(BASE, GRANT), "--json")
    found = json.loads(good.stdout)
    assert good.exit_code == 0
    assert found["ok"] is True
    assert found["grants"] == ["readers"]
    assert len(found["hash"]) == 64
    assert found["problems"] == []
    bad = check(write(BASE, "hold: 5\n"), "--json")
    assert bad.exit_code == 1
    assert json.loads(bad.stdout)["problems"][0]["line"] == 1


def test_the_schema_is_printed() -> None:
    result = check("--schema")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == schema()


def test_markup_in_names_is_printed_as_it_is(write: Write) -> None:
    folder = write(BASE).rename(write(BASE).parent / "[red]rules")
    assert "[red]rules: the policy holds" in check(folder).stdout
