"""What the gateway is set to: frozen values that every other room reads and only the loader makes."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

type Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]


class Secret:
    """A value that never shows itself: `repr`, `str` and `format` give `***`; `reveal()` gives it."""

    __slots__ = ("_value", "source")

    def __init__(self, value: str, source: str = "") -> None:
        self._value = value
        self.source = source
        """The references it was made of (`${file:lab.key}`), for the policy's hash; never the value."""

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a Secret is not serialised")


@dataclass(frozen=True, slots=True)
class Address:
    """A host (name or IP literal without brackets) and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Url:
    """Where a replica of a model server listens: scheme, host and port; there is never a path."""

    scheme: Literal["http", "https"]
    host: str
    port: int

    @property
    def address(self) -> Address:
        return Address(self.host, self.port)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.address}"


@dataclass(frozen=True, slots=True)
class Credential:
    """What the gateway shows to a model server, in place of the caller's own credential."""

    header: str
    """Lower case."""
    value: Secret


@dataclass(frozen=True, slots=True)
class Upstream:
    """A model server: where it is, how it is reached and how long it may take. Times are seconds."""

    name: str
    replicas: tuple[Url, ...]
    destinations: tuple[Address, ...] = ()
    """Transparent mode: the original destinations that mean this upstream."""
    credential: Credential | None = None
    connect: float = 5.0
    first_byte: float = 600.0
    idle: float = 120.0
    unknown_events: Literal["refuse", "pass"] = "refuse"
    """What becomes of events in a stream of a kind that the gateway does not know. `pass`: their strings are masked one
    by one, and the record says that nobody understood them."""


@dataclass(frozen=True, slots=True)
class Listen:
    """A port the gateway serves."""

    mode: Literal["reverse", "transparent"]
    host: str
    """Empty: every address of the machine (the default of transparent mode, which needs it)."""
    port: int
    upstream: str | None = None
    """Name of the upstream that a reverse port stands for; None in transparent mode."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes and counts, over which a request or a reply is refused."""

    request_body: int = 20_000_000
    response_body: int = 100_000_000
    header_bytes: int = 64_000
    connections_per_client: int = 100


@dataclass(frozen=True, slots=True)
class GroupClaim:
    """Where in a token the groups are."""

    path: str
    """Dotted, `realm_access.roles`; or a JSON Pointer, `/https:~1~1x~1groups`, for names with dots or slashes."""
    delimiter: str | None = None
    """When the claim is one string of several groups."""
    prefix: str = ""
    """Put before each group, to keep issuers apart: `corp:`."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """An OpenID provider whose access tokens are accepted. Times are seconds."""

    id: str
    """Short name, the first part of a caller's id; never `keys`, no `|` in it."""
    issuer: str
    """The exact `iss`."""
    audiences: tuple[str, ...]
    algorithms: tuple[str, ...]
    groups: GroupClaim | None = None
    types: tuple[str, ...] = ("at+jwt",)
    """Accepted `typ` headers, lower case; `jwt` in it means that scope or client_id is required."""
    jwks_uri: str | None = None
    """None: found by discovery at `issuer`."""
    leeway: float = 30.0
    max_lifetime: float = 86_400.0
    client_claim: str | None = None
    """The claim that names the client; None: `client_id`, else `azp`."""


@dataclass(frozen=True, slots=True)
class MachineKey:
    """A key of a machine: only its SHA-256 is known here."""

    id: str
    sha256: str
    """64 lower-case hexadecimal digits: the hash of the key's bytes as they are sent."""
    subject: str
    groups: frozenset[str]
    expires: float
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class IdentitySettings:
    """Who may be a caller at all."""

    issuers: tuple[Issuer, ...] = ()
    keys: tuple[MachineKey, ...] = ()
    resource: str = ""
    """Base URL of this gateway for the RFC 9728 metadata; empty: derived from the request."""


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """Who may say yes to a held call, and how far a yes reaches. Times are seconds."""

    id: str
    approvers: frozenset[str]
    """Groups; one of them is enough to be an approver."""
    quorum: int = 1
    """How many distinct people."""
    expires: float = 900.0
    """An undecided ticket is over after this."""
    grant_for: float | None = None
    """None: an approval serves one call, once. Else it serves every call of its scope for this long."""
    grant_scope: frozenset[Literal["caller", "rule"]] = frozenset()
    """With `grant_for`, what must be the same beside this rule; always holds `caller`. With `rule`, the same
    guardrail; without it, whatever this approval rule is asked for."""
    reason_required: bool = True
    """An approver must say why."""
    break_glass: frozenset[str] = frozenset()
    """Groups of which one person alone may approve at once, with a reason, whatever the quorum."""
    where: str = field(default="", compare=False)
    """file:line of the rule."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """The gateway's settings, whole."""

    listen: tuple[Listen, ...] = ()
    data: Path = Path("data")
    """As written; a relative path starts at the working directory of the process."""
    upstreams: Mapping[str, Upstream] = field(default_factory=lambda: MappingProxyType({}))
    limits: Limits = Limits()
    identity: IdentitySettings = IdentitySettings()
    hold_seconds: float = 60.0
    """How long a held call waits before it is answered `approval_pending`."""
