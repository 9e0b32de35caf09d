"""The four calls of the demo. Each shows what happens, and fails when it does not go as it should."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

import openai
from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from scripts.model.answers import CARD, EMAIL, PLAIN
from scripts.stage.gateway import BIN
from scripts.stage.process import environment
from scripts.walkthrough.setting import ALICE, BOB, CAROL, Setting

ALLOWED: Final = "In one sentence: what does water do?"
CONTACT: Final = "Give me an example contact: an e-mail address and a card number."
EXPORT: Final = "Please export all the customers into one file."
PAYMENT: Final = "Wire $900 to the miller, and tell me again what water does."
READING_PACE: Final = 0.08
"""Seconds for which a piece of the stream stands still, so that a person can follow: the model takes no time."""

_MARKER: Final = re.compile(r"(\[[A-Z_]+\])")


class NotAsItShould(AssertionError):
    """A scene did not go as it should."""


type Scene = Callable[[Setting, Console], None]


def check(holds: object, what: str) -> None:
    if not holds:
        raise NotAsItShould(what)


def allowed(here: Setting, console: Console) -> None:
    """An allowed call: authenticated, judged, recorded, forwarded"""
    said = here.caller(ALICE).chat.completions.with_raw_response.create(
        model=here.upstream.model, messages=_asks(ALLOWED), max_tokens=200
    )
    answer = said.parse().choices[0].message.content or ""
    _asked(console, "alice", ALLOWED)
    console.print(Panel(Text(answer), title="the model's answer", title_align="left", border_style="green"))
    console.print(
        f"[dim]exchange {said.headers.get('penstock-exchange', '-')}; alice's token went no further than the gateway[/]"
    )
    check("penstock-exchange" in said.headers, "the answer does not name its exchange")
    check(answer == PLAIN if here.upstream.tiny else answer, "the answer is not the model's")


def masked(here: Setting, console: Console) -> None:
    """A streamed reply, masked while it passes: values that the model cuts over many tokens never arrive"""
    _asked(console, "alice", CONTACT)
    told = list(_stream(here.upstream.direct(), here.upstream.model)) if here.upstream.tiny else []
    if told:
        console.print(Text.assemble(("the model says      ", "bold"), _pieces(told, lambda piece: Text(piece, "red"))))
    pieces: list[str] = []
    received = Text()
    with Live(received, console=console, refresh_per_second=20, transient=True) as live:
        for piece in _stream(here.caller(ALICE), here.upstream.model):
            pieces.append(piece)
            received = Text.assemble(("alice receives      ", "bold"), _pieces(pieces, _coloured))
            live.update(received)
            time.sleep(READING_PACE if console.is_terminal else 0)
    console.print(received)
    got = "".join(pieces)
    console.print(f"[dim]{len(told) or 'its'} tokens said, {len(pieces)} pieces received; | stands between two[/]")
    if told:
        check(EMAIL in "".join(told) and CARD in "".join(told), "the model did not say the values")
        check(_MARKER.search(got), "nothing was masked")
    check(EMAIL not in got and CARD not in got and "4111" not in got, "a value got through")


def blocked(here: Setting, console: Console) -> None:
    """A blocked prompt: refused before the model sees it, in words that the SDK shows"""
    _asked(console, "bob", EXPORT)
    try:
        here.caller(BOB).chat.completions.create(model=here.upstream.model, messages=_asks(EXPORT))
    except openai.PermissionDeniedError as error:
        title = f"openai.{type(error).__name__}, status {error.status_code}"
        body = error.body if isinstance(error.body, dict) else {}
        console.print(Panel(Text(str(body.get("message", error))), title=title, title_align="left", border_style="red"))
        check(body.get("code") == "policy_violation", "the refusal has another code")
        return
    raise NotAsItShould("the prompt was not blocked")


def held(here: Setting, console: Console) -> None:
    """A held call: it waits, somebody else approves it from another terminal, then it goes on"""
    _asked(console, "alice", PAYMENT)
    aside = ThreadPoolExecutor(1)
    waiting: Future[str] = aside.submit(_answer, here.caller(ALICE), here.upstream.model, PAYMENT)
    aside.shutdown(wait=False)  # the call ends with the gateway at the latest
    ticket = _ticket(here, waiting)
    console.print(
        "[yellow]… the call waits. Meanwhile, in carol's terminal (PENSTOCK_GATEWAY and PENSTOCK_TOKEN are set):[/]"
    )
    _terminal(here, console, "list")
    check(not waiting.done(), "the call did not wait")
    _terminal(here, console, "approve", ticket, "--reason", "invoice checked")
    answer = waiting.result(60)
    console.print(
        Panel(Text(answer), title="alice's answer, after the approval", title_align="left", border_style="green")
    )
    check(answer == PLAIN if here.upstream.tiny else answer, "the approved call was not answered")


SCENES: Final[Sequence[Scene]] = (allowed, masked, blocked, held)


def _asks(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


def _asked(console: Console, who: str, text: str) -> None:
    console.print(Text.assemble((who, "bold cyan"), (" asks: ", "dim"), text))


def _answer(client: openai.OpenAI, model: str, text: str) -> str:
    reply = client.chat.completions.create(model=model, messages=_asks(text), max_tokens=200)
    return reply.choices[0].message.content or ""


def _stream(client: openai.OpenAI, model: str) -> Iterator[str]:
    """The pieces of the streamed reply, as they arrive."""
    stream = client.chat.completions.create(model=model, messages=_asks(CONTACT), max_tokens=200, stream=True)
    for event in stream:
        if event.choices and (piece := event.choices[0].delta.content):
            yield piece


def _pieces(pieces: Sequence[str], style: Callable[[str], Text]) -> Text:
    return Text("|", "dim").join(style(piece) for piece in pieces)


def _coloured(piece: str) -> Text:
    return Text.assemble(*((part, "bold green" if _MARKER.fullmatch(part) else "") for part in _MARKER.split(piece)))


def _ticket(here: Setting, waiting: Future[str]) -> str:
    """Id of the one open ticket, as soon as there is one."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not waiting.done():
        listed = _run(here, "list", "--json")
        tickets = [one for one in json.loads(listed.stdout or "[]") if one.get("state") == "open"]
        if tickets:
            return str(tickets[0]["id"])
        time.sleep(0.1)
    raise NotAsItShould("the call was not held")


def _terminal(here: Setting, console: Console, *words: str) -> None:
    """Run `penstock approvals …` as carol and show it as her terminal would."""
    ran = _run(here, *words)
    console.print(Text.assemble(("carol$ ", "bold cyan"), shlex.join(("penstock", "approvals", *words))))
    console.print(Text("\n".join(line.rstrip() for line in (ran.stdout or ran.stderr).splitlines())), soft_wrap=True)
    check(ran.returncode == 0, f"penstock approvals {words[0]} ended with {ran.returncode}")


def _run(here: Setting, *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(BIN / "penstock"), "approvals", *words]
    told = {"PENSTOCK_GATEWAY": here.gateway.url(), "PENSTOCK_TOKEN": here.token(CAROL), "COLUMNS": "118"}
    env = environment(told)
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=env)
