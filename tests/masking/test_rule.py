"""A rule: what is real, by its check and by the words before it."""

from __future__ import annotations

import pytest

from penstock.detect.detector import Detector
from penstock.masking.finding import MaskRule
from penstock.masking.rule import REACH, Judge, Rule
from penstock.masking.ruleset import RuleSet


def judge(**options: object) -> Judge:
    return Judge(Detector("d", "D", "x", **options))  # type: ignore[arg-type]


def test_without_conditions_everything_is_real() -> None:
    assert judge().trivial
    assert judge().accept("abc", "") == 3


def test_a_check_says_yes_or_no() -> None:
    even = judge(check=lambda value: int(value) % 2 == 0)
    assert not even.trivial
    assert (even.accept("12", ""), even.accept("13", "")) == (2, 0)


def test_a_measure_says_how_much() -> None:
    assert judge(measure=lambda value: value.find(" ")).accept("12 34", "") == 2


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("phone ", True),
        ("Phones: ", True),
        ("PHONE_NUMBER=", True),
        ('"phoneNumber": "', True),
        ('"mobilePhone": "', True),
        ("my phone is now ", True),
        ("ｐｈｏｎｅ ", False),
        ("saxophone ", False),
        ("phonetic ", False),
        ("PHONETIC ", False),
        ("", False),
    ],
)
def test_context_is_a_word_before(before: str, expected: bool) -> None:
    assert (judge(context=("phone",)).accept("123", before) == 3) is expected


def test_context_words_are_folded_as_texts_are() -> None:
    assert judge(context=("ｐｈｏｎｅ", "téléphone")).accept("123", "phone ") == 3
    assert judge(context=("téléphone",)).accept("123", "Téléphone: ") == 3


def test_some_values_need_no_context() -> None:
    both = judge(context=("phone",), alone=r"\+\d+", check=lambda value: "9" not in value)
    assert [both.accept(value, "") for value in ("+123", "123", "+129")] == [4, 0, 0]
    assert [both.accept(value, "phone") for value in ("+123", "123", "129")] == [4, 3, 0]
    short = judge(context=("phone",), alone=r"\+\d+", measure=lambda value: 3)
    assert (short.accept("+12 3", ""), short.accept("12 34", "")) == (3, 0)


def test_a_check_has_loaded_its_tables_before_the_first_text() -> None:
    asked: list[str] = []

    def check(value: str) -> bool:
        asked.append(value)
        return True

    Rule(MaskRule("r", Detector("d", "D", "x", check=check)), 0)
    assert len(asked) == 1


def test_a_rule_keeps_as_much_of_the_text_before_as_it_looks_at() -> None:
    rules = [
        Detector("a", "A", "(?<=a.{70})b"),
        Detector("b", "B", "c", context=("w",)),
        Detector("c", "C", "d", until="(?<=e{90})f"),
    ]
    assert [Rule(MaskRule("r", each), 0).behind for each in rules] == [71, REACH, 90]
    assert RuleSet([MaskRule("r", each) for each in rules]).behind == 90


def test_a_stop_swallows_nothing() -> None:
    swallowing = Detector("a", "A", "a", until="b")
    assert Rule(MaskRule("r", swallowing, "stop"), 0).until is None
    assert Rule(MaskRule("r", swallowing, "flag"), 0).until is not None


def test_rules_are_chosen_by_their_bits_in_order() -> None:
    rules = RuleSet([MaskRule(name, Detector(name, name, name)) for name in "abc"])
    assert [rule.id for rule in rules.chosen(0b101)] == ["a", "c"]
    assert rules.chosen(0b101) is rules.chosen(0b101)
    assert rules.possible("xbx") == 0b010
    assert [rules.watch.meaning(character)[0] for character in "中b"] == [0, 0b010]
