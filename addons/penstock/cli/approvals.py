"""`penstock approvals`: see and decide the calls that wait for a person, from another terminal."""

from __future__ import annotations

import json
import os
import ssl
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

import click
import httpx
from rich.console import Console

from penstock.approvals import terminal
from penstock.approvals.http import MAX_REASON, ROOT
from penstock.errors import ConfigurationError, PenstockError
from penstock.exchange import Json, JsonObject

_SECONDS: Final = 10.0
pause: Callable[[float], None] = time.sleep
"""Between two looks of `--watch`."""


class GatewayError(PenstockError):
    """The gateway did not do what was asked."""


class Unreachable(GatewayError):
    """The gateway did not answer."""


class Desk:
    """The gateway's endpoints for approvers. The token goes to `gateway` and nowhere else."""

    def __init__(self, gateway: str, token: str, ca_file: Path | None = None) -> None:
        self.gateway = _checked(gateway)
        try:
            verify = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(f"{ca_file}: no certificates can be read there ({error.strerror})") from None
        self._client = httpx.Client(
            base_url=self.gateway,
            headers={"Authorization": f"Bearer {token}", "User-Agent": "penstock"},
            timeout=_SECONDS,
            trust_env=False,  # neither a proxy nor a .netrc gets the token
            verify=verify,
        )

    def all(self) -> list[JsonObject]:
        """What the token's owner may decide, and what he asks for himself."""
        tickets = self._ask("GET", ROOT).get("approvals")
        if not isinstance(tickets, list):
            raise self._stranger()
        return cast("list[JsonObject]", tickets)

    def one(self, ticket: str) -> JsonObject:
        return self._ask("GET", _path(ticket))

    def decide(self, ticket: str, decision: str, reason: str) -> JsonObject:
        return self._ask("POST", _path(ticket), {"decision": decision, "reason": reason})

    def _ask(self, method: str, path: str, body: JsonObject | None = None) -> JsonObject:
        try:
            answer = self._client.request(method, path, json=body)
        except (httpx.RequestError, httpx.InvalidURL) as error:
            why = str(error) or type(error).__name__
            raise Unreachable(
                f"the gateway at {self.gateway} cannot be reached: {terminal.plain(why)}",
                advice="is it running? name it with --gateway or PENSTOCK_GATEWAY",
            ) from None
        try:
            value: Json = answer.json()
        except (ValueError, RecursionError):
            value = None
        if answer.status_code == 200 and isinstance(value, dict):
            return value
        raise self._refused(answer.status_code, value)

    def _refused(self, status: int, value: Json) -> GatewayError:
        error = value.get("error") if isinstance(value, dict) else None
        if not isinstance(error, dict):
            return self._stranger(status)
        said = terminal.plain(error.get("message"))
        if status == 401:
            advice = "sign in again, and give the token with --token-file or PENSTOCK_TOKEN"
            return GatewayError(f"the gateway does not accept this token: {said}", advice=advice)
        return GatewayError(said or f"the gateway answered {status}")

    def _stranger(self, status: int = 200) -> GatewayError:
        return GatewayError(f"{self.gateway} does not answer like a Penstock gateway (status {status})")


def _checked(gateway: str) -> str:
    try:
        url = httpx.URL(gateway)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.path != "/" or url.query:
        raise ConfigurationError(f"'{terminal.plain(gateway)}' is not the address of a gateway (http://HOST:PORT)")
    return gateway.rstrip("/")


def _path(ticket: str) -> str:
    if not (ticket.isascii() and ticket.isalnum()):
        raise ConfigurationError(f"'{terminal.plain(ticket)}' is not the id of a ticket (penstock approvals list)")
    return f"{ROOT}/{ticket}"


def _token(file: Path | None, environment: str | None) -> str:
    if file is not None:
        try:
            token = file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise ConfigurationError(f"the token file {file} cannot be read: {why}") from None
    else:
        token = (environment or "").strip()
    if not token:
        raise ConfigurationError("there is no token", advice="give one with --token-file or in PENSTOCK_TOKEN")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigurationError("the token holds characters that no token has", advice="is it the right file?")
    return token


class _Group(click.Group):
    """Subcommands in the order in which they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group("approvals", cls=_Group)
@click.option(
    "--gateway",
    envvar="PENSTOCK_GATEWAY",
    default="http://127.0.0.1:8080",
    show_default=True,
    show_envvar=True,
    help="Address of the gateway.",
)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, readable=False),
    help="File with your access token; without it, the environment variable PENSTOCK_TOKEN.",
)
@click.option(
    "--ca-file", type=click.Path(path_type=Path, readable=False), help="Certificates to trust for an https gateway."
)
@click.pass_context
def command(ctx: click.Context, gateway: str, token_file: Path | None, ca_file: Path | None) -> None:
    """See and decide the calls that wait for a person."""
    ctx.obj = lambda: Desk(gateway, _token(token_file, os.environ.get("PENSTOCK_TOKEN")), ca_file)


_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
_reason = click.option("--reason", default="", help=f"Why; {MAX_REASON} characters at most, kept in the audit.")


@command.command("list")
@_json
@click.option("--watch", is_flag=True, help="Go on until Ctrl-C, and show what changes.")
@click.option("--interval", type=click.FloatRange(0.2, 3600), default=2.0, show_default=True, help="Seconds between.")
@click.pass_obj
def list_(desk: Callable[[], Desk], as_json: bool, watch: bool, interval: float) -> None:
    """What waits for you, and what you wait for."""
    at = desk()
    if watch:
        _watch(at, as_json, interval)
        return
    tickets = at.all()
    if as_json:
        click.echo(json.dumps(cast("Any", tickets), indent=2))
    else:
        _print(terminal.table(tickets, time.time()))


def _watch(desk: Desk, as_json: bool, interval: float) -> None:
    """Each ticket again whenever it is new or has changed; a gateway that is away for a moment ends nothing."""
    known: dict[str, tuple[Json, Json]] = {}
    away = False
    try:
        while True:
            try:
                tickets, away = desk.all(), False
            except Unreachable as error:
                if not away:
                    click.echo(f"penstock: {error.line()}", err=True)
                tickets, away = [], True
            fresh = {str(t.get("id")): (t.get("state"), t.get("count")) for t in tickets}
            changed = [t for t in tickets if known.get(str(t.get("id"))) != fresh[str(t.get("id"))]]
            if not away:
                known = fresh
            _announce(changed, as_json)
            pause(interval)
    except KeyboardInterrupt:
        return


def _announce(tickets: list[JsonObject], as_json: bool) -> None:
    if as_json:
        for ticket in tickets:
            click.echo(json.dumps(ticket))
    elif tickets:
        _print(terminal.table(tickets, time.time()))


@command.command()
@click.argument("ticket")
@_json
@click.option("--full", is_flag=True, help=f"The whole prompt, not its first {terminal.PROMPT} characters.")
@click.pass_obj
def show(desk: Callable[[], Desk], ticket: str, as_json: bool, full: bool) -> None:
    """One ticket, with the prompt."""
    found = desk().one(ticket)
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        _print(terminal.whole(found, time.time(), limit=None if full else terminal.PROMPT))


@command.command()
@click.argument("ticket")
@_reason
@_json
@click.pass_obj
def approve(desk: Callable[[], Desk], ticket: str, reason: str, as_json: bool) -> None:
    """Say yes. The call goes when as many people have as its rule asks for."""
    _done(desk().decide(ticket, "approve", reason), as_json)


@command.command()
@click.argument("ticket")
@_reason
@_json
@click.pass_obj
def deny(desk: Callable[[], Desk], ticket: str, reason: str, as_json: bool) -> None:
    """Say no, whatever others have said. Takes back a grant in force too."""
    _done(desk().decide(ticket, "deny", reason), as_json)


@command.command("break-glass")
@click.argument("ticket")
@click.option("--reason", required=True, help="Why; kept in the audit, which marks the ticket.")
@_json
@click.pass_obj
def break_glass(desk: Callable[[], Desk], ticket: str, reason: str, as_json: bool) -> None:
    """Say yes alone, in an emergency. For the groups that the rule names."""
    _done(desk().decide(ticket, "break_glass", reason), as_json)


def _done(ticket: JsonObject, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(ticket, indent=2))
        return
    state, count, needed = (terminal.plain(ticket.get(name)) for name in ("state", "count", "needed"))
    votes = f" ({count} of {needed} approvals)" if state == "open" else ""
    click.echo(f"{terminal.plain(ticket.get('id'))} is {state}{votes}.")


def _print(shown: Any) -> None:
    width = None if sys.stdout.isatty() else 160
    Console(width=width, highlight=False, markup=False, emoji=False).print(shown)
