"""Recorded exchanges open in mitmproxy, say what was decided, and can be sent again."""

from __future__ import annotations

import http.server
import io
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from mitmproxy import http as mitm
from mitmproxy.io import FlowReader

from penstock.cli.export import command
from penstock.errors import ConfigurationError
from penstock.exchange import JsonObject
from penstock.replay.flow import flow_of, target, write
from penstock.store.query import Audit
from penstock.store.recorded import Recorded, recorded
from tests.store.scenes import Scene

MITMDUMP = str(Path(sys.executable).parent / "mitmdump")


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    data = tmp_path_factory.mktemp("data")
    killed = Scene(data, at=1_772_600_700.0, built=False)
    killed.request("lost", prompt="user: lost")
    scene = Scene(data, built=False)
    scene.add("start", None, {"upstreams": {"lab": ["http://127.0.0.1:11434"], "far": [], "odd": "x"}})
    scene.request("plain", prompt="user: hé", masked={"email": 1})
    scene.response("plain", completion="hi [EMAIL]")
    scene.request("denied", verdict="deny", rule="bulk", status=403, code="policy_violation", message="Not that.")
    scene.request("held", verdict="hold", rule="risky", upstream="far")
    scene.request("streamed", stream=True, path="/api/chat", address="[fe80::1]:9")
    for n in range(3):
        payload = {"body": f'{{"n":{n},"é":"x"}}\n', "encoding": "utf-8"}
        scene.add("chunk", "streamed", {"n": n, "bytes": 16, "offset": 16 * n}, payload)
    scene.response("streamed", streamed=True, bytes=48)
    scene.request("cut", stream=True)
    scene.add("chunk", "cut", {"n": 0, "bytes": 3, "offset": 0}, {"body": "AP//", "encoding": "base64"})
    scene.response("cut", kind="abort", streamed=True, reason="client", message="the caller went away", bytes=3)
    scene.request("broken")
    abort: JsonObject = {"status": 502, "error": None, "reason": "upstream", "message": "It broke off.", "bytes": 0}
    scene.add("abort", "broken", abort, {"completion": "", "headers": [], "body": None, "encoding": "utf-8"})
    scene.add("verdict", "broken", {"verdict": "deny", "rule": "", "status": 502, "code": "upstream_unreachable",
                                    "message": "It broke off.", "approval": None})  # fmt: skip
    scene.request(
        "unread", verdict="deny", status=400, code="invalid_request", message="What?", caller=None, address="?"
    )
    scene.request("text", stream=True)
    scene.response("text", streamed=True, completion="only é text")
    listing: JsonObject = {"method": "GET", "path": "/v1/models", "verdict": "allow", "rule": "g"}
    listing["replica"] = "https://[::1]:8443"
    scene.add("request", "listing", listing, {"prompt": "", "headers": [], "body": None})
    scene.add("response", "listing", {"status": 204, "complete": True}, {"completion": "", "headers": [], "body": None})
    return scene


@pytest.fixture(scope="module")
def audit(scene: Scene) -> Iterator[Audit]:
    with Audit(scene.place.data) as audit:
        yield audit


def all_of(audit: Audit, **conditions: Any) -> dict[str, Recorded]:
    return {each.id: each for each in recorded(audit, **conditions)}


@pytest.fixture(scope="module")
def flows(audit: Audit) -> dict[str, mitm.HTTPFlow]:
    """Written, and read back by mitmproxy's own reader."""
    out = io.BytesIO()
    assert write(all_of(audit).values(), out) == 10
    out.seek(0)
    found = [each for each in FlowReader(out).stream() if isinstance(each, mitm.HTTPFlow)]
    return {each.id: each for each in found}


def test_flows_come_in_the_order_of_the_calls(flows: dict[str, mitm.HTTPFlow]) -> None:
    assert list(flows) == ["lost", "plain", "denied", "held", "streamed", "cut", "broken", "unread", "text", "listing"]


def test_a_call_and_its_answer_are_as_they_were(flows: dict[str, mitm.HTTPFlow]) -> None:
    flow = flows["plain"]
    assert flow.request.url == "http://127.0.0.1:11434/v1/chat/completions"
    assert flow.request.method == "POST"
    assert flow.request.json() == {"model": "llama3.2", "messages": [{"role": "user", "content": "user: hé"}]}
    assert flow.request.headers["content-type"] == "application/json"
    assert flow.request.headers["content-length"] == str(len(flow.request.content or b""))
    assert flow.response is not None
    assert flow.response.status_code == 200
    assert flow.response.json() == {"choices": [{"message": {"content": "hi [EMAIL]"}}]}
    assert flow.response.headers["Penstock-Exchange"] == "plain"
    assert flow.client_conn.peername == ("10.0.0.9", 51234)
    assert flow.server_conn.address == ("127.0.0.1", 11434)
    assert abs(flow.request.timestamp_start - 1_772_600_767.002) < 0.0001
    assert flow.response.timestamp_start == pytest.approx(flow.request.timestamp_start + 0.0125)
    assert (flow.marked, flow.error) == ("", None)


def test_a_flow_says_who_and_what_was_decided(flows: dict[str, mitm.HTTPFlow]) -> None:
    assert flows["denied"].comment == (
        "deny by bulk, refused: corp|alice@example.com on llama3.2 [denied]: Not that."
    )  # fmt: skip
    assert flows["listing"].comment == "allow by g, answered: nobody known on /v1/models [listing]"
    assert flows["plain"].metadata["penstock"] == {
        "exchange": "plain",
        "session": "session-1",
        "caller": "corp|alice@example.com",
        "groups": ["corp:science", "corp:staff"],
        "upstream": "lab",
        "operation": "chat",
        "model": "llama3.2",
        "verdict": "allow",
        "outcome": "answered",
        "rule": "researchers",
        "policy": "p" * 64,
        "approval": None,
        "masked": {"email": 1},
    }


def test_a_denied_call_is_marked_and_has_the_answer_that_the_caller_got(flows: dict[str, mitm.HTTPFlow]) -> None:
    flow = flows["denied"]
    assert flow.marked == ":no_entry:"
    assert flow.response is not None
    assert flow.response.status_code == 403
    assert flow.response.json()["error"]["code"] == "policy_violation"
    assert "Not that." in flow.response.json()["error"]["message"]
    broken = flows["broken"]
    assert broken.response is not None
    assert broken.response.status_code == 502
    assert broken.error is not None
    assert broken.error.msg == "It broke off."


def test_a_stream_is_in_one_piece(flows: dict[str, mitm.HTTPFlow]) -> None:
    response = flows["streamed"].response
    assert response is not None
    assert response.content == '{"n":0,"é":"x"}\n{"n":1,"é":"x"}\n{"n":2,"é":"x"}\n'.encode()
    assert flows["streamed"].client_conn.peername == ("fe80::1", 9)


def test_a_stream_of_which_only_the_text_was_kept_has_the_text(flows: dict[str, mitm.HTTPFlow]) -> None:
    response = flows["text"].response
    assert response is not None
    assert response.text == "only é text"
    assert response.headers["Penstock-Recorded"] == "text-only"


def test_what_was_cut_short_is_there_as_far_as_it_went(flows: dict[str, mitm.HTTPFlow]) -> None:
    flow = flows["cut"]
    assert flow.response is not None
    assert flow.response.content == b"\x00\xff\xff"
    assert flow.error is not None
    assert flow.error.msg == "the caller went away"
    assert flow.marked == ":warning:"


def test_what_has_no_answer_has_none(flows: dict[str, mitm.HTTPFlow]) -> None:
    assert flows["held"].response is None
    assert flows["held"].error is None
    assert flows["held"].marked == ":hourglass:"
    assert flows["held"].request.url == "http://far/v1/chat/completions"
    assert flows["lost"].response is None
    assert flows["lost"].error is not None
    assert "the gateway ended" in flows["lost"].error.msg


def test_a_call_without_a_body_has_none(flows: dict[str, mitm.HTTPFlow]) -> None:
    flow = flows["listing"]
    assert (flow.request.method, flow.request.scheme, flow.request.path) == ("GET", "https", "/v1/models")
    assert (flow.request.host, flow.request.port, flow.request.headers["Host"]) == ("::1", 8443, "[::1]:8443")
    assert flow.request.content == b""
    assert "content-length" not in flow.request.headers
    assert flow.response is not None
    assert (flow.response.status_code, flow.response.content) == (204, b"")
    assert flows["unread"].client_conn.peername == ("?", 0)


def test_exchanges_are_picked_by_any_condition(audit: Audit) -> None:
    assert list(all_of(audit, exchanges=("plain", "cut", "none"))) == ["plain", "cut"]
    assert list(all_of(audit, where="verdict = 'deny' -- all", since="2026-03-01")) == ["denied", "broken", "unread"]
    assert all_of(audit, since="1 hour") == {}


def test_a_replay_may_be_sent_anywhere(audit: Audit) -> None:
    exchange = all_of(audit)["plain"]
    assert flow_of(exchange, target("https://models.example")).request.url == (
        "https://models.example/v1/chat/completions"
    )
    assert target("http://127.0.0.1:1") == ("http", "127.0.0.1", 1)
    for bad in ("", "127.0.0.1:80", "ftp://x", "http://", "http://x:port", "http://[x"):
        with pytest.raises(ConfigurationError, match="not the address of a server"):
            target(bad)


# With mitmproxy itself


@pytest.fixture
def server() -> Iterator[tuple[str, list[tuple[str, str, bytes]]]]:
    """A model server that remembers what it was asked."""
    asked: list[tuple[str, str, bytes]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append((self.command, self.path, self.rfile.read(int(self.headers.get("content-length") or 0))))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_GET = do_POST

        def log_message(self, *_: object) -> None: ...

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}", asked
    listening.shutdown()
    thread.join()
    listening.server_close()


def mitmdump(home: Path, *args: str) -> str:
    done = subprocess.run(
        [MITMDUMP, "--set", f"confdir={home}", *args], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Error" not in done.stderr
    return done.stdout


def test_mitmdump_opens_the_export(scene: Scene, tmp_path: Path) -> None:
    file = tmp_path / "calls.mitm"
    done = CliRunner().invoke(command, ["--data", str(scene.place.data), "--mitm", str(file)])
    assert (done.exit_code, done.output) == (0, f"10 exchanges written to {file}\n")
    shown = mitmdump(tmp_path, "-nr", str(file), "--set", "flow_detail=3")
    assert "POST http://127.0.0.1:11434/v1/chat/completions" in shown
    assert "hi [EMAIL]" in shown
    assert "403 Forbidden" in shown


def test_mitmdump_sends_the_export_again(
    scene: Scene, audit: Audit, tmp_path: Path, server: tuple[str, list[tuple[str, str, bytes]]]
) -> None:
    url, asked = server
    file = tmp_path / "calls.mitm"
    done = CliRunner().invoke(
        command,
        ["--data", str(scene.place.data), "--mitm", str(file), "--to", url, "--where", "outcome = 'answered'"],
    )
    assert done.exit_code == 0
    mitmdump(tmp_path, "-n", "--client-replay", str(file), "--set", "client_replay_concurrency=1")
    wanted = [flow for flow in all_of(audit).values() if flow.outcome == "answered"]
    assert [(method, path, body) for method, path, body in asked] == [
        (flow.method, flow.path, flow.request_body or b"") for flow in wanted
    ]
    assert json.loads(asked[0][2])["messages"][0]["content"] == "user: hé"
