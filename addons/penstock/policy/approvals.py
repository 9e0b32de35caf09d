"""Approval rules: who may say yes to a held call, and the calls that need a yes whatever they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from penstock.policy.amounts import duration
from penstock.policy.marked import Node
from penstock.policy.readers import GROUP, Reader, choice, declared, whole
from penstock.policy.reading import Reading
from penstock.policy.scope import WHEN, Scope
from penstock.policy.settings import ApprovalRule
from penstock.policy.shape import Fields, Key, Record, either, listed

type GrantScope = Literal["caller", "rule"]


@dataclass(frozen=True, slots=True)
class Approval:
    """An approval rule; with a `when`, it holds every call in it by itself."""

    rule: ApprovalRule
    when: Scope | None


_PART: Final[Reader[GrantScope]] = choice("caller", "rule", of="part of a grant's scope")
_ONCE: Final[Reader[Literal["once"]]] = choice("once", of="grant")
_REASON: Final[Reader[str]] = choice("required", "optional", of="reason")

APPROVER_GROUPS: Final = Key("groups", listed(GROUP), "One of these groups is enough.")
APPROVERS: Final = Record(
    "approvers", "Who may approve.", (APPROVER_GROUPS,), lambda fields: frozenset(fields[APPROVER_GROUPS])
)
FOR: Final = Key("for", duration("1s", "30d"), "How long the approval serves further calls.")
SCOPE: Final = Key(
    "scope",
    listed(_PART),
    "What must be the same: always `caller`; with `rule`, the rule that held the call too.",
    ("caller", "rule"),
    "[caller, rule]",
)


@dataclass(frozen=True, slots=True)
class Reach:
    """How far an approval reaches."""

    seconds: float | None = None
    scope: frozenset[GrantScope] = frozenset()


def _reach(fields: Fields) -> Reach:
    return Reach(fields[FOR], frozenset(fields[SCOPE]) | {"caller"})


REACH: Final = Record("approval_grant", "An approval for more than one call.", (FOR, SCOPE), _reach)


def _read_once(node: Node, reading: Reading) -> Reach:
    _ONCE.read(node, reading)
    return Reach()


_SERVES_ONCE: Final = Reader(_ONCE.title, _read_once, _ONCE.schema)

ID_KEY: Final = Key("id", declared("approval"), "Name of the rule.")
WHEN_KEY: Final[Key[Scope | None]] = Key(
    "when", WHEN.reader, "Calls that are held whatever they say.", None, "only calls that a guardrail holds"
)
APPROVERS_KEY: Final = Key("approvers", APPROVERS.reader, "Who may approve; never the caller.")
QUORUM: Final = Key("quorum", whole(1, 20), "How many distinct people must approve.", 1)
EXPIRES: Final = Key("expires", duration("10s", "7d"), "An undecided ticket is over after this.", 900.0, "15m")
GRANT_KEY: Final = Key("grant", either(_SERVES_ONCE, REACH.reader), "How far an approval reaches.", Reach(), "once")
REASON: Final = Key("reason", _REASON, "Whether an approver must say why.", "required")
BREAK_GLASS: Final = Key(
    "break_glass",
    APPROVERS.reader,
    "One of these alone may approve at once, with a reason.",
    frozenset[str](),
    "nobody",
)


def _approval(fields: Fields) -> Approval:
    when = fields[WHEN_KEY]
    if when is not None and when == Scope():
        raise fields.wrong(WHEN_KEY, "an empty `when:` holds every call: name what it is about, or remove it")
    reach = fields[GRANT_KEY]
    rule = ApprovalRule(
        id=fields[ID_KEY],
        approvers=fields[APPROVERS_KEY],
        quorum=fields[QUORUM],
        expires=fields[EXPIRES],
        grant_for=reach.seconds,
        grant_scope=reach.scope,
        reason_required=fields[REASON] == "required",
        break_glass=fields[BREAK_GLASS],
        where=str(fields.mark),
    )
    return Approval(rule, when)


APPROVAL: Final = Record(
    "approval",
    "Who may say yes to a held call.",
    (ID_KEY, WHEN_KEY, APPROVERS_KEY, QUORUM, EXPIRES, GRANT_KEY, REASON, BREAK_GLASS),
    _approval,
)
APPROVALS_KEY: Final = Key("approvals", listed(APPROVAL.reader), "Who may say yes.", (), "nobody")
