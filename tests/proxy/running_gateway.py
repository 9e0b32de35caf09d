"""Gateways in processes of their own, through either entrance, for tests over real sockets."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.proxy.raw_client import KEY, Answer, exchange, request

ROOT = Path(__file__).parents[2]
type Entrance = Literal["serve", "mitmdump"]

APPROVER = "psk-test-approver-0123456789abcdef01234567"
APPROVER_2 = "psk-test-second-approver-0123456789abcdef"
OTHER = "psk-test-other-0123456789abcdef0123456789"

ACCESS = """
grants:
  - id: everyone
    groups: [testers]
    upstreams: [lab]
    operations: [chat, complete, list, show, health]
    models: ["*"]
    parameters: {max_tokens: {max: 100, over: clamp}}
guardrails:
  - id: no-forbidden
    on: [prompt, tool_call]
    match: {words: [forbidden]}
    action: deny
    message: That word is not allowed here.
  - id: wire
    on: [prompt]
    match: {words: [wire transfer]}
    action: {hold: risky}
    message: Transfers need a second pair of eyes.
  - id: no-launch-codes
    on: [completion]
    match: {pattern: 'launch code \\d{4}'}
    action: deny
    message: The reply held a launch code.
approvals:
  - id: risky
    approvers: {groups: [approvers]}
    quorum: 1
    expires: 2m
    grant: once
    reason: required
masking:
  - id: contact
    on: [completion]
    detect: [email]
    with: label
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


def write_rules(
    directory: Path, *, port: int, upstream: str, extra: str = "", access: str = ACCESS, more: str = ""
) -> Path:
    """A small policy with machine keys; `extra` goes below `upstreams: lab:`, `more` at the top level."""
    rules = directory / "rules"
    rules.mkdir(parents=True, exist_ok=True)
    keys = {
        "tester": (KEY, "svc:tester", "testers"),
        "other": (OTHER, "svc:other", "testers"),
        "approver": (APPROVER, "svc:approver", "approvers"),
        "approver2": (APPROVER_2, "svc:approver2", "approvers"),
    }
    lines = [
        f"    - {{id: {name}, sha256: {hashlib.sha256(key.encode()).hexdigest()}, subject: '{subject}', "
        f"groups: [{group}], expires: 2099-01-01}}"
        for name, (key, subject, group) in keys.items()
    ]
    (rules / "gateway.yaml").write_text(
        "version: 1\n"
        f"listen:\n  - {{mode: reverse, host: 127.0.0.1, port: {port}, upstream: lab}}\n"
        f"data: {directory / 'data'}\n"
        f"upstreams:\n  lab:\n    replicas: ['{upstream}']\n"
        "    credential: {header: authorization, value: 'Bearer model-secret'}\n"
        f"{extra}"
        "identity:\n  keys:\n" + "\n".join(lines) + "\n" + more
    )
    (rules / "access.yaml").write_text(access)
    return rules


@dataclass
class Running:
    """A gateway that serves."""

    entrance: Entrance
    port: int
    directory: Path
    process: subprocess.Popen[bytes]
    log: Path
    fault: Path = field(default_factory=Path)

    def ask(self, raw: bytes, *, timeout: float = 10.0) -> Answer:
        return exchange(self.port, raw, timeout=timeout)

    def order(self, **what: object) -> None:
        """Tells the failing addon what to do; nothing: to behave."""
        self.fault.write_text(json.dumps(what))

    def stop(self, number: int = signal.SIGTERM, seconds: float = 10.0) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def entries(self, kind: str | None = None) -> list[dict[str, object]]:
        """Envelopes of the journal, as they are on disk now."""
        found = []
        for path in sorted((self.directory / "data" / "journal").glob("*.ndjson")):
            for line in path.read_text().splitlines():
                if line.strip():
                    document = json.loads(line)
                    envelope = json.loads(document["envelope"]) if "envelope" in document else document
                    if kind is None or envelope["kind"] == kind:
                        found.append(envelope)
        return found


def start(
    directory: Path,
    entrance: Entrance,
    *,
    upstream: str,
    faulty: bool = False,
    rules: Path | None = None,
    port: int | None = None,
    arguments: Iterable[str] = (),
    wait: bool = True,
    mode: str | None = None,
    python: tuple[str, ...] = (sys.executable,),
) -> Running:
    port = port or free_port()
    rules = rules or write_rules(directory, port=port, upstream=upstream)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("COV", "PYTEST"))}
    environment["PENSTOCK_TEST_FAULT"] = str(directory / "fault.json")
    here = Path(__file__).parent
    if entrance == "serve":
        program = [str(here / "faulty_serve.py")] if faulty else ["-m", "penstock"]
        command = [*python, *program, "serve", "--rules", str(rules), *arguments]
    else:
        command = [
            str(Path(sys.executable).parent / "mitmdump"),
            "-q",
            "--set",
            f"confdir={directory / 'conf'}",
            "-s",
            str(ROOT / "addons" / "gateway.py"),
            *(("-s", str(here / "fault.py")) if faulty else ()),
            "--mode",
            mode or f"reverse:{upstream}@127.0.0.1:{port}",
            "--set",
            f"penstock_rules={rules}",
            *arguments,
        ]
    log = directory / f"{entrance}.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=environment, cwd=directory
        )
    running = Running(entrance, port, directory, process, log, directory / "fault.json")
    if wait:
        wait_ready(running)
    return running


def wait_ready(running: Running, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    ask = request(method="GET", path="/.penstock/ready", key=None)
    while time.monotonic() < deadline:
        if running.process.poll() is not None:
            raise AssertionError(f"the gateway ended with {running.process.returncode}:\n{running.output()}")
        try:
            if exchange(running.port, ask, timeout=2).status == 200:
                return
        except OSError:
            pass
        time.sleep(0.05)
    running.stop(signal.SIGKILL)
    raise AssertionError(f"the gateway was not ready in time:\n{running.output()}")
