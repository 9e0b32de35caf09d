"""Three machines in network namespaces: a client, the gateway's machine with a model on it, a model behind it."""

from __future__ import annotations

import hashlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
PENSTOCK: Final = (sys.executable, "-c", "from penstock.cli import main; main()")
PLAIN: Final = (sys.executable, "-I", "-S")
"""Python that starts at once, with the standard library only."""

GATEWAY_UID: Final = 64_321
SOMEBODY: Final = 64_322
PORT: Final = 8443

# (name of the model, address, port) as clients know them; `near` is on the gateway's machine, `far` behind it.
NEAR: Final = (("10.81.1.1", 8000), ("fd81:1::1", 8000))
FAR: Final = (("10.81.2.2", 9000), ("fd81:2::2", 9000))
MODELS: Final = (*NEAR, *FAR)

KEY: Final = "psk-test-caller-0123456789abcdef0123456789"
RULES: Final = f"""
version: 1
listen:
  - {{mode: transparent, port: {PORT}}}
upstreams:
  near:
    replicas: ["http://127.0.0.1:8000"]
    destinations: ["10.81.1.1:8000", "[fd81:1::1]:8000"]
  far:
    replicas: ["http://10.81.2.2:9000"]
    destinations: ["10.81.2.2:9000", "[fd81:2::2]:9000"]
identity:
  keys:
    - id: caller
      sha256: {hashlib.sha256(KEY.encode()).hexdigest()}
      subject: svc:caller
      groups: [callers]
      expires: 2099-01-01
grants:
  - {{id: callers, groups: [callers], upstreams: [near, far], operations: [list], models: ["*"]}}
"""

type Place = tuple[str, int]


@dataclass
class Machine:
    """One namespace; what runs in it is ended with it."""

    name: str
    processes: list[subprocess.Popen[str]] = field(default_factory=list[subprocess.Popen[str]])

    def words(self, words: Sequence[str], uid: int = 0) -> list[str]:
        """As another user, who may still read the interpreter wherever it is."""
        drop = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
        read = [
            "--inh-caps=+dac_read_search",
            "--ambient-caps=+dac_read_search",
            "--bounding-set=-all,+dac_read_search",
        ]
        return ["ip", "netns", "exec", self.name, *([*drop, *read] if uid else []), *words]

    def run(self, *words: str, uid: int = 0, check: bool = True, text: str = "") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(self.words(words, uid), input=text, capture_output=True, text=True, timeout=60)
        assert not check or done.returncode == 0, (words, done.stdout, done.stderr)
        return done

    def inside[T](self, function: Callable[[], T]) -> T:
        """Call a function of this process as if it ran there: a namespace is a thread's own."""

        def enter() -> T:
            with (Path("/run/netns") / self.name).open() as namespace:
                os.setns(namespace.fileno(), os.CLONE_NEWNET)
            return function()

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(enter).result()

    def start(self, *words: str, uid: int = 0, ready: str, log: Path | None = None) -> subprocess.Popen[str]:
        """Start a program and wait until it prints a line with `ready` in it."""
        with (log or Path(os.devnull)).open("a") as errors:
            process = subprocess.Popen(
                self.words(words, uid), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        self.processes.append(process)
        assert process.stdout is not None
        while select.select([process.stdout], [], [], 30)[0]:
            line = process.stdout.readline()
            if ready in line:
                return process
            assert line, (words, log.read_text() if log else "")
        raise AssertionError(f"{words} did not become ready")

    def stop(self, process: subprocess.Popen[str], number: int = signal.SIGKILL) -> None:
        if process.poll() is None:
            process.send_signal(number)
            process.wait(20)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self.processes.remove(process)

    def ask(self, places: Sequence[Place], *, uid: int = 0, headers: dict[str, str] | None = None) -> list[Any]:
        """What becomes of one request to each place: `answered by MODEL`, `... through the gateway`, or an error."""
        asked = json.dumps({"places": places, "headers": headers or {}})
        return list(json.loads(self.run(*PLAIN, str(HERE / "probe.py"), asked, uid=uid).stdout))


@dataclass
class Network:
    client: Machine
    gate: Machine
    model: Machine
    record: Path

    def heard(self) -> list[str]:
        """The requests that reached a model, so far."""
        return self.record.read_text().splitlines() if self.record.exists() else []


@contextmanager
def network(folder: Path) -> Iterator[Network]:
    """The three machines with their models, and nothing between them yet."""
    names = [f"pst{os.getpid()}{letter}" for letter in "cgm"]
    client, gate, model = machines = [Machine(name) for name in names]
    made = Network(client, gate, model, folder / "record")
    try:
        for name in names:
            _do("ip", "netns", "add", name)
        _wire(client, gate, 1)
        _wire(model, gate, 2)
        for key in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
            gate.run("sysctl", "-qw", f"{key}=1")
        for machine, port, name in ((gate, 8000, "near"), (model, 9000, "far")):
            machine.start(*PLAIN, str(HERE / "model.py"), str(port), name, str(made.record), ready="ready")
        yield made
    finally:
        for machine in machines:
            for process in list(machine.processes):
                machine.stop(process)
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True)


def _wire(end: Machine, gate: Machine, number: int) -> None:
    """A cable from `end` (.2) to the gateway's machine (.1), which is its way to everywhere."""
    cable = f"v{number}"
    _do("ip", "-n", end.name, "link", "add", "v0", "type", "veth", "peer", "name", cable, "netns", gate.name)
    for machine, device, last in ((end, "v0", 2), (gate, cable, 1)):
        _do("ip", "-n", machine.name, "address", "add", f"10.81.{number}.{last}/24", "dev", device)
        _do("ip", "-n", machine.name, "address", "add", f"fd81:{number}::{last}/64", "dev", device, "nodad")
        for up in ("lo", device):
            _do("ip", "-n", machine.name, "link", "set", up, "up")
    _do("ip", "-n", end.name, "route", "add", "default", "via", f"10.81.{number}.1")
    _do("ip", "-n", end.name, "-6", "route", "add", "default", "via", f"fd81:{number}::1")


def _do(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, (words, done.stderr)
