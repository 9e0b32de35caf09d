"""APIs that are asked with texts and answer whole, mostly with numbers: declared as tables, read in one way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Final

from penstock.apis.api import Api, Dialect, ReplyReader, Route
from penstock.apis.calls.contents import Input
from penstock.apis.calls.posted import Posted
from penstock.apis.calls.turns import Turns
from penstock.apis.dialects import OPENAI
from penstock.apis.names import model_name
from penstock.apis.replies.numbers import NumbersReader
from penstock.errors import invalid
from penstock.exchange import Call, Json, JsonObject, Operation

_BYTES: Final = ("bytes", "bytes_only")
"""vLLM: forms in which vectors are a body of nothing but bytes."""


class Whole(Posted):
    """Base of such an API. A body without a model asks for the one that the server has: the call then names none, and
    only a grant of all models allows it."""

    dialect: ClassVar[Dialect] = OPENAI
    inputs: ClassVar[Mapping[str, Input]]
    """Keys that hold what is asked about."""
    needed: ClassVar[bool] = True
    """Whether one of them must be there."""
    numbers: ClassVar[frozenset[str]] = frozenset()
    """Keys of the reply whose numbers are the answer itself; `""` is the reply as a list."""
    spelled: ClassVar[frozenset[str]] = frozenset()
    """Keys of the reply that say the text of the call again, token by token: emptied beside a mask."""

    def read(self, operation: Operation, body: JsonObject) -> Call:
        unknown = self.table.check(body)
        if self.needed and self.inputs.keys().isdisjoint(key for key, value in body.items() if value is not None):
            raise invalid(f"The body must have one of these keys: {', '.join(sorted(self.inputs))}.")
        turns = Turns()
        self.read_keys(turns, body, unknown)
        parameters = self.parameters(body)
        return Call(
            self.name,
            operation,
            self.model(body),
            tuple(turns.found),
            parameters,
            self.unusual(parameters),
            stream=self.streams(body),
            uninspected=tuple(sorted(turns.uninspected)),
            body=body,
        )

    def read_keys(self, turns: Turns, body: JsonObject, unknown: list[str]) -> None:
        """The turns that a body makes, in the order of its keys."""
        for key, value in body.items():
            if value is None:
                continue
            if (known := self.input(key, body)) is not None:
                known(turns, value, (key,))
            elif key in unknown:
                turns.everything("other", value, (key,))
            elif role := self.table.fields[key].role:
                turns.everything(role, value, (key,))
        if body.get("encoding_format") in _BYTES:
            turns.uninspected.add("embeddings")

    def input(self, key: str, body: JsonObject) -> Input | None:
        """How the value of a key is read, if it is one that holds what is asked about."""
        return self.inputs.get(key)

    def streams(self, body: JsonObject) -> bool:
        return False

    def model(self, body: JsonObject) -> str | None:
        return model_name(body["model"]) if body.get("model") is not None else None

    def call(self, route: Route, path: str, body: JsonObject | None) -> Call:
        self._claim(route, body or {})
        found = super().call(route, path, body)
        named = route.values(path).get("model")
        if named is None:
            return found
        if found.model not in (None, named):
            raise invalid("/model and the path name two models.")
        return replace(found, model=model_name(named, "the model in the path"))

    def _claim(self, route: Route, body: JsonObject) -> None:
        """Refuses, on a path that other APIs have too, a body that a server could read as one of theirs."""
        if not route.marks:
            return
        strays = [key for key in body if key not in route.marks and (key in self.inputs or key not in self.table.names)]
        if strays or route.marks.isdisjoint(body):
            keys = ", ".join(sorted(route.marks))
            raise invalid(f"On this path a body for {self.name} must have {keys}, and no key that it does not know.")

    def with_body(self, call: Call, body: JsonObject) -> Call:
        found = self.read(call.operation, body)
        return replace(found, model=call.model) if found.model is None else found

    def reader(self, call: Call) -> ReplyReader:
        encoding = (call.body or {}).get("encoding_format")
        return NumbersReader(
            self.dialect,
            self.numbers,
            self.spelled,
            base64=encoding == "base64",
            opaque="embeddings" in call.uninspected and encoding in _BYTES,
        )


class Borrowed:
    """Endpoints that take another API's body and answer something else: its prompt, its token ids, how many."""

    def __init__(
        self,
        name: str,
        owner: Api,
        routes: Sequence[Route],
        numbers: frozenset[str] = frozenset(),
        spelled: frozenset[str] = frozenset(),
    ) -> None:
        self.name = name
        self.dialect = owner.dialect
        self.routes = routes
        self._owner = owner
        self._numbers, self._spelled = numbers, spelled

    def call(self, route: Route, path: str, body: JsonObject | None) -> Call:
        if body is None or body.get("model") is not None:
            return self._own(self._owner.call(route, path, body), route.operation)
        # The server takes the model that it has; the other API may insist on a name.
        found = self._own(self._owner.call(route, path, {**body, "model": "unnamed"}), route.operation)
        assert found.body is not None
        return replace(found, model=None, body={key: value for key, value in found.body.items() if key != "model"})

    def _own(self, call: Call, operation: Operation) -> Call:
        return replace(call, api=self.name, operation=operation, stream=False)

    def parameters(self, body: JsonObject) -> Mapping[str, Json]:
        return self._owner.parameters(body)

    def with_parameters(self, call: Call, values: Mapping[str, Json]) -> Call:
        return self._owner.with_parameters(call, values)

    def with_body(self, call: Call, body: JsonObject) -> Call:
        return self.call(Route("POST", "", call.operation), "", body)

    def reader(self, call: Call) -> ReplyReader:
        return NumbersReader(self.dialect, self._numbers, self._spelled)
