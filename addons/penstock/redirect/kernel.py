"""Bring a redirect into the kernel and out of it, with the tools of the system."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Sequence
from typing import Final

from penstock.redirect import iptables, nftables
from penstock.redirect.iptables import HOOKS, Family
from penstock.redirect.plan import Endpoint, Plan, RedirectError

_SECONDS: Final = 30.0
_PATH: Final = ("/usr/sbin", "/sbin", "/usr/bin", "/bin")
_FAMILIES: Final[tuple[tuple[Family, str], ...]] = ((4, "iptables"), (6, "ip6tables"))


def user_id(name: str) -> int:
    """The uid of the gateway's user, who is named or numbered and not root."""
    if name.isascii() and name.isdecimal():
        uid = int(name)
    else:
        try:
            uid = pwd.getpwnam(name).pw_uid
        except (KeyError, ValueError):
            raise RedirectError(
                f"there is no user {name!r} on this machine",
                advice="make it with systemd-sysusers, or name the gateway's user with --user",
            ) from None
    if uid == 0:
        raise RedirectError("the gateway's user cannot be root: every program of root would reach the model")
    return uid


def here(end: Endpoint) -> bool:
    """Whether an address is this machine's own now."""
    family = socket.AF_INET if end.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(end.ip), 0))
    except OSError:
        return False
    return True


def install(text: str) -> None:
    """Apply an nftables ruleset, at once and as a whole; after a RedirectError nothing has changed."""
    _root("install")
    _run(["nft", "-f", "-"], text, "nftables")


def remove() -> None:
    """Take the table away, and no other; nothing happens when there is none."""
    _root("remove")
    _run(["nft", "-f", "-"], nftables.REMOVE, "nftables")


def install_iptables(plan: Plan) -> None:
    """Fill our chains, then call them from the built-in ones where they are not called yet."""
    _root("install")
    for family, tool in _FAMILIES:
        _run([f"{tool}-restore", "--wait", "--noflush"], iptables.ruleset(plan, family), "iptables")
        for table, chain, ours in HOOKS:
            if not _called(tool, table, chain, ours):
                _run([tool, "--wait", "-t", table, "-I", chain, "1", "-j", ours], "", "iptables")


def remove_iptables() -> None:
    """Take our chains away, and no others; nothing happens when there are none."""
    _root("remove")
    for _, tool in _FAMILIES:
        for table, chain, ours in reversed(HOOKS):
            while _called(tool, table, chain, ours):
                _run([tool, "--wait", "-t", table, "-D", chain, "-j", ours], "", "iptables")
            if _try([tool, "--wait", "-t", table, "-S", ours]):
                _run([tool, "--wait", "-t", table, "-F", ours], "", "iptables")
                _run([tool, "--wait", "-t", table, "-X", ours], "", "iptables")


def _called(tool: str, table: str, chain: str, ours: str) -> bool:
    return _try([tool, "--wait", "-t", table, "-C", chain, "-j", ours])


def _root(what: str) -> None:
    if os.geteuid() != 0:
        raise RedirectError(f"penstock redirect {what} needs root", advice="run it with sudo; `show` does not need it")


def _try(words: Sequence[str]) -> bool:
    return _started(words, "", "iptables").returncode == 0


def _run(words: Sequence[str], text: str, package: str) -> None:
    done = _started(words, text, package)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[0]
        raise RedirectError(f"{words[0]} refused: {said}")


def _started(words: Sequence[str], text: str, package: str) -> subprocess.CompletedProcess[str]:
    tool = shutil.which(words[0]) or shutil.which(words[0], path=os.pathsep.join(_PATH))
    if tool is None:
        raise RedirectError(f"{words[0]} is not installed", advice=f"apt install {package}")
    try:
        return subprocess.run([tool, *words[1:]], input=text, capture_output=True, text=True, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RedirectError(f"{tool} could not be run: {error}") from None
