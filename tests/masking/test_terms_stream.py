"""Lists of terms in masks: streams give what the whole text gives, and hold back only what may become a term."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.detect.detector import detector
from penstock.detect.spelling import spelt
from penstock.detect.terms import GAP, Terms
from penstock.detect.value import Detector
from penstock.masking.mask import Mask, MaskRule
from tests.detect.test_terms import PARTS, WORDS, lists
from tests.masking.chunks import CUTS, chunks, differs, streamed

CASES = 150 * int(os.environ.get("FUZZ", "1"))
TEXTS = st.lists(st.one_of(WORDS, st.sampled_from([*PARTS, " ", "\ud800", "\\n"])), max_size=16).map("".join)


def named(*texts: str, name: str = "name", context: tuple[str, ...] = (), **options: Any) -> Detector:
    terms = Terms([spelt(text, ignore_case=True) for text in texts], **options)
    return Detector(name, name.upper(), terms.pattern, terms=terms, context=context)


def held(mask: Mask, text: str) -> str:
    """What a stream has not released of a text that may go on."""
    stream = mask.stream()
    out = "".join(map(stream.feed, text))
    return text[len(out) :]


@given(lists(), TEXTS, CUTS)
@settings(max_examples=CASES, deadline=None)
def test_a_list_masks_a_stream_as_it_masks_the_whole(
    made: tuple[list[str], dict[str, bool]], text: str, cuts: list[int]
) -> None:
    terms = Terms(made[0], **made[1])
    mask = Mask([MaskRule("r", Detector("t", "T", terms.pattern, terms=terms))])
    assert not differs(mask, text, cuts)
    assert not differs(mask, text, cuts, "json")


LISTED = named("ann", "ann lee", "lee park", "c++", ".net", "東京")
TALK = [
    "ann",
    "Lee ",
    "ANN  ",
    "park",
    "bob@example.com",
    " ",
    "\n",
    "an",
    "C+",
    "+",
    ".",
    "net",
    "東",
    "京都",
    "\\u0061nn",
    "-",
]
BESIDE = Mask(
    [
        MaskRule("r", LISTED),
        MaskRule("m", detector("email")),
        MaskRule("t", named("bob", "ann", "example", whole_words=False), "flag"),
        MaskRule("c", named("park", name="place", context=("at",))),
        MaskRule("own", named("lee", name="own"), replace=lambda value: f"<{len(value)}>"),
    ]
)


@given(st.lists(st.sampled_from([*TALK, "at the "]), max_size=14).map("".join), CUTS)
@settings(max_examples=CASES, deadline=None)
def test_lists_and_patterns_go_together(text: str, cuts: list[int]) -> None:
    assert not differs(BESIDE, text, cuts)


@pytest.mark.parametrize("action", ["mask", "stop", "flag"])
def test_every_action_is_taken_on_terms(action: Any) -> None:
    mask = Mask([MaskRule("r", LISTED, action)])
    text = "so Ann\tLee Park, c++"
    whole = mask.whole(text)
    assert whole.text == {"mask": "so [NAME] Park, [NAME]", "stop": "so ", "flag": text}[action]
    assert not differs(mask, text, [1])


def test_only_what_may_become_a_term_is_held() -> None:
    mask = Mask([MaskRule("r", LISTED)])
    assert held(mask, "the banner an") == "an"
    assert held(mask, "the banner an8") == ""  # `anx` could begin a word of base64
    assert held(mask, "hello joan") == ""
    assert held(mask, "ann") == "ann"
    assert held(mask, "Lee, par") == ""
    assert held(mask, "lee par") == "lee par"
    assert held(mask, "lee" + " " * GAP) == "lee" + " " * GAP
    assert held(mask, "lee" + " " * (GAP + 1)) == ""
    assert held(mask, "some prose goes by ") == ""


def test_an_endless_gap_is_not_held() -> None:
    mask = Mask([MaskRule("r", LISTED)])
    text = "lee" + "\n" * 50_000 + "park"
    stream = mask.stream()
    longest = released = 0
    for count, piece in enumerate(chunks(text, [7]), 1):
        released += len(stream.feed(piece))
        longest = max(longest, min(7 * count, len(text)) - released)
    assert longest <= GAP + 10
    assert streamed(mask, chunks(text, [7]))[0].text == text


def test_terms_in_escapes_of_a_text_are_found() -> None:
    mask = Mask([MaskRule("r", LISTED)])
    assert mask.whole_json('{"to": "\\u0061nn\\nlee"}').text == '{"to": "[NAME]"}'
    assert mask.whole("say \\u0061nn").text == "say [NAME]"


def test_a_word_of_context_may_be_asked_for() -> None:
    mask = Mask([MaskRule("r", named("falcon", context=("project",)))])
    assert mask.whole("falcon; project Falcon").text == "falcon; project [NAME]"
    assert not differs(mask, "falcon; project Falcon", [1])
