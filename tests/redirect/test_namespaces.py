"""The redirect in real kernels: nobody reaches a model but through the gateway, whatever is dead or flushed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import pytest

from penstock.policy import load
from penstock.redirect import kernel, nftables
from penstock.redirect.plan import Plan, RedirectError, plan
from tests.redirect.network import (
    FAR,
    GATEWAY_UID,
    HERE,
    KEY,
    MODELS,
    NEAR,
    PENSTOCK,
    PLAIN,
    PORT,
    RULES,
    SOMEBODY,
    Network,
    Place,
    network,
)

pytestmark = pytest.mark.root

THROUGH: Final = [f"answered by {name} through the gateway" for name in ("near", "near", "far", "far")]
DIRECT: Final = [answer.removesuffix(" through the gateway") for answer in THROUGH]
REFUSED: Final = ["refused"] * 4
# Other ways to the model on the gateway's machine, which listens on every address.
DETOURS: Final[tuple[Place, ...]] = (("10.81.2.1", 8000), ("fd81:2::1", 8000))
LOOPBACK: Final[tuple[Place, ...]] = (("127.0.0.1", 8000), ("::1", 8000))
TRACKING: Final = "; ".join(
    (
        "add table inet somebody",
        *(
            f"add chain inet somebody {hook} {{ type filter hook {hook} priority 0; }}; "
            f"add rule inet somebody {hook} ct state new counter"
            for hook in ("input", "forward", "output")
        ),
    )
)
OWN_PORT: Final[tuple[Place, ...]] = (("10.81.1.1", PORT), ("fd81:1::1", PORT))


@dataclass
class Tool:
    """nftables or iptables: how a redirect comes and goes, and how somebody empties the nat tables."""

    install: Callable[[Plan], None]
    remove: Callable[[], None]
    flush: tuple[tuple[str, ...], ...]


TOOLS: Final = {
    "nftables": Tool(
        lambda made: kernel.install(nftables.ruleset(made)),
        kernel.remove,
        tuple(
            ("nft", "flush", "chain", "inet", "penstock", chain) for chain in ("remote_to_gateway", "local_to_gateway")
        ),
    ),
    "iptables": Tool(
        kernel.install_iptables,
        kernel.remove_iptables,
        tuple((tool, "-t", "nat", "-F") for tool in ("iptables", "ip6tables")),
    ),
}


@dataclass
class Gateway:
    """How the gateway under test is started, and what its callers send."""

    command: Callable[[Path], tuple[str, ...]]
    """From the directory with the rules to the command line; runs as `GATEWAY_UID`."""
    ready: str
    """What it prints when it serves."""
    headers: dict[str, str] = field(default_factory=dict[str, str])


STAND_IN: Final = Gateway(lambda rules: (*PLAIN, str(HERE / "stand_in.py"), str(PORT)), "ready")

REAL: Final = Gateway(
    lambda rules: (*PENSTOCK, "serve", "--rules", str(rules), "--data", str(rules.parent / "data")),
    "listening",
    {"Authorization": f"Bearer {KEY}"},
)


# The same chain under a plain mitmdump, which finds the original destinations by itself.
MITMDUMP: Final = Gateway(
    lambda rules: (
        *(sys.executable, "-c", "from mitmproxy.tools.main import mitmdump; mitmdump()"),
        *("-s", str(HERE.parents[1] / "addons" / "gateway.py"), "--mode", "transparent", "--listen-port", str(PORT)),
        *("--set", f"penstock_rules={rules}", "--set", f"penstock_data={rules.parent / 'data'}"),
        *("--set", f"confdir={rules.parent / 'data' / 'mitmproxy'}"),
    ),
    "listening",
    REAL.headers,
)


class Lab:
    """The three machines with the redirect installed and the gateway alive."""

    def __init__(self, net: Network, rules: Path, tool: Tool, gateway: Gateway, log: Path) -> None:
        self.net, self.rules, self.tool, self.gateway, self.log = net, rules, tool, gateway, log
        self._process: Any = None

    def install(self) -> None:
        made = plan(load(self.rules).gateway, GATEWAY_UID)
        self.net.gate.inside(lambda: self.tool.install(made))

    def remove(self) -> None:
        self.net.gate.inside(self.tool.remove)

    def penstock(self, verb: str, *words: str, uid: int = 0, status: int = 0) -> subprocess.CompletedProcess[str]:
        """The command itself, in a process of its own; `show` and `install` read the lab's rules."""
        rules = () if verb == "remove" else ("--rules", str(self.rules), "--user", str(GATEWAY_UID))
        done = self.net.gate.run(*PENSTOCK, "redirect", verb, *rules, *words, uid=uid, check=False)
        assert done.returncode == status, (done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        return done

    def start(self) -> None:
        self._process = self.net.gate.start(
            *self.gateway.command(self.rules), uid=GATEWAY_UID, ready=self.gateway.ready, log=self.log
        )

    def kill(self) -> None:
        if self._process is not None:
            self.net.gate.stop(self._process)
            self._process = None

    def remote(self, places: tuple[Place, ...] = MODELS) -> list[Any]:
        return self.net.client.ask(places, headers=self.gateway.headers)

    def local(self, places: tuple[Place, ...] = MODELS, uid: int = SOMEBODY) -> list[Any]:
        return self.net.gate.ask(places, uid=uid, headers=self.gateway.headers)

    def empty_nat(self) -> None:
        for words in self.tool.flush:
            self.net.gate.run(*words)


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with network(tmp_path_factory.mktemp("network")) as made:
        yield made


@contextmanager
def lab_of(net: Network, tool: Tool, gateway: Gateway) -> Iterator[Lab]:
    with tempfile.TemporaryDirectory(prefix="penstock-lab-") as name:  # pytest's own are closed to other users
        folder = Path(name)
        folder.chmod(0o755)
        rules, data = folder / "rules", folder / "data"
        rules.mkdir()
        data.mkdir()
        os.chown(data, GATEWAY_UID, GATEWAY_UID)
        (rules / "gateway.yaml").write_text(RULES)
        lab = Lab(net, rules, tool, gateway, folder / "gateway.log")
        try:
            lab.install()
            lab.start()
            yield lab
        finally:
            lab.kill()
            lab.remove()


@pytest.fixture(params=TOOLS)
def lab(net: Network, request: pytest.FixtureRequest) -> Iterator[Lab]:
    with lab_of(net, TOOLS[request.param], STAND_IN) as made:
        yield made


@pytest.fixture(params=[REAL, MITMDUMP], ids=["serve", "mitmdump"])
def real_lab(net: Network, request: pytest.FixtureRequest) -> Iterator[Lab]:
    with lab_of(net, TOOLS["nftables"], request.param) as made:
        yield made


@pytest.fixture
def nft_lab(net: Network) -> Iterator[Lab]:
    with lab_of(net, TOOLS["nftables"], STAND_IN) as made:
        yield made


def test_everyone_goes_through_the_gateway(lab: Lab) -> None:
    before = len(lab.net.heard())
    assert lab.remote() == THROUGH
    assert lab.local() == THROUGH
    assert lab.local(uid=0) == THROUGH  # root is somebody too
    assert len(lab.net.heard()) == before + 12


def test_the_real_gateway_governs_everyone(real_lab: Lab) -> None:
    lab, before = real_lab, len(real_lab.net.heard())
    assert lab.remote() == lab.local() == THROUGH
    assert len(lab.net.heard()) == before + 8
    assert all("10.81.1.2" not in line for line in lab.net.heard()[before:])
    assert lab.remote(OWN_PORT) == ["refused"] * 2
    lab.gateway = replace(lab.gateway, headers={"Authorization": "Bearer nobody"})
    assert lab.remote() == lab.local() == ["status 401 through the gateway"] * 4
    lab.empty_nat()
    assert lab.remote() == lab.local() == REFUSED
    lab.kill()
    assert lab.remote() == lab.local() == REFUSED
    assert len(lab.net.heard()) == before + 8


def test_only_the_gateways_user_reaches_a_model(lab: Lab) -> None:
    assert lab.local(uid=GATEWAY_UID) == DIRECT


def test_the_model_is_closed_on_every_address_of_its_machine(lab: Lab) -> None:
    before = lab.net.heard()
    assert lab.remote(DETOURS) == ["refused"] * 2
    assert lab.local((*DETOURS, *LOOPBACK)) == ["refused"] * 4
    assert lab.net.heard() == before


def test_a_direct_hit_on_the_transparent_port_is_refused(lab: Lab) -> None:
    assert lab.remote(OWN_PORT) == ["refused"] * 2
    assert lab.local((*OWN_PORT, ("127.0.0.1", PORT), ("::1", PORT))) == ["refused"] * 4
    assert lab.remote() == THROUGH


def test_a_dead_gateway_opens_nothing(lab: Lab) -> None:
    before = lab.net.heard()
    lab.kill()
    assert lab.remote() == lab.local() == REFUSED
    assert lab.remote(DETOURS) == lab.local(LOOPBACK) == ["refused"] * 2
    assert lab.net.heard() == before


@pytest.mark.parametrize("alive", [True, False])
def test_flushed_nat_tables_open_nothing(lab: Lab, alive: bool) -> None:
    before = lab.net.heard()
    if not alive:
        lab.kill()
    lab.empty_nat()
    assert lab.remote() == lab.local() == REFUSED
    assert lab.remote((*DETOURS, *OWN_PORT)) == lab.local((*LOOPBACK, *OWN_PORT)) == REFUSED
    assert lab.net.heard() == before
    lab.install()
    assert lab.remote() == (THROUGH if alive else REFUSED)


@pytest.mark.parametrize("place", [NEAR[0], FAR[1]], ids=["near4", "far6"])
@pytest.mark.parametrize("local", [False, True], ids=["remote", "local"])
@pytest.mark.parametrize("tracked", [False, True], ids=["untracked", "tracked"])
def test_a_connection_that_was_open_before_is_cut(nft_lab: Lab, place: Place, local: bool, tracked: bool) -> None:
    nft_lab.remove()
    if tracked:  # as another firewall makes the kernel do: the nat chains then do not see the connection again
        nft_lab.net.gate.run("nft", TRACKING)
    machine = nft_lab.net.gate if local else nft_lab.net.client
    asked = json.dumps({"places": [place], "headers": {}, "hold": True})
    process = machine.start(
        *PLAIN, str(HERE / "probe.py"), asked, uid=SOMEBODY if local else 0, ready="open answered by"
    )
    nft_lab.install()
    before = nft_lab.net.heard()
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    assert process.stdout.readline().strip() == "reset"
    machine.stop(process)
    assert nft_lab.net.heard() == before
    if tracked:
        nft_lab.net.gate.run("nft", "delete table inet somebody")


def test_installing_twice_is_installing_once(lab: Lab) -> None:
    def everything() -> str:
        listed = "".join(lab.net.gate.run(tool).stdout for tool in ("iptables-save", "ip6tables-save"))
        listed += lab.net.gate.run("nft", "list", "ruleset").stdout
        return re.sub(r"packets \d+ bytes \d+|\[\d+:\d+\]|^#.*", "", listed, flags=re.M)

    once = everything()
    lab.install()
    assert everything() == once


def test_removing_takes_nothing_else_away(lab: Lab) -> None:
    lab.net.gate.run("nft", "add table inet somebody; add chain inet somebody kept { counter; }")
    for _ in range(2):
        lab.remove()
        listed = lab.net.gate.run("nft", "list", "ruleset").stdout
        assert "chain kept" in listed and "penstock" not in listed.lower()
    lab.net.gate.run("nft", "delete table inet somebody")
    assert lab.remote() == lab.local() == DIRECT


def test_the_command_installs_and_removes(nft_lab: Lab) -> None:
    nft_lab.remove()
    assert "10.81.2.2:9000 goes to the gateway's port 8443\n" in nft_lab.penstock("install").stdout
    assert nft_lab.remote() == nft_lab.local() == THROUGH
    assert "The redirect is gone" in nft_lab.penstock("remove").stdout
    assert nft_lab.remote() == nft_lab.local() == DIRECT


def test_a_policy_that_does_not_hold_changes_nothing(nft_lab: Lab) -> None:
    (nft_lab.rules / "gateway.yaml").write_text("version: 1\nlisten: nonsense\n")
    assert "gateway.yaml:2:9" in nft_lab.penstock("install", status=1).stderr
    assert nft_lab.remote() == THROUGH


def test_somebody_may_look_but_only_root_changes(nft_lab: Lab) -> None:
    assert "chain remote_to_gateway" in nft_lab.penstock("show", uid=SOMEBODY).stdout
    for verb in ("install", "remove"):
        assert f"penstock redirect {verb} needs root" in nft_lab.penstock(verb, uid=SOMEBODY, status=1).stderr


def test_a_kernel_that_refuses_is_one_line(nft_lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "bin"
    fake.mkdir()
    (fake / "nft").write_text("#!/bin/sh\necho 'Error: Operation not supported' >&2\nexit 1\n")
    (fake / "nft").chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake}:{os.environ['PATH']}")
    with pytest.raises(RedirectError) as refused:
        nft_lab.install()
    assert refused.value.line() == "nft refused: Error: Operation not supported"
    monkeypatch.undo()
    assert nft_lab.remote() == THROUGH


def test_the_models_are_where_the_test_says(nft_lab: Lab) -> None:
    nft_lab.remove()
    assert nft_lab.remote(NEAR) == ["answered by near"] * 2
    assert nft_lab.remote(FAR) == ["answered by far"] * 2
