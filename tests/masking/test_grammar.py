"""Where a text stops being JSON is told to the character."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.masking.grammar import DEEPEST, Grammar, Token, scalar_breaks
from penstock.masking.release import FOREVER

TOKENS: list[Token] = ["{", "}", "[", "]", ":", ",", "string", "scalar"]
WRITTEN = {"string": '"a"', "scalar": "1"}


@given(st.lists(st.sampled_from(TOKENS), max_size=12))
def test_a_row_of_tokens_is_broken_where_no_json_begins_with_it(tokens: list[Token]) -> None:
    grammar = Grammar()
    for place, token in enumerate(tokens):
        grammar.token(token, place)
    whole = grammar.broken == FOREVER
    text = " ".join(WRITTEN.get(token, token) for token in tokens)
    assert whole == can_become_json(text)


def can_become_json(text: str) -> bool:
    """Whether some ending makes it JSON: closes what is open, after filling in what must be there."""
    endings = ["", '"a":1', ":1", "1", '"a"', ",1"]
    for ending in endings:
        attempt = f"{text} {ending}"
        for _ in range(30):
            try:
                json.loads(attempt)
            except json.JSONDecodeError as error:
                if error.pos < len(attempt.rstrip()):
                    break
                opened = [each for each in attempt if each in "{[}]"]
                stack: list[str] = []
                for each in opened:
                    if each in "{[":
                        stack.append(each)
                    elif stack:
                        stack.pop()
                if not stack:
                    break
                attempt += "}" if stack[-1] == "{" else "]"
            else:
                return True
    return False


def test_nesting_has_a_limit() -> None:
    grammar = Grammar()
    for place in range(DEEPEST + 1):
        grammar.token("[", place)
    assert grammar.broken == FOREVER
    grammar.token("[", DEEPEST + 1)
    assert grammar.broken == DEEPEST + 1


def test_the_first_break_counts() -> None:
    grammar = Grammar()
    grammar.breaks(7)
    grammar.breaks(9)
    grammar.token("}", 3)
    assert grammar.broken == 7


@pytest.mark.parametrize(
    ("text", "ended", "at"),
    [
        ("-", False, None),
        ("-", True, 1),
        ("0", True, None),
        ("01", False, 1),
        ("1.", False, None),
        ("1.", True, 2),
        ("1.5e", False, None),
        ("1.5e+", True, 5),
        ("1.5e+7", True, None),
        ("1x", False, 1),
        ("tru", False, None),
        ("tru", True, 3),
        ("true", True, None),
        ("truest", False, 4),
        ("nil", False, 1),
        ("NaN", True, None),
        ("-Infinity", True, None),
        ("bob", False, 0),
    ],
)
def test_numbers_and_words(text: str, ended: bool, at: int | None) -> None:
    assert scalar_breaks(text, ended=ended) == at
