"""`penstock redirect`: make the gateway the only way to the models of this machine and of the network behind it."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from penstock.errors import PolicyError
from penstock.redirect import iptables, kernel, nftables
from penstock.redirect.plan import Plan, RedirectError, plan


@click.group("redirect")
def command() -> None:
    """Send connections for the models to the gateway, and close the models to everyone else.

    Reads the transparent port and the upstreams' `destinations` from the policy.
    """


def _options(function: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(
        (
            click.option(
                "--rules",
                type=click.Path(path_type=Path, readable=False),
                default=Path("rules"),
                show_default=True,
                help="Directory with the policy.",
            ),
            click.option(
                "--user",
                default="penstock",
                show_default=True,
                help="The gateway's user (name or number), who alone may reach a model.",
            ),
            click.option(
                "--port",
                type=click.IntRange(1, 65_535),
                help="The gateway's transparent port; default: the policy's.",
            ),
            click.option(
                "--interface",
                "interfaces",
                multiple=True,
                metavar="NAME",
                help="Redirect only what arrives here; may be repeated. The models are closed on all.",
            ),
            click.option(
                "--elsewhere",
                is_flag=True,
                help="The models are on other machines: leave ports of this machine with the same number open.",
            ),
            click.option("--iptables", "old", is_flag=True, help="For machines that still use iptables."),
        )
    ):
        function = option(function)
    return function


@command.command()
@_options
def show(old: bool, **asked: Any) -> None:
    """Print the ruleset; changes nothing and needs no root."""
    made = _plan(**asked)
    if old:
        click.echo(f"# iptables-restore --noflush\n{iptables.ruleset(made, 4)}", nl=False)
        click.echo(f"# ip6tables-restore --noflush\n{iptables.ruleset(made, 6)}", nl=False)
        for table, chain, ours in iptables.HOOKS:
            click.echo(f"# iptables -t {table} -I {chain} 1 -j {ours}   (ip6tables too)")
    else:
        click.echo(nftables.ruleset(made), nl=False)


@command.command()
@_options
@click.option(
    "--last-good",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Keep the ruleset here, and install it from here when the policy cannot be read.",
)
def install(old: bool, last_good: Path | None, **asked: Any) -> None:
    """Install it, in the place of one that is there."""
    if old:
        if last_good is not None:
            raise click.UsageError("--last-good is for nftables")
        made = _plan(**asked)
        kernel.install_iptables(made)
        _tell(made)
        return
    try:
        made = _plan(**asked)
    except (PolicyError, RedirectError) as error:
        if last_good is None or not last_good.exists():
            raise
        kernel.install(_kept(last_good))
        click.echo(f"penstock: warning: {error.line()}", err=True)
        click.echo(f"penstock: warning: installed the last good redirect, {last_good}", err=True)
        return
    text = nftables.ruleset(made)
    kernel.install(text)
    if last_good is not None:
        _keep(last_good, text)
    _tell(made)


@command.command()
@click.option("--iptables", "old", is_flag=True, help="For machines that still use iptables.")
def remove(old: bool) -> None:
    """Take it away. The models are then open to whoever can reach their ports."""
    if old:
        kernel.remove_iptables()
    else:
        kernel.remove()
    click.echo("The redirect is gone: nothing keeps anyone from the models' ports now.")


def _plan(rules: Path, user: str, port: int | None, interfaces: tuple[str, ...], elsewhere: bool) -> Plan:
    from penstock.policy import load  # `remove` needs none of it

    policy = load(rules)
    made = plan(policy.gateway, kernel.user_id(user), port=port, interfaces=interfaces, elsewhere=elsewhere)
    for warning in made.warnings:
        click.echo(f"penstock: warning: {warning}", err=True)
    if elsewhere:
        for end in made.closed:
            if not end.ip.is_loopback and kernel.here(end):
                raise RedirectError(f"{end} is an address of this machine: leave out --elsewhere")
    return made


def _tell(made: Plan) -> None:
    for end in made.redirected:
        click.echo(f"{end} goes to the gateway's port {made.port}")
    others = [str(end) for end in made.closed if end not in made.redirected]
    if others:
        click.echo(f"closed as well: {', '.join(others)}")
    if made.own_ports:
        click.echo(f"closed on every address of this machine: {', '.join(map(str, made.own_ports))}")
    click.echo(f"open to uid {made.uid} only")


def _keep(file: Path, text: str) -> None:
    """Write the whole file or leave the old one."""
    try:
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=".redirect-")
        with os.fdopen(descriptor, "w") as draft:
            draft.write(text)
            draft.flush()
            os.fsync(draft.fileno())
        Path(name).replace(file)
    except OSError as error:
        raise RedirectError(f"installed, but {file} cannot be written: {error.strerror}") from None


def _kept(file: Path) -> str:
    """A ruleset that root has kept, and nobody else could have written."""
    try:
        with file.open() as kept:
            status = os.fstat(kept.fileno())
            text = kept.read()
    except (OSError, UnicodeDecodeError) as error:
        raise RedirectError(f"{file} cannot be read: {error}") from None
    if status.st_uid != 0 or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise RedirectError(f"{file} could have been written by others than root", advice="remove it")
    return text
