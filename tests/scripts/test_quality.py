"""`scripts/quality` counts what it says it counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.appraisal import __main__ as quality
from scripts.appraisal import corpus
from scripts.appraisal.cases import labelled
from scripts.appraisal.score import appraise


def test_a_value_counts_as_found_when_exactly_its_characters_are() -> None:
    cases = [
        labelled("email", "to ⟦bob@example.com⟧ or ⟦missing@nowhere⟧"),
        labelled("email", "the ⟦b@example.com and⟧ more"),
        labelled("email", "no x@example.org"),
    ]
    score = appraise(cases)["email"]
    assert (score.found, score.missed, score.false) == (1, 2, 2)
    assert score.precision == score.recall == pytest.approx(1 / 3)
    assert len(score.slips) == 3
    assert appraise([labelled("email", "nothing at all")])["email"].f1 == 0


def test_words_are_counted_in_scripts_with_and_without_spaces() -> None:
    assert corpus.words("the quick brown fox") == 4
    assert corpus.words("東京の人口") == 3


def test_prose_is_what_people_wrote_and_each_text_comes_once() -> None:
    texts = list(corpus.prose(20_000))
    assert sum(corpus.words(text) for _, text in texts) >= 20_000
    assert len({text for _, text in texts}) == len(texts)


def test_figures_are_the_same_each_time() -> None:
    assert corpus.figures(50) == corpus.figures(50)


def test_ordinary_prose_raises_hardly_an_alarm() -> None:
    found = quality.alarms(corpus.prose(25_000), quality.reviewed())
    assert found["per_10000_words"] <= quality.MOST_ALARMS, found["false"]


def test_the_command_prints_json_and_its_status_says_whether_the_aims_are_met(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.yaml").write_text("email: {found: ['⟦a@b.io⟧'], left: [none]}", encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["quality", "--json", "--no-corpus", "--cases", str(tmp_path)])
    assert quality.main() == 0
    assert json.loads(capsys.readouterr().out)["detectors"][0]["f1"] == 1
    (tmp_path / "x.yaml").write_text("email: {found: ['⟦a@b⟧']}", encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["quality", "--no-corpus", "--cases", str(tmp_path)])
    assert quality.main() == 1
    assert "missed ['a@b']" in capsys.readouterr().out
