"""What the rules of a policy would find in a text, and do about it: for those who write them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, assert_never

from penstock.detect.view import fold
from penstock.exchange import Call, Operation, Turn
from penstock.masking.documents import unescaped
from penstock.masking.evidence import evidence
from penstock.masking.fields import DETECTOR as FIELD
from penstock.masking.fields import FieldRule, label
from penstock.masking.mask import Finding, Mask
from penstock.masking.vault import Vault
from penstock.policy.book import Policy
from penstock.policy.guardrails import Guardrail
from penstock.policy.masks import Hash, Label, MaskingRule, Partial, Redact, Token, With, replacer
from penstock.policy.scope import EVERYTHING
from penstock.policy.subject import Sieve, of_call, of_reply

type Said = Literal["prompt", "completion"]


@dataclass(frozen=True, slots=True)
class Change:
    """A value that a masking rule replaces."""

    rule: MaskingRule
    detector: str
    """`field`: it is masked by where it stands."""
    start: int
    end: int
    becomes: str
    """What stands in its place."""
    confidence: float
    why: str

    @property
    def does(self) -> str:
        """The rule's strategy, as the policy names it."""
        return strategy(self.rule.style)


def strategy(style: With) -> str:
    match style:
        case Label():
            return "label"
        case Redact():
            return "redact"
        case Partial():
            return "partial"
        case Hash():
            return "hash"
        case Token():
            return "token"
        case _:
            assert_never(style)


def for_some(rule: MaskingRule | Guardrail) -> bool:
    """Whether the rule is not for every caller, model and model server."""
    return rule.when != EVERYTHING


def changes(policy: Policy, text: str, on: Said) -> list[Change]:
    """What the policy's masking rules replace in a text, in order; those for some callers only count as well."""
    rules = {rule.id: rule for rule in policy.masking if on in rule.on}
    mask = Mask(
        [each for rule in rules.values() for each in rule.rules()],
        [each for rule in rules.values() for each in rule.hides()],
    )
    vault = Vault([text])
    return [_change(rules[found.rule], found, text, vault) for found in mask.whole(text).findings]


def _change(rule: MaskingRule, found: Finding, text: str, vault: Vault) -> Change:
    value = text[found.start : found.end]
    if found.detector == FIELD:
        return Change(rule, FIELD, found.start, found.end, _hidden(rule, found, text), 1.0, "where it stands")
    known = next(known for known in rule.detect if known.name == found.detector)
    seen = evidence(known, text, found.start, found.end)
    instead = replacer(rule.style, known)
    label = vault.token(known.label, fold(value)) if isinstance(rule.style, Token) else f"[{known.label}]"
    # What is swallowed is never there as a whole: its label stands in its place, whatever the rule says.
    shown = instead(fold(value)) if instead is not None and not known.until else label
    return Change(rule, known.name, found.start, found.end, shown, seen.confidence, seen.why)


def _hidden(rule: MaskingRule, found: Finding, text: str) -> str:
    """What stands in place of a field."""
    (hide,) = rule.hides()
    if hide.replace is not None:
        return hide.replace(unescaped(text[found.start : found.end]))
    places = (
        pointer
        for pointer in hide.pointers
        if any(each.start == found.start for each in Mask([], [FieldRule(rule.id, (pointer,))]).whole(text).findings)
    )
    return hide.text or f"[{label(next(places, rule.fields[0]))}]"


def alarms(policy: Policy, text: str, on: Said) -> Iterator[Guardrail]:
    """The guardrails that find something in a text; those about parameters or operations alone read no text."""
    rails = [rail for rail in policy.guardrails if on in rail.on]
    sieve = Sieve({pattern for rail in rails for pattern in rail.match.patterns})
    call = Call("scan", Operation.CHAT, "any", (Turn("user", text, ()),))
    subject = of_call(sieve, call, frozenset({"prompt"})) if on == "prompt" else of_reply(sieve, text)
    return (rail for rail in rails if rail.match.hits(subject))
