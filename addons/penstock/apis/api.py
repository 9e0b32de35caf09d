"""What an inference API is to the gateway: routes, a reader of calls, a reader of replies, a way to say no."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from penstock.apis.pieces import Place, Reading
from penstock.errors import Refusal
from penstock.exchange import Call, Json, JsonObject, Operation, Reply

MODEL = "{model}"


@dataclass(frozen=True, slots=True)
class Route:
    """A method and path that an API answers."""

    method: str
    path: str
    """Exact; or ends in `/{model}`, which stands for the rest of the path (model names hold slashes)."""
    operation: Operation
    query: frozenset[str] = field(default=frozenset())
    """Names of the query parameters that it knows; any other is refused."""

    @property
    def prefix(self) -> str | None:
        """What a path starts with, when the route ends in `{model}`."""
        return self.path.removesuffix(MODEL) if self.path.endswith(f"/{MODEL}") else None

    @property
    def has_body(self) -> bool:
        return self.method == "POST"


class Dialect(Protocol):
    """How an API says that something went wrong."""

    @property
    def name(self) -> str: ...

    def error(self, refusal: Refusal, exchange_id: str) -> tuple[str, bytes]:
        """Content type and body of an error answer."""
        ...

    def event(self, refusal: Refusal, exchange_id: str) -> bytes:
        """The event that ends a stream with an error, framed."""
        ...


class ReplyReader(Protocol):
    """Finds the text in one reply. It remembers what it read, so there is one for each exchange."""

    @property
    def framing(self) -> Literal["sse", "ndjson"]: ...

    @property
    def dialect(self) -> Dialect: ...

    @property
    def events(self) -> frozenset[str]:
        """Names of the SSE events it understands; `""` is the unnamed one."""
        ...

    def ends(self, data: bytes) -> bool:
        """Whether an event's data is the terminator that is not JSON (`[DONE]`)."""
        ...

    def read(self, document: Json, reply: Reply, *, strip: bool) -> Reading:
        """Every piece of text in an event or a whole body, with what it says about usage and finish noted in `reply`.

        With `strip`, what carries the same text again (logprobs, token ids, contexts, debug output) is already gone
        from `document` afterwards, and `Reading.edited` says so.

        Raises: Unreadable for a shape it does not know.
        """
        ...

    def carry(self, place: Place, text: str) -> bytes:
        """An event, framed, that says `text` at a place and nothing else; like the one read last otherwise."""
        ...


class Api(Protocol):
    """One inference API; see `penstock.apis.APIS`."""

    @property
    def name(self) -> str: ...

    @property
    def dialect(self) -> Dialect: ...

    @property
    def routes(self) -> Sequence[Route]: ...

    def call(self, route: Route, path: str, body: JsonObject | None) -> Call:
        """What a request asks; `path` as `normal_path` gave it.

        Raises: Refusal (`invalid_request`) for anything not understood; it names the place, never the value.
        """
        ...

    def parameters(self, body: JsonObject) -> Mapping[str, Json]:
        """The canonical parameters of a body that `call` accepted."""
        ...

    def with_parameters(self, call: Call, values: Mapping[str, Json]) -> Call:
        """The call with parameters set, in every place of the body that means them."""
        ...

    def with_body(self, call: Call, body: JsonObject) -> Call:
        """The call that another body makes on the same route; read anew, and refused like any other."""
        ...

    def reader(self, call: Call) -> ReplyReader: ...


class Recognised(NamedTuple):
    api: Api
    route: Route
