"""Columns: a word of context stands over the first value, and speaks for those below it too."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.detect.detector import custom, detector
from penstock.masking.mask import Mask, MaskRule
from tests.detect.patterns import tried
from tests.masking.chunks import CUTS, differs

BADGE = custom("badge", r"(?<![0-9])[0-9]{5}(?![0-9])", context=["badge"])
MASK = Mask([MaskRule("r", BADGE)])
LIST = Mask(
    [MaskRule(name, detector(name)) for name in ("us_bank_account", "us_passport", "phone", "uk_nhs", "nl_bsn")]
)


def test_every_row_of_a_column_is_found() -> None:
    rows = "".join(f"{number},Maria of the Mill,Upper Valley\n" for number in range(10001, 10040))
    assert MASK.whole(f"badge,name,town\n{rows}").text.count("[BADGE],") == 39


@pytest.mark.parametrize("between", ["\n", " | x | y |\n", " " * 64])
def test_a_value_speaks_for_the_next_one(between: str) -> None:
    assert MASK.whole(f"badge {10001}{between}10002").text == f"badge [BADGE]{between}[BADGE]"


@pytest.mark.parametrize("between", [" " * 65, "-" * 80])
def test_it_does_not_speak_for_one_that_is_further_away(between: str) -> None:
    text = f"badge 10001{between}10002"
    assert MASK.whole(text).text == f"badge [BADGE]{between}10002"
    assert not differs(MASK, text, [1])


def test_nothing_speaks_where_no_word_does() -> None:
    assert MASK.whole("10001\n10002\n10003").text == "10001\n10002\n10003"


@given(
    st.lists(
        st.sampled_from(["badge ", "10001", "10002", ", ", "\n", " and so on ", "x" * 30, "\\u0030"]), max_size=14
    ),
    CUTS,
)
@tried(150)
def test_columns_are_as_exact_in_streams(parts: list[str], cuts: list[int]) -> None:
    assert not differs(MASK, "".join(parts), cuts)
    assert not differs(MASK, "".join(parts), cuts, "json")


NUMBERS = [
    "account",
    "phone",
    "passport",
    "bsn ",
    "NHS",
    "44532013",
    "C01234567",
    "943 476 5919",
    "111222333",
    "020 7946 0958",
    "; ",
]


@given(st.lists(st.sampled_from(NUMBERS), max_size=14), CUTS)
@tried(60)
def test_columns_of_shipped_detectors_are_as_exact_in_streams(parts: list[str], cuts: list[int]) -> None:
    assert not differs(LIST, " ".join(parts), cuts)
