"""A policy directory for a gateway on loopback: rules as they are written, and a gateway.yaml made for the stage."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from scripts.stage.identity_provider import ALGORITHM, AUDIENCE

ISSUER: Final = "corp"
GATEWAY_FILE: Final = "gateway.yaml"


@dataclass(frozen=True, slots=True)
class Route:
    """A port of the gateway and the model server behind it."""

    name: str
    port: int
    upstream: str
    """URL of the model server, without a slash at the end."""
    credential: str | None = None
    """What the gateway shows to the model server as a Bearer token."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything is: all that a gateway.yaml needs to know."""

    routes: tuple[Route, ...]
    issuer: str
    """URL of the identity provider."""
    data: Path
    hold_seconds: int | None = None


def gateway(place: Place) -> dict[str, Any]:
    """The content of gateway.yaml; each credential is a file beside it (see `install`)."""
    settings: dict[str, Any] = {
        "version": 1,
        "listen": [
            {"mode": "reverse", "host": "127.0.0.1", "port": route.port, "upstream": route.name}
            for route in place.routes
        ],
        "data": str(place.data),
        "upstreams": {route.name: _upstream(route) for route in place.routes},
        "identity": {
            "resource": place.routes[0].url,
            "issuers": [
                {
                    "id": ISSUER,
                    "issuer": place.issuer,
                    "audiences": [AUDIENCE],
                    "algorithms": [ALGORITHM],
                    "groups": {"claim": "groups", "prefix": f"{ISSUER}:"},
                }
            ],
        },
    }
    if place.hold_seconds is not None:
        settings["hold"] = f"{place.hold_seconds}s"
    return settings


def _upstream(route: Route) -> dict[str, Any]:
    upstream: dict[str, Any] = {"replicas": [route.upstream]}
    if route.credential:
        upstream["credential"] = {"header": "authorization", "value": f"Bearer ${{file:{route.name}.key}}"}
    return upstream


def install(directory: Path, place: Place, files: Mapping[str, Any] | None = None) -> Path:
    """Write a policy into `directory`: its gateway.yaml for `place`, and `files` (name -> content)."""
    directory.mkdir(parents=True, exist_ok=True)
    for route in place.routes:
        if route.credential:
            secret = directory / f"{route.name}.key"
            secret.touch(0o600)
            secret.write_text(route.credential)
    for name, content in {GATEWAY_FILE: gateway(place), **(files or {})}.items():
        (directory / name).write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
    return directory


def adapt(source: Path, directory: Path, place: Place) -> Path:
    """Copy the rules at `source` into `directory`, with a gateway.yaml for `place` instead of theirs."""
    shutil.copytree(source, directory, dirs_exist_ok=True, ignore=shutil.ignore_patterns(GATEWAY_FILE))
    return install(directory, place)
