"""Subjects: every text that a rule must see, in the spellings that disguises fall away from."""

from __future__ import annotations

import base64
import codecs
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.detect.detector import DETECTORS
from penstock.detect.prefilter import AS_IT_IS, Prefilter, coarsened
from penstock.exchange import Call, Operation, Turn
from penstock.policy.subject import Sieve, Texts, _union, of_call, of_reply, spellings, strings

ANYTHING = Sieve([r"[\s\S]"])


def texts(*turns: Turn, on: str = "prompt") -> list[str]:
    call = Call("t", Operation.CHAT, "m", turns)
    return [view.text for view in of_call(ANYTHING, call, frozenset({on})).views]  # type: ignore[arg-type]


def turn(text: str, role: str = "user") -> Turn:
    return Turn(role, text, ())


def test_one_turn_is_one_view() -> None:
    assert texts(turn("hello")) == ["hello"]


def test_the_turns_of_a_role_are_read_together_too() -> None:
    found = texts(turn("be kind", "system"), turn("a"), turn("x", "assistant"), turn("b"))
    assert found == ["be kind", "a", "x", "b", "ab", "a b"]


def test_equal_texts_are_read_once() -> None:
    assert texts(turn("a"), turn("a")) == ["a", "aa", "a a"]


def test_tool_calls_are_apart_from_prompts_and_read_unescaped() -> None:
    arguments = Turn("assistant", r'{"to": "a\u0040b", "cc": ["c\n"]}', (), "tool_call", "json")
    assert texts(turn("hello"), arguments) == ["hello"]
    found = texts(turn("hello"), arguments, on="tool_call")
    decoded = '{"to": "a@b", "cc": ["c\\n"]}'
    assert found == [arguments.text, decoded, "to", "a@b", "cc", "c\n", "toa@bccc\n", "to a@b cc c\n"]


def test_arguments_that_are_no_json_are_read_as_they_are() -> None:
    broken = Turn("assistant", r'{"to": "a\u00', (), "tool_call", "json")
    assert texts(broken, on="tool_call") == [broken.text]
    deep = Turn("assistant", "[" * 100_000 + '"\\n', (), "tool_call", "json")
    assert texts(deep, on="tool_call") == [deep.text]


def test_size_counts_each_turn_once() -> None:
    call = Call(
        "t", Operation.CHAT, "m", (turn("abc"), turn("de"), Turn("a", "xyz", (), "tool_call")), {"stop": ["qq"]}
    )
    assert of_call(Sieve(()), call, frozenset({"prompt"})).size == 5
    assert of_call(Sieve(()), call, frozenset({"prompt", "tool_call"})).size == 8
    assert of_call(Sieve(()), call, frozenset({"parameters"})).size == 6
    assert of_call(Sieve(()), call, frozenset({"operation"})).size == 0
    assert of_reply(Sieve(()), "abc").size == 3


def test_tag_characters_are_read_as_the_letters_that_they_stand_for() -> None:
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "evil")
    assert texts(turn(f"hello{hidden}")) == ["hello", "helloevil"]
    # A ligature that unfolds to as many letters as there are tags keeps the length, and hides nothing.
    assert texts(turn("\ufb03" + hidden[:2])) == ["ffi", "ffiev"]


def test_only_patterns_that_may_match_are_possible() -> None:
    sieve = Sieve(["abc", "[0-9]{3}", "abc"])
    given = ["xx abc", "nothing", "12345"]
    subject = sieve.subject(Texts(given, given, 0))
    assert [view.possible for view in subject.views] == [{"abc"}, frozenset(), {"[0-9]{3}"}]
    assert subject.possible == {"abc", "[0-9]{3}"}
    nothing = sieve.subject(Texts(["nothing"], ["nothing"], 7))
    assert (nothing.views, nothing.size, nothing.possible) == ((), 7, frozenset())


PATTERNS = [known.pattern for known in DETECTORS] + [
    "^abc$",
    r"\Aab",
    r"b\Z",
    r"\bab\b",
    "(?<=a)b(?!c)",
    r"\Bb",
    "(?m:^a$)",
]


@settings(max_examples=200, deadline=None)
@given(
    st.text("ab c1@.-\né", max_size=8),
    st.sampled_from(["abc", "ab", "b", "bob@x.org", "219-09-9999", "10.0.0.1", "AKIAIOSFODNN7EXAMPLE", "a"]),
    st.text("ab c1@.-\né", max_size=8),
)
def test_what_may_match_a_text_may_match_every_text_around_it(before: str, text: str, after: str) -> None:
    """The shortcut rests on this: one pass over what covers all texts."""
    prefilter = Prefilter(also=[coarsened(pattern, AS_IT_IS) for pattern in PATTERNS])
    assert set(prefilter.candidates(text)) <= set(prefilter.candidates(before + text + after))


PHRASES = [
    "(?i:drop table)",
    "(?i:system prompt)",
    r"(?i:\bignore\b.{0,20}\ball\b)",
    "(?i:passwords?)",
    "[0-9]{4}-[a-z]{3}",
]
SPOKEN = ("drop table", "system prompt", "ignore it all", "password", "1234-abc", "a", " ", "-", "1", "nothing to see")
MANNERS: list[Callable[[str], str]] = [
    str,
    str.upper,
    lambda said: said[::-1],
    lambda said: codecs.encode(said, "rot13"),
    lambda said: " ".join(said),
    lambda said: said.replace(" ", "_"),
    lambda said: said.replace(" ", ""),
    lambda said: said.translate(str.maketrans("oeasti", "03457|")),
    lambda said: "-".join(said.translate(str.maketrans("oeastl", "034571"))),
    lambda said: base64.b64encode(said.encode()).decode(),
    lambda said: "".join(f"%{ord(each):02x}" for each in said),
    lambda said: "".join(f"&#{ord(each)};" for each in said),
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(SPOKEN), st.sampled_from(MANNERS)), min_size=1, max_size=4))
def test_a_text_is_read_in_every_way_unless_no_reading_has_anything(
    parts: list[tuple[str, Callable[[str], str]]],
) -> None:
    text = " ".join(manner(said) for said, manner in parts)
    sieve = Sieve(PHRASES)
    short = sieve.subject(Texts([text], [text], len(text)))
    spelled = spellings([text])
    long = sieve._patterns.possible("\n".join(spelled)) | _union(sieve._speech(spelled))
    assert short.possible == long


def test_ordinary_texts_are_not_read_in_other_ways() -> None:
    sieve = Sieve(PHRASES)
    assert not sieve._anything("Where the valley narrows the river has turned a wheel for 200 years.")
    assert sieve._anything("4 t 7 4 c k")


def test_strings_come_in_order_keys_before_their_values() -> None:
    assert list(strings({"a": ["b", {"c": "d"}], "e": 1, "f": None, "g": True})) == ["a", "b", "c", "d", "e", "f", "g"]
    assert list(strings("x")) == ["x"]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=4), st.integers(0, 100))
def test_every_cut_of_a_secret_over_turns_is_seen(noise: list[str], cut: int) -> None:
    secret = "AKIA-0123456789"
    at = cut % (len(secret) + 1)
    turns = [turn(secret[:at]), turn(secret[at:])]
    call = Call("t", Operation.CHAT, "m", tuple(turns))
    subject = of_call(Sieve([secret]), call, frozenset({"prompt"}))
    assert any(secret in view.text and secret in view.possible for view in subject.views)
    quiet = Call("t", Operation.CHAT, "m", tuple(map(turn, noise)))
    assert (
        all(secret not in turn.text for turn in quiet.turns)
        or of_call(Sieve([secret]), quiet, frozenset({"prompt"})).views
    )
