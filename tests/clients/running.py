"""Runs the client programs, each in an environment of its own, and reads what they say that their users see."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

from scripts.stage.gateway import ENTRANCES, Entrance, Gateway
from scripts.stage.identity_provider import IdentityProvider
from scripts.stage.process import ROOT

type Environment = Literal["python-2", "python-3", "node"]

PROGRAMS: Final = Path(__file__).with_name("programs")
_INSTALL: Final = 300.0
_PLAY: Final = 300.0


@dataclass(frozen=True, slots=True)
class Program:
    """A script, the environment that it runs in, and the gateway's entrances that it goes through."""

    script: str
    environment: Environment
    entrances: tuple[Entrance, ...] = ENTRANCES

    @property
    def id(self) -> str:
        return f"{Path(self.script).stem}-{self.environment.removeprefix('python-')}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the user of an SDK saw of one scene (see programs/scenes.py)."""

    pieces: list[str] = field(default_factory=list[str])
    calls: list[list[Any]] = field(default_factory=list[list[Any]])
    value: Any = None
    vectors: list[int] = field(default_factory=list[int])
    error: dict[str, str] | None = None

    @property
    def text(self) -> str:
        return "".join(self.pieces)


type Scene = tuple[str, str, str]
"""Client, entrance and scene."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What programs run against."""

    gateways: Mapping[Entrance, Gateway]
    provider: IdentityProvider
    asks: Mapping[str, str]
    """Scene -> what the user asks in it."""
    folder: Path

    def setting(self, program: Program) -> dict[str, Any]:
        """What a program is told: its key, the gateway's addresses by entrance and route, and what to ask."""
        entrances = {
            entrance: {route.name: route.url for route in self.gateways[entrance].place.routes}
            for entrance in program.entrances
        }
        return {"key": self.provider.token(program.id), "entrances": entrances, "asks": dict(self.asks)}


class Run:
    """A program under way; ends with its `with` block at the latest."""

    def __init__(self, program: Program, setting: Mapping[str, Any], folder: Path) -> None:
        """`setting` is given to the program as JSON; what it prints stays in `folder`."""
        self.program = program
        self._out = folder / f"{program.id}.jsonl"
        self._log = folder / f"{program.id}.log"
        with self._out.open("wb") as out, self._log.open("wb") as log:
            self._process = subprocess.Popen(
                _command(program),
                env=_environment(setting, folder),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
            )

    def seen(self) -> dict[Scene, Seen]:
        """Everything it played, waited for."""
        status = self._process.wait(_PLAY)
        assert status == 0, f"{self.program.id} ended with {status}:\n{self._log.read_text()[-2000:]}"
        lines = [json.loads(line) for line in self._out.read_text().splitlines()]
        return {(line.pop("client"), line.pop("entrance"), line.pop("scene")): Seen(**line) for line in lines}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()


def install(environment: Environment) -> Path:
    """Where the environment is; it is made when it is missing or another is wanted."""
    script = ROOT / "scripts/clients/environment"
    done = subprocess.run([str(script), environment], capture_output=True, text=True, timeout=_INSTALL)
    assert done.returncode == 0, f"{script} {environment}: {done.stderr[-2000:]}"
    return ROOT / ".tools" / f"clients-{environment}"


def _command(program: Program) -> list[str]:
    home = install(program.environment)
    if program.environment != "node":
        return [str(home / "bin/python"), str(PROGRAMS / program.script)]
    # Node looks for packages beside the script.
    for script in PROGRAMS.glob("*.mjs"):
        place = home / script.name
        if not place.exists() or place.read_bytes() != script.read_bytes():
            shutil.copyfile(script, place)
    return ["node", str(home / program.script)]


def _environment(setting: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """Nothing of the machine's settings but what a process needs to start, and nobody to call home to."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": os.environ.get("PYTHONDONTWRITEBYTECODE", ""),
        "SETTING": json.dumps(setting),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LANGSMITH_TRACING": "false",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
