"""MLServer in an environment and a process of its own on loopback.

`scripts/model/environment mlserver` makes the environment. `start_mlserver(folder)` writes a model there, starts the
server and waits until the model is ready.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import httpx

from scripts.stage.port import free_port
from scripts.stage.process import ROOT, Child

ENVIRONMENT: Final = ROOT / ".tools/mlserver"


@dataclass(frozen=True, slots=True)
class MlServer:
    """A running server; `url` has no trailing slash."""

    url: str
    child: Child

    def stop(self) -> None:
        self.child.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


def start_mlserver(folder: Path, *, answer: str) -> MlServer:
    """Start MLServer with the model `echo`, which says `answer` when it streams; returns when it is ready."""
    port = free_port()
    model = folder / "echo"
    model.mkdir(parents=True)
    shutil.copy2(Path(__file__).with_name("mlserver_model.py"), model)
    _write(
        folder / "settings.json",
        {
            "host": "127.0.0.1",
            "http_port": port,
            "grpc_port": free_port(),
            "metrics_port": free_port(),
            "parallel_workers": 0,
            "gzip_enabled": False,
            "use_structured_logging": False,
            "debug": False,
        },
    )
    _write(
        model / "model-settings.json",
        {
            "name": "echo",
            "implementation": "mlserver_model.Echo",
            "parameters": {"version": "v1", "extra": {"answer": answer}},
        },
    )
    command = [str(ENVIRONMENT / "bin/mlserver"), "start", str(folder)]
    child = Child("mlserver", command, log=folder / "mlserver.log", cwd=folder)
    url = f"http://127.0.0.1:{port}"
    try:
        child.wait_until(lambda: _ready(url), seconds=120.0)
    except BaseException:
        child.kill()
        raise
    return MlServer(url, child)


def _write(file: Path, settings: dict[str, object]) -> None:
    file.write_text(json.dumps(settings))


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/v2/models/echo/ready", timeout=5.0, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
