"""What an analyst sees, with DuckDB for Python and with the DuckDB CLI of another version."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from penstock.exchange import JsonObject
from penstock.store.views import build
from penstock.store.views import main as views_main
from tests.store.scenes import APPROVAL, Scene, cli, python

MATCH: JsonObject = {"rule": "bulk", "kind": "guardrail", "where": "g.yaml:1", "action": "flag", "mode": "observe"}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A boot that was killed, and one that runs, in a directory whose name needs care."""
    data = tmp_path_factory.mktemp("data") / 'it\'s a "dir"'
    killed = Scene(data, at=1_772_600_700.0)
    killed.add("start", None, {"version": "0.1.0"})
    killed.request("lost", prompt="user: lost")
    killed.request("held-lost", verdict="hold")
    killed.add("approval", "held-lost", {**APPROVAL, "ticket": "T0"})
    scene = Scene(data)
    scene.add("start", None, {"version": "0.1.0"})
    loaded: JsonObject = {"hash": "p" * 64, "path": "rules", "event": "loaded", "rules": 9, "problems": []}
    scene.add("policy", None, loaded)
    scene.add("policy", None, {**loaded, "event": "refused", "problems": ["a.yaml:1:1: no"]})
    scene.request("allowed", prompt="user: hé \x00 'there'", masked={"email": 1}, rules=[MATCH])
    scene.response("allowed", completion="hi [EMAIL]", masked={"email": 2, "iban": 1}, rules=[MATCH])
    scene.request("denied", verdict="deny", rule="bulk", status=403, code="policy_violation", message="No.", masked={})
    stranger: dict[str, Any] = {
        "caller": None,
        "session": None,
        "model": None,
        "api": None,
        "policy": None,
        "rules": [],
    }
    scene.request("stranger", verdict="deny", rule="", status=401, code="no_credential", message="Who?", **stranger)
    scene.request("held", verdict="hold", rule="risky")
    scene.add("approval", "held", APPROVAL)
    scene.request("released", verdict="hold", rule="risky")
    scene.add("approval", "released", {**APPROVAL, "ticket": "T2"})
    by: JsonObject = {"issuer": "corp", "subject": "bob"}
    scene.add(
        "approval", None, {**APPROVAL, "ticket": "T2", "event": "approved", "by": by, "reason": "fine", "count": 2}
    )
    scene.add("verdict", "released", {"verdict": "allow", "rule": "risky", "status": None, "code": None,
                                      "message": None, "approval": "T2"})  # fmt: skip
    scene.response("released")
    scene.request("expired", verdict="hold", rule="risky")
    scene.add("approval", "expired", {**APPROVAL, "ticket": "T3"})
    scene.add("approval", "expired", {**APPROVAL, "ticket": "T3", "event": "expired"})
    scene.add("verdict", "expired", {"verdict": "deny", "rule": "", "status": 403, "code": "approval_denied",
                                     "message": "Too late.", "approval": "T3"})  # fmt: skip
    scene.request("streamed", stream=True, session="session-2")
    for n in range(3):
        scene.add(
            "chunk",
            "streamed",
            {"n": n, "bytes": 10, "offset": 10 * n},
            {"body": f"data: {n}\n\n", "encoding": "utf-8"},
        )
    scene.response("streamed", streamed=True, bytes=30, completion="0 1 2")
    scene.request("cut", stream=True, session="session-2")
    scene.add("chunk", "cut", {"n": 0, "bytes": 10, "offset": 0}, {"body": "data: x\n\n", "encoding": "utf-8"})
    scene.response("cut", kind="abort", streamed=True, reason="gateway", message="Stopped.", complete=False, bytes=10,
                   completion="x", finish=None)  # fmt: skip
    scene.add("verdict", "cut", {"verdict": "deny", "rule": "secrets", "status": 403, "code": "policy_violation",
                                 "message": "Stopped.", "approval": None})  # fmt: skip
    scene.request("open", stream=True)
    scene.add("chunk", "open", {"n": 0, "bytes": 10, "offset": 0}, {"body": "data: y\n\n", "encoding": "utf-8"})
    with scene.path.open("ab") as file:
        file.write(b'{"hash":"torn')
    return scene


def rows(scene: Scene, sql: str) -> dict[str, dict[str, Any]]:
    """Rows by their first column, the same from both readers."""
    with duckdb.connect(str(scene.place.database), read_only=True) as con:
        found = con.execute(sql)
        names = [column[0] for column in found.description]
        answer = {row[0]: dict(zip(names, row, strict=True)) for row in found.fetchall()}
    told = [row[names[0]] for row in cli(scene.place, sql)]
    assert told == list(answer) if "ORDER BY" in sql else set(told) == set(answer)
    return answer


def test_an_exchange_has_one_row_with_everything(scene: Scene) -> None:
    row = rows(scene, "FROM exchanges WHERE id = 'allowed'")["allowed"]
    started = row.pop("started")
    assert isinstance(started, dt.datetime)
    assert row.pop("ended") - started == dt.timedelta(milliseconds=1)
    assert json.loads(row.pop("parameters")) == {"max_tokens": 512, "temperature": 0.1}
    assert row == {
        "id": "allowed",
        "session": "session-1",
        "caller": "corp|alice@example.com",
        "groups": ["corp:science", "corp:staff"],
        "via": "oidc",
        "client": "notebook",
        "address": "10.0.0.9:51234",
        "upstream": "lab",
        "method": "POST",
        "path": "/v1/chat/completions",
        "api": "openai.chat",
        "operation": "chat",
        "model": "llama3.2",
        "tools": ["search"],
        "stream": False,
        "verdict": "allow",
        "outcome": "answered",
        "rule": "researchers",
        "rules": [MATCH, MATCH],
        "policy": "p" * 64,
        "status": 200,
        "code": None,
        "message": None,
        "prompt": "user: hé \x00 'there'",
        "completion": "hi [EMAIL]",
        "finish": "stop",
        "prompt_tokens": 11,
        "completion_tokens": 7,
        "ttft_ms": 12.5,
        "duration_ms": 220.25,
        "masked": {"email": 3, "iban": 1},
        "approval": None,
        "error": None,
        "complete": True,
        "streamed": False,
        "uninspected": [],
        "request_bytes": 120,
        "reply_bytes": 300,
        "digest": "d" * 64,
        "sha256": "e" * 64,
    }


def test_each_exchange_says_what_became_of_it(scene: Scene) -> None:
    found = rows(scene, "SELECT id, verdict, outcome, status, code, rule, approval, error, reply_bytes FROM exchanges")
    said = {id: tuple(row.values())[1:] for id, row in found.items()}
    assert said == {
        "allowed": ("allow", "answered", 200, None, "researchers", None, None, 300),
        "denied": ("deny", "refused", 403, "policy_violation", "bulk", None, None, None),
        "stranger": ("deny", "refused", 401, "no_credential", "", None, None, None),
        "held": ("hold", "waiting", None, None, "risky", "T1", None, None),
        "released": ("allow", "answered", 200, None, "risky", "T2", None, 300),
        "expired": ("deny", "refused", 403, "approval_denied", "risky", "T3", None, None),
        "streamed": ("allow", "answered", 200, None, "researchers", None, None, 30),
        "cut": ("deny", "aborted", 200, "policy_violation", "secrets", None, "Stopped.", 10),
        "open": ("allow", "open", None, None, "researchers", None, None, 10),
        "lost": ("allow", "lost", None, None, "researchers", None, None, None),
        "held-lost": ("hold", "lost", None, None, "researchers", "T0", None, None),
    }


def test_a_denied_call_ended_when_it_was_denied(scene: Scene) -> None:
    found = rows(scene, "SELECT id, started, ended FROM exchanges WHERE outcome != 'answered'")
    assert found["denied"]["ended"] == found["denied"]["started"]
    assert found["expired"]["ended"] > found["expired"]["started"]
    assert found["held"]["ended"] is None
    assert found["open"]["ended"] is None


def test_a_stranger_has_no_caller_but_an_address(scene: Scene) -> None:
    row = rows(scene, "SELECT id, caller, groups, address, session, model, prompt FROM exchanges")["stranger"]
    assert row == {"id": "stranger", "caller": None, "groups": None, "address": "10.0.0.9:51234", "session": None,
                   "model": None, "prompt": "user: hello"}  # fmt: skip


def test_there_is_an_event_for_each_entry_and_none_for_a_torn_line(scene: Scene) -> None:
    found = python(scene.place, "SELECT chain, seq, kind, exchange FROM events ORDER BY chain, seq")
    assert [row[1] for row in found] == [*range(4), *range(len(found) - 4)]
    assert len(cli(scene.place, "FROM events")) == len(found)
    (body,) = python(scene.place, "SELECT body->>'$.model', payload->>'$.prompt' FROM events WHERE exchange = 'lost'")
    assert body == ("llama3.2", "user: lost")


def test_a_session_sums_its_exchanges_up(scene: Scene) -> None:
    found = rows(scene, "FROM sessions ORDER BY session")
    assert list(found) == ["session-1", "session-2"]
    first = found["session-1"]
    assert (first["caller"], first["exchanges"], first["denied"], first["held"]) == (
        "corp|alice@example.com",
        8,
        2,
        4,
    )
    assert (first["prompt_tokens"], first["completion_tokens"], first["models"]) == (22, 14, ["llama3.2"])
    assert first["started"] < first["ended"]


def test_a_decision_is_a_rule_that_matched(scene: Scene) -> None:
    found = python(
        scene.place,
        'SELECT part, caller, model, rule, kind, "where", action, mode, policy FROM decisions'
        " WHERE exchange = 'allowed' ORDER BY part",
    )
    rest = ("corp|alice@example.com", "llama3.2", "bulk", "guardrail", "g.yaml:1", "flag", "observe", "p" * 64)
    assert found == [("request", *rest), ("response", *rest)]
    assert len(cli(scene.place, "FROM decisions WHERE exchange = 'allowed'")) == 2


def test_a_ticket_says_where_it_stands(scene: Scene) -> None:
    found = rows(scene, "FROM approvals ORDER BY ticket")
    assert {name: row["state"] for name, row in found.items()} == {
        "T0": "lost",
        "T1": "pending",
        "T2": "approved",
        "T3": "expired",
    }
    second = found["T2"]
    assert (second["approved_by"], second["denied_by"], second["reason"]) == (["corp|bob"], None, "fine")
    assert (second["approval"], second["rule"], second["exchanges"]) == ("risky", "bulk-export", ["released"])
    assert (second["needed"], second["count"], second["digest"]) == (2, 2, "d" * 64)
    assert second["expires"] == dt.datetime(2030, 3, 17, 17, 46, 40, 500000)
    assert second["opened"] < second["changed"]


def test_a_policy_is_told_each_time_it_was_loaded_or_refused(scene: Scene) -> None:
    found = python(scene.place, 'SELECT hash, event, "path", rules, problems FROM policies ORDER BY "time"')
    assert found == [
        ("p" * 64, "loaded", "rules", 9, []),
        ("p" * 64, "refused", "rules", 9, ["a.yaml:1:1: no"]),
    ]
    assert len(cli(scene.place, "FROM policies")) == 2


def test_an_exchange_is_replayed_in_order(scene: Scene) -> None:
    found = python(scene.place, "SELECT kind, what, text, after_ms FROM replay('released')")
    assert found == [
        ("request", "hold by risky for corp|alice@example.com on llama3.2", "user: hello", 0),
        ("approval", "opened ticket T2", None, 1),
        ("approval", "approved ticket T2 by bob fine", None, 2),
        ("verdict", "allow by risky", None, 3),
        ("response", "200 stop 7 tokens 220.25 ms", "hi", 4),
    ]
    session = python(scene.place, "SELECT exchange, kind, what, text FROM replay('session-2')")
    kinds = ["request", "chunk", "chunk", "chunk", "response", "request", "chunk", "abort", "verdict"]
    assert [row[1] for row in session] == kinds
    assert session[1][2:] == ("10 bytes", "data: 0\n\n")
    assert session[7][2:] == ("200 gateway Stopped.", "x")
    assert len(cli(scene.place, "FROM replay('session-2')")) == 9


@pytest.mark.parametrize(
    ("sql", "count"),
    [
        ("FROM timeline('corp|alice@example.com')", 10),
        ("FROM timeline('alice@example.com')", 10),
        ("FROM timeline('alice')", 0),
        ("FROM blocked('2026-03-04')", 4),
        ("FROM blocked('2026-03-05')", 0),
        ("FROM blocked(since := TIMESTAMP '2026-03-04 05:00:00')", 4),
        ("FROM blocked('20 years')", 4),
        ("FROM blocked(INTERVAL 20 YEARS)", 4),
        ("FROM blocked()", 0),
        ("FROM busiest('2026-03-04')", 2),
        ("FROM busiest()", 0),
        ("SELECT 1 WHERE now() AT TIME ZONE 'UTC' - ago('1 hour') BETWEEN INTERVAL 1 HOUR AND INTERVAL 61 MINUTE", 1),
        ("SELECT 1 WHERE ago('nonsense') IS NULL", 1),
    ],
)  # fmt: skip
def test_macros_answer_in_both_readers(scene: Scene, sql: str, count: int) -> None:
    assert len(python(scene.place, sql)) == count
    assert len(cli(scene.place, sql)) == count


def test_the_busiest_caller_is_summed_up(scene: Scene) -> None:
    found = python(scene.place, "SELECT caller, exchanges, denied, prompt_tokens FROM busiest('2026-03-04')")
    assert found == [("corp|alice@example.com", 10, 3, 44), (None, 1, 1, None)]


def test_readers_in_any_number_never_lock_each_other(scene: Scene) -> None:
    readers = [duckdb.connect(str(scene.place.database), read_only=True) for _ in range(3)]
    assert len(cli(scene.place, "FROM exchanges")) == 11
    build(scene.place)
    for reader in readers:
        assert reader.execute("SELECT count(*) FROM exchanges").fetchone() == (11,)
        reader.close()


def test_a_large_entry_is_read(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    text = 'a "quoted" line\n' * 300_000
    scene.request("large", prompt=text)
    scene.request("small")
    assert python(scene.place, "SELECT id, length(prompt) FROM exchanges ORDER BY started") == [
        ("large", len(text)),
        ("small", 11),
    ]
    assert len(cli(scene.place, "SELECT id FROM exchanges WHERE prompt LIKE '%quoted%'")) == 1


def test_an_empty_audit_answers(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    for view in ("entries", "events", "exchanges", "sessions", "decisions", "approvals", "policies"):
        assert python(scene.place, f"FROM {view}") == []
        assert cli(scene.place, f"FROM {view}") == []


def test_files_that_are_not_of_the_audit_are_not_read(tmp_path: Path) -> None:
    """What `penstock verify` would not look at, nobody is shown."""
    scene = Scene(tmp_path)
    scene.exchange()
    (scene.place.journal / "forged.ndjson").write_bytes(scene.path.read_bytes())
    (scene.place.segments / "forged.1.parquet").write_bytes(scene.place.empty_segment.read_bytes())
    assert python(scene.place, "SELECT count(*) FROM entries") == [(2,)]


def test_what_does_not_fit_its_type_is_null_and_breaks_nothing(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.request(
        "odd", status="high", rules="none", tools={"a": 1}, masked=[1], parameters=[1.5], bytes={}, caller="x"
    )
    scene.add("approval", None, {"ticket": "T", "expires": "soon", "by": "x"})
    (row,) = python(scene.place, "SELECT status, rules, tools, masked, caller FROM exchanges")
    assert row == (None, [], None, {}, None)
    assert python(scene.place, "SELECT expires FROM approvals") == [(None,)]


def test_views_can_be_made_by_a_process_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                     capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    scene = Scene(tmp_path / "data", built=False)
    assert not scene.place.current()
    monkeypatch.setattr("sys.argv", ["views", str(tmp_path / "data")])
    assert views_main() == 0
    assert scene.place.current()
    monkeypatch.setattr("sys.argv", ["views", str(tmp_path / "nowhere")])
    assert views_main() == 1
    assert capsys.readouterr().err.count("\n") == 1
