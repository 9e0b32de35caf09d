"""What the APIs have in common that are asked by posting an object: parameters in tables, one model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from penstock.apis.api import Dialect, ReplyReader, Route
from penstock.apis.calls.fields import Table, written
from penstock.apis.names import elsewhere
from penstock.errors import invalid
from penstock.exchange import Call, Json, JsonObject, Operation

CLOUD = "cloud"
"""A parameter of its own for model names that Ollama forwards to its cloud: a grant must name it."""


class Posted(ABC):
    """Base of an API whose parameters stand in one or two objects of the body."""

    name: ClassVar[str]
    dialect: ClassVar[Dialect]
    routes: ClassVar[Sequence[Route]]
    table: ClassVar[Table]
    inner: ClassVar[Table | None] = None
    """Ollama's `options`: a second table, one level down."""

    @abstractmethod
    def read(self, operation: Operation, body: JsonObject) -> Call:
        """What a body asks on a route of this operation.

        Raises: Refusal (`invalid_request`).
        """

    @abstractmethod
    def reader(self, call: Call) -> ReplyReader: ...

    def call(self, route: Route, path: str, body: JsonObject | None) -> Call:
        if body is None:
            raise invalid("This endpoint needs a JSON object as the request body.")
        return self.read(route.operation, body)

    def with_body(self, call: Call, body: JsonObject) -> Call:
        return self.read(call.operation, body)

    def parameters(self, body: JsonObject) -> dict[str, Json]:
        found = self.table.parameters(body)
        if self.inner is not None:
            inner = body.get(str(self.inner.at[0]))
            if isinstance(inner, dict):
                found.update(self.inner.parameters(inner))
        model = body.get("model")
        if isinstance(model, str) and elsewhere(model):
            found[CLOUD] = True
        return found

    def unusual(self, parameters: Mapping[str, Json]) -> frozenset[str]:
        """Of these names, those that a grant must name."""
        unusual = parameters.keys() - self.table.ordinary
        return frozenset(unusual if self.inner is None else unusual - self.inner.ordinary)

    def with_parameters(self, call: Call, values: Mapping[str, Json]) -> Call:
        assert call.body is not None
        body = dict(call.body)
        for name, value in values.items():
            self._write(body, name, value)
        return replace(call, body=body, parameters=self.parameters(body))

    def _write(self, body: JsonObject, name: str, value: Json) -> None:
        """Writes a parameter to every place that has it, or to the first place of its own when none has."""
        for table in (self.table, self.inner) if self.inner is not None else (self.table,):
            if name in table.places:
                self._write_keys(body, table, [str(path[-1]) for path in table.places[name]], value)
                return
        head, dot, rest = name.partition(".")
        if self.inner is not None and dot and (head,) == self.inner.at:
            self._write_keys(body, self.inner, [rest], value)
        elif name in body or self.inner is None:
            self._write_keys(body, self.table, [name], value)

    def _write_keys(self, body: JsonObject, table: Table, keys: Sequence[str], value: Json) -> None:
        holder = body
        if table.at:
            at = str(table.at[0])
            inside = body.get(at)
            holder = dict(inside) if isinstance(inside, dict) else {}
            body[at] = holder
        for key in [key for key in keys if holder.get(key) is not None] or keys[:1]:
            spec = table.fields.get(key)
            holder[key] = written(value, holder.get(key), limit=spec is not None and spec.limit)
