"""The units: systemd takes them, they are as closed as they can be, and what they start is there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

import click
import pytest

from penstock.cli import penstock

SYSTEMD: Final = Path(__file__).parents[2] / "systemd"
INSTALLED: Final = "/opt/penstock/.venv/bin/penstock"
# Exposure in tenths, of 100; the gateway has the network and nothing else, the redirect is root with CAP_NET_ADMIN.
BOUNDS: Final = {"penstock-gateway.service": 13, "penstock-redirect.service": 20}


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, timeout=60)


@pytest.fixture(params=sorted(BOUNDS))
def unit(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A unit that starts a program of this machine, so that systemd can look at it."""
    text = (SYSTEMD / str(request.param)).read_text()
    name: str = request.param
    made = tmp_path / name
    made.write_text(text.replace(INSTALLED, "/bin/true"))
    return made


def test_every_unit_is_tested() -> None:
    assert {path.name for path in SYSTEMD.glob("*.service")} == set(BOUNDS)


def test_systemd_takes_it(unit: Path) -> None:
    done = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_it_is_closed(unit: Path) -> None:
    done = run(
        "systemd-analyze", "security", "--offline=yes", "--no-pager", f"--threshold={BOUNDS[unit.name]}", str(unit)
    )
    assert done.returncode == 0, done.stdout


def test_what_it_starts_is_a_command_with_these_options(unit: Path) -> None:
    started = re.findall(rf"^Exec\w+={INSTALLED} (.*)$", (SYSTEMD / unit.name).read_text(), re.M)
    assert started
    for line in started:
        words = line.split()
        context = click.Context(penstock)
        command: click.Command = penstock
        while isinstance(command, click.Group):
            found = command.get_command(context, words.pop(0))
            assert found is not None, line
            command = found
        command.make_context("x", words)


def test_the_gateway_is_started_by_the_user_that_the_redirect_lets_through() -> None:
    gateway = (SYSTEMD / "penstock-gateway.service").read_text()
    assert "\nUser=penstock\n" in gateway and "DynamicUser=yes" not in gateway
    assert (SYSTEMD / "penstock-redirect.service").read_text().count("--user penstock ") == 2


def test_nothing_takes_the_redirect_away() -> None:
    assert not re.search(r"^ExecStop", (SYSTEMD / "penstock-redirect.service").read_text(), re.M)


@pytest.mark.root
def test_the_user_is_made(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    done = run("systemd-sysusers", f"--root={tmp_path}", str(SYSTEMD / "penstock.sysusers"))
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in (tmp_path / "etc/passwd").read_text().splitlines() if line.startswith("penstock:")]
    _, _, uid, _, _, home, shell = line.split(":")
    assert 0 < int(uid) < 1000 and home == "/var/lib/penstock" and shell.endswith("nologin")


@pytest.mark.root
def test_the_directories_are_made(tmp_path: Path) -> None:
    done = run("systemd-tmpfiles", "--create", f"--root={tmp_path}", str(SYSTEMD / "penstock.tmpfiles"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "etc/penstock/credentials").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "etc/penstock/rules").stat().st_mode & 0o777 == 0o755


def test_the_manual_names_every_file() -> None:
    manual = (SYSTEMD / "README.md").read_text()
    for path in SYSTEMD.glob("penstock*"):
        assert path.name in manual
