"""The registry, and detectors that a policy adds."""

from __future__ import annotations

import pytest

from penstock.detect.detector import DETECTORS, PatternError, custom, detector
from penstock.masking.mask import Mask, MaskRule


def masked(text: str, **options: object) -> str:
    return Mask([MaskRule("r", custom("badge", **options))]).whole(text).text  # type: ignore[arg-type]


def test_a_detector_is_known_by_its_name() -> None:
    assert [detector(known.name) for known in DETECTORS] == list(DETECTORS)


def test_an_unknown_name_is_told_with_what_was_meant() -> None:
    with pytest.raises(PatternError, match=r"unknown detector 'e-mail' \(did you mean 'email'\?\)"):
        detector("e-mail")
    with pytest.raises(PatternError, match="there are email, phone"):
        detector("zzz")


def test_a_detector_of_a_policy_masks_what_it_finds() -> None:
    assert masked("E123456 and e123456", pattern=r"\bE\d{6}\b") == "[BADGE] and e123456"
    assert masked("E123456 and e123456", pattern=r"\bE\d{6}\b", flags="i") == "[BADGE] and [BADGE]"
    assert masked("E123456", pattern=r"\bE\d{6}\b", label="EMPLOYEE") == "[EMPLOYEE]"


def test_context_words_must_stand_before() -> None:
    assert masked("employee 123456", pattern=r"\b\d{6}\b", context=["employee", "staff"]) == "employee [BADGE]"
    assert masked("staffNumber: 123456", pattern=r"\b\d{6}\b", context=["employee", "staff"]) == "staffNumber: [BADGE]"
    assert masked("order 123456", pattern=r"\b\d{6}\b", context=["employee", "staff"]) == "order 123456"
    assert masked("123456 employee", pattern=r"\b\d{6}\b", context=["employee", "staff"]) == "123456 employee"
    assert masked("overstaffed 123456", pattern=r"\b\d{6}\b", context=["staff"]) == "overstaffed 123456"
    assert masked("staff" + " " * 80 + "123456", pattern=r"\b\d{6}\b", context=["staff"]).endswith("123456")


def test_a_check_decides() -> None:
    assert masked("79927398713 79927398710", pattern=r"\b\d{11}\b", check="luhn") == "[BADGE] 79927398710"


@pytest.mark.parametrize(
    ("pattern", "head", "until"),
    [
        ("tok_[a-z]+", "tok\\x5f[a-z]{1}", "(?![a-z])"),
        ("tok_[a-z]{8,}", "tok\\x5f[a-z]{8}", "(?![a-z])"),
        ("tok_(?:x|y[0-9]*)", None, None),
        ("(tok_[a-z]++)", "(tok\\x5f[a-z]{1})", "(?![a-z])"),
        (r"\btok_\w+\b", r"\btok\x5f\w{1}", r"(?!\w)"),
        ("(?i)tok_[a-z]+", "(?i:tok\\x5f[a-z]{1})", "(?!(?i:[a-z]))"),
        ("(?i:tok_(?s:.+))", "(?i:tok\\x5f(?s:.{1}))", "(?!(?i:(?s:.)))"),
        ("tok_[a-z]+?", None, None),
        ("tok_[a-z]+x", None, None),
        ("(?>tok_[a-z]+)", None, None),
        ("", None, None),
    ],
)
def test_a_pattern_without_an_end_is_swallowed(pattern: str, head: str | None, until: str | None) -> None:
    if head is None:
        with pytest.raises(PatternError):
            custom("t", pattern)
        return
    made = custom("t", pattern)
    assert (made.pattern, made.until) == (head, until)


def test_what_is_swallowed_is_what_the_pattern_means() -> None:
    text = "a tok_abc, TOK_DEF9 tok_ " + "tok_" + "z" * 10_000 + "!"
    assert masked(text, pattern="(?i)tok_[a-z]+") == "a [BADGE], [BADGE]9 tok_ [BADGE]!"


def test_for_whole_texts_a_pattern_stays_as_it_is() -> None:
    made = custom("t", "tok_[a-z]+", streamable=False)
    assert (made.pattern, made.until, made.streamable) == ("tok\\x5f[a-z]+", "", False)


def test_a_pattern_without_an_end_cannot_have_a_check() -> None:
    with pytest.raises(PatternError, match="no upper bound"):
        custom("t", r"\d{8,}", check="luhn")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"check": "lunh"}, r"unknown check 'lunh' \(did you mean 'luhn'\?\)"),
        ({"flags": "g"}, "unknown flag 'g'"),
        ({"context": ["a", ""]}, "context is empty"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object], told: str) -> None:
    with pytest.raises(PatternError, match=told):
        masked("", pattern="abc", **options)
