"""Endpoints that say something about models and servers: lists, descriptions, health; never streamed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from penstock.apis.api import Dialect, Route
from penstock.apis.names import model_name
from penstock.apis.replies.pieces import DOCUMENT, Reading, UnreadableError, Walk
from penstock.apis.replies.reader import Reader
from penstock.errors import invalid
from penstock.exchange import Call, Json, JsonObject, Reply


class MetadataReader(Reader):
    """Reads any JSON document: every string in it is text, but for what only names a model or a kind."""

    events: frozenset[str] = frozenset()
    bare = True

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._walk = Walk(metadata=True)

    def read(self, document: Json, reply: Reply, *, strip: bool) -> Reading:
        return read_anything(self._walk, document, strip=strip)


def read_anything(walk: Walk, document: Json, *, strip: bool) -> Reading:
    """Reads a document of which nothing is known: error answers, too, come in every shape."""
    reading = Reading()
    if isinstance(document, dict):
        reading.error = document.get("error") is not None
        walk.object(reading, document, DOCUMENT, (), strip=strip)
    elif isinstance(document, list):
        for at in range(len(document)):
            walk.value(reading, document, at, DOCUMENT, (at,), strip=strip)
    elif document is not None:
        raise UnreadableError
    return reading


class Metadata:
    """GET endpoints without a body: the route says all, but for a model's name in the path."""

    def __init__(self, name: str, dialect: Dialect, routes: Sequence[Route]) -> None:
        self.name = name
        self.dialect = dialect
        self.routes = routes

    def call(self, route: Route, path: str, body: JsonObject | None) -> Call:
        if body is not None:
            raise invalid("This endpoint takes no request body.")
        named = route.values(path).get("model") if "{model}" in route.path else None
        model = model_name(named, "the model in the path") if named is not None else None
        return Call(self.name, route.operation, model)

    def parameters(self, body: JsonObject) -> Mapping[str, Json]:
        return {}

    def with_parameters(self, call: Call, values: Mapping[str, Json]) -> Call:
        """Nothing here has a parameter, and a grant may well have defaults for those of other operations."""
        return call

    def with_body(self, call: Call, body: JsonObject) -> Call:
        raise invalid("This endpoint takes no request body.")

    def reader(self, call: Call) -> MetadataReader:
        return MetadataReader(self.dialect)
