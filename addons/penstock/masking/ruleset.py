"""All the rules of a mask, compiled, and which of them a character can wake."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from penstock.detect.prefilter import Prefilter
from penstock.detect.shape import EVERY_WIDE
from penstock.detect.syntax import PatternError
from penstock.masking.finding import MaskRule
from penstock.masking.rule import Rule

ESCAPE_REACH: Final = 48
"""Characters before a place that say whether it stands in an escape."""
_REMEMBERED: Final = 4096


class Wakes(NamedTuple):
    """What a character means to the rules: each field has the bits of those to which it means this."""

    first: int
    """A match can start with it."""
    second: int
    """A match can have it at its second place (rules without a head only)."""
    after: int
    """A match can start right after it."""
    run: int
    """It goes on with the run that is the head of a match."""
    key: int
    """It follows that run."""


class _Wakes(dict[str, Wakes]):
    """Character -> what it means."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        super().__init__((chr(code), self._of(1 << code)) for code in range(128))
        self._beyond = self._of(EVERY_WIDE)

    def _of(self, character: int) -> Wakes:
        rules = self._rules
        return Wakes(
            sum(rule.bit for rule in rules if rule.first & character),
            sum(rule.bit for rule in rules if rule.head is None and rule.second & character),
            sum(rule.bit for rule in rules if not rule.not_after & character),
            sum(rule.bit for rule in rules if rule.head is not None and rule.head.run & character),
            sum(rule.bit for rule in rules if rule.head is not None and rule.head.keys & character),
        )

    def __missing__(self, character: str) -> Wakes:
        return self._beyond  # not kept: there are a million of them


class RuleSet:
    """Frozen; shared by all the streams of a mask."""

    def __init__(self, rules: Sequence[MaskRule]) -> None:
        self.rules: Final = tuple(Rule(rule, index) for index, rule in enumerate(rules))
        self.wakes: Final = _Wakes(self.rules)
        self.behind: Final = max([ESCAPE_REACH, *(rule.behind for rule in self.rules)])
        self.headed: Final = sum(rule.bit for rule in self.rules if rule.head is not None)
        """The bits of the rules whose matches begin with a run."""
        self.keyless: Final = sum(rule.bit for rule in self.rules if rule.head is not None and not rule.head.keys)
        self.outrun: Final = _outrun(self.rules)
        """Length of a run -> of those, the rules for which it is too long; the last goes for all longer ones."""
        self.lost: Final = sum(rule.bit for rule in self.rules if _is_lost(rule))
        """Of those, the rules that have nothing more to find in a run that has become too long."""
        self.prefilter: Final = Prefilter([rule.detector.pattern for rule in rules])
        self.unstreamable: Final = [rule.id for rule in rules if not rule.detector.streamable]
        self._chosen: dict[int, tuple[Rule, ...]] = {}

    def chosen(self, bits: int) -> tuple[Rule, ...]:
        """The rules of these bits, in order."""
        known = self._chosen.get(bits)
        if known is None:
            known = tuple(rule for rule in self.rules if rule.bit & bits)
            if len(self._chosen) < _REMEMBERED:
                self._chosen[bits] = known
        return known

    def possible(self, text: str) -> int:
        """The bits of the rules that may find something in a text."""
        return sum(1 << index for index in self.prefilter.candidates(text))

    def for_streams(self) -> RuleSet:
        """Itself. Raises `PatternError` when a rule was admitted for whole texts only."""
        if self.unstreamable:
            raise PatternError(f"the rule {self.unstreamable[0]!r} cannot mask a stream; hold the reply back instead")
        return self


def _outrun(rules: Sequence[Rule]) -> Sequence[int]:
    limits = [(rule.head.longest, rule.bit) for rule in rules if rule.head is not None]
    lengths = range(max((longest for longest, _ in limits), default=0) + 2)
    return [sum(bit for longest, bit in limits if longest < length) for length in lengths]


def _is_lost(rule: Rule) -> bool:
    """Whether a match could not start further on in the same run: not right after any of its characters."""
    head = rule.head
    return head is not None and head.keys != 0 and not (head.run | rule.first) & ~(rule.not_after | head.keys)
