"""The groups a token names: read at one place, whole, and only when all of them are known."""

from __future__ import annotations

import functools
from collections.abc import Collection
from typing import Final

from penstock.errors import Refusal
from penstock.exchange import Json, JsonObject
from penstock.identity.token import invalid_token
from penstock.policy.settings import GroupClaim

_ABSENT: Final = object()


def read_groups(claims: JsonObject, claim: GroupClaim | None, *, reserved: Collection[str] = ()) -> frozenset[str]:
    """The prefixed groups; empty when the claim is absent, and `Refusal` when they cannot be known exactly.

    Not knowing is not the same as having none: a rule may bind the members of a group. `reserved` are the prefixes
    of other issuers, which this one must not speak for.
    """
    if claim is None:
        return frozenset()
    steps = path_steps(claim.path)
    _overage(claims, steps[0])
    groups = frozenset(claim.prefix + name for name in _names(_at(claims, steps), claim))
    if any(group.startswith(prefix) for prefix in reserved for group in groups):
        raise _unknown("The token names groups that belong to another issuer.")
    return groups


@functools.lru_cache(maxsize=256)
def path_steps(path: str) -> tuple[str, ...]:
    """The member names of `realm_access.roles`, or of a JSON Pointer (RFC 6901), `/https:~1~1x~1groups`."""
    if path.startswith("/"):
        return tuple(step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/"))
    return tuple(path.split("."))


def reserved_prefixes(own: str, others: Collection[str]) -> tuple[str, ...]:
    """The prefixes among `others` that an issuer with the prefix `own` must not produce by a group's name.

    One that `own` itself begins with was nested (or shared) on purpose by whoever wrote the policy.
    """
    return tuple(sorted({other for other in others if other and not own.startswith(other)}))


def _overage(claims: JsonObject, claim: str) -> None:
    # Entra leaves out more than 200 groups and says so by _claim_names, or by hasgroups (OpenID Connect Core 5.6.2).
    elsewhere = claims.get("_claim_names", {})
    if not isinstance(elsewhere, dict) or claim in elsewhere or (claim == "groups" and "hasgroups" in claims):
        raise _unknown("The token leaves its groups out: there are too many of them.")


def _at(claims: JsonObject, steps: tuple[str, ...]) -> Json | object:
    here: Json = claims
    for step in steps:
        if not isinstance(here, dict):
            raise _unknown("The token's groups are not where they should be.")
        if step not in here:
            return _ABSENT
        here = here[step]
    return here


def _names(value: Json | object, claim: GroupClaim) -> list[str]:
    match value:
        case str():
            members = [name.strip() for name in value.split(claim.delimiter)] if claim.delimiter else [value]
        case list():
            members = [name for name in value if isinstance(name, str)]
            if len(members) != len(value):
                raise _unknown("The token's groups are not all names.")
        case _ if value is _ABSENT:
            return []
        case _:
            raise _unknown("The token's groups are neither a string nor a list.")
    if not all(name.isprintable() for name in members):
        raise _unknown("The token's groups are not all names.")
    return [name for name in members if name]


def _unknown(message: str) -> Refusal:
    return invalid_token(message)
