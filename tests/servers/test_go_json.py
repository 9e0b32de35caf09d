"""JSON as Go has it."""

from __future__ import annotations

import pytest

from scripts.model.go_json import decode, marshal

FIELDS = {"model": None, "stream": None, "messages": {"role": None, "content": None}, "options": None}


def test_what_a_browser_could_take_for_markup_is_escaped() -> None:
    assert marshal({"a": "<b>&\u2028é\n"}) == '{"a":"\\u003cb\\u003e\\u0026\\u2028é\\n"}'.encode()


def test_keys_match_in_any_case_at_every_level_and_the_last_wins() -> None:
    data = b'{"Model": "a", "MODEL": "b", "messages": [{"ROLE": "user", "x": 1}], "other": 1, "options": {"A": {}}}'

    assert decode(data, FIELDS) == {"model": "b", "messages": [{"role": "user"}], "options": {"A": {}}}


def test_letters_that_fold_to_ascii_match_too() -> None:
    assert decode('{"\u017ftream": true}'.encode(), FIELDS) == {"stream": True}


def test_what_follows_the_object_is_not_read() -> None:
    assert decode(b' {"model": "a"} {"model": "b"}', FIELDS) == {"model": "a"}


def test_invalid_utf_8_is_replaced() -> None:
    assert decode(b'{"model": "a\xff"}', FIELDS) == {"model": "a\ufffd"}


@pytest.mark.parametrize(
    ("data", "error"), [(b"  ", EOFError), (b"[]", ValueError), (b"1", ValueError), (b"{", ValueError)]
)
def test_anything_but_an_object_is_an_error(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        decode(data, FIELDS)
