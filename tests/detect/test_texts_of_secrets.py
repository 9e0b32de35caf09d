"""Every detector of secrets on texts as they occur (`texts/*.yaml`): files, logs, shells, programs, letters, chats."""

from __future__ import annotations

import pytest

from penstock.detect.detector import DETECTORS
from scripts.appraisal.__main__ import aim
from scripts.appraisal.cases import FOLDER, load
from scripts.appraisal.score import appraise

TEXTS = FOLDER.parent / "texts"
FILES = ("access", "platforms", "forges", "models", "payments", "messengers")
CASES = tuple(case for file in FILES for case in load(TEXTS / f"{file}.yaml"))
NAMES = [known.name for known in DETECTORS if known.kind == "secret"]
LARGE = {
    "jwt", "private_key", "connection_string", "url_credentials", "password", "secret_assignment", "aws_key",
    "github_token", "gitlab_token", "openai_key", "anthropic_key", "google_key", "slack_token", "stripe_key",
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_secret_is_found_where_it_occurs_and_what_looks_like_it_is_left_alone(name: str) -> None:
    score = appraise(case for case in CASES if case.detector == name)[name]
    assert score.f1 >= aim(name), score.slips


def test_they_are_all_but_perfect_together() -> None:
    """What is missed stands before the only word that says whose it is, and the stream is past it by then."""
    scores = appraise(CASES).values()
    found = sum(score.found for score in scores)
    assert sum(score.missed for score in scores) <= found * 0.01
    assert sum(score.false for score in scores) <= found * 0.002


@pytest.mark.parametrize("name", NAMES)
def test_there_are_many_texts_of_both_kinds(name: str) -> None:
    found = [case.text for case in CASES if case.detector == name and case.spans]
    left = [case.text for case in CASES if case.detector == name and not case.spans]
    assert len(set(found)) == len(found) >= (26 if name in LARGE else 8)
    assert len(set(left)) == len(left) >= (20 if name in LARGE else 6)


def test_no_text_is_about_another_detector() -> None:
    assert {case.detector for case in CASES} == set(NAMES)


def test_keys_in_the_texts_are_broken_so_that_no_scanner_takes_them_for_real() -> None:
    written = "".join((TEXTS / f"{file}.yaml").read_text(encoding="utf-8") for file in FILES)
    own = {known.name for known in DETECTORS if known.kind == "secret" and not known.needs_context}
    own -= {"password", "secret_assignment", "authorization"}  # invented by people, not issued
    assert [value for case in CASES if case.detector in own for value in case.values if value in written] == []
