"""The detectors of countries' numbers and of network addresses, on texts that were written without a look at them."""

from __future__ import annotations

import pytest

from scripts.appraisal.__main__ import aim
from scripts.appraisal.cases import FOLDER, load
from scripts.appraisal.score import appraise

TEXTS = tuple(
    text for name in ("europe", "world", "network") for text in load(FOLDER.parent / "texts" / f"{name}.yaml")
)
NAMES = sorted({text.detector for text in TEXTS})
MOST_MISSED = 2
"""Of one detector: words that come after the number, or too far before it, are not read."""


@pytest.mark.parametrize("name", NAMES)
def test_a_detector_finds_its_values_in_texts_that_were_not_written_for_it(name: str) -> None:
    score = appraise(text for text in TEXTS if text.detector == name)[name]
    assert score.f1 >= aim(name), score.slips
    assert score.missed + score.false <= MOST_MISSED, score.slips


@pytest.mark.parametrize("name", NAMES)
def test_the_texts_have_many_with_values_and_many_without(name: str) -> None:
    texts = [text for text in TEXTS if text.detector == name]
    assert len(texts) == len({text.text for text in texts})
    assert sum(bool(text.spans) for text in texts) >= 25
    assert sum(not text.spans for text in texts) >= 15
