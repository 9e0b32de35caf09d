"""Base64url and JSON are read in exactly one way."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.identity.encoding import MAX_DEPTH, Malformed, json_object, octets


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=40))
def test_bytes_have_one_spelling_and_it_is_read(data: bytes) -> None:
    assert octets(base64.urlsafe_b64encode(data).rstrip(b"=").decode()) == data


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ABab09-_=+/ \n", max_size=9))
def test_what_is_read_is_emitted_identically(text: str) -> None:
    try:
        data = octets(text)
    except Malformed:
        return
    assert base64.urlsafe_b64encode(data).rstrip(b"=").decode() == text


@pytest.mark.parametrize("text", ["A", "AAAAA", "AB", "AAB", "AA==", "A+", "A/", "AA\n", " AA", "é", "AA.", "\uff21A"])
def test_another_spelling_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        octets(text)


_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.characters(codec="utf-8"), max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(alphabet=st.characters(codec="utf-8"), max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(alphabet=st.characters(codec="utf-8"), max_size=6), _values, max_size=4), st.booleans())
def test_an_object_is_read_as_it_was_written(value: dict[str, Any], ascii_only: bool) -> None:
    assert json_object(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


def test_a_document_may_be_as_deep_as_the_limit_and_no_deeper() -> None:
    for depth, fits in ((MAX_DEPTH, True), (MAX_DEPTH + 1, False), (100_000, False)):
        document = b'{"a":' * depth + b"1" + b"}" * depth
        if fits:
            json_object(document)
        else:
            with pytest.raises(Malformed, match="too deeply"):
                json_object(document)


def test_brackets_in_strings_and_side_by_side_are_not_depth() -> None:
    wide = {"text": '[[{{"\\' * 50, **{f"client{n}": {"roles": ["a"]} for n in range(100)}}
    assert json_object(json.dumps(wide).encode()) == wide


def test_a_surrogate_pair_is_read_and_half_of_one_is_not() -> None:
    assert json_object(b'{"a":"\\ud83d\\ude00"}') == {"a": "\U0001f600"}
    assert json_object(b'{"a":"\\\\ud83d"}') == {"a": "\\ud83d"}
    for half in (b'{"a":"\\ud83d"}', b'{"\\ude00":1}', b'{"a":"\\uDE00\\uD83D"}'):
        with pytest.raises(Malformed, match="Unicode"):
            json_object(half)


@pytest.mark.parametrize("document", [b"", b"[]", b'"a"', b"1", b"null", b"{", b'{"a":1}x', b"{'a':1}", b'{"a":1,}'])
def test_what_is_no_object_is_malformed(document: bytes) -> None:
    with pytest.raises(Malformed):
        json_object(document)


@pytest.mark.parametrize("document", [b'{"a":1,"a":2}', b'{"b":{"a":1,"\\u0061":2}}', b'{"b":[{"a":1,"a":1}]}'])
def test_a_duplicate_member_is_malformed_wherever_it_is(document: bytes) -> None:
    with pytest.raises(Malformed, match="duplicate"):
        json_object(document)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e999", b"9" * 5000])
def test_a_number_that_is_none_is_malformed(number: bytes) -> None:
    with pytest.raises(Malformed):
        json_object(b'{"a":' + number + b"}")
