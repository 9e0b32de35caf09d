"""Endpoints that change models and servers, or describe them: declared as data, judged like any other call."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from penstock.apis.api import Dialect, Route
from penstock.apis.calls.fields import ANY, STRING, Field, Table, Types, fold, parameter, pointer
from penstock.apis.calls.posted import CLOUD
from penstock.apis.calls.turns import LABEL, Turns
from penstock.apis.metadata import MetadataReader
from penstock.apis.names import elsewhere, model_name
from penstock.apis.replies.pieces import Reading
from penstock.errors import Refusal, invalid
from penstock.exchange import Blob, Call, Encoding, Json, JsonObject, Operation, Reply

type Naming = Callable[[Json, str], str]
type Last = Callable[[JsonObject], bool]

MODEL: Final = "model"
# What may stand in the place of a `{name}` of a path that is no model: an identifier.
_PART: Final = re.compile(r"[A-Za-z0-9._:@+-]{1,200}")
_NAMES: Final = re.compile(r"\{(\w+)\}")
_PRINTABLE: Final = re.compile(r"[!-~]{0,512}")
_WHOLE: Final = re.compile(r"-?[0-9]{1,15}")
_DECIMAL: Final = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")
# Settings that servers show among others (SGLang's `server_info` has its own API key in it), and that some take.
_SECRET: Final = re.compile(
    r"(?i)(?:^|.*_)(?:api_?keys?|secrets?|passwords?|credentials?|(?:auth|access|hf)_?token)(?:_.*|$)"
)

_TOKEN: Final = "token"


@dataclass(frozen=True, slots=True)
class Order:
    """A method and path, what is ordered there, and all that may be said with it."""

    method: str
    path: str
    """`{model}` in it is the model's name; any other `{name}` is an identifier, and a parameter."""
    operation: Operation
    takes: Mapping[str, Types] = field(default_factory=dict[str, Types])
    """Keys of the body, those in `model` and `others` excepted. Their strings are turns when they do not look like
    identifiers."""
    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    """Further keys of the body, of any type, whose strings are texts: key -> role."""
    query: Mapping[str, Types] = field(default_factory=dict[str, Types])
    """Query parameters."""
    unusual: Collection[str] = ()
    """Of all these, what a grant must name beside the operation; `others` need not be repeated."""
    model: tuple[str, ...] = ()
    """Keys of the body, or parameters in `query`, that name the model; those that are there must agree."""
    others: tuple[str, ...] = ()
    """Keys of the body that name another model (a source, an alias): parameters that a grant must name."""
    needed: bool = True
    """Whether the model must be named, where `model` says how."""
    optional: bool = False
    """Whether the body may be left out; it may too where it has no keys."""
    file: bool = False
    """The body is bytes that nobody reads here."""

    @property
    def bodies(self) -> tuple[Encoding, ...]:
        """How the body is written; empty when there is none."""
        if self.file:
            return ("raw",)
        return ("json",) if self.method in ("POST", "PUT", "PATCH") or self._keys() else ()

    def _keys(self) -> set[str]:
        return {*self.takes, *self.texts, *self.others, *self.model} - self.query.keys()

    def route(self) -> Route:
        optional = self.optional or not (self.file or self._keys())
        return Route(self.method, self.path, self.operation, frozenset(self.query), self.bodies, optional=optional)

    def table(self) -> Table:
        """The keys of the body."""
        unusual = {*self.unusual, *self.others}
        fields: dict[str, Field] = {key: Field(STRING) for key in self.model if key not in self.query}
        for key, types in {**self.takes, **dict.fromkeys(self.others, STRING)}.items():
            fields[key] = parameter(types, key, ordinary=key not in unusual, role="" if key in self.others else LABEL)
        for key, role in self.texts.items():
            fields[key] = parameter(ANY, key, ordinary=key not in unusual, role=role)
        return Table(fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered(Call):
    """A call that is an order; it knows which, and the path that it came by."""

    order: Order
    path: str


class Orders:
    """An API that is nothing but orders: those of one server."""

    def __init__(
        self,
        name: str,
        dialect: Dialect,
        orders: Sequence[Order],
        *,
        naming: Naming = model_name,
        framing: Literal["sse", "ndjson"] = "sse",
        events: Collection[str] = (),
        last: Last | None = None,
    ) -> None:
        """`naming`: the one spelling of a model's name. Progress may stream: `events` are names of SSE events beside
        the unnamed one, `last` tells the event that ends it (None: it just ends)."""
        self.name = name
        self.dialect = dialect
        self.orders = tuple(orders)
        self.routes = tuple(order.route() for order in orders)
        self._naming = naming
        self._framing = framing
        self._events = frozenset(events)
        self._last = last
        self._known = {(order.method, order.path): (order, order.table()) for order in orders}
        assert len(self._known) == len(self.orders), f"{name}: an order stands there twice"

    def call(self, route: Route, path: str, body: JsonObject | None) -> Call:
        order, table = self._known[route.method, route.path]
        if body is None and order.bodies and not (order.optional or not (order.file or table.fields)):
            raise invalid("This endpoint needs a JSON object as the request body.")
        if body is not None and not order.bodies:
            raise invalid("This endpoint takes no request body.")
        turns = Turns()
        found = _placed(route, path) | _asked(order, route, path)
        if order.file and body is not None:
            body = self.opened(order, turns, body)
        elif body is not None:
            body = self._body(order, table, turns, body)
            found |= table.parameters(body)
        model = self._model(order, found, body)
        ordinary = (table.ordinary | order.query.keys() | _placeholders(order)) - {*order.unusual, *order.others}
        named = [found[key] for key in order.others if isinstance(found.get(key), str)]
        if any(elsewhere(str(name)) for name in (*named, model or "")):
            found[CLOUD] = True
        return Ordered(
            self.name,
            order.operation,
            model,
            tuple(turns.found),
            found,
            frozenset(found.keys() - ordinary),
            stream=body is not None and body.get("stream") is True,
            uninspected=tuple(sorted(turns.uninspected)),
            body=body,
            encoding="raw" if order.file else "json",
            order=order,
            path=path,
        )

    def _body(self, order: Order, table: Table, turns: Turns, body: JsonObject) -> JsonObject:
        """The body with canonical names of models; what else it says becomes turns.

        Raises: Refusal for a credential among others: all that a call says is recorded.
        """
        unknown = table.check(body)
        elsewhere_said = {fold(name) for name in (*order.query, *_NAMES.findall(order.path))}
        for key in body:
            if fold(key) in elsewhere_said and key not in table.names:
                # Judged under that name, it would stand in for what the server takes from the path.
                raise invalid(f"{pointer((key,))} is said in the path or the query of this endpoint, not in its body.")
            if key == _TOKEN or _SECRET.fullmatch(key):
                raise invalid(f"{pointer((key,))} is a credential; it belongs to the model server, not to the record.")
        body = dict(body)
        for key in (*order.model, *order.others):
            if key not in order.query and body.get(key):
                body[key] = self._naming(body[key], f"/{key}")
        for key, value in body.items():
            spec = table.fields.get(key)
            role = "other" if key in unknown or spec is None else spec.role
            if role and value is not None:
                self.read(order, turns, key, role, value)
        return body

    def opened(self, order: Order, turns: Turns, body: JsonObject) -> JsonObject:
        """What is forwarded of a body that is a file; a server whose files can be read overrides it."""
        turns.uninspected.add("file")
        return body

    def read(self, order: Order, turns: Turns, key: str, role: str, value: Json) -> None:
        """Makes turns of what a key of the body says; a server with texts of its own form overrides it."""
        turns.everything(role, value, (key,))

    def _model(self, order: Order, found: dict[str, Json], body: JsonObject | None) -> str | None:
        """The one model that is meant, by whichever key; it leaves the parameters.

        Raises: Refusal when there is none, or more than one, and for a spelling that cannot be made canonical where it
            stands.
        """
        names: set[str] = set()
        for key in order.model:
            if key not in order.query and body is not None and body.get(key):
                names.add(str(body[key]))
        for key in (*(key for key in order.model if key in order.query), MODEL):
            given = found.pop(key, None) if key in order.query or f"{{{key}}}" in order.path else None
            if given:
                names.add(name := self._naming(given, f"the model in the {'query' if key in order.query else 'path'}"))
                if name != given:
                    raise invalid(f"Write the model's name as this gateway does: {name}")
        if len(names) > 1:
            raise invalid("The request names more than one model.")
        if not names and order.needed and order.model:
            self._naming(None, f"/{order.model[0]}")
        return names.pop() if names else None

    def parameters(self, body: JsonObject) -> Mapping[str, Json]:
        """What a body says, under its own names: which order it is part of, the body does not tell."""
        return {key: value for key, value in body.items() if value is not None and value != []}

    def with_parameters(self, call: Call, values: Mapping[str, Json]) -> Call:
        """Raises: Refusal for a parameter that stands in the path or the query: those are forwarded as they came."""
        if call.body is None or call.encoding != "json" or not values.keys() <= call.body.keys():
            raise Refusal(
                "not_granted", "A parameter of this request is out of its bounds, and cannot be changed here."
            )
        return self.with_body(call, {**call.body, **values})

    def with_body(self, call: Call, body: JsonObject) -> Call:
        assert isinstance(call, Ordered)
        return self.call(call.order.route(), call.path, body)

    def reader(self, call: Call) -> OrderReader:
        return OrderReader(self.dialect, self._framing, self._events, self._last)


def _placeholders(order: Order) -> set[str]:
    return set(_NAMES.findall(order.path)) - {MODEL}


def _placed(route: Route, path: str) -> dict[str, Json]:
    """What stands in the path.

    Raises: Refusal for what is no identifier where one belongs.
    """
    if "{" not in route.path:
        return {}
    values = route.values(path)
    for name, value in values.items():
        if name != MODEL and not _PART.fullmatch(value):
            raise invalid(f"The {name} in the request path is not an identifier.")
    return {**values}


def _asked(order: Order, route: Route, path: str) -> dict[str, Json]:
    """The query, each value of its type.

    Raises: Refusal for another type, and for strings that no identifier and no address looks like.
    """
    return {name: _typed(name, order.query[name], value) for name, value in route.asked(path).items()}


def _typed(name: str, types: Types, text: str) -> Json:
    if bool in types and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if int in types and _WHOLE.fullmatch(text):
        return int(text)
    if float in types and _DECIMAL.fullmatch(text):
        return float(text)
    if str in types and _PRINTABLE.fullmatch(text):
        return text
    raise invalid(f"The query parameter {name} does not have a value that this endpoint takes.")


class OrderReader(MetadataReader):
    """What a server says about itself and its models, and how an order proceeds: every string is complete in itself."""

    plain: frozenset[str] = frozenset({"text/plain", "application/openmetrics-text"})

    def __init__(
        self,
        dialect: Dialect,
        framing: Literal["sse", "ndjson"] = "sse",
        events: frozenset[str] = frozenset(),
        last: Last | None = None,
    ) -> None:
        super().__init__(dialect)
        self.framing = framing
        self.events = frozenset({"", "message", "error"}) | events
        self.unterminated = last is None
        self._last = last

    def read(self, document: Json, reply: Reply, *, strip: bool) -> Reading:
        hidden = hide_secrets(document)
        reading = super().read(document, reply, strip=strip)
        reading.edited |= hidden
        for piece in reading.pieces:
            if piece.mode == "leaf":
                piece.mode = "unit"
        reading.done = self._last is not None and isinstance(document, dict) and self._last(document)
        return reading


def hide_secrets(document: Json) -> bool:
    """Empties every setting that is named like a credential, at any depth. Returns whether there was one."""
    hidden = False
    left: list[Json] = [document]
    while left:
        value = left.pop()
        if isinstance(value, list):
            left += value
        elif isinstance(value, dict):
            for key, inner in value.items():
                if isinstance(inner, (str, list)) and inner and _SECRET.fullmatch(key):
                    value[key] = None
                    hidden = True
                else:
                    left.append(inner)
    return hidden


def file_of(body: JsonObject) -> Blob:
    """The bytes of a body that is a file."""
    data = body["data"]
    assert isinstance(data, Blob)
    return data
