"""All the rules of a mask, compiled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from penstock.detect.prefilter import Prefilter
from penstock.detect.syntax import PatternError
from penstock.masking.blobs import SIGN
from penstock.masking.fields import FieldRule, Fields
from penstock.masking.finding import MaskRule
from penstock.masking.rule import compiled
from penstock.masking.watch import Watch

ESCAPE_REACH: Final = 48
"""Characters before a place that say whether it stands in an escape."""


class RuleSet:
    """Frozen; shared by all the streams of a mask."""

    def __init__(self, rules: Sequence[MaskRule], fields: Sequence[FieldRule] = ()) -> None:
        self.rules: Final = compiled(rules)
        self.fields: Final = Fields(fields, len(self.rules))
        self.watch: Final = Watch(self.rules)
        self.chosen: Final = self.watch.chosen
        self.behind: Final = max([ESCAPE_REACH, *(rule.behind for rule in self.rules)])
        """How much of the text before may matter."""
        self._prefilter: Final = Prefilter([rule.sieve for rule in self.rules], [SIGN])
        self._every: Final = (1 << len(self.rules)) - 1
        spoken = [rule for rule in self.rules if rule.speakers]
        self.needy: Final = sum(rule.bit for rule in spoken)
        """The bits of the rules that find nothing unless a word of their context stands before it."""
        self._speakers: Final = [rule.bit for rule in spoken]
        self._speaking: Final = Prefilter([rule.speakers for rule in spoken])
        self._unstreamable: Final = [rule.id for rule in rules if not rule.detector.streamable]

    def possible(self, text: str) -> int:
        """The bits of the rules that may find something in a text."""
        return sum(1 << index for index in self._prefilter.candidates(text)) & self._every

    def possible_in(self, text: str) -> int | None:
        """The same for a text in which nothing is written in another way; None: there may be a blob in it."""
        found = self._prefilter.candidates(text)
        if not found:
            return 0
        return None if found[-1] == len(self.rules) else sum(1 << index for index in found)

    def spoken_for(self, text: str) -> int:
        """The bits of those rules for which a word of their context may stand in a text."""
        return sum(self._speakers[index] for index in self._speaking.candidates(text)) if text else 0

    def for_streams(self) -> RuleSet:
        """Itself. Raises `PatternError` when a rule was admitted for whole texts only."""
        if self._unstreamable:
            raise PatternError(f"the rule {self._unstreamable[0]!r} cannot mask a stream; hold the reply back instead")
        return self
