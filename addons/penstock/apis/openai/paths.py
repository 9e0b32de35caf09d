"""Where servers put OpenAI's endpoints: most below `/v1`, some at the root too, OpenVINO below `/v3`."""

from __future__ import annotations

from penstock.apis.api import Route
from penstock.exchange import Encoding, Operation

PREFIXES = ("/v1", "", "/v3", "/v3/v1")


def everywhere(path: str, operation: Operation, *bodies: Encoding) -> tuple[Route, ...]:
    """The routes of a POST endpoint; `path` without a prefix."""
    return tuple(Route("POST", prefix + path, operation, bodies=bodies) for prefix in PREFIXES)
