"""Every shipped detector on its labelled cases (`cases/*.yaml`), whole values and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.detect.detector import DETECTORS, detector
from scripts.appraisal.__main__ import aim
from scripts.appraisal.cases import FOLDER, Labelled, labelled, load
from scripts.appraisal.score import appraise

CASES = tuple(load())
NAMES = [known.name for known in DETECTORS]
CONFUSED = {"bic", "password"}
"""These have a hard case that they get wrong: a word of capitals that could be a bank, a name that could be a password."""


@pytest.mark.parametrize("name", NAMES)
def test_a_detector_finds_its_values_and_leaves_the_rest_alone(name: str) -> None:
    score = appraise(case for case in CASES if case.detector == name)[name]
    assert score.f1 >= aim(name), score.slips
    assert name in CONFUSED or score.slips == []


@pytest.mark.parametrize("name", NAMES)
def test_a_detector_has_cases_of_both_kinds_in_many_surroundings(name: str) -> None:
    found = [case for case in CASES if case.detector == name and case.spans]
    left = [case for case in CASES if case.detector == name and not case.spans]
    assert len(found) >= 8
    assert len(left) >= 8
    assert len({case.text for case in found}) == len(found)


def test_every_case_is_about_a_detector_that_there_is() -> None:
    assert {case.detector for case in CASES} == set(NAMES)


@pytest.mark.parametrize("known", DETECTORS, ids=lambda known: known.name)
def test_a_detector_says_what_it_is_and_how_sure(known: object) -> None:
    described = detector(known.name)  # type: ignore[attr-defined]
    assert described.what
    assert described.kind != "own"
    assert 0.5 <= described.confidence < 1
    assert bool(described.proof) >= bool(described.measure)


def test_a_mark_shows_where_a_value_is() -> None:
    case = labelled("email", "to ⟦bob@·example.com⟧ and ⟦x@y.io⟧.")
    assert case == Labelled("email", "to bob@example.com and x@y.io.", ((3, 18), (23, 29)))
    assert case.values == ("bob@example.com", "x@y.io")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("email: {found: [nothing]}", "nothing is marked"),
        ("email: {fund: []}", "unknown key 'fund'"),
        ("email: {found: ['⟦half']}", "without its partner"),
    ],
)
def test_a_file_that_is_wrong_is_not_taken(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "x.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        list(load(tmp_path))


def test_keys_in_the_cases_are_broken_so_that_no_scanner_takes_them_for_real() -> None:
    for name in ("forges", "models", "payments", "messengers", "platforms"):
        text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
        for known in DETECTORS:
            if known.kind == "secret" and not known.needs_context and name == _file_of(known.name):
                assert not [
                    case for case in CASES if case.detector == known.name and any(map(text.__contains__, case.values))
                ]


def _file_of(name: str) -> str:
    return next(path.stem for path in FOLDER.glob("*.yaml") if f"\n{name}:" in "\n" + path.read_text(encoding="utf-8"))
