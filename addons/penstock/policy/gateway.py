"""The gateway's own part of the policy: ports, model servers, limits, data and hold."""

from __future__ import annotations

from typing import Final, Literal

from penstock.policy.amounts import duration, size
from penstock.policy.marked import Mark
from penstock.policy.places import DESTINATION, HEADER, LISTEN_HOST, REPLICA
from penstock.policy.readers import ID, SECRET, TEXT, Reader, choice, reference, whole
from penstock.policy.settings import Credential, Limits, Listen, Upstream
from penstock.policy.shape import Fields, Key, Record, listed, mapped

type Mode = Literal["reverse", "transparent"]
_MODES: Final[Reader[Mode]] = choice("reverse", "transparent", of="mode")

# listen

MODE: Final = Key("mode", _MODES, "`reverse`: stands for one upstream. `transparent`: behind a redirect.")
HOST: Final[Key[str | None]] = Key(
    "host", LISTEN_HOST, "Address to listen on.", None, "127.0.0.1; transparent: every address"
)
PORT: Final = Key("port", whole(1, 65_535), "TCP port.")
UPSTREAM: Final[Key[str | None]] = Key(
    "upstream", reference("upstream"), "Reverse only: the upstream behind this port.", None, "the only upstream"
)


def _listen(fields: Fields) -> tuple[Listen, Mark]:
    host = fields[HOST]
    if fields[MODE] == "transparent":
        if fields[UPSTREAM] is not None:
            raise fields.wrong(UPSTREAM, "a transparent port has no upstream: `destinations:` of the upstreams decide")
        return Listen("transparent", host or "", fields[PORT]), fields.mark
    return Listen("reverse", host or "127.0.0.1", fields[PORT], fields[UPSTREAM]), fields.mark


LISTEN: Final = Record("listen", "A port the gateway serves.", (MODE, HOST, PORT, UPSTREAM), _listen)

# upstreams

HEADER_NAME: Final = Key("header", HEADER, "Header that carries it: `authorization`, `x-api-key`.")
VALUE: Final = Key("value", SECRET, "The header's value.")


def _credential(fields: Fields) -> Credential:
    value = fields[VALUE]
    text = value.reveal()
    if not text.isascii() or not text.isprintable() or text != text.strip():
        raise fields.wrong(VALUE, "a header's value is printable ASCII without spaces around it")
    return Credential(fields[HEADER_NAME], value)


CREDENTIAL: Final = Record(
    "credential", "What the gateway shows to the model server.", (HEADER_NAME, VALUE), _credential
)

CONNECT: Final = Key("connect", duration("100ms", "5m"), "Until the connection stands.", 5.0, "5s")
FIRST_BYTE: Final = Key("first_byte", duration("1s", "1d"), "From the request to the reply's first byte.", 600.0, "10m")
IDLE: Final = Key("idle", duration("1s", "1d"), "Between two pieces of a reply.", 120.0, "2m")


def _timeouts(fields: Fields) -> tuple[float, float, float]:
    return fields[CONNECT], fields[FIRST_BYTE], fields[IDLE]


TIMEOUTS: Final = Record("timeouts", "How long a model server may take.", (CONNECT, FIRST_BYTE, IDLE), _timeouts)

REPLICAS: Final = Key("replicas", listed(REPLICA), "Where the model server listens; several serve the same models.")
DESTINATIONS: Final = Key(
    "destinations",
    listed(DESTINATION),
    "Transparent mode: original destinations that mean this upstream.",
    (),
    "none",
)
CREDENTIAL_KEY: Final[Key[Credential | None]] = Key(
    "credential", CREDENTIAL.reader, "The model server's own credential, in place of the caller's.", None, "none"
)
TIMEOUTS_KEY: Final = Key("timeouts", TIMEOUTS.reader, "How long it may take.", (5.0, 600.0, 120.0), "as below")

_EVENTS: Final[Reader[Literal["refuse", "pass"]]] = choice("refuse", "pass", of="treatment")
UNKNOWN_EVENTS: Final[Key[Literal["refuse", "pass"]]] = Key(
    "unknown_events",
    _EVENTS,
    "Events of an unknown kind in a stream: `refuse` ends it; `pass` masks their strings one by one and records it.",
    "refuse",
    "refuse",
)


def _upstream(fields: Fields) -> Upstream:
    connect, first_byte, idle = fields[TIMEOUTS_KEY]
    return Upstream(
        name="",  # the loader knows the name: it is the key of the mapping
        replicas=fields[REPLICAS],
        destinations=fields[DESTINATIONS],
        credential=fields[CREDENTIAL_KEY],
        connect=connect,
        first_byte=first_byte,
        idle=idle,
        unknown_events=fields[UNKNOWN_EVENTS],
    )


UPSTREAM_RECORD: Final = Record(
    "upstream", "A model server.", (REPLICAS, DESTINATIONS, CREDENTIAL_KEY, TIMEOUTS_KEY, UNKNOWN_EVENTS), _upstream
)

# limits

REQUEST_BODY: Final = Key("request_body", size(1_000, 10**9), "Largest request body.", 20_000_000, "20MB")
RESPONSE_BODY: Final = Key("response_body", size(1_000, 10**10), "Largest reply.", 100_000_000, "100MB")
HEADER_BYTES: Final = Key("header_bytes", size(1_000, 10**6), "Largest request head.", 64_000, "64KB")
CONNECTIONS: Final = Key("connections_per_client", whole(1, 100_000), "Open connections of one address.", 100)


def _limits(fields: Fields) -> Limits:
    return Limits(fields[REQUEST_BODY], fields[RESPONSE_BODY], fields[HEADER_BYTES], fields[CONNECTIONS])


LIMITS: Final = Record(
    "limits",
    "Sizes over which a request or a reply is refused.",
    (REQUEST_BODY, RESPONSE_BODY, HEADER_BYTES, CONNECTIONS),
    _limits,
)

# the keys of a file

LISTEN_KEY: Final = Key("listen", listed(LISTEN.reader), "Ports the gateway serves.", (), "none")
DATA_KEY: Final[Key[str | None]] = Key(
    "data", TEXT, "Directory of journals, segments and audit.duckdb; relative to the working directory.", None, "./data"
)
UPSTREAMS_KEY: Final = Key(
    "upstreams",
    mapped(UPSTREAM_RECORD.reader, noun="upstream", names=ID),
    "Model servers by name.",
    {},
    "none",
)
LIMITS_KEY: Final[Key[Limits | None]] = Key("limits", LIMITS.reader, "Sizes and counts.", None, "as below")
HOLD_KEY: Final[Key[float | None]] = Key(
    "hold", duration("1s", "10m"), "How long a held call waits before it is answered `approval_pending`.", None, "60s"
)
