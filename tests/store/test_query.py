"""Anyone may ask the audit anything, and nobody can change it by asking."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from penstock.cli.query import command
from penstock.errors import PenstockError, StoreError
from penstock.store.query import Audit
from tests.store.scenes import Scene


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    scene = Scene(tmp_path_factory.mktemp("data") / "it's data", built=False)
    scene.add("start")
    scene.exchange(masked={"email": 1})
    scene.request("bad", verdict="deny", rule="bulk", status=403, code="policy_violation", prompt="a\x1b[2Jb\u202ec")
    return scene


@pytest.fixture(scope="module")
def audit(scene: Scene) -> Iterator[Audit]:
    with Audit(scene.place.data) as audit:
        yield audit


def run(scene: Scene, *args: str) -> Result:
    return CliRunner().invoke(command, ["--data", str(scene.place.data), *args])


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM exchanges",
        "FROM exchanges -- the last word",
        "WITH x AS (FROM exchanges) FROM x",
        "VALUES (1)",
        "SHOW TABLES",
        "DESCRIBE exchanges",
        "SUMMARIZE exchanges",
        "FROM blocked('1 hour')",
        "FROM replay('bad');",
        "PIVOT exchanges ON verdict IN ('allow', 'deny') USING count(*)",
        "SELECT 1 ; -- done",
        "SELECT ';' AS x;;",
        "SELECT ' -- ;'",
        "SELECT id AS copy FROM exchanges; -- a copy",
        "SELECT 'é\u2028😀' -- é ; é",
    ],
)
def test_any_question_is_answered(audit: Audit, sql: str) -> None:
    answer = audit.ask(sql)
    list(answer.rows)
    assert len(answer.columns) == len(answer.types) > 0


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE x (a INT)",
        "INSERT INTO exchanges VALUES (1)",
        "DROP VIEW exchanges",
        "COPY (SELECT 1) TO '{journal}/forged.ndjson'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{journal}/forged.ndjson'",
        "WITH x AS (COPY (SELECT 1) TO '{journal}/forged.ndjson') FROM x",
        "WITH x AS MATERIALIZED (COPY (SELECT 1) TO '{journal}/forged.ndjson') SELECT 1",
        "wItH x aS (cOpY/**/(SELECT 1) TO '{journal}/forged.ndjson') FROM x",
        "EXPORT DATABASE '{journal}'",
        "ATTACH '{journal}/forged.duckdb'",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        "RESET lock_configuration",
        "INSTALL httpfs",
        "LOAD '/tmp/x.so'",
        "PRAGMA database_list",
        "CALL force_checkpoint()",
        "SELECT 1; SELECT 2",
        "",
        "  -- nothing",
        "SELECT) FROM (SELECT 1",
        "SELECT 1) TO '{journal}/forged'; --",
        "FROM read_text('/etc/hostname')",
        "FROM read_text('{journal}/../layout.json')",
        "FROM glob('/etc/*')",
        "FROM read_csv('/proc/self/environ')",
        "FROM query('COPY (SELECT 1) TO ''{journal}/forged.ndjson''')",
        "SELECT nope FROM exchanges",
        "SELECT 'x'::INT FROM exchanges",
        "SELEC 1",
    ],
)
def test_anything_else_is_refused_in_one_line_and_changes_nothing(scene: Scene, audit: Audit, sql: str) -> None:
    before = sorted(os.listdir(scene.place.journal))
    with pytest.raises(StoreError) as caught:
        list(audit.ask(sql.format(journal=str(scene.place.journal).replace("'", "''"))).rows)
    assert "\n" not in caught.value.line()
    assert sorted(os.listdir(scene.place.journal)) == before


def test_an_error_of_duckdb_keeps_its_advice(audit: Audit) -> None:
    with pytest.raises(StoreError, match='Did you mean "exchanges"'):
        audit.ask("FROM exchange")


def test_answers_are_read_side_by_side(audit: Audit) -> None:
    first, second = audit.ask("SELECT unnest([1, 2])"), audit.ask("SELECT unnest([3, 4])")
    assert [next(first.rows), next(second.rows), next(first.rows), next(second.rows)] == [(1,), (3,), (2,), (4,)]


def test_an_audit_that_was_moved_is_read_where_it_is(tmp_path: Path) -> None:
    Scene(tmp_path / "there", built=False).exchange()
    (tmp_path / "there").rename(tmp_path / "here")
    with Audit(tmp_path / "here") as audit:
        assert next(audit.ask("SELECT count(*) FROM exchanges").rows) == (1,)


def test_an_audit_that_is_not_finished_yet_is_read(tmp_path: Path) -> None:
    Scene(tmp_path, built=False).exchange()
    with Audit(tmp_path) as audit:
        assert next(audit.ask("SELECT count(*) FROM exchanges").rows) == (1,)


def test_where_there_is_no_audit_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no audit") as caught:
        Audit(tmp_path)
    assert "--data" in caught.value.line()
    (tmp_path / "journal").mkdir()
    (tmp_path / "segments").write_text("")
    with pytest.raises(StoreError, match="cannot be read"):
        Audit(tmp_path)
    (tmp_path / "layout.json").write_text('{"layout": 5}')
    with pytest.raises(PenstockError, match="version 5"):
        Audit(tmp_path)


# The command


def test_without_a_question_the_last_calls_are_shown(scene: Scene) -> None:
    done = run(scene)
    assert done.exit_code == 0
    assert "corp|alice@example.com" in done.output
    assert "2 calls since 2026-03-04 05:06 UTC, 1 denied." in done.output
    assert "FROM blocked('1 hour')" in done.output


def test_what_waits_and_what_was_lost_is_counted(tmp_path: Path) -> None:
    Scene(tmp_path, built=False).request()
    scene = Scene(tmp_path, built=False)
    scene.request(verdict="hold")
    assert "1 waiting for approval, 1 unfinished when a gateway ended" in run(scene).output


def test_an_audit_without_calls_says_so(tmp_path: Path) -> None:
    assert "No call has been recorded yet." in run(Scene(tmp_path, built=False)).output


def test_a_table_shows_what_a_terminal_must_not_obey(scene: Scene) -> None:
    done = run(scene, "SELECT id, prompt, code, rules FROM exchanges WHERE id = 'bad'")
    assert "a\\u001b[2Jb\\u202ec" in done.output
    assert "\x1b" not in done.output
    assert "1 row\n" in done.output


def test_wide_rows_are_shown_from_top_to_bottom(scene: Scene) -> None:
    done = run(scene, "FROM exchanges ORDER BY started")
    assert "row 2" in done.output
    assert "masked" in done.output
    assert '{"email":1}' in done.output


def test_long_answers_are_cut_and_it_is_said(scene: Scene) -> None:
    assert "250 rows, the first 200 shown" in run(scene, "FROM range(250)").output


def test_json_is_json(scene: Scene) -> None:
    sql = (
        "SELECT id, started, parameters, rules, masked, NULL AS n, 2::HUGEINT ** 70 AS big, 'x'::BLOB AS b,"
        " 2::HUGEINT * 2::BIGINT AS h, (9223372036854775807::HUGEINT * 9) AS huge, INTERVAL 1 HOUR AS i,"
        " [started] AS times, (SELECT payload FROM events WHERE kind = 'start') AS nothing, true AS yes"
        " FROM exchanges WHERE id != 'bad'"
    )
    (row,) = json.loads(run(scene, sql, "--format", "json").output)
    assert row["started"] == "2026-03-04T05:06:07.002000Z"
    assert row["times"] == ["2026-03-04T05:06:07.002000Z"]
    assert row["parameters"] == {"max_tokens": 512, "temperature": 0.1}
    assert (row["masked"], row["n"], row["nothing"], row["huge"]) == ({"email": 1}, None, None, str((2**63 - 1) * 9))
    assert (row["b"], row["yes"]) == ("78", True)
    assert json.loads(run(scene, "FROM range(0)", "--format", "json").output) == []
    assert len(json.loads(run(scene, "FROM exchanges", "--format", "json").output)) == 2
    assert len(json.loads(run(scene, "--format", "json").output)) == 2


def test_ndjson_is_a_line_a_row(scene: Scene) -> None:
    found = [json.loads(line) for line in run(scene, "FROM range(600)", "--format", "ndjson").output.splitlines()]
    assert found == [{"range": n} for n in range(600)]


def test_csv_is_csv(scene: Scene) -> None:
    sql = "SELECT id, started, rules, code, stream, prompt FROM exchanges WHERE id = 'bad'"
    output = run(scene, sql, "--format", "csv").output
    header, row = csv.reader(output.splitlines())
    assert header == ["id", "started", "rules", "code", "stream", "prompt"]
    assert row[1:] == ["2026-03-04 05:06:07.004", row[2], "policy_violation", "false", "a\x1b[2Jb\u202ec"]
    assert json.loads(row[2])[0]["rule"] == "researchers"


def test_an_error_is_an_error_of_the_command(scene: Scene) -> None:
    done: Any = run(scene, "SELECT nope")
    assert done.exit_code == 1
    assert isinstance(done.exception, StoreError)
