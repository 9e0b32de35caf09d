"""A frozen set of masking rules, and what it does to a text."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.detect.view import view
from penstock.masking.finding import Action, Finding, Form, Masked, MaskRule
from penstock.masking.release import Release
from penstock.masking.ruleset import RuleSet
from penstock.masking.stream import MaskStream, Scan, TextStream

__all__ = ["Action", "Finding", "Form", "Mask", "MaskRule", "MaskStream", "Masked"]


class Mask:
    """A frozen, compiled set of rules: safe to share between threads, cheap to make streams from."""

    def __init__(self, rules: Sequence[MaskRule]) -> None:
        """Raises `PatternError` for a pattern that cannot be read."""
        self.rules = tuple(rules)
        self._compiled = RuleSet(self.rules)

    def whole(self, text: str) -> Masked:
        """Mask a whole text. A `stop` finding cuts it where the match starts."""
        seen = view(text)
        possible = self._compiled.possible(seen.text)
        if not possible:
            return Masked(text, ())
        release = Release()
        release.held = text
        scan = Scan(self._compiled, release)
        scan.everything(seen, possible)
        scan.close(len(text))
        return release.masked(text)

    def whole_json(self, text: str) -> Masked:
        """Mask JSON text that stands in a string (tool-call arguments); it stays valid JSON if it was."""
        return self.whole(text)

    def stream(self, form: Form = "text") -> MaskStream:
        """A masker for one text that arrives in pieces."""
        return TextStream(self._compiled.for_streams())
