"""What an inference API is to the gateway: routes, a reader of calls, a reader of replies, a way to say no."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final, Literal, NamedTuple, Protocol

from penstock.apis.replies.pieces import Place, Reading
from penstock.apis.wire.target import unescape
from penstock.errors import Refusal, invalid
from penstock.exchange import Call, Encoding, Json, JsonObject, Operation, Reply

_BODIES: Final[Mapping[str, tuple[Encoding, ...]]] = {"POST": ("json",), "PUT": ("json",), "PATCH": ("json",)}


@dataclass(frozen=True, slots=True)
class Route:
    """A method and path that an API answers."""

    method: str
    path: str
    """Exact, or with `{name}` for a segment or a part of one; `/{model}` at the end stands for the rest of the path
    (model names hold slashes)."""
    operation: Operation
    query: frozenset[str] = field(default=frozenset())
    """Names of the query parameters that it knows; any other is refused."""
    bodies: tuple[Encoding, ...] = ()
    """How the body may be written, the first being what is meant without a Content-Type that says otherwise. None
    given: JSON for POST, PUT and PATCH; nothing, for the other methods, is no body at all."""
    marks: frozenset[str] = field(default=frozenset())
    """Where several APIs have one path: a body with one of these keys is for this one. An API without marks gets the
    bodies that no other claims."""
    optional: bool = False
    """The body may be left out."""

    @property
    def encodings(self) -> tuple[Encoding, ...]:
        """How the body may be written; empty when there is none."""
        return self.bodies or _BODIES.get(self.method, ())

    @property
    def has_body(self) -> bool:
        return bool(self.encodings)

    def values(self, path: str) -> dict[str, str]:
        """What stands in a path, with or without a query, in the place of each `{name}`, decoded.

        Raises: Refusal when the path is not one of this route, or its escapes are not UTF-8.
        """
        found = pattern(self.path).fullmatch(path.partition("?")[0])
        if found is None:
            raise invalid("The request path is not one of this endpoint.")
        return {name: unescape(value) for name, value in found.groupdict().items()}

    def asked(self, path: str) -> dict[str, str]:
        """The query parameters of a path, decoded; each is there once at most.

        Raises: Refusal when their escapes are not UTF-8.
        """
        query = path.partition("?")[2]
        pairs = [part.partition("=") for part in query.split("&")] if query else []
        return {name: unescape(value.replace("+", " ")) for name, _, value in pairs}


@cache
def pattern(path: str) -> re.Pattern[str]:
    """The paths that a route's `path` stands for; one group a placeholder."""
    rest = path.endswith("/{model}")
    parts = re.split(r"\{(\w+)\}", path)
    made = [re.escape(part) if at % 2 == 0 else f"(?P<{part}>[^/]+)" for at, part in enumerate(parts)]
    if rest:
        made[-2] = "(?P<model>.+)"
    return re.compile("".join(made))


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


class Packed(NamedTuple):
    """A whole reply in a form of its own, written anew."""

    headers: tuple[tuple[str, str], ...]
    """Headers that it needs to be read, of those in `PACKED_HEADERS`."""
    content: bytes


PACKED_HEADERS: Final = frozenset({"inference-header-content-length"})
"""Headers of replies, in lower case, that say how to read a body: a number each. No other is passed on as it came."""


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

    @property
    def unterminated(self) -> bool:
        """Whether the end of the bytes is the proper end of a stream; else only what the dialect promises is."""
        ...

    @property
    def plain(self) -> frozenset[str]:
        """Media types of whole replies that are one text."""
        ...

    @property
    def one_reply(self) -> bool:
        """Whether the numbers of channels count the texts of one reply (blocks, items); else they count choices."""
        ...

    @property
    def opaque(self) -> frozenset[str]:
        """Media types (`audio/mpeg`, `audio/*`) of whole replies that pass though nobody can read them: the call's
        `uninspected` says so, and a grant allowed it."""
        ...

    @property
    def choices(self) -> int:
        """How many choices the call asked for: a stream without its terminator is whole when as many have closed."""
        ...

    @property
    def bare(self) -> bool:
        """Whether a whole reply may be a JSON string and nothing else. Error answers may in any case."""
        ...

    def unpack(self, media: str, body: bytes, headers: Mapping[str, str]) -> Json:
        """A document with what a whole reply says, when it is neither JSON nor one text; `read` then gets it, and
        `pack` what was made of it. None for any other reply. `headers`: those of `PACKED_HEADERS`.

        Raises: UnreadableError for a body that is of the form, but broken; UnicodeDecodeError.
        """
        ...

    def pack(self, document: Json) -> Packed:
        """The reply with the texts that the document of `unpack` has now."""
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
