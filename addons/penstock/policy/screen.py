"""The screen before a model's texts: what is masked, what ends a reply, what is only flagged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from penstock.errors import Refusal
from penstock.masking.mask import Mask, MaskRule
from penstock.policy.guardrails import Guardrail
from penstock.policy.masks import Masked, MaskingRule
from penstock.policy.subject import On, Sieve, of_reply
from penstock.verdict import Match


@dataclass(frozen=True, slots=True, eq=False)
class Screen:
    """Compiled once for each set of rules that apply together; safe to share between exchanges and threads."""

    prompt: Mask | None
    """For every text of a call, before it is forwarded."""
    completion: Mask | None
    """For the text of a reply: masking rules, and guardrails as `stop` and `flag` rules."""
    tool: Mask | None
    """The same for the names and arguments of tool calls in a reply."""
    record: Mask | None
    """For what is recorded, and nothing else."""
    buffered: bool
    """A rule needs the whole reply: it is delivered when `judge` has seen every text of it."""
    matches: tuple[Match, ...]
    """The masking rules in force."""
    _judges: tuple[Guardrail, ...] = ()
    _reviews: tuple[Guardrail, ...] = ()
    _rails: dict[str, Guardrail] = field(default_factory=dict[str, Guardrail])
    _sieve: Sieve = field(default_factory=lambda: Sieve(()))

    def judge(self, text: str) -> Refusal | None:
        """The refusal of a whole text by the rules that cannot judge a stream; raises what a rule raises."""
        rail = self.judging(text)
        return refused(rail) if rail is not None else None

    def judging(self, text: str) -> Guardrail | None:
        """The rule by which `judge` refuses a text."""
        return next(iter(self._hit(self._judges, text)), None)

    def review(self, text: str) -> tuple[Match, ...]:
        """The rules without effect (flag, observe) that need whole texts and hit this one, for the record."""
        return tuple(rail.matched() for rail in self._hit(self._reviews, text))

    def refusal(self, rule: str) -> Refusal:
        """What a caller reads when the `stop` rule of this id ended the reply."""
        return refused(self._rails[rule])

    def match(self, rule: str) -> Match:
        """How the record names a rule of this screen that found something.

        Raises: KeyError when no such rule is in it.
        """
        if rule in self._rails:
            return self._rails[rule].matched()
        return {match.rule: match for match in self.matches}[rule]

    def _hit(self, rails: Sequence[Guardrail], text: str) -> list[Guardrail]:
        if not rails:
            return []
        subject = of_reply(self._sieve, text)
        return [rail for rail in rails if rail.match.hits(subject)]


def refused(rail: Guardrail) -> Refusal:
    return Refusal("policy_violation", rail.message)


def compile_screen(masking: Sequence[MaskingRule], rails: Sequence[Guardrail]) -> Screen:
    """The screen of rules that all apply, in policy order."""
    whole = [rail for rail in rails if not rail.streams]
    judges = tuple(rail for rail in whole if rail.stops)
    return Screen(
        prompt=_mask(masking, "prompt"),
        completion=_mask(masking, "completion", _streamed(rails, "completion")),
        tool=_mask(masking, "completion", _streamed(rails, "tool_call")),
        record=_mask(masking, "record"),
        buffered=bool(judges),
        matches=tuple(known.matched() for known in masking),
        _judges=judges,
        _reviews=tuple(rail for rail in whole if not rail.stops),
        _rails={rail.id: rail for rail in rails},
        _sieve=Sieve(pattern for rail in whole for pattern in rail.match.patterns),
    )


def _mask(masking: Sequence[MaskingRule], on: Masked, first: Sequence[MaskRule] = ()) -> Mask | None:
    rules = [*first, *(rule for known in masking if on in known.on for rule in known.rules())]
    fields = [rule for known in masking if on in known.on for rule in known.hides()]
    return Mask(rules, fields).ready() if rules or fields else None


def _streamed(rails: Sequence[Guardrail], on: On) -> list[MaskRule]:
    rules: list[MaskRule] = []
    for rail in rails:
        action: Literal["stop", "flag"] = "stop" if rail.stops else "flag"
        for detector in (rail.match.detectors or ()) if on in rail.on else ():
            rules.append(MaskRule(rail.id, detector, action))
    return rules
