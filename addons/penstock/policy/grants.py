"""Grants: who may do what. A call that no grant covers is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from penstock.caller import Caller
from penstock.exchange import Call, Operation
from penstock.policy.globs import GLOB, Glob
from penstock.policy.limits import QUOTA_KEY, Quota
from penstock.policy.parameters import PARAMETERS, Change, Parameter, Refused, settle
from penstock.policy.readers import GROUP, PERSON, Reader, choice, declared, reference
from penstock.policy.scope import OPERATIONS
from penstock.policy.shape import Fields, Key, Record, listed
from penstock.verdict import Match

# Operations that concern the server, not one of its models.
WITHOUT_MODEL: Final = frozenset({Operation.LIST, Operation.HEALTH, Operation.METRICS})
UNINSPECTED: Final = (
    "image",
    "audio",
    "video",
    "file",
    "url",
    "token_ids",
    "embeddings",
    "context",
    "tensor",
    "shared_memory",
)
ANY_UPSTREAM: Final = "*"


@dataclass(frozen=True, slots=True)
class Grant:
    """What its callers may do."""

    id: str
    groups: frozenset[str]
    callers: frozenset[str]
    upstreams: frozenset[str]
    operations: frozenset[Operation]
    models: tuple[Glob, ...]
    parameters: Mapping[str, Parameter]
    uninspected: frozenset[str]
    quota: Quota
    where: str = field(compare=False)
    matched: Match = field(init=False, compare=False, repr=False)
    """How the verdict reports that it allowed the call."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "matched", Match(self.id, "grant", self.where, "allow"))

    def concerns(self, caller: Caller) -> bool:
        return not self.groups.isdisjoint(caller.groups) or caller.id in self.callers

    def judge(self, call: Call, upstream: str) -> Reason | tuple[Change, ...]:
        """What the grant changes in a call it covers, or why it does not cover it."""
        if upstream not in self.upstreams and ANY_UPSTREAM not in self.upstreams:
            return Reason(1, "This model server is not granted.")
        if call.operation not in self.operations:
            return Reason(2, f"The operation '{call.operation}' is not granted.")
        if not self._names(call):
            model = f"The model '{call.model[:100]}'" if call.model else "A call without a model"
            return Reason(3, f"{model} is not granted for '{call.operation}'.")
        for kind in call.uninspected:
            if kind not in self.uninspected:
                return Reason(4, f"Content that cannot be inspected ({kind[:40]}) is not granted.")
        settled = settle(self.parameters, call)
        if isinstance(settled, Refused):
            return Reason(5, settled.message, settled.name)
        return settled

    def _names(self, call: Call) -> bool:
        if call.model is None:
            return call.operation in WITHOUT_MODEL or any(glob.everything for glob in self.models)
        return any(glob.matches(call.model) for glob in self.models)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a grant does not cover a call; the higher the rank, the nearer it came."""

    rank: int
    message: str
    parameter: str = ""


# The format


def _upstreams() -> Reader[str]:
    named = reference("upstream")
    return Reader(
        "the name of an upstream, or '*' for every one",
        lambda node, reading: ANY_UPSTREAM if getattr(node, "text", "") == ANY_UPSTREAM else named.read(node, reading),
        named.schema,
    )


GRANT_ID: Final = Key("id", declared("grant"), "Name of the grant, as the audit shows it.")
GROUPS: Final = Key("groups", listed(GROUP), "Callers in one of these groups.", (), "groups or callers must be given")
CALLERS: Final = Key("callers", listed(PERSON), "These callers, as `issuer|subject`.", (), "none")
UPSTREAMS: Final = Key("upstreams", listed(_upstreams()), "Model servers they may reach.")
OPERATIONS_KEY: Final = Key("operations", listed(OPERATIONS), "What they may ask for.")
MODELS: Final = Key(
    "models", listed(GLOB), "Models they may ask; globs on the whole name.", (), "none: list, health and metrics only"
)
_KINDS: Final[Reader[str]] = choice(*UNINSPECTED, of="kind of content")
UNINSPECTED_KEY: Final = Key(
    "uninspected", listed(_KINDS), "Kinds of content that no rule can read and that pass all the same.", (), "none"
)


def _grant(fields: Fields) -> Grant:
    operations = frozenset(map(Operation, fields[OPERATIONS_KEY]))
    grant = Grant(
        id=fields[GRANT_ID],
        groups=frozenset(fields[GROUPS]),
        callers=frozenset(fields[CALLERS]),
        upstreams=frozenset(fields[UPSTREAMS]),
        operations=operations,
        models=fields[MODELS],
        parameters=fields[PARAMETERS],
        uninspected=frozenset(fields[UNINSPECTED_KEY]),
        quota=fields[QUOTA_KEY],
        where=str(fields.mark),
    )
    wanting = sorted(operations - WITHOUT_MODEL)
    if not grant.groups and not grant.callers:
        raise fields.wrong(GRANT_ID, f"grant '{grant.id}' says not to whom: add groups: or callers:")
    if wanting and not grant.models:
        raise fields.wrong(GRANT_ID, f"grant '{grant.id}' names no models: add models: (operation '{wanting[0]}')")
    tokens = grant.parameters.get("max_tokens")
    if tokens is not None and tokens.max is not None and tokens.default is None:
        message = f"grant '{grant.id}': a call without max_tokens is not limited; add a default beside max"
        fields.reading.warn(fields.at(PARAMETERS), message)
    return grant


GRANT: Final = Record(
    "grant",
    "Who may do what.",
    (GRANT_ID, GROUPS, CALLERS, UPSTREAMS, OPERATIONS_KEY, MODELS, PARAMETERS, UNINSPECTED_KEY, QUOTA_KEY),
    _grant,
)
GRANTS_KEY: Final = Key("grants", listed(GRANT.reader), "Who may do what; nothing else is allowed.", (), "nothing")
