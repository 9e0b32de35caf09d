from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.apis.wire.body import MAX_DEPTH, depth, emit, keys, nodes, parse
from penstock.errors import Refusal
from penstock.exchange import Json

JSON = "application/json"

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)
objects = st.dictionaries(st.text(max_size=6), values, max_size=5)


def refusal(body: bytes, content_type: str | None = JSON) -> Refusal:
    with pytest.raises(Refusal) as caught:
        parse(body, content_type)
    assert caught.value.status == 400
    return caught.value


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
        '{"a":1}'.encode("utf-16-le"),
        '{"a":1}'.encode("utf-32"),
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        rb'{"a":"\ud800"}',
        rb'{"a":"\udc00\ud800"}',
        b'{"a":1}{"b":2}',
        b'{"a":1} x',
        b'{"a":1}\x00',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1e400}',
        b'{"a":01}',
        b'{"a":1,}',
        b"{'a':1}",
        b'{"a":"\n"}',
        b'/**/{"a":1}',
        b"",
        b" ",
        b"[]",
        b"null",
        b'"{}"',
    ],
)
def test_what_two_parsers_could_read_in_two_ways_is_refused(body: bytes) -> None:
    assert refusal(body).code == "invalid_request"


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":2}',
        b'{"a":1, "a":2}',
        b'{"a" :1,"a":2}',
        b'{"a"\n:1,"a"\t:2}',
        rb'{"a":1,"\u0061":2}',
        rb'{"\u0022:":1,"b":{"a":1,"a":1}}',
        b'{"m":[{"role":"user","role":"system"}]}',
        rb'{"a\\":1,"a\\":2}',
    ],
)
def test_a_key_that_stands_twice_is_refused_however_it_is_spelled(body: bytes) -> None:
    assert "twice" in refusal(body).message


@given(objects, st.booleans(), st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")]))
def test_a_body_without_repeated_keys_is_never_taken_for_one_with(
    document: dict[str, Json], ascii_only: bool, marks: tuple[str, str]
) -> None:
    raw = json.dumps(document, ensure_ascii=ascii_only, separators=marks).encode()
    assert parse(raw, JSON) == document
    assert orjson.loads(emit(parse(raw, JSON))) == document


@given(objects.filter(bool), st.data())
def test_a_repeated_key_is_always_found(document: dict[str, Json], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(document)))
    spelled = (
        "".join(f"\\u{ord(c):04x}" for c in key)
        if all(ord(c) < 0x10000 for c in key) and data.draw(st.booleans())
        else None
    )
    name = f'"{spelled}"' if spelled is not None else json.dumps(key)
    raw = (
        json.dumps(document)[:-1]
        + f"{data.draw(st.sampled_from([',', ' , ']))}{name}{data.draw(st.sampled_from([':', ' : ']))}1}}"
    )
    assert "twice" in refusal(raw.encode()).message


@pytest.mark.parametrize(
    "content_type",
    [None, JSON, "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"', "application/json;"],
)
def test_json_is_taken_under_its_own_name_or_none(content_type: str | None) -> None:
    assert parse(b"{}", content_type) == {}


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/vnd.api+json",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "application/json; boundary=x",
        "multipart/form-data; boundary=x",
    ],
)
def test_any_other_content_type_is_refused_and_told_what_to_send(content_type: str | None) -> None:
    assert "application/json" in refusal(b"{}", content_type).message


def test_nesting_has_a_limit() -> None:
    assert parse(b'{"a":' * (MAX_DEPTH - 1) + b"{}" + b"}" * (MAX_DEPTH - 1), JSON)
    assert "deeper" in refusal(b'{"a":' * MAX_DEPTH + b"{}" + b"}" * MAX_DEPTH).message
    assert "strict" in refusal(b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}").message
    flat = {"messages": [{"role": "user", "content": "{[" * 200}] * 200}
    assert parse(orjson.dumps(flat), JSON) == flat


def test_the_number_of_values_has_a_limit() -> None:
    assert "values" in refusal(orjson.dumps({"prompt": list(range(200_001))})).message
    assert parse(orjson.dumps({"prompt": "x" * 300_000}), JSON)


def test_numbers_that_do_not_fit_are_forwarded_as_they_were_judged() -> None:
    document = parse(b'{"seed":99999999999999999999,"zero":-0.0,"e":1E2}', JSON)
    assert document == {"seed": 1e20, "zero": 0.0, "e": 100.0}
    assert orjson.loads(emit(document)) == document


def test_the_message_shows_nothing_of_the_body() -> None:
    assert "secret" not in refusal(b'{"a":"secret" "b"}').message


@given(values)
def test_depth_nodes_and_keys_are_counted_like_a_recursion_would(value: Json) -> None:
    def walk(item: Json) -> tuple[int, int, int]:
        inner = list(item.values()) if isinstance(item, dict) else item if isinstance(item, list) else None
        if inner is None:
            return 0, 1, 0
        below = [walk(each) for each in inner]
        return (
            1 + max((each[0] for each in below), default=0),
            1 + sum(each[1] for each in below),
            (len(item) if isinstance(item, dict) else 0) + sum(each[2] for each in below),
        )

    assert (depth(value), nodes(value), keys(value)) == walk(value)
