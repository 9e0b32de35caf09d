"""The view: character by character, so that a text cut anywhere reads the same."""

from __future__ import annotations

import sys

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from penstock.detect.view import IGNORABLE, fold, view

ANY = st.text(
    st.one_of(st.characters(codec=None), st.sampled_from("a1\u200b\u00ad\ufb01\u00bd\ufdfa４\u0301🙂")), max_size=30
)


@pytest.mark.parametrize(
    ("disguised", "plain"),
    [
        ("b\u200bo\u00adb\u2060@x", "bob@x"),
        ("\u202ebob\u202c", "bob"),
        ("b\ufe0fo\U000e0100b\U000e0041", "bob"),
        ("ｂｏｂ＠ｅｘａｍｐｌｅ．ｃｏｍ", "bob@example.com"),
        ("𝐛𝐨𝐛", "bob"),
        ("ⓑⓞⓑ", "bob"),
        ("ﬁle", "file"),
        ("４１１１", "4111"),
        ("٤١١١", "4111"),
        ("४१११", "4111"),
        ("4111\u00a01111\u20031111\u3000", "4111 1111 1111 "),
        ("123‐45–6789", "123-45-6789"),
        ("123−45—6789", "123-45-6789"),
        ("bob@example。com", "bob@example.com"),
        ("é\u0301日本", "é\u0301日本"),
    ],
)
def test_disguises_fall_away(disguised: str, plain: str) -> None:
    assert fold(disguised) == plain


def test_ascii_is_its_own_view_and_costs_nothing() -> None:
    text = "".join(map(chr, range(128)))
    assert fold(text) is text
    assert view(text) == (text, None, None)


def test_what_vanishes_is_what_unicode_calls_ignorable() -> None:
    ignorable = regex.compile(r"\p{Default_Ignorable_Code_Point}")
    ours = {code for low, high in IGNORABLE for code in range(low, high + 1)}
    assert ours == {code for code in range(sys.maxunicode + 1) if ignorable.match(chr(code))} | {0xFFF9, 0xFFFA, 0xFFFB}


def test_a_view_is_its_own_view() -> None:
    codes = [*range(0x3400), *range(0xA000, 0xAC00), *range(0xF900, 0x10200), *range(0x1D000, 0x20000)]
    folded = fold("".join(map(chr, codes)))
    assert fold(folded) == folded


@given(ANY, st.integers(0, 30))
def test_a_text_cut_anywhere_reads_the_same(text: str, cut: int) -> None:
    assert fold(text[:cut]) + fold(text[cut:]) == fold(text)


@given(ANY)
def test_offsets_say_where_each_character_comes_from(text: str) -> None:
    seen = view(text)
    assert seen.text == fold(text)
    if seen.start is None or seen.end is None:
        assert len(seen.text) == len(text)
        return
    assert len(seen.start) == len(seen.end) == len(seen.text)
    for character, start, end in zip(seen.text, seen.start, seen.end, strict=True):
        assert end == start + 1
        assert character in fold(text[start:end])


def test_a_lone_surrogate_is_itself() -> None:
    assert view("a\ud800\udc00b").text == "a\ud800\udc00b"
