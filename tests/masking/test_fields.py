from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.detect.detector import detector
from penstock.masking.fields import FieldError, FieldRule, Fields, Whereabouts, compiled, label
from penstock.masking.finding import Form
from penstock.masking.mask import Mask, MaskRule
from tests.masking.chunks import CUTS, chunks, streamed

EMAIL = MaskRule("e", detector("email"))
MASK = Mask(
    [EMAIL],
    [
        FieldRule("f", ("/customer/ssn", "/**/password", "/items/*/se*ret")),
        FieldRule("o", ("/partly",), replace=lambda value: f"<{len(value)}:{value[-1:]}>"),
    ],
)


def masked(document: Any, form: Form = "text") -> Any:
    text = json.dumps(document)
    return json.loads((MASK.whole(text) if form == "text" else MASK.whole_json(text)).text)


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_value_of_a_field_is_hidden_whatever_it_is(form: Form) -> None:
    document = {
        "customer": {"ssn": "whatever", "name": "Bob"},
        "a": [{"b": {"Password": "hunter2"}}, 7],
        "password": 1234,
        "items": [{"secret": True, "other": "x"}, {"seacret": ["a", {"deep": "b"}, None, ""]}],
        "partly": 'say "hi"\n',
    }
    assert masked(document, form) == {
        "customer": {"ssn": "[SSN]", "name": "Bob"},
        "a": [{"b": {"Password": "[PASSWORD]"}}, 7],
        "password": "[PASSWORD]",
        "items": [{"secret": "[FIELD]", "other": "x"}, {"seacret": ["[FIELD]", {"deep": "[FIELD]"}, None, ""]}],
        "partly": "<9:\n>",
    }


def test_values_beside_fields_are_found_as_ever() -> None:
    found = MASK.whole('{"password": "bob@example.com", "to": "eve@example.com"}')
    assert json.loads(found.text) == {"password": "[PASSWORD]", "to": "[EMAIL]"}
    assert {finding.detector for finding in found.findings} == {"field", "email"}


def test_text_that_is_no_document_has_no_fields() -> None:
    assert MASK.whole('so {"password": "x"} is JSON').text == 'so {"password": "x"} is JSON'
    assert MASK.whole("  ").text == "  " and MASK.whole("").text == ""


def test_a_document_that_stops_being_one_has_hidden_its_fields_until_then() -> None:
    assert MASK.whole('{"password": "x", oops "password": "bob@example.com"').text == (
        '{"password": "[PASSWORD]", oops "password": "[EMAIL]"'
    )
    assert MASK.whole('{"password": "never ends').text == '{"password": "[PASSWORD]'


def test_documents_one_behind_the_other_are_all_looked_at() -> None:
    for between in ("", "\n", " \r\n"):
        text = f'{{"x": 1}}{between}{{"password": "hunter2"}}{between}[{{"password": 7}}]'
        assert MASK.whole(text).text == (
            f'{{"x": 1}}{between}{{"password": "[PASSWORD]"}}{between}[{{"password": "[PASSWORD]"}}]'
        )


KEYS = st.sampled_from(["customer", "ssn", "password", "items", "secret", "partly", "a/b", 'q"', "é"])
LEAVES = st.one_of(
    st.sampled_from(["", "x", "bob@example.com", 'a "quoted" \\ text\n', "\u2028é", "123"]),
    st.integers(-99, 10**12),
    st.booleans(),
    st.none(),
)
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)


@given(DOCUMENTS, CUTS, st.booleans(), st.integers(0, 400))
def test_a_document_in_pieces_is_masked_as_in_one(document: Any, cuts: list[int], ascii_only: bool, end: int) -> None:
    text = " \n"[: end % 3] + json.dumps(document, ensure_ascii=ascii_only)[:end]
    for form in ("text", "json"):
        whole = MASK.whole(text) if form == "text" else MASK.whole_json(text)
        assert streamed(MASK, chunks(text, cuts), form)[0] == whole


@given(DOCUMENTS)
def test_what_was_json_stays_json(document: Any) -> None:
    text = json.dumps(document)
    json.loads(MASK.whole_json(text).text)


@pytest.mark.parametrize(
    ("pointer", "place", "hit"),
    [
        ("/a", "/a", True),
        ("/a", "/a/b/0", True),
        ("/a", "/ab", False),
        ("/a/b", "/a", False),
        ("/*/b", "/x/b", True),
        ("/*/b", "/b", False),
        ("/**/b", "/b", True),
        ("/**/b", "/x/y/b/z", True),
        ("/a/**/b/**/c", "/a/b/c", True),
        ("/a?c", "/abc", True),
        ("/a.c", "/abc", False),
        ("/a~1b", "/a~1b", True),
    ],
)
def test_a_pointer_names_a_place_and_all_below(pointer: str, place: str, hit: bool) -> None:
    assert (compiled(pointer).fullmatch(place) is not None) is hit


@pytest.mark.parametrize("pointer", ["", "/", "a/b", "/**", "/*/**", "/**/a/**/b/**/c", "/a**", "/~2"])
def test_a_pointer_that_means_nothing_is_an_error(pointer: str) -> None:
    with pytest.raises(FieldError):
        compiled(pointer)


def test_a_label_is_the_last_word_of_the_pointer() -> None:
    assert label("/customer/ssn") == "SSN" and label("/**/api-key") == "API_KEY"
    assert label("/a/*") == label("/a/x?") == label("/a/é") == "FIELD"


def test_a_place_too_deep_to_tell_is_hidden() -> None:
    fields = Fields([FieldRule("f", ("/a",))])
    assert fields.find("/b" * 4000) is not None and fields.find("/b") is None
    for number in range(3000):
        fields.find(f"/{number}")
    assert fields.find("/a/b") is not None and not Fields([])


def test_a_key_that_is_no_json_is_itself() -> None:
    where = Whereabouts()
    where.structure("{")
    where.key("\\x")
    assert where.pointer == "/\\x"
