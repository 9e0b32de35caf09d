"""Orders through a whole gateway: what a grant names reaches the server, and nothing else does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from penstock.cli.apis import command
from tests.proxy.raw_client import request
from tests.proxy.recording_upstream import RecordingUpstream, chunk, reply
from tests.proxy.running_gateway import Running, free_port, start, write_rules

ACCESS = """
grants:
  - id: keepers
    groups: [testers]
    upstreams: [lab]
    operations: [pull, copy, adapt, configure, show, metrics]
    models: ["*"]
    parameters: {destination: {values: [mine]}, new_data_parallel_size: {max: 4, over: clamp}}
masking:
  - id: contact
    on: [completion]
    detect: [email]
    with: label
"""
PROGRESS = (
    b'{"status":"pulling manifest"}\n'
    b'{"status":"pulled for bob@example.org","digest":"sha256:6a6a"}\n'
    b'{"status":"success"}\n'
)


@pytest.fixture(scope="module")
def keeper(tmp_path_factory: pytest.TempPathFactory, shared_upstream: RecordingUpstream) -> Iterator[Running]:
    directory = tmp_path_factory.mktemp("orders")
    port = free_port()
    target = f"http://127.0.0.1:{shared_upstream.port}"
    rules = write_rules(directory, port=port, upstream=target, access=ACCESS)
    running = start(directory, "serve", upstream=target, rules=rules, port=port)
    yield running
    running.stop()


def ask(keeper: Running, path: str, body: object = None, method: str = "POST") -> tuple[int, str]:
    content = b"" if body is None else json.dumps(body).encode()
    answer = keeper.ask(request(content, method=method, path=path))
    return answer.status, answer.text


def test_the_progress_of_an_order_is_delivered_masked(keeper: Running, upstream: RecordingUpstream) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
    upstream.behave = lambda sock, _: sock.sendall(head + chunk(PROGRESS) + b"0\r\n\r\n")
    status, text = ask(keeper, "/api/pull", {"model": "registry.ollama.ai/library/LLAMA3:latest"})
    assert status == 200 and text.splitlines()[-1] == '{"status":"success"}'
    assert "bob@example.org" not in text and "[EMAIL]" in text
    assert upstream.received[0].endswith(b'{"model":"llama3"}')


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/pull", {"model": "llama3", "insecure": True}),
        ("/api/pull", {"model": "qwen3:480b-cloud"}),
        ("/api/copy", {"source": "llama3", "destination": "other"}),
        ("/api/delete", {"model": "llama3"}),
        ("/v1/load_lora_adapter", {"lora_name": "sql", "lora_path": "/etc"}),
        ("/models/load", {"model": "llama3"}),
    ],
)
def test_what_no_grant_names_does_not_reach_the_server(
    keeper: Running, upstream: RecordingUpstream, path: str, body: object
) -> None:
    status, _ = ask(keeper, path, body, "DELETE" if path.endswith("delete") else "POST")
    assert status == 403 and not upstream.received


def test_a_copy_to_a_name_that_is_granted_passes(keeper: Running, upstream: RecordingUpstream) -> None:
    upstream.behave = lambda sock, _: sock.sendall(reply(b"", "text/plain"))
    assert ask(keeper, "/api/copy", {"source": "LLAMA3", "destination": "Mine:latest"}) == (200, "")
    assert upstream.received[0].endswith(b'{"source":"llama3","destination":"mine"}')


def test_a_number_in_an_order_is_clamped(keeper: Running, upstream: RecordingUpstream) -> None:
    upstream.behave = lambda sock, _: sock.sendall(reply(b'{"message":"scaled"}'))
    assert ask(keeper, "/scale_elastic_ep", {"new_data_parallel_size": 64})[0] == 200
    assert upstream.received[0].endswith(b'{"new_data_parallel_size":4}')


def test_scales_are_forwarded_as_they_were_read(keeper: Running, upstream: RecordingUpstream) -> None:
    upstream.behave = lambda sock, _: sock.sendall(reply(b'{"success":true}'))
    assert ask(keeper, "/lora-adapters", [{"id": 0, "scale": 0.5}])[0] == 200
    assert upstream.received[0].endswith(b'\r\n\r\n[{"id":0,"scale":0.5}]')


def test_an_order_without_a_body_needs_none(keeper: Running, upstream: RecordingUpstream) -> None:
    upstream.behave = lambda sock, _: sock.sendall(reply(b"", "text/plain"))
    assert ask(keeper, "/pause?mode=keep") == (200, "")
    assert upstream.received[0].startswith(b"POST /pause?mode=keep HTTP/1.1\r\n")
    assert upstream.received[0].endswith(b"\r\n\r\n")


def test_a_servers_key_is_not_shown_and_its_metrics_are(keeper: Running, upstream: RecordingUpstream) -> None:
    upstream.behave = lambda sock, _: sock.sendall(reply(b'{"api_key":"sk-secret","version":"0.5"}'))
    assert ask(keeper, "/get_server_info", method="GET") == (200, '{"api_key":null,"version":"0.5"}')
    metrics = b'# HELP a b\na{model="tiny"} 1\n'
    upstream.behave = lambda sock, _: sock.sendall(reply(metrics, "text/plain; version=0.0.4"))
    assert ask(keeper, "/metrics", method="GET") == (200, metrics.decode())


def test_what_is_refused_on_purpose_says_why_and_is_found_again(
    keeper: Running, upstream: RecordingUpstream, tmp_path: Path
) -> None:
    status, text = ask(keeper, "/tools", {"tool": "exec_shell_command"})
    assert status == 403 and "it runs tools on the model server" in text
    assert ask(keeper, "/v9/nothing?x=1", {})[0] == 404
    assert not upstream.received
    result = CliRunner().invoke(command, ["--unmatched", "--json", "--data", str(keeper.directory / "data")])
    found = {(row["method"], row["path"]): row for row in json.loads(result.output)}
    assert found["POST", "/tools"]["reason"].startswith("it runs tools on the model server")
    assert found["POST", "/v9/nothing"]["reason"] == "not known"
    assert len(found["POST", "/tools"]["callers"]) == 1
