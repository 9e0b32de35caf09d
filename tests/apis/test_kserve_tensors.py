from __future__ import annotations

import struct
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import apis
from penstock.apis.kserve.tensors import HEADER, TensorCodec
from penstock.errors import Refusal
from penstock.exchange import Blob, Call, JsonObject

CODEC = TensorCodec()
INFER = "/v2/models/m/infer"


def packed(*texts: bytes) -> bytes:
    """A BYTES tensor."""
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)


def tensor(datatype: str, shape: list[int], size: int, **more: Any) -> JsonObject:
    return {"name": "IN", "datatype": datatype, "shape": [*shape], "parameters": {"binary_data_size": size, **more}}


def body(*inputs: JsonObject, rest: bytes = b"", **more: Any) -> tuple[bytes, dict[str, str]]:
    """The bytes of a body with tensors behind it, and the headers that it needs."""
    head = orjson.dumps({"inputs": [*inputs], **more})
    return head + rest, {HEADER: str(len(head))}


def read(datatype: str, shape: list[int], raw: bytes, **more: Any) -> JsonObject:
    content, headers = body(tensor(datatype, shape, len(raw), **more), rest=raw)
    document = CODEC.read(content, "application/octet-stream", headers)
    assert isinstance(document["inputs"], list)
    found = document["inputs"][0]
    assert isinstance(found, dict)
    return found


def refused(content: bytes, headers: dict[str, str], content_type: str | None = None) -> str:
    with pytest.raises(Refusal) as caught:
        CODEC.read(content, content_type, headers)
    assert caught.value.code == "invalid_request"
    return caught.value.message


def asked(content: bytes, headers: dict[str, str]) -> Call:
    return apis.asked(apis.recognise("POST", INFER), INFER, content, None, headers)


def test_texts_become_json_and_their_length_is_gone() -> None:
    assert read("BYTES", [2], packed(b"one", "zwölf \0".encode())) == {
        "name": "IN",
        "datatype": "BYTES",
        "shape": [2],
        "data": ["one", "zwölf \0"],
    }
    assert read("BYTES", [1, 1], packed(b""), content_type="str")["parameters"] == {"content_type": "str"}
    assert read("BYTES", [0], b"")["data"] == []


def test_bytes_that_are_no_text_stay_what_they_are() -> None:
    raw = packed(b"text", b"\xff\xfe")
    found = read("BYTES", [2], raw)["data"]
    assert isinstance(found, Blob) and found.data == raw


@pytest.mark.parametrize(
    ("datatype", "form", "values"),
    [
        ("INT64", "q", [512, -3]),
        ("UINT8", "B", [0, 255]),
        ("UINT64", "Q", [2**64 - 1]),
        ("FP32", "f", [0.5]),
        ("FP64", "d", [0.1, 1e300]),
        ("BOOL", "B", [True, False]),
    ],
)
def test_a_few_numbers_become_json(datatype: str, form: str, values: list[Any]) -> None:
    assert read(datatype, [len(values)], struct.pack(f"<{len(values)}{form}", *values))["data"] == values


@pytest.mark.parametrize(
    ("datatype", "shape", "raw"),
    [
        ("INT32", [65], bytes(260)),
        ("FP16", [1], bytes(2)),
        ("BF16", [2], bytes(4)),
        ("FP32", [1], struct.pack("<f", float("nan"))),
        ("BOOL", [1], b"\x02"),
    ],
    ids=["many", "half", "brain", "nan", "no boolean"],
)
def test_other_numbers_stay_what_they_are(datatype: str, shape: list[int], raw: bytes) -> None:
    found = read(datatype, shape, raw)["data"]
    assert isinstance(found, Blob) and found.data == raw


def test_what_is_forwarded_has_bytes_only_where_nobody_can_read_them() -> None:
    ids = bytes(800)
    content, headers = body(
        tensor("BYTES", [1], 8), tensor("INT64", [100], 800), {"name": "J", "data": [1]}, rest=packed(b"text") + ids
    )
    document = CODEC.read(content, None, headers)
    made = CODEC.emit(document)
    assert made.content_type == "application/octet-stream"
    ((name, length),) = made.headers
    head = orjson.loads(made.content[: int(length)])
    assert name.lower() == HEADER and made.content[int(length) :] == ids
    assert head["inputs"][0]["data"] == ["text"] and head["inputs"][1]["parameters"] == {"binary_data_size": 800}
    assert CODEC.read(made.content, made.content_type, {HEADER: length}) == document


def test_a_body_of_json_alone_is_forwarded_as_json() -> None:
    plain: JsonObject = {"inputs": [{"name": "IN", "datatype": "BYTES", "shape": [1], "data": ["x"]}]}
    for content_type in (None, "application/json", "application/octet-stream"):
        assert CODEC.read(orjson.dumps(plain), content_type, {}) == plain
    assert CODEC.emit(plain) == ("application/json", (), orjson.dumps(plain))
    assert CODEC.emit({"text_input": "x"}).content == b'{"text_input":"x"}'


def test_a_body_of_another_type_is_refused() -> None:
    for content_type in ("text/plain", "application/json; charset=utf-16"):
        assert "Content-Type" in refused(b"{}", {}, content_type) or "UTF-8" in refused(b"{}", {}, content_type)


@pytest.mark.parametrize("length", ["0", "-1", "+2", "2 ", "02", "1e1", "99", "", "２"])
def test_a_length_of_the_json_must_be_one(length: str) -> None:
    assert "Inference-Header-Content-Length" in refused(b"{}", {HEADER: length})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (body(tensor("BYTES", [1], 5), rest=packed(b"a") + b"more"), "belong to none"),
        (body(tensor("BYTES", [1], 6), rest=packed(b"a")), "ends before"),
        (body(tensor("BYTES", [1], 5), tensor("INT8", [1], 1), rest=packed(b"a")), "ends before"),
        (body({"name": "IN"}, rest=b"x"), "belong to none"),
        (body(tensor("BYTES", [2], 5), rest=packed(b"a")), "ends behind its tensor"),
        (body(tensor("BYTES", [1], 3), rest=b"\x00\x00\x00"), "ends behind its tensor"),
        (body(tensor("BYTES", [1], 5), rest=struct.pack("<I", 2) + b"a"), "ends behind its tensor"),
        (body(tensor("BYTES", [1], 10), rest=packed(b"a", b"b")), "length of its shape"),
        (body(tensor("BYTES", [2**20], 0)), "more than"),
        (body(tensor("INT64", [2], 8), rest=bytes(8)), "length of its shape"),
        (body(tensor("STRING", [1], 5), rest=packed(b"a")), "datatype"),
        (body({"name": "IN", "shape": [1], "parameters": {"binary_data_size": 0}}), "datatype"),
        (body(tensor("BYTES", [-1], 5), rest=packed(b"a")), "none below zero"),
        (body(tensor("BYTES", [1] * 17, 5), rest=packed(b"a")), "at most 16"),
        (body({**tensor("BYTES", [1], 5), "data": ["b"]}, rest=packed(b"a")), "values twice"),
        (body(tensor("BYTES", [1], -1)), "a number of bytes"),
        (body({**tensor("BYTES", [1], 0), "parameters": {"binary_data_size": True}}), "a number of bytes"),
        (body({**tensor("BYTES", [1], 0), "parameters": {"binary_data_size": "5"}}), "a number of bytes"),
    ],
)
def test_tensors_that_do_not_fit_exactly_are_refused(content: tuple[bytes, dict[str, str]], said: str) -> None:
    assert said in refused(*content)


def test_a_size_without_bytes_behind_the_json_is_refused() -> None:
    content, _ = body(tensor("BYTES", [1], 5))
    assert "ends before" in refused(content, {})


def test_inputs_that_are_no_objects_are_left_to_the_api() -> None:
    assert CODEC.read(b'{"inputs":"text"}', None, {}) == {"inputs": "text"}
    assert CODEC.read(b'{"inputs":["text"]}', None, {}) == {"inputs": ["text"]}


def test_a_text_is_a_turn_whichever_way_it_comes() -> None:
    content, headers = body(tensor("BYTES", [2], 26), rest=packed(b"mail a@b.example", b"!!"))
    made = asked(content, headers)
    assert [(turn.role, turn.text) for turn in made.turns] == [("user", "mail a@b.example"), ("user", "!!")]
    assert made.encoding == "tensors" and made.uninspected == ()
    masked = apis.with_texts(made, {made.turns[0].path: "mail [EMAIL]"})
    assert masked.encoding == "tensors" and apis.emitted(masked).content_type == "application/json"
    assert b"a@b.example" not in apis.emitted(masked).content


def test_bytes_that_nobody_can_read_need_a_grant() -> None:
    for datatype, shape, raw in (("INT64", [100], bytes(800)), ("BYTES", [1], packed(b"\xff")), ("FP16", [1], b"ab")):
        content, headers = body(tensor(datatype, shape, len(raw)), rest=raw)
        made = asked(content, headers)
        assert made.uninspected == ("tensor",) and made.turns == ()
        assert raw in apis.emitted(made).content


@given(st.lists(st.binary(max_size=12), max_size=5), st.integers(-3, 3), st.binary(max_size=3))
def test_whatever_comes_is_refused_or_forwarded_as_it_was_read(texts: list[bytes], off: int, more: bytes) -> None:
    raw = packed(*texts)
    content, headers = body(tensor("BYTES", [len(texts)], max(0, len(raw) + off)), rest=raw + more)
    try:
        document = CODEC.read(content, None, headers)
    except Refusal:
        return
    made = CODEC.emit(document)
    assert (
        CODEC.read(made.content, made.content_type, {name.lower(): value for name, value in made.headers}) == document
    )
