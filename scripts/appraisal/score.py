"""Counting hits, misses and false alarms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from penstock.detect.detector import detector
from penstock.masking.mask import Mask, MaskRule
from scripts.appraisal.cases import Labelled


@dataclass(slots=True)
class Score:
    """Of one detector. A value counts as found when exactly its characters are: a part too few is a leak."""

    found: int = 0
    missed: int = 0
    false: int = 0
    slips: list[str] = field(default_factory=list[str])
    """The texts in which it went wrong, and how."""

    @property
    def precision(self) -> float:
        return self.found / (self.found + self.false) if self.found + self.false else 1.0

    @property
    def recall(self) -> float:
        return self.found / (self.found + self.missed) if self.found + self.missed else 1.0

    @property
    def f1(self) -> float:
        return 2 * self.found / (2 * self.found + self.missed + self.false) if self.found else 0.0

    def __add__(self, other: Score) -> Score:
        return Score(
            self.found + other.found, self.missed + other.missed, self.false + other.false, self.slips + other.slips
        )


def mean(scores: dict[str, Score]) -> float:
    """F1 on average over detectors."""
    return sum(score.f1 for score in scores.values()) / max(len(scores), 1)


@lru_cache(512)
def mask_of(name: str) -> Mask:
    return Mask([MaskRule(name, detector(name))])


def spans(mask: Mask, text: str) -> list[tuple[int, int]]:
    """What a mask finds; a swallowed value up to where it ends."""
    return [(found.start, found.end) for found in mask.whole(text).findings]


def appraise(cases: Iterable[Labelled]) -> dict[str, Score]:
    """Detector -> how it did on its cases."""
    scores: dict[str, Score] = {}
    for case in cases:
        score = scores.setdefault(case.detector, Score())
        got = spans(mask_of(case.detector), case.text)
        wanted = list(case.spans)
        score.found += len([span for span in wanted if span in got])
        missed = [case.text[start:end] for start, end in wanted if (start, end) not in got]
        false = [case.text[start:end] for start, end in got if (start, end) not in wanted]
        score.missed += len(missed)
        score.false += len(false)
        if missed or false:
            score.slips.append(f"{case.text!r}: missed {missed}, wrong {false}")
    return scores
