"""From start to stop: what cannot be made safe does not start, what breaks stops, what changes is picked up."""

from __future__ import annotations

import shutil
import socket
import time
from pathlib import Path

import pytest

from tests.proxy.raw_client import chat, exchange, request
from tests.proxy.recording_upstream import RecordingUpstream
from tests.proxy.running_gateway import ACCESS, ROOT, Entrance, Running, free_port, start, write_rules


@pytest.fixture(autouse=True)
def clean(upstream: RecordingUpstream) -> None:
    upstream.settle(0.02)
    upstream.forget()


def fails(directory: Path, entrance: Entrance, upstream: RecordingUpstream, **more: object) -> str:
    """Starts a gateway that must not come up; what it printed."""
    url = f"http://127.0.0.1:{upstream.port}"
    running = start(directory, entrance, upstream=url, wait=False, **more)  # type: ignore[arg-type]
    assert running.process.wait(30) == 1, running.output()
    output = running.output()
    assert "Traceback" not in output
    assert upstream.connections == 0
    return output


@pytest.mark.parametrize(
    "option",
    [
        "ignore_hosts=.*",
        "allow_hosts=x",
        "tcp_hosts=.*",
        "map_remote=|/v1|http://127.0.0.1:1",
        "map_local=|/v1|/tmp",
        "modify_body=/a/b",
        "modify_headers=/a/b",
        "stickyauth=.*",
        "anticomp=true",
        "no_such_option=1",
    ],
)
def test_an_option_that_goes_round_the_policy_stops_the_start(
    directory: Path, upstream: RecordingUpstream, option: str
) -> None:
    output = fails(directory, "mitmdump", upstream, arguments=("--set", option))
    name = option.partition("=")[0]
    lines = [line for line in output.splitlines() if line.startswith("penstock: ")]
    assert len(lines) == 1
    assert name in lines[0]


@pytest.mark.parametrize(
    "mode",
    ["regular@0", "socks5@0", "reverse:tcp://127.0.0.1:1@0", "reverse:http://127.0.0.1:1@0", "transparent@0", "dns@0"],
)
def test_a_mode_that_cannot_be_governed_stops_the_start(
    directory: Path, upstream: RecordingUpstream, mode: str
) -> None:
    output = fails(directory, "mitmdump", upstream, mode=mode)
    lines = [line for line in output.splitlines() if line.startswith("penstock: ")]
    assert len(lines) == 1
    assert mode.partition("@")[0].removeprefix("reverse:") in lines[0]


def test_options_in_a_config_file_stop_the_start(directory: Path, upstream: RecordingUpstream) -> None:
    (directory / "conf").mkdir()
    (directory / "conf" / "config.yaml").write_text("rawtcp: true\n")
    assert "config.yaml" in fails(directory, "mitmdump", upstream)


@pytest.mark.parametrize("option", ["rawtcp=true", "connection_strategy=eager", "stream_large_bodies=1k", "http2=true"])
def test_an_option_that_can_be_made_safe_is_made_safe(
    directory: Path, upstream: RecordingUpstream, option: str
) -> None:
    running = start(directory, "mitmdump", upstream=f"http://127.0.0.1:{upstream.port}", arguments=("--set", option))
    try:
        for raw in (b"PO", b"SSH-2.0-x\r\n", request(chat("forbidden " + "x" * 5000))):
            with socket.create_connection(("127.0.0.1", running.port), timeout=2) as sock:
                sock.sendall(raw)
                sock.settimeout(0.3)
                try:
                    sock.recv(65536)
                except TimeoutError:
                    continue
        upstream.settle()
        assert upstream.connections == 0
        assert running.ask(request(chat())).status == 200
    finally:
        running.stop()


def test_a_missing_directory_of_rules_is_one_line(
    directory: Path, upstream: RecordingUpstream, entrance: Entrance
) -> None:
    output = fails(directory, entrance, upstream, rules=directory / "nowhere")
    assert len([line for line in output.splitlines() if line.startswith("penstock:")]) == 1
    assert "nowhere" in output


def test_every_problem_of_the_rules_is_told(directory: Path, upstream: RecordingUpstream, entrance: Entrance) -> None:
    url = f"http://127.0.0.1:{upstream.port}"
    broken = ACCESS.replace("grants:", "grnts:").replace("action: deny", "action: dany")
    rules = write_rules(directory, port=free_port(), upstream=url, access=broken)
    output = fails(directory, entrance, upstream, rules=rules)
    assert "access.yaml:2:1" in output
    assert "grants" in output
    assert "dany" in output


def test_a_port_in_use_is_one_line(directory: Path, upstream: RecordingUpstream) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        output = fails(directory, "serve", upstream, port=taken.getsockname()[1])
    assert "address" in output.lower()


def test_a_data_directory_that_cannot_be_written_is_one_line(
    directory: Path, upstream: RecordingUpstream, entrance: Entrance
) -> None:
    (directory / "data").write_text("a file is in the way")
    output = fails(directory, entrance, upstream)
    assert "data" in output


def gateway_script(directory: Path) -> Path:
    """A copy of the script that may be broken."""
    script = directory / "gateway_copy.py"
    text = (ROOT / "addons" / "gateway.py").read_text()
    script.write_text(text.replace("str(Path(__file__).parent)", repr(str(ROOT / "addons"))))
    return script


def start_script(directory: Path, upstream: RecordingUpstream, script: Path) -> Running:
    import subprocess
    import sys

    from tests.proxy.running_gateway import wait_ready

    port = free_port()
    url = f"http://127.0.0.1:{upstream.port}"
    rules = write_rules(directory, port=port, upstream=url)
    command = [
        str(Path(sys.executable).parent / "mitmdump"),
        "-q",
        "--set",
        f"confdir={directory / 'conf'}",
        "-s",
        str(script),
    ]
    command += ["--mode", f"reverse:{url}@127.0.0.1:{port}", "--set", f"penstock_rules={rules}"]
    log = directory / "script.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd=directory)
    running = Running("mitmdump", port, directory, process, log)
    wait_ready(running)
    return running


@pytest.mark.parametrize("how", ["deleted", "syntax error", "raises", "emptied"])
def test_a_script_that_goes_or_breaks_stops_the_proxy(directory: Path, upstream: RecordingUpstream, how: str) -> None:
    script = gateway_script(directory)
    running = start_script(directory, upstream, script)
    try:
        assert running.ask(request(chat())).status == 200
        upstream.forget()
        time.sleep(1.1)
        if how == "deleted":
            script.unlink()
        else:
            script.write_text({"syntax error": "def (:", "raises": "raise ValueError", "emptied": ""}[how])
        deadline = time.monotonic() + 10
        while running.process.poll() is None and time.monotonic() < deadline:
            try:
                exchange(running.port, request(chat("forbidden"), key=None), timeout=1)
            except OSError:
                pass
            time.sleep(0.02)
        assert running.process.poll() is not None, "the proxy went on without its policy"
        assert upstream.bytes == 0
    finally:
        running.stop()


def test_a_changed_policy_takes_effect_within_two_seconds(
    directory: Path, upstream: RecordingUpstream, entrance: Entrance
) -> None:
    running = start(directory, entrance, upstream=f"http://127.0.0.1:{upstream.port}")
    try:
        assert running.ask(request(chat("harmless"))).status == 200
        access = directory / "rules" / "access.yaml"
        access.write_text(ACCESS.replace("words: [forbidden]", "words: [harmless]"))
        time.sleep(2.0)
        assert running.ask(request(chat("harmless"))).status == 403
        access.write_text("grants: [")
        time.sleep(2.0)
        assert running.ask(request(chat("harmless"))).status == 403, "the last good policy stays in force"
        assert running.ask(request(chat("fine"))).status == 200
        events = [entry["body"]["event"] for entry in running.entries("policy")]  # type: ignore[index]
        assert events == ["loaded", "loaded", "refused"]
        shutil.rmtree(directory / "rules")
        time.sleep(1.5)
        assert running.ask(request(chat("harmless"))).status == 403
    finally:
        running.stop()


def test_a_silent_model_is_given_up(directory: Path, upstream: RecordingUpstream, entrance: Entrance) -> None:
    port, url = free_port(), f"http://127.0.0.1:{upstream.port}"
    rules = write_rules(
        directory, port=port, upstream=url, extra="    timeouts: {connect: 1s, first_byte: 1s, idle: 1s}\n"
    )
    running = start(directory, entrance, upstream=url, rules=rules, port=port)
    try:
        upstream.behave = lambda _sock, _request: time.sleep(6)
        began = time.monotonic()
        answer = running.ask(request(chat()))
        assert answer.status == 504
        assert '"upstream_timeout"' in answer.text
        assert time.monotonic() - began < 5

        def stall(sock: socket.socket, _request: bytes) -> None:
            from tests.proxy.recording_upstream import STREAM_HEAD, chunk, event

            sock.sendall(STREAM_HEAD + chunk(event("hello there ")))
            time.sleep(6)

        upstream.behave = stall
        answer = running.ask(request(chat(stream=True)))
        assert "hello" in answer.text
        assert "did not answer in time" in answer.text
        assert answer.whole
        assert running.ask(request(method="GET", path="/.penstock/ready", key=None)).status == 200
    finally:
        upstream.forget()
        running.stop()


def test_a_dead_model_is_an_error_and_its_return_is_noticed(directory: Path, entrance: Entrance) -> None:
    port = free_port()
    running = start(directory, entrance, upstream=f"http://127.0.0.1:{port}")
    try:
        answer = running.ask(request(chat()))
        assert answer.status == 502
        assert '"upstream_unreachable"' in answer.text
        assert str(port) not in answer.text
    finally:
        assert running.stop() == 0


def test_the_gateway_tells_that_it_lives_and_who_is_asking(
    directory: Path, upstream: RecordingUpstream, entrance: Entrance
) -> None:
    running = start(directory, entrance, upstream=f"http://127.0.0.1:{upstream.port}")
    try:
        for path in ("health", "ready"):
            assert running.ask(request(method="GET", path=f"/.penstock/{path}", key=None)).status == 200
        assert running.ask(request(method="GET", path="/.penstock/whoami", key=None)).status == 401
        who = running.ask(request(method="GET", path="/.penstock/whoami"))
        assert '"subject":"svc:tester"' in who.text
        assert running.ask(request(method="GET", path="/.penstock/nothing")).status == 404
        assert running.ask(request(b"{}", path="/.penstock/health")).status == 405
        metadata = running.ask(request(method="GET", path="/.well-known/oauth-protected-resource", key=None))
        assert metadata.status == 404, "the policy names no resource"
        assert upstream.bytes == 0
    finally:
        running.stop()
