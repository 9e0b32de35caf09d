"""The endpoints that model servers have, as data: one file a server, read from its source; nothing here decides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

import yaml

WEBSOCKET: Final = "WEBSOCKET"
GRPC: Final = "GRPC"

KINDS: Final = frozenset(
    {
        "inference",
        "embedding",
        "score",
        "tokenize",
        "render",
        "text tool",
        "stored",
        "metadata",
        "health",
        "docs",
        "models",
        "adapters",
        "weights",
        "runtime",
        "profile",
        "account",
        "tools",
        "grpc",
    }
)
"""What endpoints are for. `models` to `profile` change the server; `tools` act outside of it."""

_TRAITS: Final = "_traits.yaml"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A method and path of a server, as the server's own source has it."""

    server: str
    method: str
    """An HTTP method, `WEBSOCKET` or `GRPC`."""
    path: str
    """With `{name}` for what varies."""
    kind: str

    def example(self) -> str:
        """A path as a client may send it."""
        return re.sub(r"\{\w+\}", lambda found: _EXAMPLES.get(found[0], "1"), self.path)


_EXAMPLES: Final = {"{model}": "tiny", "{repository}": "models", "{digest}": "sha256:" + "0" * 64, "{rpc}": "Call"}


@dataclass(frozen=True, slots=True)
class Server:
    """A model server: what it is, where its endpoints were read, and which they are."""

    key: str
    name: str
    version: str
    source: str
    port: str
    """Where it listens when nobody says otherwise."""
    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True, slots=True)
class Traits:
    """What an API of ours does beside its routes."""

    streams: bool = False
    uninspected: tuple[str, ...] = ()
    """Kinds of content that it carries and that nobody reads; a grant must name them."""


@cache
def servers() -> Mapping[str, Server]:
    """Every server, by its key."""
    files = (file for file in resources.files(__name__).iterdir() if file.name.endswith(".yaml"))
    named = sorted((file.name.removesuffix(".yaml"), file.read_text("utf-8")) for file in files if file.name != _TRAITS)
    return {key: _server(key, yaml.safe_load(text)) for key, text in named}


def _server(key: str, data: Mapping[str, Any]) -> Server:
    rows = [(kind, *row.split(" ")) for kind, rows in data["endpoints"].items() for row in rows]
    endpoints = tuple(Endpoint(key, method, path, kind) for kind, method, path in rows)
    return Server(key, data["name"], data["version"], data["source"], data["port"], endpoints)


@cache
def traits() -> Mapping[str, Traits]:
    """What each API does, by its name."""
    data = yaml.safe_load((resources.files(__name__) / _TRAITS).read_text("utf-8"))
    return {name: Traits(bool(each.get("streams")), tuple(each.get("uninspected", ()))) for name, each in data.items()}
