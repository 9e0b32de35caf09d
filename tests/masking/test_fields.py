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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('so {"password": "x"} is JSON', 'so {"password": "[PASSWORD]"} is JSON'),
        (
            'see:\n```json\n{"password": "a b", "n": 1}\n```\n',
            'see:\n```json\n{"password": "[PASSWORD]", "n": 1}\n```\n',
        ),
        ('[x](y) and [{"password": 7}, {"a": {}}]', '[x](y) and [{"password": "[PASSWORD]"}, {"a": {}}]'),
        ('[note] {"password": "x"}', '[note] {"password": "[PASSWORD]"}'),
        ('f{x} {"a": 1} {"password": "x', 'f{x} {"a": 1} {"password": "[PASSWORD]'),
        ('{foo: {"password": "x"}}', '{foo: {"password": "[PASSWORD]"}}'),
        ('so {"password": "two\nlines"}.', 'so {"password": "[PASSWORD]"}.'),
        ('so {"partly": "a\\"b"}', 'so {"partly": "<3:b>"}'),
        ("a [1, 2", "a [1, 2"),
        ("  ", "  "),
        ("", ""),
    ],
)
def test_documents_in_prose_and_behind_fences_are_looked_at(text: str, expected: str) -> None:
    assert MASK.whole(text).text == expected
    assert streamed(MASK, chunks(text, [1]), "text")[0].text == expected


@pytest.mark.parametrize("lead", ["", "so "])
@pytest.mark.parametrize("said", ["", "here: "])
def test_documents_written_into_strings_are_looked_at_two_levels_down(lead: str, said: str) -> None:
    inner = {"password": "x", "partly": 'a"b', "n": 12, "items": [{"secret": 5}]}
    hidden = {"password": "[PASSWORD]", "partly": "<3:b>", "n": 12, "items": [{"secret": "[FIELD]"}]}
    for levels in (1, 2):
        text, expected = json.dumps(inner), json.dumps(hidden)
        for _ in range(levels):
            text, expected = json.dumps({"body": said + text}), json.dumps({"body": said + expected})
        assert MASK.whole(lead + text).text == lead + expected
    deeper = json.dumps({"body": json.dumps({"body": json.dumps({"body": json.dumps(inner)})})})
    assert MASK.whole(deeper).text == deeper  # the reference says so


def test_what_is_not_handled_is_what_the_reference_says() -> None:
    for text in (
        'an open quote: ["oops {"password": "x"}',
        "in single quotes: {'password': 'x'}",
        "without quotes: {password: x}",
        "of YAML: password: x",
    ):
        assert MASK.whole(text).text == text


def test_a_number_that_is_too_long_and_a_key_that_is_too_long_hide_no_document() -> None:
    assert MASK.whole("a [" + "1" * 2000 + ' {"password": "x"}').text.endswith('{"password": "[PASSWORD]"}')
    long = "k" * 5000
    assert MASK.whole(f'a {{"{long}": "x"}}').text == f'a {{"{long}": "[SSN]"}}'


def test_a_document_that_stops_being_one_has_hidden_its_fields_until_then() -> None:
    assert MASK.whole('{"password": "x", oops "password": "bob@example.com"').text == (
        '{"password": "[PASSWORD]", oops "password": "[EMAIL]"'
    )
    assert MASK.whole('{"a": 1, oops {"password": "x"}').text == '{"a": 1, oops {"password": "[PASSWORD]"}'
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


def nested(document: Any, levels: int, ascii_only: bool) -> Any:
    for _ in range(levels):
        document = {"body": "so: " * (levels % 2) + json.dumps(document, ensure_ascii=ascii_only), "n": [1, None]}
    return document


PROSE = st.sampled_from(
    ["", "so ", "```json\n", "\n```\n", "[x](y) ", '{ "', "bob@example.com ", "{'a': 1} ", "[[", '\\"', "}"]
)


@given(st.lists(st.tuples(PROSE, DOCUMENTS, st.integers(0, 3), st.integers(0, 300)), max_size=4), CUTS, st.booleans())
def test_prose_with_documents_in_pieces_is_masked_as_in_one(
    parts: list[tuple[str, Any, int, int]], cuts: list[int], ascii_only: bool
) -> None:
    texts = (prose + json.dumps(nested(document, n, ascii_only))[:end] for prose, document, n, end in parts)
    text = "".join(texts)
    for form in ("text", "json"):
        whole = MASK.whole(text) if form == "text" else MASK.whole_json(text)
        assert streamed(MASK, chunks(text, cuts), form)[0] == whole


@given(DOCUMENTS, st.integers(1, 2), st.booleans())
def test_documents_in_strings_stay_documents(document: Any, levels: int, ascii_only: bool) -> None:
    found = json.loads(MASK.whole_json(json.dumps(nested(document, levels, ascii_only))).text)
    for _ in range(levels):
        found = json.loads(found["body"].removeprefix("so: "))


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
