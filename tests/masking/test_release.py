"""From findings to text: overlaps, replacements, order."""

from __future__ import annotations

import pytest

from penstock.detect.detector import Detector, custom, detector
from penstock.masking.mask import Finding, Mask, MaskRule
from tests.masking.chunks import differs


def rule(name: str, pattern: str, replace: str | None = None) -> MaskRule:
    put = None if replace is None else lambda value: replace.replace("*", value)
    return MaskRule(name, Detector(name, name.upper(), pattern), "mask", put)


def masked(text: str, *rules: MaskRule) -> str:
    mask = Mask(rules)
    for cuts in ([1], [2], [3], [50]):
        assert not differs(mask, text, cuts)
    return mask.whole(text).text


def test_values_that_overlap_are_one_stretch_told_by_the_one_that_starts_first() -> None:
    assert masked("abcdef", rule("a", "abc"), rule("b", "cde")) == "[A]f"
    assert masked("abcdef", rule("b", "cde"), rule("a", "abc")) == "[A]f"


def test_of_two_that_start_together_the_longer_one_tells() -> None:
    assert masked("abcdef", rule("a", "abc"), rule("b", "abcde")) == "[B]f"


def test_of_two_that_are_the_same_the_first_rule_tells() -> None:
    assert masked("abcdef", rule("a", "abc"), rule("b", "abc")) == "[A]def"
    assert masked("abcdef", rule("b", "abc"), rule("a", "abc")) == "[B]def"


def test_values_that_touch_are_two() -> None:
    assert masked("abcdef", rule("a", "abc"), rule("b", "def")) == "[A][B]"


def test_chains_of_overlaps_are_one_stretch() -> None:
    assert masked("abcdefgh", rule("a", "abc"), rule("b", "cde"), rule("c", "efg")) == "[A]h"


def test_a_value_within_another_is_covered() -> None:
    assert masked("<bob@example.com>!", rule("all", "<[^>]{1,40}>"), MaskRule("mail", detector("email"))) == "[ALL]!"


def test_a_rule_says_what_replaces_its_value() -> None:
    assert masked("abcdef", rule("a", "bcd", "(*)")) == "a(bcd)ef"
    assert masked("abcdef", rule("a", "bcd", "")) == "aef"


def test_a_replacement_gets_the_value_as_it_reads() -> None:
    assert masked("a b\u200bc\uff44 e", rule("a", "bcd", "(*)")) == "a (bcd) e"


def test_where_different_values_overlap_the_label_stands() -> None:
    assert masked("abcdef", rule("a", "abc", "(*)"), rule("b", "cde")) == "[A]f"
    assert masked("abcdef", rule("a", "abc", "(*)"), rule("b", "cde", "<*>")) == "[A]f"
    assert masked("abcdef", rule("a", "abcd", "(*)"), rule("b", "bc")) == "[A]ef"


def test_of_rules_for_the_same_value_the_strictest_tells() -> None:
    assert masked("abcdef", rule("a", "abc", "(*)"), rule("b", "abc", "<*>")) == "(abc)def"
    assert masked("abcdef", rule("a", "abc", "(*)"), rule("b", "abc")) == "[B]def"
    assert masked("abcdef", rule("a", "abc"), rule("b", "abc", "<*>")) == "[A]def"


def test_a_flag_in_a_value_does_not_change_how_it_is_replaced() -> None:
    flag = MaskRule("f", Detector("f", "F", "bc"), "flag")
    assert masked("abcdef", rule("a", "abcd", "(*)"), flag) == "(abcd)ef"


def test_a_swallowed_value_has_its_label_whatever_the_rule_says() -> None:
    secret = MaskRule("s", custom("tok", "tok_[a-z]+"), "mask", lambda value: value)
    assert masked("a tok_abcdef b", secret) == "a [TOK] b"
    assert masked("a tok_abcdef b", secret, rule("c", "cde")) == "a [TOK] b"


def test_what_starts_in_a_swallowed_value_and_goes_on_is_covered_too() -> None:
    secret = MaskRule("s", custom("tok", "tok_[a-z]+"))
    assert masked("a tok_abc@def gh", secret, rule("c", "c@d")) == "a [TOK]ef gh"
    assert masked("a tok_abc@def gh", rule("x", "a tok"), secret) == "[X]@def gh"


def test_two_swallowed_values_at_once_are_covered_to_the_end_of_both() -> None:
    first = MaskRule("s", Detector("s", "S", "<", until=">"))
    second = MaskRule("t", Detector("t", "T", "a", until="z"))
    assert masked("1<2a3>4z5", first, second) == "1[S]5"
    assert masked("1<2a3z4>5", first, second) == "1[S]5"
    assert masked("1<2a3", first, second) == "1[S]"
    assert masked("<a>z", first, second, rule("u", "z")) == "[S]"


def test_a_swallowed_flag_covers_nothing() -> None:
    flag = MaskRule("f", Detector("f", "F", "<", until=">"), "flag")
    text = "1 <2 bob@example.com 3> 4"
    assert masked(text, flag, MaskRule("m", detector("email"))) == "1 <2 [EMAIL] 3> 4"
    assert Mask([flag]).whole(text).findings == (Finding("f", "f", "flag", 2, 23),)


def test_a_stop_comes_before_what_starts_in_the_same_place() -> None:
    stop = MaskRule("no", Detector("n", "N", "abc"), "stop")
    assert masked("xabcdef", rule("a", "abcd"), stop) == "x"


def test_what_overlaps_a_stop_from_before_is_replaced() -> None:
    stop = MaskRule("no", Detector("n", "N", "cde"), "stop")
    assert masked("xabcdef", rule("a", "abcd"), stop) == "x[A]"
    assert masked("xabcdef", rule("a", "abcd", "(*)"), stop) == "x(abcd)"


def test_findings_are_told_with_their_places_in_the_original() -> None:
    text = "ﬁ \u200bbob@example.com\u200b."
    whole = Mask([MaskRule("r", detector("email"))]).whole(text)
    (finding,) = whole.findings
    assert text[finding.start : finding.end] == "bob@example.com"


@pytest.mark.parametrize("text", ["", "nothing here", "bob@"])
def test_a_text_with_nothing_in_it_is_itself(text: str) -> None:
    mask = Mask([MaskRule("r", detector("email"))])
    assert mask.whole(text).text is text
    assert mask.whole_json(text).text is text


def test_a_replacement_that_is_the_value_leaves_the_text_itself() -> None:
    mask = Mask([rule("a", "abc", "*")])
    text = "xabcx"
    assert mask.whole(text).text is text
    assert len(mask.whole(text).findings) == 1


def test_no_rules_mask_nothing() -> None:
    mask = Mask([])
    assert mask.whole("bob@example.com\\").text == "bob@example.com\\"
    assert not differs(mask, "bob@example.com", [1])
    assert not differs(mask, '{"a": "bob@example.com"}', [1], "json")
