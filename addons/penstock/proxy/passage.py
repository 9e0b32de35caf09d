"""One exchange on its way through the chain: what each step found out, for the steps behind it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from mitmproxy import http

from penstock.apis.bodies import NOTHING, Emitted
from penstock.exchange import Call, Json, ulid

if TYPE_CHECKING:
    from penstock.apis import Api, Dialect, Route
    from penstock.caller import Caller
    from penstock.errors import Refusal
    from penstock.masking.reply import ReplyMask
    from penstock.masking.vault import Vault
    from penstock.policy import Policy, Screen
    from penstock.policy.limits import Lease
    from penstock.policy.settings import Upstream, Url
    from penstock.verdict import Match, Verdict

type Sealed = tuple[object, ...]


@dataclass(slots=True, eq=False)
class Passage:
    """Mutable on purpose, and never shared between exchanges. It holds no reference to its flow (the flow keeps it)."""

    policy: Policy
    """The policy in force when the exchange began; a reload does not touch it."""
    id: str = field(default_factory=ulid)
    at: float = field(default_factory=time.time)
    client: str = ""
    """Client address, `ip:port`."""
    session: str = ""
    """Id of the client's connection."""
    method: str = ""
    path: str = ""
    dialect: Dialect | None = None
    """How refusals are worded; None until the path is known."""
    upstream: Upstream | None = None
    replica: Url | None = None
    caller: Caller | None = None
    api: Api | None = None
    route: Route | None = None
    call: Call | None = None
    verdict: Verdict | None = None
    screen: Screen | None = None
    lease: Lease | None = None
    """The caller's share of its limits; given back when the exchange ends."""
    forwarded: Emitted = NOTHING
    """The body that is forwarded: written anew from what was judged."""
    digest: str = ""
    prompt_masked: dict[str, int] = field(default_factory=dict[str, int])
    vault: Vault | None = None
    """What the tokens stand for that a rule put into the prompt."""
    matches: list[Match] = field(default_factory=list)
    """Rules that matched after the verdict: masking in force, flags in the reply."""
    reserved: bool = False
    """Answered by the gateway itself: never forwarded."""
    recorded: bool = False
    """The `request` entry is durable."""
    ended: bool = False
    """The `response` or `abort` entry is written."""
    ticket: str = ""
    released: bool = False
    """A held call that was approved."""
    refusal: Refusal | None = None
    refusal_recorded: bool = False
    cleared: Sealed | None = None
    """Exactly what may be forwarded, as `dispatch` sealed it; None: nothing may."""
    local: bool = False
    """The answer is the gateway's own."""
    close: bool = False
    """The caller wants its connection closed after this exchange."""
    reply: ReplyMask | None = None
    streamed: bool = False
    forwarded_at: float = 0.0
    first_byte_at: float = 0.0
    last_byte_at: float = 0.0

    def refuse(self, refusal: Refusal) -> None:
        """The first refusal stands; what comes after it is only its consequence."""
        if self.refusal is None:
            self.refusal = refusal
        self.cleared = None

    def record_parameters(self) -> dict[str, Json]:
        """The call's parameters without the long ones (tools and formats have their own place)."""
        if self.call is None:
            return {}
        return {name: value for name, value in self.call.parameters.items() if not isinstance(value, (dict, list))}


_passages: WeakKeyDictionary[http.HTTPFlow, Passage] = WeakKeyDictionary()


def of(flow: http.HTTPFlow) -> Passage:
    """The passage of a flow.

    Raises: KeyError when the flow never entered by the front of the chain (the caller refuses it).
    """
    return _passages[flow]


def find(flow: http.HTTPFlow) -> Passage | None:
    return _passages.get(flow)


def enter(flow: http.HTTPFlow, passage: Passage) -> Passage:
    _passages[flow] = passage
    return passage


def under_way() -> Iterator[tuple[http.HTTPFlow, Passage]]:
    """Every flow that still lives, for the watchdog."""
    yield from list(_passages.items())


def seal(request: http.Request) -> Sealed:
    """Everything of a request that reaches the model, to compare by value: what was judged is what is forwarded."""
    data = request.data
    return (
        data.host,
        data.port,
        data.http_version,
        data.method,
        data.scheme,
        data.authority,
        data.path,
        data.headers.fields,
        data.content,
        data.trailers is None,
        request.stream,
    )
