"""NVIDIA Triton from the nvidia-pytriton wheel, in an environment and a process of its own on loopback.

`scripts/model/environment triton` makes the environment. `start_triton(folder)` writes a model repository there, starts
the server and waits until its models are ready.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import httpx

from scripts.stage.port import free_port
from scripts.stage.process import ROOT, Child

ENVIRONMENT: Final = ROOT / ".tools/triton"
ECHO: Final = """
name: "echo"
backend: "python"
max_batch_size: 0
input [{ name: "TEXT" data_type: TYPE_STRING dims: [-1] }]
output [
  { name: "SAID" data_type: TYPE_STRING dims: [-1] },
  { name: "LENGTH" data_type: TYPE_INT64 dims: [-1] },
  { name: "SCORE" data_type: TYPE_FP32 dims: [-1] }
]
"""
TELLER: Final = """
name: "teller"
backend: "python"
max_batch_size: 0
model_transaction_policy { decoupled: true }
input [{ name: "text_input" data_type: TYPE_STRING dims: [1] }]
output [{ name: "text_output" data_type: TYPE_STRING dims: [1] }]
parameters: { key: "answer" value: { string_value: "ANSWER" } }
"""


@dataclass(frozen=True, slots=True)
class TritonServer:
    """A running server; `url` has no trailing slash."""

    url: str
    python: Path
    """The interpreter that has `tritonclient`."""
    child: Child

    def stop(self) -> None:
        self.child.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


def start_triton(folder: Path, *, answer: str) -> TritonServer:
    """Start Triton with the models `echo` and `teller`, which says `answer`; returns when both are ready."""
    packages = next((ENVIRONMENT / "lib").glob("python3.*/site-packages"))
    version = packages.parent.name.removeprefix("python")
    server = packages / "pytriton/tritonserver"
    backends = _backends(server, folder / "backends", version)
    models = _models(folder / "models", answer)
    port = free_port()
    options = {
        "model-repository": models,
        "backend-directory": backends,
        "model-control-mode": "explicit",
        "load-model": "*",
        "http-address": "127.0.0.1",
        "http-port": port,
        "allow-grpc": "false",
        "allow-metrics": "false",
        "allow-gpu-metrics": "false",
    }
    command = [str(server / "bin/tritonserver"), *(f"--{name}={value}" for name, value in options.items())]
    libraries = os.pathsep.join((str(packages / "nvidia_pytriton.libs"), _libpython(version)))
    env = {
        "LD_LIBRARY_PATH": libraries,
        "PATH": f"{ENVIRONMENT / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(ENVIRONMENT),
        "PYTHONPATH": str(packages),
    }
    child = Child("triton", command, log=folder / "triton.log", env=env, cwd=folder)
    url = f"http://127.0.0.1:{port}"
    try:
        child.wait_until(lambda: _ready(url), seconds=120.0)
    except BaseException:
        child.kill()
        raise
    return TritonServer(url, ENVIRONMENT / "bin/python", child)


def _backends(server: Path, folder: Path, version: str) -> Path:
    """The Python backend, with the stub for the environment's Python beside it."""
    shutil.copytree(server / "backends/python", folder / "python")
    shutil.copy2(server / "python_backend_stubs" / version / "triton_python_backend_stub", folder / "python")
    return folder


def _models(folder: Path, answer: str) -> Path:
    for name, config in (("echo", ECHO), ("teller", TELLER.replace("ANSWER", answer))):
        (folder / name / "1").mkdir(parents=True)
        (folder / name / "config.pbtxt").write_text(config)
        shutil.copy2(Path(__file__).with_name("triton_model.py"), folder / name / "1/model.py")
    return folder


def _libpython(version: str) -> str:
    """Where libpython is, which the stub is linked to; empty when the loader finds it by itself."""
    home = (ENVIRONMENT / "bin/python").resolve().parents[1] / "lib"
    return str(home) if (home / f"libpython{version}.so.1.0").exists() else ""


def _ready(url: str) -> bool:
    try:
        return all(
            httpx.get(f"{url}/v2/{path}ready", timeout=5.0, trust_env=False).status_code == 200
            for path in ("health/", "models/echo/", "models/teller/")
        )
    except httpx.HTTPError:
        return False
