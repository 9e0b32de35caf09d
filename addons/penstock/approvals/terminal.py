"""Tickets on a terminal: everything that a caller wrote is shown, and none of it acts on the terminal."""

from __future__ import annotations

import datetime
from typing import Final, cast

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from penstock.exchange import Json, JsonObject

PROMPT: Final = 4_000
"""Characters of a prompt that are shown unless all are asked for."""
LINE: Final = 60
"""Characters of a prompt in a table."""

_STYLES: Final = {
    "open": "yellow",
    "approved": "green",
    "released": "green",
    "denied": "red",
    "expired": "dim",
    "abandoned": "dim",
}


def safe(value: Json, limit: int | None = None) -> Text:
    """Text that cannot move the cursor, colour, link, hide or turn round anything: such characters are written out."""
    text = "" if value is None else str(value)
    shown = Text()
    for char in text if limit is None else text[:limit]:
        if char.isprintable() or char == "\n":
            shown.append(char)
        else:
            shown.append(char.encode("unicode_escape").decode("ascii"), style="reverse")
    return shown


def plain(value: Json) -> str:
    """The same in one line, for an error message."""
    return " ".join(safe(value).plain.split())


def table(tickets: list[JsonObject], now: float) -> RenderableType:
    """One line a ticket."""
    if not tickets:
        return Text("Nothing waits for approval.")
    shown = Table(box=None, pad_edge=False, header_style="bold")
    shown.add_column("TICKET", no_wrap=True, min_width=max(len(str(ticket.get("id"))) for ticket in tickets))
    for name in ("STATE", "CALLER", "MODEL", "RULE", "VOTES", "LEFT"):
        shown.add_column(name, no_wrap=True, overflow="ellipsis")
    shown.add_column("ASKS FOR", no_wrap=True, overflow="ellipsis")
    for ticket in tickets:
        first = str(ticket.get("prompt", "")).replace("\n", " ⏎ ")
        shown.add_row(
            safe(ticket.get("id")),
            _state(ticket),
            _caller(ticket),
            safe(ticket.get("model")),
            safe(_joined(ticket.get("rules"))),
            _votes(ticket),
            left(ticket, now),
            Text("your own request", style="dim") if ticket.get("own") else safe(first, LINE),
        )
    return shown


def whole(ticket: JsonObject, now: float, *, limit: int | None = PROMPT) -> RenderableType:
    """All that an approver needs to know."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="bold")
    facts.add_column(overflow="fold")
    for name, value in (
        ("ticket", safe(ticket.get("id"))),
        ("state", _state(ticket)),
        ("caller", _caller(ticket, groups=True)),
        ("asks", safe(f"{ticket.get('operation')} {ticket.get('model') or ''} at {ticket.get('upstream')}")),
        ("request", safe(f"{ticket.get('method')} {ticket.get('path')}")),
        ("held by", safe(f"{_joined(ticket.get('rules'))} (approval {ticket.get('approval')})")),
        ("message", safe(ticket.get("message"))),
        ("votes", _votes(ticket)),
        ("grant", _grant(ticket)),
        ("waiting", safe(f"{ticket.get('waiting')} request(s)")),
        ("left", left(ticket, now)),
        ("digest", safe(ticket.get("digest"))),
        ("you may", safe(_joined(ticket.get("may")) or "nothing")),
    ):
        facts.add_row(name, value)
    for vote in cast("list[JsonObject]", ticket.get("votes") or []):
        facts.add_row("", _vote(vote))
    return Group(facts, *_prompt(ticket, limit))


def left(ticket: JsonObject, now: float) -> Text:
    """How long until it lapses."""
    expires = ticket.get("expires")
    if ticket.get("state") not in ("open", "approved") or not isinstance(expires, int | float):
        return Text("")
    return Text(str(datetime.timedelta(seconds=max(0, int(expires - now)))))


def _prompt(ticket: JsonObject, limit: int | None) -> list[RenderableType]:
    text = str(ticket.get("prompt") or "")
    if not text:
        return []
    shown: list[RenderableType] = [Panel(safe(text, limit), title="prompt", title_align="left")]
    if limit is not None and len(text) > limit:
        rest = f"{len(text) - limit:,} more characters are not shown: read them with --full before you decide."
        shown.append(Text(rest, style="bold red"))
    return shown


def _state(ticket: JsonObject) -> Text:
    state = str(ticket.get("state"))
    return Text(safe(state).plain, style=_STYLES.get(state, ""))


def _caller(ticket: JsonObject, *, groups: bool = False) -> Text:
    caller = cast("JsonObject", ticket.get("caller") or {})
    name = f"{caller.get('issuer')}|{caller.get('subject')}"
    return safe(f"{name} ({_joined(caller.get('groups'))})" if groups else name)


def _votes(ticket: JsonObject) -> Text:
    return safe(f"{ticket.get('count')} of {ticket.get('needed')}")


def _vote(vote: JsonObject) -> Text:
    by = cast("JsonObject", vote.get("by") or {})
    reason = f": {vote.get('reason')}" if vote.get("reason") else ""
    return safe(f"{vote.get('decision')} by {by.get('issuer')}|{by.get('subject')}{reason}")


def _grant(ticket: JsonObject) -> Text:
    grant = ticket.get("grant")
    if not isinstance(grant, dict):
        return Text("this request, once")
    lasts = datetime.timedelta(seconds=int(cast("float", grant.get("for") or 0)))
    return safe(
        f"every request of the same {_joined(grant.get('scope'))} for {lasts} (used {ticket.get('uses')} times)"
    )


def _joined(value: Json) -> str:
    return ", ".join(str(item) for item in value) if isinstance(value, list) else ""
