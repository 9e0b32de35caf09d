"""Lists of terms: the same is found as by one large regular expression, and what is open is told exactly."""

from __future__ import annotations

import os
import sys

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.detect.spelling import ANY_CASE, ANY_CASE_EDGES, EXACT, apart, is_word, spelt
from penstock.detect.terms import GAP, MOST_TERMS, Terms, ready
from penstock.detect.view import fold

CASES = 200 * int(os.environ.get("FUZZ", "1"))
PARTS = [
    *("a", "b", "A", "ab", "é", "e\u0301", "東", "京", "한", "ー", "カ", "ß", "ẞ", "İ", "i", "1", "_"),
    *("'", "’", ".", "-", "\\", "\u200b", "K", " ", " ", "  ", "\n", " " * GAP, " " * (GAP + 1)),
]
WORDS = st.lists(st.sampled_from(PARTS), min_size=1, max_size=6).map("".join)
OPTIONS = st.fixed_dictionaries({"ignore_case": st.booleans(), "whole_words": st.booleans()})


@st.composite
def lists(draw: st.DrawFn) -> tuple[list[str], dict[str, bool]]:
    options = draw(OPTIONS)
    texts = draw(st.lists(WORDS, min_size=1, max_size=12))
    terms = {spelt(text, ignore_case=options["ignore_case"]): None for text in texts}
    terms.pop("", None)
    return list(terms) or ["a"], options


TEXTS = st.lists(st.sampled_from([*PARTS, " ", " "]), max_size=24).map("".join).map(fold)


def terms(*texts: str, ignore_case: bool = True, whole_words: bool = True) -> Terms:
    spelled = [spelt(text, ignore_case=ignore_case) for text in texts]
    return Terms(spelled, ignore_case=ignore_case, whole_words=whole_words)


def found(known: Terms, text: str) -> list[str]:
    spans, at = [], 0
    while (hit := known.search(text, at)) is not None:
        spans.append(text[hit.start() : hit.end()])
        at = hit.end()
    return spans


def by_regex(known: list[str], text: str, *, ignore_case: bool, whole_words: bool) -> list[str]:
    """The same, said as a regular expression."""

    def one(term: str) -> str:
        body = rf"(?:\s{{1,{GAP}}}+(?!\s))".join(map(regex.escape, term.split(" ")))
        edges = [f"[{''.join(filter(is_word, {*text}))}]" if any(map(is_word, text)) else "(?!)"] * 2
        before = rf"(?<!{edges[0]})" if whole_words and is_word(term[0]) else ""
        after = rf"(?!{edges[1]})" if whole_words and is_word(term[-1]) else ""
        return before + body + after

    text = text.translate(ANY_CASE if ignore_case else EXACT)
    spelled = sorted({*known, *map(apart, known)}, key=lambda term: (-len(term), term))
    return [match[0] for match in regex.finditer("|".join(map(one, spelled)), text)]


@given(lists(), TEXTS)
@settings(max_examples=CASES, deadline=None)
def test_a_list_finds_what_a_regular_expression_of_it_finds(made: tuple[list[str], dict[str, bool]], text: str) -> None:
    known, options = made
    list_ = Terms(known, **options)
    spelling = ANY_CASE if options["ignore_case"] else EXACT
    expected = by_regex(known, text, **options)
    assert [each.translate(spelling) for each in found(list_, text)] == expected
    assert not expected or regex.search(list_.pattern, text, regex.VERSION0)
    assert not expected or min(map(len, expected)) >= list_.least
    assert not expected or max(map(len, expected)) < list_.span


@given(lists(), TEXTS, TEXTS, st.integers(0, 40))
@settings(max_examples=CASES, deadline=None)
def test_what_starts_before_the_first_open_place_is_settled_whatever_follows(
    made: tuple[list[str], dict[str, bool]], text: str, more: str, at: int
) -> None:
    list_ = Terms(made[0], **made[1])
    at = min(at, len(text))
    pending = list_.pending(text, at)
    limit = len(text) if pending is None else pending.start()
    assert at <= limit
    now, later = list_.search(text, at), list_.search(text + more, at)
    settled = [hit.span() if hit is not None and hit.start() < limit else None for hit in (now, later)]
    assert settled[0] == settled[1]


@pytest.mark.parametrize(
    ("text", "open_from"),
    [
        ("the blue", 4),
        ("the blue  \n", 4),
        ("the blue h", 4),
        ("the blue x", None),
        ("the blue heron", 4),
        ("the blue heron ", None),
        ("the xb", None),
        ("the blue, h", None),
        ("the bl", 4),
        ("the heron", None),
        ("blue" + " " * GAP, 0),
        ("blue" + " " * (GAP + 1), None),
        ("C+", 0),
        ("C++", 0),
        ("C++ ", None),
        ("x.ne", 1),
    ],
)
def test_no_more_is_open_than_can_still_become_a_term(text: str, open_from: int | None) -> None:
    pending = terms("blue heron", "c++", "c++11", ".net").pending(text)
    assert (pending and pending.start()) == open_from


def test_a_term_that_nothing_can_take_away_is_not_open() -> None:
    assert terms("c++").pending("in c++") is None
    assert terms("heron", whole_words=False).pending("heron") is None
    assert terms("heron", "herons", whole_words=False).pending("heron") is not None


@pytest.mark.parametrize(
    ("listed", "text", "expected"),
    [
        (["john", "john smith"], "John Smithson, john  SMITH", ["John", "john  SMITH"]),
        (["new york", "new york city"], "New York\nCity", ["New York\nCity"]),
        (["o'brien"], "Ms O’Brien's", ["O’Brien"]),
        (["josé"], "Jose\u0301 and José, not Jose", ["Jose\u0301", "José"]),
        (["jose"], "Jose\u0301", []),
        (["istanbul"], "İSTANBUL", ["İSTANBUL"]),
        (["straße"], "STRAẞE", ["STRAẞE"]),
        (["東京"], "私は東京に", ["東京"]),
        (["foo中"], "xfoo中 foo中x", ["foo中"]),
        ([".net", "c++"], "asp.NET and C++", [".NET", "C++"]),
        ([".net"], "a .network", []),
        (["ann"], "ann_b Ann-Marie joann", ["Ann"]),
        (["a" * 200], "a" * 200, ["a" * 200]),
    ],
)
def test_what_a_list_finds(listed: list[str], text: str, expected: list[str]) -> None:
    assert found(terms(*listed), text) == expected


def test_case_and_edges_of_words_can_count_or_not() -> None:
    assert found(terms("Ann", ignore_case=False), "ann ANN Ann") == ["Ann"]
    assert found(terms("ann", whole_words=False), "joANNe") == ["ANN"]
    assert found(terms("ann", "anna", "joanna", whole_words=False), "joannx joanna") == ["ann", "joanna"]
    assert found(terms("İx", ignore_case=False), "ix İx") == ["İx"]


def test_a_place_in_the_middle_of_a_word_begins_nothing() -> None:
    assert terms("ann").search("joann ann", 2).span() == (6, 9)  # type: ignore[union-attr]
    assert terms("ann").pending("joann", 2) is None


def test_half_a_surrogate_pair_is_no_harm() -> None:
    assert found(terms("ann", ".x"), "\ud800ann \udc00 .x\ud83d") == ["ann", ".x"]
    assert terms("ann", ".x").pending("\ud800an") is not None


def test_a_far_term_is_found_in_a_long_text() -> None:
    for whole_words in (True, False):
        known = terms("needle", "pin cushion", ".pin", whole_words=whole_words)
        text = "hay " * 30_000
        assert found(known, f"{text}needle {text}pin cushion .pin") == ["needle", "pin cushion", ".pin"]


def test_every_character_is_one_character_and_words_stay_words() -> None:
    for code in [*range(0x3000), *range(0xA000, 0xD800), *range(0xF900, 0x20000, 3)]:
        character = chr(code)
        for spelling in (ANY_CASE, EXACT):
            assert len(spelling[code]) == 1
            assert spelling[ord(spelling[code])] == spelling[code]
            assert is_word(spelling[code]) == is_word(character), hex(code)
    assert ANY_CASE_EDGES[ord("-")] == " " == ANY_CASE_EDGES[0xD800]


def test_characters_beyond_the_common_ones_are_not_remembered() -> None:
    assert spelt("\U00020000x", ignore_case=True) == "\U00020000x"
    assert 0x20000 not in ANY_CASE
    assert ANY_CASE_EDGES[0x20000] == " "
    assert 0x20000 not in ANY_CASE_EDGES


def test_terms_are_spelt_by_their_view() -> None:
    assert spelt(" Ａｎｎ \t Ｌｅｅ ", ignore_case=True) == "ann lee"
    assert spelt("\u200b \u00ad", ignore_case=True) == ""
    assert spelt("Ann  Lee", ignore_case=False) == "Ann Lee"


def test_lists_that_say_the_same_are_equal_and_made_once() -> None:
    one = ready(["a", "b"], ignore_case=True, whole_words=True)
    assert ready(["b", "a"], ignore_case=True, whole_words=True) is one
    assert one == terms("b", "a")
    assert len({one, terms("b", "a"), terms("a", "b", whole_words=False)}) == 2
    assert one != "a"
    assert repr(one).startswith("Terms(2, ")


def test_a_hundred_thousand_terms_are_ready_and_small() -> None:
    listed = [f"name{number:x} of{number % 977}" for number in range(MOST_TERMS)]
    known = Terms(listed)
    assert found(known, f"x {listed[77_777].upper()}, name1 of2") == [listed[77_777].upper()]
    assert sum(map(sys.getsizeof, (known._sorted, known._shorter))) < 2_000_000
