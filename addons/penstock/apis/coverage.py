"""What becomes of an endpoint of the catalogue: served by one API or several, refused on purpose, or not known."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.apis import refused
from penstock.apis.api import Recognised
from penstock.apis.catalogue import GRPC, WEBSOCKET, Endpoint
from penstock.apis.recognise import recognise
from penstock.apis.registry import APIS
from penstock.apis.shared import Shared
from penstock.apis.wire.target import normal_path
from penstock.errors import Refusal
from penstock.exchange import Operation


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call of an endpoint meets."""

    apis: tuple[str, ...] = ()
    """Names of the APIs that serve it; with several, the body tells which."""
    operations: tuple[Operation, ...] = ()
    """One for each of `apis`."""
    reason: str | None = None
    """Why it is refused on purpose."""

    @property
    def served(self) -> bool:
        return bool(self.apis)

    @property
    def known(self) -> bool:
        return self.served or self.reason is not None


UNKNOWN = Outcome()


def outcome(endpoint: Endpoint) -> Outcome:
    """What a call of this endpoint meets, by the same way that a call goes."""
    path = normal_path(endpoint.example())
    if endpoint.method == GRPC:
        return Outcome(reason=refused.reason("POST", path))
    if endpoint.method == WEBSOCKET and (reason := refused.reason(WEBSOCKET, path)) is not None:
        return Outcome(reason=reason)
    try:
        found = recognise(endpoint.method, path)
    except Refusal as refusal:
        if refusal.code != "not_served":
            return UNKNOWN
        return Outcome(reason=refused.reason(endpoint.method, path))
    return _served(found)


def _served(found: Recognised) -> Outcome:
    if not isinstance(found.api, Shared):
        return Outcome((found.api.name,), (found.route.operation,))
    each = [
        (api.name, route.operation)
        for api in APIS
        for route in api.routes
        if (route.method, route.path) == (found.route.method, found.route.path)
    ]
    return Outcome(tuple(name for name, _ in each), tuple(operation for _, operation in each))
