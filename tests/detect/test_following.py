"""What is said of a value right after it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.detect.admission import admit
from penstock.detect.detector import DETECTORS, detector
from penstock.detect.following import following
from penstock.masking.evidence import evidence
from penstock.masking.mask import Mask, MaskRule
from tests.detect.patterns import tried
from tests.masking.chunks import CUTS, differs

NAMES = ["nl_bsn", "uk_nhs", "us_aba", "phone", "date_of_birth", "pt_nif", "us_bank_account"]
MASK = Mask([MaskRule(name, detector(name)) for name in NAMES])


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("925494562 is mijn BSN.", "[NL_BSN] is mijn BSN."),
        ("925494562 (BSN)", "[NL_BSN] (BSN)"),
        ("990 607 9126 is the NHS number", "[UK_NHS] is the NHS number"),
        ("Use 322271627 as the routing number", "Use [US_ABA] as the routing number"),
        ("try 0612345678 (mobile)", "try [PHONE] (mobile)"),
        ("109955978 \u00e9 o meu NIF", "[PT_NIF] \u00e9 o meu NIF"),
        ("'12345678' is my account number", "'[US_BANK_ACCOUNT]' is my account number"),
    ],
)
def test_a_value_is_found_before_the_word_that_says_what_it_is(text: str, masked: str) -> None:
    assert MASK.whole(text).text == masked
    assert len(MASK.whole(text).findings) == 1
    assert not differs(MASK, text, [1])


@pytest.mark.parametrize(
    "text",
    [
        "925494562, BSN: see below",
        "925494562 is BSN: 12",
        "925494562 (BSN 12)",
        "925494562 is one of the many numbers in our BSN",
        "925494562 BSN",
        "925494562 is nobsn",
        "925494561 is mijn BSN",
    ],
)
def test_what_belongs_to_something_else_says_nothing_of_a_value(text: str) -> None:
    assert MASK.whole(text).text == text


def test_what_is_said_before_and_after_is_found_once() -> None:
    assert [each.detector for each in MASK.whole("BSN 925494562 (BSN)").findings] == ["nl_bsn"]


@given(
    st.lists(
        st.sampled_from(["925494562", "0612345678", "12345678", "3 May 1990", " is ", " (", "my ", "BSN", "account", ")", ": ", "mobile",
                         "born", "\n", "date of birth", " and ", "'"]),
        max_size=12,
    ),
    CUTS,
)  # fmt: skip
@tried(150)
def test_it_is_as_exact_in_streams(parts: list[str], cuts: list[int]) -> None:
    assert not differs(MASK, "".join(parts), cuts)
    assert not differs(MASK, "".join(parts), cuts, "json")


def test_the_other_halves_are_admitted() -> None:
    told = [known for known in DETECTORS if known.after]
    assert len(told) > 25 and not any(known.kind == "secret" for known in told)
    for name in ("nl_bsn", "phone"):
        half = detector(name).told_after
        assert half is not None and not half.context
        admit(half.pattern, streamed=True)
    assert detector("email").told_after is None


def test_words_that_end_in_no_letter_say_nothing_after_a_value() -> None:
    assert following(["tel:", "#"]) == ""
    assert "tel" in following(["tel:", "tel"])


def test_the_evidence_tells_the_word() -> None:
    text = "925494562 is mijn BSN."
    assert "before “is mijn BSN”" in evidence(detector("nl_bsn"), text, 0, 9).why
