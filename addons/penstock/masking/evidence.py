"""Why a value was found, in words: for those who look at what the detectors do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from penstock.detect.value import Detector
from penstock.detect.view import fold
from penstock.masking.rule import REACH, Context


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a value."""

    confidence: float
    """From 0 to 1."""
    why: str


def evidence(detector: Detector, text: str, start: int) -> Evidence:
    """What speaks for the value that a detector found in a text."""
    word = ""
    if detector.context:
        word = _context(detector.context).word(fold(text[max(0, start - REACH) : start]))
    said = [detector.proof] if detector.proof else []
    if word:
        said.append(f"after “{word}”")
    said = said or ["its form"]
    return Evidence(round(detector.sureness(spoken_for=bool(word)), 3), "; ".join(said))


@lru_cache(512)
def _context(words: tuple[str, ...]) -> Context:
    return Context(words)
