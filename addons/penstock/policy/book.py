"""The policy in force: frozen, and the one place where a call is decided."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

from penstock.caller import Caller
from penstock.errors import ConfigurationError, Problem
from penstock.exchange import Call, Json
from penstock.policy.approvals import Approval
from penstock.policy.directory import Signature, Signed
from penstock.policy.grants import Grant, Reason
from penstock.policy.guardrails import REPLY, Guardrail
from penstock.policy.limits import Limits
from penstock.policy.masks import MaskingRule
from penstock.policy.packs import Pack
from penstock.policy.parameters import Change
from penstock.policy.screen import Screen, compile_screen
from penstock.policy.settings import ApprovalRule, Gateway
from penstock.policy.subject import On, Sieve, Subject, of_call
from penstock.verdict import Allow, Deny, Hold, Match, Verdict

HOLD_MESSAGE: Final = "This call needs an approval."
NOBODY_MESSAGE: Final = "This call needs an approval, and no approval rule covers it."
_REMEMBERED: Final = 4096

type _Place = tuple[str, frozenset[str], str, str, str | None]


@dataclass(frozen=True, slots=True)
class _Group:
    """Guardrails that read the same of a call, each with its place in the policy."""

    asked: frozenset[On]
    rails: tuple[tuple[int, Guardrail], ...]
    always: bool
    """One of them can hit where no pattern may match."""


@dataclass(frozen=True, slots=True)
class _InForce:
    """The rules that apply to one caller, upstream, operation and model."""

    groups: tuple[_Group, ...]
    approvals: tuple[Approval, ...]
    screen: Screen


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """Everything the policy says. Exchanges in flight keep the one they began with."""

    hash: str
    """SHA-256 of what it says, the same for every layout; in every record it decided."""
    gateway: Gateway
    grants: tuple[Grant, ...]
    guardrails: tuple[Guardrail, ...]
    masking: tuple[MaskingRule, ...]
    approvals: tuple[Approval, ...]
    warnings: tuple[Problem, ...] = ()
    signature: Signature = ()
    """Of the files it was read from."""
    other_files: tuple[tuple[Path, Signed], ...] = ()
    packs: tuple[Pack, ...] = ()
    """Those in use; their rules are among the guardrails."""
    _sieve: Sieve = field(init=False, repr=False)
    _known: dict[_Place, _InForce] = field(init=False, repr=False, default_factory=dict)
    _screens: dict[tuple[tuple[int, ...], tuple[int, ...]], Screen] = field(
        init=False, repr=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        patterns = (pattern for rail in self.guardrails if rail.asked for pattern in rail.match.patterns)
        object.__setattr__(self, "_sieve", Sieve(patterns))

    @property
    def size(self) -> int:
        """How many rules."""
        return len(self.grants) + len(self.guardrails) + len(self.masking) + len(self.approvals)

    def decide(self, caller: Caller, call: Call, upstream: str, *, now: float, limits: Limits) -> Verdict:
        """What becomes of a call. Strictest wins (deny, hold, allow); every rule that matched is in the verdict.

        A call that is allowed or held is counted in by `limits`, under the verdict's grant: end its lease
        (`limits.lease(caller.id, verdict.grant)`) when it is over. A rule that raises lets its exception pass, and
        nothing stays counted: the caller is refused. `now` is in seconds and never runs backwards by much.
        """
        granted = self._granted(caller, call, upstream, now, limits)
        if isinstance(granted, Deny):
            return granted
        grant, changes = granted
        verdict: Verdict | None = None
        try:
            verdict = self._judged(caller, call, upstream, grant, changes)
        finally:
            if verdict is None or isinstance(verdict, Deny):
                limits.lease(caller.id, grant.id).end(tokens=0, now=now)
        return verdict

    def screen(self, caller: Caller, call: Call, upstream: str) -> Screen:
        """What is masked and judged in the texts of this call and its reply; the same object for the same rules."""
        return self._in_force(caller, call, upstream).screen

    def approval(self, id: str) -> ApprovalRule:
        """The approval rule of that id.

        Raises: ConfigurationError when there is none.
        """
        for approval in self.approvals:
            if approval.rule.id == id:
                return approval.rule
        raise ConfigurationError(f"the policy has no approval rule '{id}'")

    # Grants

    def _granted(
        self, caller: Caller, call: Call, upstream: str, now: float, limits: Limits
    ) -> Deny | tuple[Grant, tuple[Change, ...]]:
        """The first grant that allows the call, counted in; or the reason of the one that came nearest."""
        nearest: tuple[int, Deny] = (-1, Deny("not_granted", "Nothing is granted to this caller."))
        for grant in self.grants:
            if not grant.concerns(caller):
                continue
            judged = grant.judge(call, upstream)
            if isinstance(judged, Reason):
                rank, deny = judged.rank, _ungranted(grant, judged)
            elif (wait := limits.take(caller.id, grant.id, grant.quota, now)) is not None:
                rank, deny = 9, _limited(grant, wait)
            else:
                return grant, judged
            if rank > nearest[0]:
                nearest = (rank, deny)
        return nearest[1]

    # Guardrails

    def _judged(self, caller: Caller, call: Call, upstream: str, grant: Grant, changes: tuple[Change, ...]) -> Verdict:
        here = self._in_force(caller, call, upstream)
        matches = [grant.matched, *(_changed(grant.id, grant.where, change.name, change.action) for change in changes)]
        parameters: dict[str, Json] = {change.name: change.value for change in changes}
        hits = self._hits(here.groups, call)
        if not hits and not here.approvals:
            return Allow(grant.id, tuple(matches), parameters)
        matches += [rail.matched() for rail in hits]
        matches += [Match(held.rule.id, "approval", held.rule.where, "hold") for held in here.approvals]
        enforced = [rail for rail in hits if rail.mode == "enforce"]
        for rail in enforced:
            if rail.action.act == "deny":
                return Deny("policy_violation", rail.message, tuple(matches), grant=grant.id)
        holding = [rail for rail in enforced if rail.action.act == "hold"]
        if not holding and not here.approvals:
            return Allow(grant.id, tuple(matches), parameters)
        message = holding[0].message if holding else HOLD_MESSAGE
        wanted = [self._approver(rail, caller, call, upstream) for rail in holding]
        wanted += [held.rule for held in here.approvals]
        if None in wanted:
            return Deny("policy_violation", NOBODY_MESSAGE, (*matches, _nobody(holding[0])), grant=grant.id)
        # One ticket for all: the rule that asks for most people.
        chosen = max((rule for rule in wanted if rule is not None), key=lambda rule: rule.quorum)
        return Hold(chosen.id, message, grant.id, tuple(matches), parameters)

    def _hits(self, groups: tuple[_Group, ...], call: Call) -> list[Guardrail]:
        """Every guardrail that hits, in policy order. Most calls end at the prefilter: nothing can hit."""
        hits: list[tuple[int, Guardrail]] = []
        for group in groups:
            subject = of_call(self._sieve, call, group.asked)
            if subject.possible or group.always:
                hits += [(place, rail) for place, rail in group.rails if _hit(rail, subject)]
        return [rail for _, rail in sorted(hits, key=lambda hit: hit[0])]

    def _approver(self, rail: Guardrail, caller: Caller, call: Call, upstream: str) -> ApprovalRule | None:
        """Who may release what this rule holds: the rule it names, else the first that covers the call."""
        if rail.action.approval is not None:
            return self.approval(rail.action.approval)
        for approval in self.approvals:
            if approval.when is None or approval.when.covers(caller, upstream, call.operation, call.model):
                return approval.rule
        return None

    # What applies

    def _in_force(self, caller: Caller, call: Call, upstream: str) -> _InForce:
        place = (caller.id, caller.groups, upstream, call.operation, call.model)
        here = self._known.get(place)
        if here is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            here = self._known[place] = self._look_up(caller, call, upstream)
        return here

    def _look_up(self, caller: Caller, call: Call, upstream: str) -> _InForce:
        def covers(rule: Guardrail | MaskingRule) -> bool:
            return rule.when.covers(caller, upstream, call.operation, call.model)

        rails = tuple(rail for rail in self.guardrails if covers(rail))
        masking = tuple(rule for rule in self.masking if covers(rule))
        return _InForce(
            _grouped(rails),
            tuple(
                approval
                for approval in self.approvals
                if approval.when is not None and approval.when.covers(caller, upstream, call.operation, call.model)
            ),
            self._screen(masking, tuple(rail for rail in rails if rail.on & REPLY)),
        )

    def _screen(self, masking: tuple[MaskingRule, ...], rails: tuple[Guardrail, ...]) -> Screen:
        key = (tuple(map(id, masking)), tuple(map(id, rails)))
        screen = self._screens.get(key)
        if screen is None:
            screen = self._screens[key] = compile_screen(masking, rails)
        return screen


def _grouped(rails: Iterable[Guardrail]) -> tuple[_Group, ...]:
    groups: dict[frozenset[On], list[tuple[int, Guardrail]]] = {}
    for place, rail in enumerate(rails):
        if rail.asked:
            groups.setdefault(rail.asked, []).append((place, rail))
    return tuple(
        _Group(asked, tuple(found), any(rail.needs is None for _, rail in found)) for asked, found in groups.items()
    )


def _hit(rail: Guardrail, subject: Subject) -> bool:
    if rail.needs is not None and rail.needs.isdisjoint(subject.possible):
        return False
    return rail.match.hits(subject)


@lru_cache(1024)
def _changed(grant: str, where: str, name: str, action: str) -> Match:
    return Match(f"{grant}:{name}", "parameter", where, action)


def _ungranted(grant: Grant, reason: Reason) -> Deny:
    name = f"{grant.id}:{reason.parameter}" if reason.parameter else grant.id
    kind = "parameter" if reason.parameter else "grant"
    return Deny("not_granted", reason.message, (Match(name, kind, grant.where, "deny"),))


def _limited(grant: Grant, wait: int) -> Deny:
    message = "The limit of this grant is reached; try again later."
    return Deny("rate_limited", message, (Match(grant.id, "limit", grant.where, "deny"),), wait, grant.id)


def _nobody(rail: Guardrail) -> Match:
    return Match(rail.id, "guardrail", rail.where, "deny")
