"""A masking rule, compiled: what it finds, what of it is still undecided, and whether a find is real."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import regex

from penstock.detect.prefilter import Prefilter
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
        self._context = Context(detector.context) if detector.context else None
        self._alone = regex.compile(detector.alone, regex.VERSION0) if detector.alone else None
        self.trivial: Final = not (detector.check or detector.measure or detector.context)

    def accept(self, value: str, before: str) -> int:
        """How many characters of the candidate are the value, 0 for none. `before`: the text right before it."""
        expected = self._context is None or self._context.stands_in(before)
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


class Context:
    """Any of some words, whole, in any case; `phone` is in phones, PHONE_NUMBER and phoneNumber, not in saxophone."""

    __slots__ = ("_possible", "_search")

    def __init__(self, words: Sequence[str]) -> None:
        known = sorted(map(fold, words), key=len, reverse=True)
        either = "|".join(regex.escape(word, special_only=True) for word in known if word)
        pattern = rf"(?:(?<![A-Za-z])|(?<=[a-z])(?=[A-Z]))(?i:{either})(?:e?s|ES|S)?(?![a-z])(?!(?<=[A-Z])[A-Z])"
        self._search = regex.compile(pattern, regex.VERSION0).search
        # A text full of numbers asks this of each: twenty times faster than the search is to know that it is in vain.
        self._possible = Prefilter([pattern]).candidates

    def stands_in(self, text: str) -> bool:
        return bool(self._possible(text)) and self._search(text) is not None
