"""A hundred thousand streams, new ones each night: each is masked as the text that it adds up to."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from penstock.detect.admission import refuse_unstreamable
from penstock.detect.detector import DETECTORS, Detector, detector
from penstock.detect.shape import shape
from penstock.detect.syntax import parse
from penstock.detect.terms import Terms
from penstock.masking.mask import Form, Mask, MaskRule
from tests.detect.patterns import STREAMED, WILD
from tests.detect.patterns import TEXTS as SMALL
from tests.detect.test_terms import lists
from tests.masking.chunks import CUTS, differs
from tests.masking.chunks import TEXTS as MIXED
from tests.masking.test_shipped import texts
from tests.masking.test_terms_stream import TEXTS as NAMES

pytestmark = pytest.mark.nightly

FORMS: st.SearchStrategy[Form] = st.sampled_from(("text", "text", "json"))


@pytest.mark.parametrize("name", [known.name for known in DETECTORS])
@given(data=st.data(), cuts=CUTS, form=FORMS)
@settings(max_examples=350)
def test_a_detector(name: str, data: st.DataObject, cuts: list[int], form: Form) -> None:
    text = data.draw(st.one_of(texts(name), texts(name), MIXED))
    assert not differs(Mask([MaskRule("r", detector(name))]), text, cuts, form)


@pytest.mark.parametrize("part", range(5))
@given(data=st.data(), cuts=CUTS, form=FORMS)
@settings(max_examples=1000)
def test_some_detectors_at_once(part: int, data: st.DataObject, cuts: list[int], form: Form) -> None:
    known = DETECTORS[part::5]
    chosen = data.draw(st.lists(st.sampled_from(known), min_size=2, max_size=6, unique_by=lambda each: each.name))
    text = "".join(data.draw(texts(each.name)) for each in chosen[:3])
    least = data.draw(st.sampled_from((0.0, 0.0, 0.9)))
    mask = Mask([MaskRule(each.name, each, min_confidence=least) for each in chosen])
    assert not differs(mask, text, cuts, form)


@pytest.mark.parametrize("count", [1, 2, 3])
@given(data=st.data(), text=st.one_of(SMALL, SMALL, WILD), cuts=CUTS, form=FORMS)
@settings(max_examples=9_000)
def test_patterns_of_the_admitted_kind(count: int, data: st.DataObject, text: str, cuts: list[int], form: Form) -> None:
    patterns = [data.draw(STREAMED) for _ in range(count)]
    for pattern in patterns:
        assume(shape(parse(pattern)).low > 0)
        refuse_unstreamable(parse(pattern))
    mask = Mask([MaskRule(str(index), Detector("d", f"D{index}", pattern)) for index, pattern in enumerate(patterns)])
    assert not differs(mask, text, cuts, form)


@given(made=lists(), text=NAMES, cuts=CUTS, form=FORMS)
@settings(max_examples=5_000)
def test_lists_of_terms(made: tuple[list[str], dict[str, bool]], text: str, cuts: list[int], form: Form) -> None:
    terms = Terms(made[0], **made[1])
    mask = Mask([MaskRule("r", Detector("t", "T", terms.pattern, terms=terms))])
    assert not differs(mask, text, cuts, form)
