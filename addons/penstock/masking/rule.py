"""A masking rule, compiled: what it finds, what of it is still undecided, and whether a find is real."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

import regex

from penstock.detect.prefilter import Prefilter
from penstock.detect.sought import Search, sought
from penstock.detect.value import Detector
from penstock.detect.view import fold
from penstock.masking.finding import MaskRule

REACH: Final = 64
"""Characters before a value in which a word of its context may stand: about ten words."""
_NEXT: Final = 24
"""Characters before a value in which a word may stand that says it is something else."""


class Rule:
    """A rule, ready to run."""

    __slots__ = (
        "_wanted",
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
        "kind",
        "label",
        "least",
        "not_after",
        "own",
        "pending",
        "rank",
        "replace",
        "search",
        "second",
        "sieve",
        "span",
        "speakers",
        "token",
        "until",
    )
    search: Search
    pending: Search

    def __init__(self, rule: MaskRule, index: int, rank: int | None = None) -> None:
        """`rank`: of the rule that this is a part of: what both find is found once."""
        detector = rule.detector
        wanted = detector.terms or sought(detector.pattern)
        judge = Judge(detector, rule.min_confidence)
        self.id: Final = rule.id
        self.detector: Final = detector.name
        self.action: Final = rule.action
        self.replace: Final = rule.replace
        self.kind: Final = detector.label
        self.label: Final = f"[{detector.label}]"
        self.token: Final = rule.token
        self.own: Final = rule.token or rule.replace is not None
        """What stands in place of a value depends on the value."""
        self.index: Final = index
        self.rank: Final = index if rank is None else rank
        self.sieve = detector.pattern
        """What a text must have in it, for `detect.prefilter`."""
        self.bit: Final = 1 << index
        self.group: Final = detector.group
        self._wanted: Final = wanted
        self.first: Final = wanted.first
        self.second: Final = wanted.second
        self.span: Final = wanted.span
        self.least: Final = wanted.least
        self.head: Final = wanted.head
        self.not_after: Final = wanted.not_after
        # A stop ends the text where it starts, so there is nothing to swallow.
        self.until: Final = sought(detector.until) if detector.until and rule.action != "stop" else None
        self.behind: Final = max(
            wanted.behind, self.until.behind if self.until else 0, REACH if judge.context or detector.against else 0
        )
        self.speakers: Final = judge.context.pattern if judge.context and detector.needs_context else ""
        """What must be found before a value; empty when a value can be found without."""
        self.judge: Final = None if judge.trivial else judge
        for check in (detector.check, detector.measure):
            if check is not None:
                with suppress(LookupError, ValueError):  # what it is asked about has another form
                    check("1234567890")  # it may load its tables at first use: now, not in mid-stream

    def __getattr__(self, name: str) -> Search:
        if name not in ("search", "pending"):
            raise AttributeError(name)
        found: Search = getattr(self._wanted, name)  # compiled now, if it is not
        setattr(self, name, found)
        return found

    def ready(self) -> None:
        """Compile what is compiled when it is asked for."""
        _ = self.search, self.pending
        if self.until is not None:
            _ = self.until.search, self.until.pending


def compiled(rules: Sequence[MaskRule]) -> tuple[Rule, ...]:
    """The rules, compiled; behind them what else there is to look for (`Detector.parts`)."""
    made = [Rule(rule, index) for index, rule in enumerate(rules)]
    for rank, rule in enumerate(rules):
        for part in rule.detector.parts[1:]:
            other = Rule(replace(rule, detector=part), len(made), rank)
            if part.pattern not in rule.detector.forms:
                other.sieve = f"(?:{rule.detector.pattern}){rule.detector.after}"
            made.append(other)
    return tuple(made)


class Judge:
    """Says how much of a candidate is real."""

    __slots__ = ("_against", "_alone", "_check", "_measure", "_never", "_only_spoken_for", "context", "trivial")

    def __init__(self, detector: Detector, least: float = 0.0) -> None:
        """`least`: the confidence that a value must have."""
        self._check = detector.check
        self._measure = detector.measure
        self.context: Final = Context(detector.context) if detector.context else None
        self._alone = regex.compile(detector.alone, regex.VERSION0) if detector.alone else None
        self._against = Context(detector.against) if detector.against else None
        self._never: Final = detector.sureness(spoken_for=bool(detector.context)) < least
        self._only_spoken_for: Final = detector.sureness(spoken_for=False) < least
        self.trivial: Final = not (
            detector.check or detector.measure or detector.context or detector.against or self._never
        )

    def accept(self, value: str, before: str, *, follows: bool = False) -> int:
        """How many characters of the candidate are the value, 0 for none. `before`: the text right before it.

        `follows`: another value stands a little before it, as in a column; that is as good as a word of context, but
        for a word that says that it is something else.
        """
        spoken_for = self.context is not None and self.context.stands_in(before)
        expected = spoken_for or follows or self.context is None
        if self._never or (self._only_spoken_for and not (spoken_for or follows)):
            return 0
        if not expected and (self._alone is None or self._alone.match(value) is None):
            return 0  # no part of it, from its start, could stand alone
        if not spoken_for and self._against is not None and self._against.stands_in(before[-_NEXT:]):
            return 0
        count = len(value)
        if self._check is not None and not self._check(value):
            return 0
        if self._measure is not None:
            count = self._measure(value)
        if expected or (self._alone is not None and self._alone.fullmatch(value[:count])):
            return count
        return 0


class Context:
    """Any of some words, whole, in any case; `phone` is in phones, PHONE_NUMBER and phoneNumber, not in saxophone.

    A space between words may as well be `_`, `-` or nothing.
    """

    __slots__ = ("_possible", "_search", "pattern")

    def __init__(self, words: Sequence[str]) -> None:
        known = sorted(map(fold, words), key=len, reverse=True)
        either = "|".join(
            "[ _-]?".join(regex.escape(part, special_only=True) for part in word.split(" ")) for word in known if word
        )
        self.pattern: Final = (
            rf"(?:(?<![A-Za-z])|(?<=[a-z])(?=[A-Z]))(?i:{either})(?:e?s|ES|S)?(?![a-z])(?!(?<=[A-Z])[A-Z])"
        )
        self._search = regex.compile(self.pattern, regex.VERSION0).search
        # A text full of numbers asks this of each: twenty times faster than the search is to know that it is in vain.
        self._possible = Prefilter([self.pattern]).candidates

    def stands_in(self, text: str) -> bool:
        return bool(self._possible(text)) and self._search(text) is not None

    def word(self, text: str) -> str:
        """The last of the words that stand in a text; empty when there is none."""
        found = ""
        at = 0
        while (match := self._search(text, at)) is not None:
            found, at = match[0], match.end()
        return found
