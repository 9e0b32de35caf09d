"""`scripts/demo`: a governed gateway in front of a real model server, in one command."""

from __future__ import annotations

import shlex
import signal
import sys
import tempfile
import time
from pathlib import Path

import click
import httpx
import openai
from rich.console import Console
from rich.syntax import Syntax

from scripts.stage.gateway import BIN
from scripts.stage.process import ROOT, ProcessError
from scripts.walkthrough import audit
from scripts.walkthrough.scenes import SCENES, NotAsItShould
from scripts.walkthrough.setting import ALICE, Setting, Unusable, setting


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--once", is_flag=True, help="End after the walk; the exit status tells whether all went as it should.")
@click.option("--upstream", metavar="URL", help="A model server that is there already, like http://127.0.0.1:11434.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of the gateway; 8080 if it is free.")
@click.option("--keep-data", type=click.Path(file_okay=False, path_type=Path), help="Keep the audit in this directory.")
def main(once: bool, upstream: str | None, port: int, keep_data: Path | None) -> None:
    """Put the gateway in front of a real model server and walk through an allowed call, a masked stream, a blocked
    prompt and a held call; then show the audit of it and stay up until Ctrl-C."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    with tempfile.TemporaryDirectory(prefix="penstock-demo-") as folder:
        data = (keep_data or Path(folder) / "data").absolute()
        status = _run(console, Path(folder), once=once, upstream=upstream, port=port, data=data)
    sys.exit(status)


def _run(console: Console, folder: Path, *, once: bool, upstream: str | None, port: int, data: Path) -> int:
    def told(text: str) -> None:
        console.print(f"  {text}", soft_wrap=True)

    console.rule("[bold]Penstock: the only path to the model")
    try:
        with setting(folder, upstream=upstream, port=port, data=data, told=told) as here:
            fine = _walk(here, console)
            if not once and fine:
                _stay(here, console)
            return 0 if fine else 1
    except (Unusable, ProcessError) as error:
        console.print(f"demo: {error}", style="red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("\n[dim]stopped[/]")
        return 0 if not once else 130


def _walk(here: Setting, console: Console) -> bool:
    """Play every scene, then show the audit; stops at the first that does not go as it should."""
    for number, scene in enumerate(SCENES, 1):
        console.print()
        console.rule(f"[bold]{number}[/] {scene.__doc__}", align="left", style="dim")
        try:
            scene(here, console)
        except (NotAsItShould, openai.APIError, httpx.HTTPError) as error:
            return _wrong(here, console, error)
    console.print()
    console.rule(f"[bold]{len(SCENES) + 1}[/] What the audit holds of it", align="left", style="dim")
    console.print(Syntax(audit.QUERY, "sql", background_color="default", word_wrap=True))
    try:
        audit.show(here, console, calls=len(SCENES))
    except NotAsItShould as error:
        return _wrong(here, console, error)
    _try_yourself(here, console)
    return True


def _wrong(here: Setting, console: Console, error: Exception) -> bool:
    console.print(f"this did not go as it should: {error}", style="bold red", markup=False)
    tail = "\n".join(here.gateway.child.output().splitlines()[-20:])
    console.print(f"the gateway's log ends with:\n{tail or '(nothing)'}", markup=False)
    return False


def _try_yourself(here: Setting, console: Console) -> None:
    """Lines to paste into another terminal."""
    url, model = here.gateway.url(), here.upstream.model
    say = f'{{"model": "{model}", "messages": [{{"role": "user", "content": "%s"}}]%s}}'
    ask = (
        f"curl -sN {url}/v1/chat/completions -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' -d"
    )
    database = shlex.quote(str(here.gateway.data / "audit.duckdb"))
    console.print()
    console.rule("[bold]Your turn[/]: paste into another terminal", align="left", style="dim")
    lines = (
        f"export TOKEN={here.token(ALICE)}",
        f"{ask} '{say % ('What does water do?', '')}'",
        f"{ask} '{say % ('Whom can I contact?', ', "stream": true')}'",
        f"curl -si {url}/v1/models",
        "",
        f"# a new token for alice; it lives for an hour\n"
        f"curl -s -u alice:{ALICE.secret} -d grant_type=client_credentials {here.provider.token_endpoint}",
        "",
        f'{_shown(BIN / "duckdb")} -readonly {database} "SELECT started, caller, verdict, rule FROM exchanges"',
        f"{_shown(BIN / 'penstock')} verify --data {shlex.quote(str(here.gateway.data))}",
    )
    for line in lines:
        console.out(line, highlight=False)


def _shown(command: Path) -> str:
    """The command as one types it from the checkout."""
    return str(command.relative_to(ROOT)) if command.is_relative_to(ROOT) else str(command)


def _stay(here: Setting, console: Console) -> None:
    console.print("\n[bold]The gateway stays up.[/] Ctrl-C stops it, and everything else that was started.")
    while here.gateway.child.returncode is None:
        time.sleep(0.5)
    raise ProcessError(f"the gateway ended with status {here.gateway.child.returncode}:\n{here.gateway.child.output()}")


if __name__ == "__main__":
    main()
