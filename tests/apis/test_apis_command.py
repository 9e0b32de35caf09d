"""`penstock apis` shows what is understood, what is refused, and what callers tried beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from penstock import apis
from penstock.apis.catalogue import servers
from penstock.apis.refused import REFUSED
from penstock.cli.apis import command
from penstock.errors import StoreError
from tests.store.scenes import CALLER, Scene


def run(*args: str) -> Result:
    return CliRunner().invoke(command, args, catch_exceptions=False)


def rows(*args: str) -> list[dict[str, Any]]:
    found = json.loads(run(*args, "--json").output)
    assert isinstance(found, list)
    return found


def test_every_route_of_every_api_is_shown() -> None:
    found = rows()
    assert [(row["api"], row["method"], row["path"]) for row in found] == [
        (api.name, route.method, route.path) for api in apis.APIS for route in api.routes
    ]
    chat = next(row for row in found if row["path"] == "/v1/chat/completions")
    assert chat["operation"] == "chat" and chat["bodies"] == ["json"] and chat["streams"] is True
    assert "image" in chat["uninspected"]


def test_the_table_names_an_api_once_and_every_endpoint() -> None:
    output = run().output
    assert output.count("openai.models") == 1
    assert all(route.path in output for api in apis.APIS for route in api.routes)
    assert "ollama, " in output and f"{sum(len(api.routes) for api in apis.APIS)} endpoints" in output


@pytest.mark.parametrize("name", ["ollama", "Ollama", "OLLAMA"])
def test_a_server_is_shown_with_what_becomes_of_each_endpoint(name: str) -> None:
    found = rows("--server", name)
    assert len(found) == len(servers()["ollama"].endpoints)
    by_path = {(row["method"], row["path"]): row for row in found}
    assert by_path["POST", "/api/pull"]["becomes"] == "pull (ollama.library)"
    assert by_path["POST", "/api/pull"]["operations"] == ["pull"]
    signout = by_path["POST", "/api/signout"]
    assert signout["apis"] == [] and signout["becomes"] == f"refused: {signout['reason']}"


def test_a_server_has_a_name_for_people_too() -> None:
    assert "/v2/repository/index" in run("--server", "Triton Inference Server").output


def test_a_server_that_nobody_knows_is_an_error_with_a_hint() -> None:
    result = run("--server", "ollma")
    assert result.exit_code == 2 and "did you mean 'ollama'?" in result.output
    result = run("--server", "zzz")
    assert result.exit_code == 2 and "one of infinity, koboldcpp" in result.output


def test_what_is_refused_is_shown_with_its_reason() -> None:
    found = rows("--refused")
    assert len(found) == len(REFUSED)
    assert {"method": "GET", "path": "/slots", "reason": "it shows what other callers are asking."} in found
    assert "it shows what other callers are asking." in run("--refused").output


def test_one_question_at_a_time() -> None:
    result = run("--refused", "--unmatched")
    assert result.exit_code == 2 and "name one" in result.output


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scene = Scene(tmp_path_factory.mktemp("data"), built=False)
    scene.add("start")
    scene.exchange()
    refused: dict[str, Any] = {"verdict": "deny", "api": None, "operation": None, "model": None}
    unknown: dict[str, Any] = {
        **refused,
        "status": 404,
        "code": "unknown_endpoint",
        "message": "This gateway does not serve that.",
    }
    scene.request(path="/v9/chat?a=1", **unknown)
    scene.request(path="/v9/chat?a=2", caller={**CALLER, "subject": "bob@example.com"}, **unknown)
    scene.request(path="/v9/\x1b[2J\u202e", method="PUT", **unknown)
    message = "This gateway does not serve that endpoint: it runs tools."
    scene.request(path="/tools", **{**refused, "status": 403, "code": "not_served", "message": message})
    scene.request(path="/v1/chat/completions", **{**refused, "status": 403, "code": "not_granted"})
    return scene.place.data


def test_what_callers_tried_and_did_not_get_is_counted(data: Path) -> None:
    found = rows("--unmatched", "--data", str(data))
    assert [(row["method"], row["path"], row["tried"], row["reason"]) for row in found] == [
        ("POST", "/v9/chat", 2, "not known"),
        ("POST", "/tools", 1, "it runs tools."),
        ("PUT", "/v9/\x1b[2J\u202e", 1, "not known"),
    ]
    assert found[0]["callers"] == ["corp|alice@example.com", "corp|bob@example.com"]
    assert found[0]["last_seen"].startswith("2026-03-04T05:06:07") and found[0]["last_seen"].endswith("Z")


def test_what_callers_tried_cannot_command_a_terminal(data: Path) -> None:
    output = run("--unmatched", "--data", str(data)).output
    assert "\x1b" not in output and "\u202e" not in output
    assert "\\u001b[2J" in output and "3 rows" in output


def test_an_audit_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        run("--unmatched", "--data", str(tmp_path / "none"))
