"""What is decided about a call: allow, deny or hold, with every rule that led to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from penstock.exchange import Json


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that matched, observe-only ones too; never holds the matched text."""

    rule: str
    kind: str
    """grant, guardrail, masking, limit, ..."""
    where: str
    """file:line of the rule."""
    action: str
    """allow, deny, hold, flag, clamp, default, ..."""
    mode: Literal["enforce", "observe"] = "enforce"

    def record(self) -> dict[str, str]:
        """As it stands in the audit."""
        return {"rule": self.rule, "kind": self.kind, "where": self.where, "action": self.action, "mode": self.mode}


@dataclass(frozen=True, slots=True)
class Allow:
    grant: str
    matches: tuple[Match, ...] = ()
    parameters: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """Canonical parameters that the grant fills in or clamps: to be applied before forwarding."""


@dataclass(frozen=True, slots=True)
class Deny:
    code: str
    """A code of `penstock.errors.STATUS`."""
    message: str
    """What the caller reads."""
    matches: tuple[Match, ...] = ()
    retry_after: int | None = None
    """Seconds, for `rate_limited`."""
    grant: str = ""


@dataclass(frozen=True, slots=True)
class Hold:
    approval: str
    """Id of the approval rule that says who may release it."""
    message: str
    grant: str
    matches: tuple[Match, ...] = ()
    parameters: Mapping[str, Json] = field(default_factory=dict[str, Json])


type Verdict = Allow | Deny | Hold


def rule_of(verdict: Verdict) -> str:
    """Id of the rule that decided: the strictest one enforced, else the grant."""
    wanted = "deny" if isinstance(verdict, Deny) else "hold" if isinstance(verdict, Hold) else ""
    for match in verdict.matches:
        if match.action == wanted and match.mode == "enforce":
            return match.rule
    return verdict.grant
