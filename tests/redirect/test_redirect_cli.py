"""`penstock redirect` and what it asks of the system, without touching the system's own network."""

from __future__ import annotations

import os
from ipaddress import ip_address
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from penstock.cli import redirect as cli
from penstock.errors import PenstockError
from penstock.redirect import kernel, nftables
from penstock.redirect.plan import Endpoint, RedirectError

RULES = Path(__file__).parent / "golden" / "both"
GOLDEN = (RULES / "ruleset.nft").read_text()


def penstock(*words: str, rules: Path = RULES, user: str = "991") -> Result:
    verb, *more = words
    given = [] if verb == "remove" else ["--rules", str(rules), "--user", user]
    return CliRunner().invoke(cli.command, [verb, *given, *more])


def ok(result: Result) -> str:
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def failure(result: Result) -> str:
    assert isinstance(result.exception, PenstockError), (result.output, result.exception)
    return result.exception.line()


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs that write down how they are called, in place of the system's; and root, as far as it is asked for."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for tool in ("nft", "iptables", "iptables-restore", "ip6tables", "ip6tables-restore"):
        script = f'#!/bin/sh\necho "{tool} $*" >>{folder}/calls\ncat >>{folder}/input\n'
        (folder / tool).write_text(script + f"test ! -e {folder}/fail\n")
        (folder / tool).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return folder


def calls(tools: Path) -> list[str]:
    return (tools / "calls").read_text().splitlines()


def test_show_prints_the_ruleset() -> None:
    assert ok(penstock("show")) == GOLDEN


def test_show_prints_warnings_beside_it() -> None:
    result = penstock("show", rules=RULES.parent / "names")
    assert result.stdout == (RULES.parent / "names" / "ruleset.nft").read_text()
    assert result.stderr.count("penstock: warning: ") == 3


def test_show_prints_both_families_for_iptables() -> None:
    shown = ok(penstock("show", "--iptables"))
    for family in (4, 6):
        assert (RULES / f"ruleset.iptables{family}").read_text() in shown
    assert "# iptables -t nat -I PREROUTING 1 -j PENSTOCK-REMOTE" in shown


def test_options_reach_the_ruleset() -> None:
    shown = ok(penstock("show", "--port", "9999", "--interface", "eth0", "--interface", "eth1"))
    assert 'iifname { "eth0", "eth1" }' in shown and "redirect to :9999" in shown


def test_models_that_are_here_are_not_elsewhere(tmp_path: Path) -> None:
    policy = (RULES / "gateway.yaml").read_text()
    (tmp_path / "gateway.yaml").write_text(policy.replace('"10.0.0.5:11434", "[fd00::5]:11434"', '"127.0.0.2:11434"'))
    shown = ok(penstock("show", "--elsewhere", rules=tmp_path))
    assert "127.0.0.2 . 11434" in shown and "dport { 11434 }" in shown


def test_an_address_of_this_machine_is_not_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "here", lambda end: str(end) == "10.1.0.7:8000")
    line = failure(penstock("show", "--elsewhere"))
    assert line == "10.1.0.7:8000 is an address of this machine: leave out --elsewhere"


def test_install_applies_the_ruleset_and_says_what_it_does(tools: Path) -> None:
    said = ok(penstock("install"))
    assert calls(tools) == ["nft -f -"] and (tools / "input").read_text() == GOLDEN
    assert "10.0.0.5:11434 goes to the gateway's port 8443\n" in said
    assert "closed as well: 127.0.0.1:11434, [fd01::7]:8001\n" in said
    assert "closed on every address of this machine: 8001, 11434\n" in said
    assert said.endswith("open to uid 991 only\n")


def test_install_says_only_what_is_so(tools: Path) -> None:
    said = ok(penstock("install", "--elsewhere", rules=RULES.parent / "remote"))
    assert "closed" not in said and "10.1.0.8:443 goes to" in said


def test_remove_removes_the_table(tools: Path) -> None:
    assert "The redirect is gone" in ok(penstock("remove"))
    assert (tools / "input").read_text() == nftables.REMOVE


def test_iptables_fills_the_chains_before_it_calls_them(tools: Path) -> None:
    assert "open to uid 991 only" in ok(penstock("install", "--iptables"))
    first, *rest = [call for call in calls(tools) if call.startswith("iptables")]
    assert first == "iptables-restore --wait --noflush"
    assert rest[0] == "iptables --wait -t filter -C INPUT -j PENSTOCK-ARRIVING"
    assert not any(" -I " in call for call in rest)  # each -C said that it is called already


def test_iptables_calls_what_is_not_called(tools: Path) -> None:
    (tools / "iptables").write_text(
        f'#!/bin/sh\necho "iptables $*" >>{tools}/calls\ncase "$*" in *-C*) exit 1;; esac\n'
    )
    ok(penstock("install", "--iptables"))
    assert [call.split(" -I ")[1] for call in calls(tools) if " -I " in call] == [
        "INPUT 1 -j PENSTOCK-ARRIVING",
        "FORWARD 1 -j PENSTOCK-PASSING",
        "OUTPUT 1 -j PENSTOCK-LEAVING",
        "PREROUTING 1 -j PENSTOCK-REMOTE",
        "OUTPUT 1 -j PENSTOCK-LOCAL",
    ]


def test_iptables_removes_what_is_there(tools: Path) -> None:
    (tools / "ip6tables").write_text("#!/bin/sh\nexit 1\n")  # nothing is called and no chain is there
    once = f"test -e {tools}/$5 && exit 1; case $4 in -D) touch {tools}/$5;; esac\n"
    (tools / "iptables").write_text(f'#!/bin/sh\necho "iptables $*" >>{tools}/calls\n{once}')
    assert "The redirect is gone" in ok(penstock("remove", "--iptables"))
    done = [call.split(" -t ")[1] for call in calls(tools)]
    assert done[:2] == ["nat -C OUTPUT -j PENSTOCK-LOCAL", "nat -D OUTPUT -j PENSTOCK-LOCAL"]
    assert "nat -F PENSTOCK-REMOTE" in done and "filter -X PENSTOCK-ARRIVING" in done


def test_a_tool_that_refuses_is_one_line(tools: Path) -> None:
    (tools / "fail").touch()
    assert failure(penstock("install")) == "nft refused: no reason given"


def test_a_tool_that_cannot_be_run_is_one_line(tools: Path) -> None:
    (tools / "nft").write_text("#!/no/such/interpreter\n")
    assert "nft could not be run" in failure(penstock("install"))


def test_a_tool_that_is_missing_says_how_to_get_it(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tools.parent))
    monkeypatch.setattr(kernel, "_PATH", ())
    assert failure(penstock("install")) == "nft is not installed (apt install nftables)"
    assert failure(penstock("remove", "--iptables")) == "iptables is not installed (apt install iptables)"


@pytest.mark.parametrize("words", [("install",), ("install", "--iptables"), ("remove",), ("remove", "--iptables")])
def test_only_root_changes_anything(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert f"penstock redirect {words[0]} needs root (run it with sudo" in failure(penstock(*words))


@pytest.mark.parametrize("name", ["no-such-user", "", "a\0b", "x; flush ruleset"])
def test_a_user_that_is_not_there(name: str) -> None:
    assert failure(penstock("show", user=name)).startswith("there is no user")


@pytest.mark.parametrize("name", ["root", "0", "00"])
def test_the_gateway_is_never_root(name: str) -> None:
    assert "cannot be root" in failure(penstock("show", user=name))


def test_a_user_is_known_by_name() -> None:
    assert kernel.user_id("nobody") == 65_534


def test_problems_of_the_policy_are_told(tmp_path: Path) -> None:
    assert "no such directory" in failure(penstock("show", rules=tmp_path / "none"))
    (tmp_path / "gateway.yaml").write_text("version: 1\n")
    assert "no transparent port" in failure(penstock("show", rules=tmp_path))


def test_an_address_of_this_machine_is_known() -> None:
    assert kernel.here(Endpoint(4, ip_address("127.0.0.1"), 1))
    assert not kernel.here(Endpoint(4, ip_address("192.0.2.1"), 1))
    assert not kernel.here(Endpoint(6, ip_address("2001:db8::1"), 1))


# The last good redirect


def test_a_redirect_that_was_installed_is_kept(tools: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    ok(penstock("install", "--last-good", str(kept)))
    assert kept.read_text() == GOLDEN and kept.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept", "tools"]


def test_it_cannot_be_kept_in_a_place_that_is_none(tools: Path, tmp_path: Path) -> None:
    line = failure(penstock("install", "--last-good", str(tmp_path / "none" / "kept")))
    assert "installed, but" in line and "cannot be written" in line


def test_without_one_that_was_kept_a_bad_policy_is_an_error(tools: Path, tmp_path: Path) -> None:
    line = failure(penstock("install", "--last-good", str(tmp_path / "kept"), rules=tmp_path / "none"))
    assert "no such directory" in line and not (tools / "calls").exists()


def test_one_that_root_did_not_write_is_not_installed(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept"
    kept.write_text("flush ruleset\n")
    kept.chmod(0o666)
    words = ("install", "--last-good", str(kept))
    assert "could have been written by others than root" in failure(penstock(*words, rules=tmp_path / "none"))
    kept.write_bytes(b"\xff")
    assert "cannot be read" in failure(penstock(*words, rules=tmp_path / "none"))
    assert not (tools / "calls").exists()


@pytest.mark.root
def test_the_one_that_was_kept_stands_in(tools: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text(GOLDEN)
    kept.chmod(0o600)
    result = penstock("install", "--last-good", str(kept), rules=tmp_path / "none")
    assert result.exit_code == 0 and "installed the last good redirect" in result.stderr
    assert (tools / "input").read_text() == GOLDEN


def test_iptables_keeps_none(tools: Path, tmp_path: Path) -> None:
    result = penstock("install", "--iptables", "--last-good", str(tmp_path / "kept"))
    assert result.exit_code == 2 and "--last-good is for nftables" in result.stderr


def test_errors_of_a_redirect_are_of_the_family() -> None:
    assert issubclass(RedirectError, PenstockError)
