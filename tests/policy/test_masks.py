"""Masking rules, and what stands in place of a value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.detect.detector import DETECTORS
from penstock.policy.masks import Hash, Label, MaskingRule, Partial, Redact, partial, replacer
from penstock.policy.settings import Secret

from .conftest import Load, Problems

EMAIL = next(known for known in DETECTORS if known.name == "email")
KEY = "0123456789abcdef"


def rule(loaded: Load, text: str) -> MaskingRule:
    return loaded(f"masking: [{{id: m, on: [completion], detect: [email], {text}}}]", environ={"KEY": KEY}).masking[0]


def test_styles_are_read(loaded: Load) -> None:
    assert rule(loaded, "with: label").style == Label()
    assert rule(loaded, "with: redact").style == Redact()
    assert rule(loaded, "with: {partial: {keep_last: 4}}").style == Partial(0, 4)
    assert rule(loaded, "with: {hash: {key: '${env:KEY}'}}").style == Hash(Secret(KEY))
    assert rule(loaded, "when: {groups: [a]}").style == Label()


def test_each_detector_of_a_rule_becomes_a_mask_rule(loaded: Load) -> None:
    policy = loaded("masking: [{id: m, on: [completion, prompt], detect: [email, iban], with: redact}]")
    rules = policy.masking[0].rules()
    assert [(each.id, each.detector.name, each.action) for each in rules] == [
        ("m", "email", "mask"),
        ("m", "iban", "mask"),
    ]
    assert policy.masking[0].matched().record() == {
        "rule": "m",
        "kind": "masking",
        "where": "b.yaml:1",
        "action": "mask",
        "mode": "enforce",
    }


def test_values_are_replaced_as_the_style_says() -> None:
    assert replacer(Label(), EMAIL) is None
    redact = replacer(Redact(), EMAIL)
    assert redact is not None
    assert redact("bob@x.org") == "[REDACTED]"
    stars = replacer(Partial(1, 4), EMAIL)
    assert stars is not None
    assert stars("4111111111111111") == "4***********1111"


def test_a_hash_is_keyed_and_the_same_for_the_same_value() -> None:
    one, other = replacer(Hash(Secret(KEY)), EMAIL), replacer(Hash(Secret(KEY[::-1])), EMAIL)
    assert one is not None
    assert other is not None
    assert one("bob@x.org") == one("bob@x.org")
    assert one("bob@x.org").startswith("[EMAIL:")
    assert len(one("bob@x.org")) == len("[EMAIL:123456789012]")
    assert one("bob@x.org") != one("rob@x.org")
    assert one("bob@x.org") != other("bob@x.org")
    assert one("\ud800")


@given(st.text(max_size=30), st.integers(0, 16), st.integers(0, 16))
def test_at_most_half_of_a_value_stays_readable(value: str, first: int, last: int) -> None:
    masked = partial(value, first, last)
    assert len(masked) == len(value)
    kept = sum(1 for old, new in zip(value, masked, strict=True) if old == new and old != "*")
    assert kept <= len(value) // 2


OWN = "detectors: [{name: employee, pattern: 'E[0-9]{6}'%s}]\nmasking: [{id: m, on: [%s], detect: [employee]}]"


def test_a_detector_of_the_policy_masks_like_a_built_in_one(loaded: Load) -> None:
    policy = loaded(OWN % (", label: STAFF, context: [employee]", "completion"))
    (each,) = policy.masking[0].rules()
    assert (each.detector.name, each.detector.label) == ("employee", "STAFF")


def test_a_detector_may_stand_in_a_later_file_than_its_rule(loaded: Load) -> None:
    policy = loaded(
        "masking: [{id: m, on: [completion], detect: [employee]}]",
        "detectors: [{name: employee, pattern: 'E[0-9]{6}'}]",
    )
    assert policy.masking[0].detect[0].name == "employee"


ENDLESS = "detectors: [{name: x, pattern: 'a[0-9]*b'}]\n"


def test_a_detector_that_cannot_mask_a_stream_is_good_for_what_is_whole(loaded: Load, problems: Problems) -> None:
    policy = loaded(ENDLESS + "masking: [{id: m, on: [prompt, record], detect: [x]}]")
    assert not policy.masking[0].detect[0].streamable
    (found,) = problems(ENDLESS + "masking: [{id: m, on: [completion], detect: [x]}]")
    assert found.startswith("2:45: detector 'x' cannot mask replies: ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("masking: [{id: m, on: [completion]}]", "says not what: add detect: or fields:"),
        ("masking: [{id: m, on: [completion], fields: [a]}]", "'a' is no pointer to a field: a pointer starts with"),
        ("masking: [{id: m, on: [prompt], fields: [/a], with: {token: {}}}]", "a field cannot become a token"),
        ("masking: [{id: m, on: [completion], detect: []}]", "the list is empty"),
        ("masking: [{id: m, on: [completions], detect: [email]}]", "did you mean 'completion'?"),
        ("masking: [{id: m, on: [completion], detect: [e-mail]}]", "unknown detector 'e-mail' (did you mean 'email'?)"),
        (
            "masking: [{id: m, on: [completion], detect: [email], with: lable}]",
            "unknown style 'lable' (did you mean 'label'?)",
        ),
        (
            "masking: [{id: m, on: [completion], detect: [email], with: {}}]",
            "expected exactly one of partial, hash, token",
        ),
        (
            "masking: [{id: m, on: [completion], detect: [email], with: {partial: {}, hash: {key: 0123456789abcdef}}}]",
            "expected exactly one of partial, hash, token",
        ),
        (
            "masking: [{id: m, on: [completion], detect: [email], with: {token: {}}}]",
            "replies give these back: use on: [prompt]",
        ),
        (
            "masking: [{id: m, on: [completion], detect: [email], with: {hash: {key: short}}}]",
            "fewer than 16 characters",
        ),
        ("masking: [{id: m, on: [completion], detect: [email], with: {partial: {keep: 4}}}]", "unknown key 'keep'"),
        ("masking: [{id: m, on: [completion], detect: [email], mode: observe}]", "unknown key 'mode'"),
        ("detectors: [{name: email, pattern: 'x'}]", "the detector 'email' is built in: choose another name"),
        ("detectors: [{name: x, pattern: 'a*'}]", "empty text"),
        ("detectors: [{name: x, pattern: '('}]", "bad pattern"),
        ("detectors: [{name: x, pattern: 'x', check: crc}]", "unknown check 'crc'"),
        ("detectors: [{name: x, pattern: 'x', label: 'a b'}]", "expected a label"),
        ("detectors: [{name: x, pattern: 'x'}, {name: x, pattern: 'y'}]", "detector 'x' is here a second time"),
        ("detectors: [{name: x, pattern: 'x', contxt: [a]}]", "did you mean 'context'?"),
    ],
)
def test_masking_that_makes_no_sense_is_a_problem(problems: Problems, text: str, expected: str) -> None:
    assert expected in "\n".join(problems(text))


def test_a_detector_with_a_problem_does_not_bring_a_second_one(problems: Problems) -> None:
    text = "detectors: [{name: x, pattern: 'a*'}]\nmasking: [{id: m, on: [completion], detect: [x]}]"
    (found,) = problems(text)
    assert found.startswith("1:32: ")
