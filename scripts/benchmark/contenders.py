"""Who is measured: no gateway at all, plain mitmdump, and the gateway by both of its entrances."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from scripts.benchmark import upstream
from scripts.benchmark.policy import CLIENT, write_policy
from scripts.stage.gateway import Entrance, mitmdump, start_gateway
from scripts.stage.identity_provider import IdentityProvider
from scripts.stage.policy import Place, Route
from scripts.stage.port import free_port, listens
from scripts.stage.process import Child, python

DIRECT: Final = "direct"
PLAIN: Final = "mitmdump"
ADDON: Final = "mitmdump -s gateway.py"
SERVE: Final = "penstock serve"
NAMES: Final = (DIRECT, PLAIN, ADDON, SERVE)


@dataclass(frozen=True, slots=True)
class Contender:
    """Where to send the load, and whose CPU to count; `streams` is where streamed calls go."""

    name: str
    url: str
    pid: int | None
    streams: Contender | None = None
    """Plain mitmdump holds a stream back until it has all of it, unless told otherwise, and told otherwise it treats
    JSON calls differently too: so it runs twice."""


@dataclass(frozen=True, slots=True)
class Field:
    """All that is running."""

    contenders: tuple[Contender, ...]
    token: Callable[[], str]


@contextmanager
def field(names: tuple[str, ...], folder: Path, *, pace: float) -> Iterator[Field]:
    """Start the upstream, the identity provider and the named contenders; all end with the block."""
    with ExitStack() as stack:
        command = python("scripts.benchmark.upstream", "--pace", str(pace))
        stub = stack.enter_context(Child("benchmark upstream", command, log=folder / "upstream.log"))
        url = stub.wait_until(lambda: stub.output().partition(upstream.READY)[2].strip() or None)
        provider = stack.enter_context(IdentityProvider([CLIENT]))
        place = Place((Route("stub", 0, url),), provider.issuer, folder)
        made = tuple(_start(name, stack, folder, place) for name in names)
        yield Field(made, lambda: provider.token(CLIENT.id))


def _start(name: str, stack: ExitStack, folder: Path, place: Place) -> Contender:
    route = replace(place.routes[0], port=free_port())
    if name == DIRECT:
        return Contender(name, route.upstream, None)
    if name == PLAIN:
        other = replace(route, port=free_port())
        streams = _plain(stack, folder / "plain-streams", other, "--set", "stream_large_bodies=1")
        return replace(_plain(stack, folder / "plain", route), streams=streams)
    entrance: Entrance = "serve" if name == SERVE else "mitmdump"
    home = folder / entrance
    here = replace(place, routes=(route,), data=home / "data")
    rules = write_policy(home / "rules", here)
    gateway = stack.enter_context(start_gateway(entrance, rules, here, log=folder / f"{entrance}.log"))
    return Contender(name, gateway.url(), gateway.child.pid)


def _plain(stack: ExitStack, home: Path, route: Route, *options: str) -> Contender:
    home.mkdir()
    command = [*mitmdump([route], confdir=home), *options]
    child = stack.enter_context(Child("mitmdump", command, log=home / "log"))
    child.wait_until(lambda: listens(route.port))
    return Contender(PLAIN, route.url, child.pid)
