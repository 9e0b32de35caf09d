"""`pattern`: a regular expression that is found anywhere in a text."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import regex

from penstock.detect.detector import custom
from penstock.detect.syntax import PatternError, parse
from penstock.detect.tree import render
from penstock.detect.value import Detector
from penstock.policy.marked import Mark, Node
from penstock.policy.matcher import Kind, Matcher
from penstock.policy.readers import TEXT
from penstock.policy.reading import Reading
from penstock.policy.speech import Undisguised, loosened
from penstock.policy.subject import Subject

TIMEOUT: Final = 2.0
"""Seconds of CPU for one pattern on one text; over it, the call is refused."""


@dataclass(frozen=True, slots=True)
class Pattern(Matcher):
    """Found by one regular expression, in the view of a text."""

    source: str
    detector: Detector = field(compare=False)
    streams: bool = field(compare=False)
    needs: frozenset[str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "needs", frozenset(self.patterns))

    @property
    def compiled(self) -> regex.Pattern[str]:
        return _compiled(self.detector.pattern)

    @property
    def loose(self) -> regex.Pattern[str] | None:
        """For a phrase whose words run on; None: it looks for no phrase."""
        loose = loosened(self.detector.pattern)
        return _compiled(loose) if loose is not None else None

    @property
    def patterns(self) -> tuple[str, ...]:
        return (self.detector.pattern,)

    @property
    def detectors(self) -> tuple[Detector, ...] | None:
        return (self.detector,) if self.streams else None

    def hits(self, subject: Subject) -> bool:
        wanted = self.detector.pattern
        return any(
            wanted in view.possible and self.compiled.search(view.text, timeout=TIMEOUT) is not None
            for view in subject.views
        ) or any(self._says(speech.reading) for speech in subject.speech if wanted in speech.possible)

    def _says(self, reading: Undisguised) -> bool:
        """Whether the phrase is there once a disguise is taken off."""
        pattern = self.loose if reading.run_on else self.compiled
        return pattern is not None and any(
            sum(map(str.isalpha, match[0])) >= reading.least and (" " in match[0] or not reading.several)
            for match in pattern.finditer(reading.text, timeout=TIMEOUT)
        )


@lru_cache(4096)
def _compiled(pattern: str) -> regex.Pattern[str]:
    """Only when a text may have it: hundreds of patterns at once would hold up the start."""
    return regex.compile(pattern, regex.VERSION0)


def searched(source: str, mark: Mark, reading: Reading, *, name: str = "pattern") -> Pattern:
    """The pattern, admitted; one that cannot be found in a stream exactly is still good for whole texts."""
    try:
        return admitted(name, source, trusted=reading.trusted)
    except PatternError as error:
        raise reading.wrong(mark, error.line()) from None


@lru_cache(4096)
def admitted(name: str, source: str, *, trusted: bool = False) -> Pattern:
    """The same, remembered: a reload does not look at old patterns again. Raises: PatternError.

    One that is `trusted` ships with Penstock, whose tests have admitted it to streams: that takes its time.
    """
    if trusted:
        return Pattern(source, Detector(name, name.upper(), render(parse(source))), streams=True)
    try:
        return Pattern(source, custom(name, source, streamable=True), streams=True)
    except PatternError:
        return Pattern(source, custom(name, source, streamable=False), streams=False)


def _read(node: Node, reading: Reading) -> Pattern:
    return searched(TEXT.read(node, reading), node.mark, reading)


KIND: Final = Kind(
    "pattern",
    "A regular expression, found anywhere in the text. Write it in single quotes; `(?i)` at the start ignores case.",
    r"pattern: '(?i)\bdrop table\b'",
    _read,
    TEXT.schema,
)
