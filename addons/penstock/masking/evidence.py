"""Why a value was found, in words: for those who look at what the detectors do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import regex

from penstock.detect.value import Detector
from penstock.detect.view import fold
from penstock.masking.rule import REACH, Context


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a value."""

    confidence: float
    """From 0 to 1."""
    why: str


def evidence(detector: Detector, text: str, start: int, end: int) -> Evidence:
    """What speaks for the value that a detector found in a text."""
    word = behind = ""
    if detector.context:
        word = _context(detector.context).word(fold(text[max(0, start - REACH) : start]))
    if detector.after and not word and (found := _after(detector.after).match(fold(text[end : end + REACH]))):
        behind = found[0].strip()
    said = [detector.proof] if detector.proof else []
    if word:
        said.append(f"after “{word}”")
    if behind:
        said.append(f"before “{behind}”")
    said = said or ["its form"]
    return Evidence(round(detector.sureness(spoken_for=bool(word or behind)), 3), "; ".join(said))


@lru_cache(512)
def _after(pattern: str) -> regex.Pattern[str]:
    return regex.compile(pattern, regex.VERSION0)


@lru_cache(512)
def _context(words: tuple[str, ...]) -> Context:
    return Context(words)
