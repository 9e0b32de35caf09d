"""The Ollama facade in a process of its own on loopback.

`start_ollama(llama)` starts it in front of a llama.cpp server; `python -m scripts.model.ollama_server URL` runs it in
the foreground.
"""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import click

from scripts.model.go_http import serve
from scripts.model.llama_server import LlamaServer
from scripts.model.ollama_facade import Facade
from scripts.stage.process import Child, python

READY: Final = "ollama facade: listening on "


@dataclass(frozen=True, slots=True)
class OllamaServer:
    """A running facade; `url` has no trailing slash."""

    url: str
    child: Child

    def stop(self) -> None:
        self.child.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


def start_ollama(llama: LlamaServer, *, log: Path, port: int = 0) -> OllamaServer:
    """Start the facade in front of `llama` on a free port (or `port`); returns when it listens."""
    command = python("scripts.model.ollama_server", llama.url, "--port", str(port), "--model", llama.alias)
    child = Child("ollama facade", command, log=log, env={"LLAMA_KEY": llama.api_key or ""})
    try:
        url = child.wait_until(lambda: child.output().partition(READY)[2].strip() or None)
    except BaseException:
        child.kill()
        raise
    return OllamaServer(url, child)


async def _run(upstream: str, models: tuple[str, ...], port: int, api_key: str | None) -> None:
    facade = Facade(upstream, models=models, api_key=api_key)
    server = await serve(facade, port=port)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    print(f"{READY}http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await ended.wait()
    server.close()
    await facade.close()


@click.command()
@click.argument("upstream")
@click.option("--port", type=int, default=0, help="0 takes a free one.")
@click.option("--model", "models", multiple=True, default=("tiny",), help="A name that exists; may be repeated.")
@click.option("--api-key", envvar="LLAMA_KEY", default=None, help="Also read from LLAMA_KEY.")
def main(upstream: str, port: int, models: tuple[str, ...], api_key: str | None) -> None:
    """Speak Ollama's API on loopback in front of the llama.cpp server at UPSTREAM."""
    asyncio.run(_run(upstream, models, port, api_key))


if __name__ == "__main__":
    main()
