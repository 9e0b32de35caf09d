"""Every shipped detector in streams: for every chunking, what comes out is the mask of the whole text."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.detect.detector import DETECTORS, Detector, custom, detector
from penstock.masking.evidence import evidence
from penstock.masking.mask import Mask, MaskRule
from penstock.masking.release import Release
from penstock.masking.rule import Judge
from penstock.masking.ruleset import RuleSet
from penstock.masking.stream import Scan
from scripts.appraisal.cases import load
from tests.detect.patterns import tried
from tests.masking.chunks import CUTS, differs, streamed

CASES: dict[str, list[str]] = defaultdict(list)
for case in load():
    CASES[case.detector].append(case.text)
ANY = [text for texts in CASES.values() for text in texts]
LINKS = st.sampled_from(("", " ", "\n", ", ", ". ", "x" * 70, "\\n", "\u200b", "\ud800", '"'))


def texts(name: str) -> st.SearchStrategy[str]:
    """Texts made of the cases of a detector and of others, whole and in parts."""
    piece = st.one_of(*[st.sampled_from(CASES[name])] * 3, st.sampled_from(ANY))
    part = st.builds(lambda text, a, b: text[min(a, b) : max(a, b)], piece, st.integers(0, 60), st.integers(0, 60))
    return st.lists(st.tuples(st.one_of(piece, piece, part), LINKS), max_size=4).map(
        lambda pieces: "".join(text + link for text, link in pieces)[:800]
    )


@pytest.mark.parametrize("name", [known.name for known in DETECTORS])
@given(data=st.data(), cuts=CUTS)
@tried(10)
def test_a_detector_masks_a_stream_as_the_text(name: str, data: st.DataObject, cuts: list[int]) -> None:
    text = data.draw(texts(name))
    assert not differs(Mask([MaskRule("r", detector(name))]), text, cuts)


@given(data=st.data(), cuts=CUTS, form=st.sampled_from(("text", "json")))
@tried(120)
def test_some_detectors_at_once_mask_a_stream_as_the_text(data: st.DataObject, cuts: list[int], form: str) -> None:
    chosen = data.draw(st.lists(st.sampled_from(DETECTORS), min_size=2, max_size=6, unique_by=lambda each: each.name))
    text = "".join(data.draw(texts(each.name)) for each in chosen[:3])
    least = data.draw(st.sampled_from((0.0, 0.0, 0.9)))
    mask = Mask([MaskRule(each.name, each, min_confidence=least) for each in chosen])
    assert not differs(mask, text, cuts, form)  # type: ignore[arg-type]


EVERY = Mask([MaskRule(each.name, each) for each in DETECTORS])
PROSE = "The river rises in the hills, turns south after the old bridge, and has carried boats since 1832. " * 3


def test_every_detector_together_lets_prose_pass_and_holds_little_of_it() -> None:
    stream = EVERY.stream()
    released = held = 0
    for at, character in enumerate(PROSE, 1):
        released += len(stream.feed(character))
        held += at - released
    assert released + len(stream.flush()) == len(PROSE)
    assert held / len(PROSE) <= 8
    assert EVERY.whole(PROSE).text is PROSE


@pytest.mark.parametrize("size", [1, 4, 300])
def test_a_word_of_context_speaks_for_a_value_from_as_far_as_it_does_in_the_whole_text(size: int) -> None:
    mask = Mask([MaskRule("r", detector("us_passport"))])
    for gap in range(40, 80):
        text = f"passport{'.' * gap} 123456789 and 123456789"
        whole = mask.whole(text)
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        assert streamed(mask, pieces)[0] == whole
        assert len(whole.findings) == 2 * (gap + 9 <= 64)  # the first speaks for the second


def test_a_rule_waits_for_no_value_that_nothing_speaks_for() -> None:
    passport = custom("passport", "(?<![0-9])[0-9]{9}(?![0-9])", context=["passport"])
    scan = Scan(RuleSet([MaskRule("r", passport)]), Release())
    text = "12345 passport 12345"
    assert scan.feed(text[:5], 0, 5) == 5
    assert scan.feed(text[5:], 5, 15) == text.rindex("12345")


def sure(**options: object) -> Detector:
    return Detector("d", "D", r"\d{3}", confidence=0.6, **options)  # type: ignore[arg-type]


def test_a_rule_may_ask_for_more_confidence() -> None:
    helped = sure(context=("code",), alone=r"\d+")
    assert [Judge(helped, least).accept("123", "") for least in (0, 0.6, 0.7, 0.9)] == [3, 3, 0, 0]
    assert [Judge(helped, least).accept("123", "code ") for least in (0, 0.6, 0.7, 0.9)] == [3, 3, 3, 0]
    needed = sure(context=("code",))
    assert [Judge(needed, least).accept("123", "code ") for least in (0.6, 0.7)] == [3, 0]
    assert [Judge(sure(), least).accept("123", "") for least in (0.6, 0.7)] == [3, 0]


def test_a_word_right_before_speaks_against_a_value_that_stands_alone() -> None:
    judge = Judge(sure(context=("code",), alone=r"\d+", against=("order",)))
    assert [
        judge.accept("123", before) for before in ("", "order ", "order of the 1st of many things, ", "code, order ")
    ] == [3, 0, 3, 3]
    assert Judge(sure(against=("order",))).accept("123", "order no. ") == 0


def test_evidence_says_what_speaks_for_a_value() -> None:
    ssn = evidence(detector("us_ssn"), "SSN: 123-45-6789", 5, 16)
    assert (ssn.confidence, ssn.why) == (0.925, "areas, groups and serials that are given out; after “SSN”")
    assert evidence(detector("email"), "bob@example.com", 0, 15).why == "its form"
    assert evidence(detector("us_passport"), "passport 123456789", 9, 18).confidence == 0.85
