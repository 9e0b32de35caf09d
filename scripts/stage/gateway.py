"""The gateway under way as a process, by either of its entrances."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Self

import httpx

from scripts.stage.policy import Place, Route
from scripts.stage.port import listens
from scripts.stage.process import ROOT, Child

type Entrance = Literal["serve", "mitmdump"]

ENTRANCES: Final[tuple[Entrance, ...]] = ("serve", "mitmdump")
BIN: Final = Path(sys.executable).parent
"""Where the commands of this environment are."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running gateway."""

    rules: Path
    place: Place
    child: Child

    def url(self, route: str = "") -> str:
        """Address of a route, by default the first; no slash at the end."""
        return next(one.url for one in self.place.routes if not route or one.name == route)

    @property
    def data(self) -> Path:
        return self.place.data

    def stop(self) -> int:
        return self.child.stop(grace=10.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


def command(entrance: Entrance, rules: Path, place: Place) -> list[str]:
    """The command line of a gateway."""
    if entrance == "serve":
        return [str(BIN / "penstock"), "serve", "--rules", str(rules)]
    return [
        *mitmdump(place.routes, confdir=place.data.parent / "mitmproxy"),
        *("-s", str(ROOT / "addons/gateway.py")),
        *("--set", f"penstock_rules={rules}"),
    ]


def mitmdump(routes: Sequence[Route], *, confdir: Path) -> list[str]:
    """The command line of plain mitmdump in reverse mode, with settings of its own."""
    modes = [part for route in routes for part in ("--mode", f"reverse:{route.upstream}@127.0.0.1:{route.port}")]
    return [str(BIN / "mitmdump"), "--quiet", *modes, "--set", f"confdir={confdir}"]


def start_gateway(
    entrance: Entrance, rules: Path, place: Place, *, log: Path, env: Mapping[str, str] | None = None
) -> Gateway:
    """Start a gateway with the policy in `rules`, made for `place`; returns when it says that it is ready."""
    child = Child(f"gateway ({entrance})", command(entrance, rules, place), log=log, env=env)
    try:
        child.wait_until(lambda: all(listens(route.port) for route in place.routes), seconds=30.0)
        child.wait_until(lambda: _ready(place.routes[0].url), seconds=30.0)
    except BaseException:
        child.kill()
        raise
    return Gateway(rules, place, child)


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/.penstock/ready", timeout=5.0, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
