"""llama.cpp's own HTTP server, from the xllamacpp wheel, in a process of its own on loopback.

`start_llama(model)` starts it and waits until it answers; `python -m scripts.model.llama_server MODEL` runs it in
the foreground.
"""

from __future__ import annotations

import signal
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import click

from scripts.stage.process import Child, python

READY: Final = "llama.cpp: listening on "
SLOTS: Final = 4
"""Requests answered at the same time; more wait in llama.cpp's own queue."""


@dataclass(frozen=True, slots=True)
class LlamaServer:
    """A running server; `url` has no trailing slash."""

    url: str
    alias: str
    api_key: str | None
    child: Child

    def stop(self) -> None:
        self.child.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


def start_llama(
    model: Path,
    *,
    port: int = 0,
    alias: str = "tiny",
    api_key: str | None = None,
    embed: bool = False,
    log: Path | None = None,
) -> LlamaServer:
    """Start llama.cpp with a GGUF file on a free port (or `port`); returns when it can be called.

    With `api_key`, every inference path wants it as a Bearer token. With `embed` it makes embeddings as well: of the
    tiny model each is the same for nearly every text. `log` defaults to a file beside the model.
    """
    command = python("scripts.model.llama_server", str(model), "--port", str(port), "--alias", alias)
    if embed:
        command.append("--embed")
    env = {"LLAMA_KEY": api_key} if api_key else {}
    child = Child("llama.cpp", command, log=log or _log_beside(model), env=env)
    try:
        url = child.wait_until(lambda: _announced(child.output()), seconds=60.0)
    except BaseException:
        child.kill()
        raise
    return LlamaServer(url, alias, api_key, child)


def _log_beside(model: Path) -> Path:
    with tempfile.NamedTemporaryFile(prefix=f"{model.stem}-", suffix=".log", dir=model.parent, delete=False) as file:
        return Path(file.name)


def _announced(output: str) -> str | None:
    for line in output.splitlines():
        if line.startswith(READY):
            return line.removeprefix(READY).strip()
    return None


@click.command()
@click.argument("model", type=click.Path(exists=True, dir_okay=False))
@click.option("--port", type=int, default=0, help="0 takes a free one.")
@click.option("--alias", default="tiny", help="The name that the model goes by.")
@click.option("--api-key", envvar="LLAMA_KEY", default=None, help="Also read from LLAMA_KEY.")
@click.option("--embed", is_flag=True, help="Make embeddings as well.")
def main(model: str, port: int, alias: str, api_key: str | None, embed: bool) -> None:
    """Serve MODEL (a GGUF file) on loopback until SIGTERM or Ctrl-C."""
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path = model
    settings.model_alias = {alias}
    settings.hostnames = ["127.0.0.1"]
    settings.port = port
    settings.n_parallel = SLOTS
    settings.n_ctx = 4096 * SLOTS
    settings.n_predict = 512
    settings.cpuparams.n_threads = 1
    settings.cpuparams_batch.n_threads = 1
    settings.cache_ram_mib = 0
    settings.use_jinja = True
    settings.ui = False
    settings.offline = True
    if embed:
        settings.embedding = True
        settings.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_LAST
    if api_key:
        settings.api_keys = [api_key]
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    server = xllamacpp.Server(settings)
    print(f"\n{READY}{server.listening_address}", flush=True)
    ended.wait()
    sys.stdout.flush()


if __name__ == "__main__":
    main()
