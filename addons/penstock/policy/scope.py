"""Whom and what a rule is about: the `when:` of guardrails, masking rules and approvals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from penstock.caller import Caller
from penstock.exchange import Operation
from penstock.policy.globs import GLOB, Glob
from penstock.policy.readers import GROUP, PERSON, Reader, choice, reference
from penstock.policy.shape import Fields, Key, Record, listed

OPERATIONS: Final[Reader[str]] = choice(*(operation.value for operation in Operation), of="operation")


@dataclass(frozen=True, slots=True)
class Scope:
    """Every part that is given must fit; within a part one is enough. An empty scope covers everything."""

    groups: frozenset[str] = frozenset()
    not_groups: frozenset[str] = frozenset()
    callers: frozenset[str] = frozenset()
    upstreams: frozenset[str] = frozenset()
    operations: frozenset[Operation] = frozenset()
    models: tuple[Glob, ...] = ()

    def covers(self, caller: Caller, upstream: str, operation: Operation, model: str | None) -> bool:
        """Whether the rule applies. A call that names no model may reach any of them, so every model fits it."""
        if self.groups and not self.groups & caller.groups:
            return False
        if self.not_groups & caller.groups:
            return False
        if self.callers and caller.id not in self.callers:
            return False
        if self.upstreams and upstream not in self.upstreams:
            return False
        if self.operations and operation not in self.operations:
            return False
        return not self.models or model is None or any(glob.reaches(model) for glob in self.models)


EVERYTHING: Final = Scope()

GROUPS: Final = Key("groups", listed(GROUP), "Callers in one of these groups.", (), "everyone")
NOT_GROUPS: Final = Key("not_groups", listed(GROUP), "But not callers in one of these.", (), "nobody left out")
CALLERS: Final = Key("callers", listed(PERSON), "These callers, as `issuer|subject`.", (), "everyone")
UPSTREAMS: Final = Key("upstreams", listed(reference("upstream")), "Calls to these upstreams.", (), "all")
OPERATIONS_KEY: Final = Key("operations", listed(OPERATIONS), "Calls that ask for one of these.", (), "all")
MODELS: Final = Key("models", listed(GLOB), "Calls to these models, however their name is spelt; globs.", (), "all")


def _scope(fields: Fields) -> Scope:
    groups, without = frozenset(fields[GROUPS]), frozenset(fields[NOT_GROUPS])
    if groups and groups <= without:
        raise fields.wrong(NOT_GROUPS, "not_groups leaves out every one of groups: the rule would never apply")
    return Scope(
        groups,
        without,
        frozenset(fields[CALLERS]),
        frozenset(fields[UPSTREAMS]),
        frozenset(map(Operation, fields[OPERATIONS_KEY])),
        fields[MODELS],
    )


WHEN: Final = Record(
    "when",
    "Whom and what a rule is about; parts left out fit everything.",
    (GROUPS, NOT_GROUPS, CALLERS, UPSTREAMS, OPERATIONS_KEY, MODELS),
    _scope,
)
WHEN_KEY: Final = Key("when", WHEN.reader, "Whom and what the rule is about.", EVERYTHING, "everything")
