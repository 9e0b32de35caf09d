"""The prefilter may name too many patterns, never too few."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from penstock.detect.detector import DETECTORS
from penstock.detect.prefilter import AS_IT_IS, Prefilter, coarsened
from tests.detect.patterns import STREAMED, WILD, tried
from tests.detect.test_builtin import FOUND


@given(st.lists(STREAMED, min_size=1, max_size=5), st.lists(WILD, max_size=5))
@tried(100)
def test_every_pattern_that_matches_is_a_candidate(patterns: list[str], texts: list[str]) -> None:
    prefilter = Prefilter(patterns)
    for text in texts:
        found = [index for index, pattern in enumerate(patterns) if regex.search(pattern, text)]
        candidates = prefilter.candidates(text)
        assert set(found) <= set(candidates)
        assert list(candidates) == sorted(set(candidates))


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"\d", "٣"),
        (r"\w{2}", "éa"),
        (r"\s", "\u2003"),
        (r"\bé", "é"),
        ("(?i)k", "\u212a"),
        ("(?i)s", "ſ"),
        ("(?i)i", "\u0130"),
        ("é", "é"),
        ("[^a]", "\ud800"),
        (r"\p{Han}", "中"),
        ("(?<=x)a(?!b)", "xa"),
        ("a{0}b", "b"),
        ("a{100}", "a" * 100),
        ("(?:ab?){2,3}?c", "aabc"),
        (r"(a)\1b", "aab"),
        ("a*", ""),
        ("(?:)a|", ""),
        (r"[^\x00-\U0010ffff]|a", "a"),
        ("a(?x: b )c", "abc"),
    ],
)
def test_languages_differ_and_nothing_is_missed(pattern: str, text: str) -> None:
    assert regex.search(pattern, text)
    assert Prefilter(["zzz", pattern]).candidates(text)[-1] == 1


@pytest.mark.parametrize("name", FOUND)
def test_values_are_candidates_and_prose_is_not(name: str) -> None:
    prefilter = Prefilter([known.pattern for known in DETECTORS])
    place = [known.name for known in DETECTORS].index(name)
    assert all(place in prefilter.candidates(f"x {value} y") for value in FOUND[name])
    assert prefilter.candidates("Would you like to know more? It is - as they say - a long story: so it goes.") == ()


def test_what_cannot_be_read_is_always_a_candidate() -> None:
    prefilter = Prefilter(["abc", r"\X", "(unbalanced"])
    assert coarsened(r"\X") is None
    assert list(prefilter.candidates("nothing")) == [1, 2]
    assert list(prefilter.candidates("abc")) == [0, 1, 2]


def test_what_re2_finds_too_large_is_always_a_candidate() -> None:
    assert coarsened("(?:(?:[a-y]|[b-z]c){60}d?){60}") is None


class Silent:
    """A set that fails the way the binding fails: it finds nothing, not even what is everywhere."""

    def Match(self, text: bytes) -> None:
        return None


def test_without_the_canary_every_pattern_is_a_candidate() -> None:
    prefilter = Prefilter(["abc", "def"])
    assert prefilter.candidates("nothing") == ()
    object.__setattr__(prefilter._sets[0], "_set", Silent())
    assert list(prefilter.candidates("nothing")) == [0, 1]


def test_many_patterns_are_looked_for_in_several_sets_and_one_that_fails_makes_all_candidates() -> None:
    prefilter = Prefilter([f"word{at}x" for at in range(200)] + [r"\X"])
    assert len(prefilter._sets) == 13
    assert list(prefilter.candidates("word3x word170x word99x")) == [3, 99, 170, 200]
    object.__setattr__(prefilter._sets[3], "_set", Silent())
    assert len(prefilter.candidates("nothing")) == 201


def test_what_cannot_stand_before_a_match_is_asked_for_unless_the_text_may_be_a_part() -> None:
    pattern = "(?<![0-9A-Za-z?])ab"
    assert [list(Prefilter([pattern]).candidates(text)) for text in ("ab", " ab", "\u00e9ab", "xab")] == [
        [0],
        [0],
        [0],
        [],
    ]
    assert list(Prefilter(also=[coarsened(pattern, AS_IT_IS)]).candidates("xab")) == [0]


def test_no_patterns_have_no_candidates() -> None:
    assert Prefilter([]).candidates("anything") == ()
