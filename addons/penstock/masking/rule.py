"""A masking rule, compiled: what it finds, what of it is still undecided, and whether a find is real."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import regex

from penstock.detect.sought import sought
from penstock.detect.value import Detector
from penstock.detect.view import fold
from penstock.masking.finding import MaskRule

REACH: Final = 64
"""Characters before a value in which a word of its context may stand: about ten words."""


class Rule:
    """A rule, ready to run."""

    __slots__ = (
        "action",
        "behind",
        "bit",
        "detector",
        "first",
        "group",
        "head",
        "id",
        "index",
        "judge",
        "label",
        "least",
        "not_after",
        "pending",
        "replace",
        "search",
        "second",
        "span",
        "until",
    )

    def __init__(self, rule: MaskRule, index: int) -> None:
        detector = rule.detector
        wanted = sought(detector.pattern)
        judge = Judge(detector)
        self.id: Final = rule.id
        self.detector: Final = detector.name
        self.action: Final = rule.action
        self.replace: Final = rule.replace
        self.label: Final = f"[{detector.label}]"
        self.index: Final = index
        self.bit: Final = 1 << index
        self.group: Final = detector.group
        self.search: Final = wanted.search
        self.pending: Final = wanted.pending
        self.first: Final = wanted.first
        self.second: Final = wanted.second
        self.span: Final = wanted.span
        self.least: Final = wanted.least
        self.head: Final = wanted.head
        self.not_after: Final = wanted.not_after
        # A stop ends the text where it starts, so there is nothing to swallow.
        self.until: Final = sought(detector.until) if detector.until and rule.action != "stop" else None
        self.behind: Final = max(
            wanted.behind, self.until.behind if self.until else 0, REACH if detector.context else 0
        )
        self.judge: Final = None if judge.trivial else judge
        for check in (detector.check, detector.measure):
            if check is not None:
                check("1234567890")  # it may load its tables at first use: now, not in mid-stream


class Judge:
    """Says how much of a candidate is real."""

    __slots__ = ("_alone", "_check", "_context", "_measure", "trivial")

    def __init__(self, detector: Detector) -> None:
        self._check = detector.check
        self._measure = detector.measure
        self._context = _context(detector.context) if detector.context else None
        self._alone = regex.compile(detector.alone, regex.VERSION0) if detector.alone else None
        self.trivial: Final = not (detector.check or detector.measure or detector.context)

    def accept(self, value: str, before: str) -> int:
        """How many characters of the candidate are the value, 0 for none. `before`: the text right before it."""
        expected = self._context is None or self._context.search(before) is not None
        if not expected and (self._alone is None or self._alone.match(value) is None):
            return 0  # no part of it, from its start, could stand alone
        count = len(value)
        if self._check is not None and not self._check(value):
            return 0
        if self._measure is not None:
            count = self._measure(value)
        if expected or (self._alone is not None and self._alone.fullmatch(value[:count])):
            return count
        return 0


def _context(words: Sequence[str]) -> regex.Pattern[str]:
    """Any of the words, whole, in any case; `phone` is found in phones, PHONE_NUMBER, phoneNumber, not in saxophone."""
    known = sorted(map(fold, words), key=len, reverse=True)
    either = "|".join(regex.escape(word, special_only=True) for word in known if word)
    return regex.compile(
        rf"(?:(?<![A-Za-z])|(?<=[a-z])(?=[A-Z]))(?i:{either})(?:e?s|ES|S)?(?![a-z])(?!(?<=[A-Z])[A-Z])", regex.VERSION0
    )
