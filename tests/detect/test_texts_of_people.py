"""The detectors of what people, banks and American authorities give out, on texts that were written without a look at
them (`texts/*.yaml`)."""

from __future__ import annotations

import pytest

from scripts.appraisal.__main__ import aim
from scripts.appraisal.cases import FOLDER, load
from scripts.appraisal.score import appraise

FILES = ("america", "contact", "finance", "person")
TEXTS = tuple(text for name in FILES for text in load(FOLDER.parent / "texts" / f"{name}.yaml"))
NAMES = sorted({text.detector for text in TEXTS})


@pytest.mark.parametrize("name", NAMES)
def test_a_detector_finds_its_values_in_texts_that_were_not_written_for_it(name: str) -> None:
    score = appraise(text for text in TEXTS if text.detector == name)[name]
    assert score.f1 >= aim(name), score.slips


@pytest.mark.parametrize("name", NAMES)
def test_the_texts_have_many_with_values_and_many_without(name: str) -> None:
    texts = [text for text in TEXTS if text.detector == name]
    assert len(texts) == len({text.text for text in texts})
    assert sum(bool(text.spans) for text in texts) >= 25
    assert sum(not text.spans for text in texts) >= 15
