"""KServe's binary replies: the texts in them are masked, and a client finds every tensor where it stood."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.apis.kserve.packed import PackedTensors
from penstock.apis.kserve.reply import TensorReader
from penstock.apis.replies.pieces import UnreadableError
from penstock.errors import Refusal
from penstock.masking.reply import ReplyMask
from tests.masking.replies import MASK, STOP, reply_mask, texts

MAIL = "bob@example.org"
BINARY = "application/octet-stream"
HEADER = "inference-header-content-length"
VECTORS = Path(__file__).parent.parent / "vectors/kserve_v2_infer/binary"

type Output = tuple[str, str, list[int], bytes]


def strings(*values: str | bytes) -> bytes:
    raws = [value.encode() if isinstance(value, str) else value for value in values]
    return b"".join(struct.pack("<I", len(raw)) + raw for raw in raws)


def packed(*outputs: Output, extra: bytes = b"", **more: Any) -> tuple[bytes, dict[str, str]]:
    """A reply with every output behind the JSON, and the header that says where they begin."""
    listed = [
        {"name": name, "datatype": datatype, "shape": shape, "parameters": {"binary_data_size": len(raw)}}
        for name, datatype, shape, raw in outputs
    ]
    head = json.dumps({"model_name": "m", "outputs": listed, **more}, separators=(",", ":")).encode()
    return head + b"".join(raw for *_, raw in outputs) + extra, {HEADER: str(len(head))}


def read(body: bytes, headers: Any) -> dict[str, tuple[list[int], Any]]:
    """Each output's shape and values, as a client reads them: bytes for texts, raw bytes for numbers."""
    length = int({name.lower(): value for name, value in dict(headers).items()}[HEADER])
    document, at, found = json.loads(body[:length]), length, {}
    for output in document["outputs"]:
        size = output.get("parameters", {}).get("binary_data_size")
        if size is None:
            found[output["name"]] = output["shape"], output["data"]
            continue
        raw, at = body[at : at + size], at + size
        values: Any = raw
        if output["datatype"] == "BYTES":
            values, here = [], 0
            while here < len(raw):
                (count,) = struct.unpack_from("<I", raw, here)
                values.append(raw[here + 4 : here + 4 + count])
                here += 4 + count
        found[output["name"]] = output["shape"], values
    assert at == len(body)
    return found


def through(reply: ReplyMask, body: bytes, headers: dict[str, str]) -> dict[str, tuple[list[int], Any]]:
    return read(reply.whole(200, BINARY, body, headers), reply.headers)


def recorded(name: str) -> tuple[bytes, dict[str, str]]:
    lines = (VECTORS / f"{name}.hdr").read_text().splitlines()[1:]
    fields = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in lines if line)}
    return (VECTORS / f"{name}.body").read_bytes(), {HEADER: fields[HEADER]}


def test_texts_of_a_recorded_reply_are_masked_and_scores_stay() -> None:
    reply = reply_mask(TensorReader())
    found = through(reply, *recorded("triton_binary"))
    assert found["SAID"] == ([3], [b"mail [EMAIL]", b"card [CREDIT_CARD]", "plain, Ω".encode()])
    assert found["SCORE"] == ([3], struct.pack("<3f", 3.5, 3.0, 1.125))
    # Integers can spell text: beside a mask they need a grant, as they do in JSON.
    assert found["LENGTH"] == ([0], b"")
    assert reply.reply.masked == {"email": 1, "credit_card": 1} and reply.reply.complete and reply.reply.model == "echo"
    assert texts(reply)[0, "outputs.SAID.0"] == "mail [EMAIL]"


def test_outputs_in_the_json_and_behind_it_are_read_alike() -> None:
    found = through(reply_mask(TensorReader()), *recorded("triton_mixed"))
    assert found["SAID"][1][:2] == [b"mail [EMAIL]", b"card [CREDIT_CARD]"]
    assert found["SCORE"] == ([3], [3.5, 3.0, 1.125])


def test_classes_of_a_recorded_reply_pass() -> None:
    body, headers = recorded("triton_class")
    assert through(reply_mask(TensorReader()), body, headers) == read(body, headers)


def test_bytes_that_are_no_text_are_emptied_unless_the_call_was_about_such_tensors() -> None:
    body, headers = recorded("triton_bytes")
    emptied = reply_mask(TensorReader())
    assert through(emptied, body, headers)["SAID"] == ([3], [b"", "Ω falcon".encode(), b""])
    assert emptied.reply.uninspected == set()
    granted = reply_mask(TensorReader(tensors=True))
    found = through(granted, body, headers)
    assert found["SAID"] == ([3], [b"\xff\xfe", "Ω falcon".encode(), b""])
    assert found["LENGTH"] == ([3], struct.pack("<3q", 2, 9, 0))
    assert granted.reply.uninspected == {"tensor"}


def test_texts_are_masked_beside_what_a_grant_lets_pass() -> None:
    body, headers = packed(("A", "BYTES", [2], strings(MAIL, b"\xff")))
    assert through(reply_mask(TensorReader(tensors=True)), body, headers)["A"] == ([2], [b"[EMAIL]", b"\xff"])


def test_without_a_mask_the_reply_passes_byte_for_byte() -> None:
    for name in ("triton_binary", "triton_mixed", "triton_bytes", "triton_class"):
        body, headers = recorded(name)
        reply = ReplyMask(TensorReader(), text=None, tool=None)
        assert reply.whole(200, BINARY, body, headers) is body
        assert reply.headers == tuple(headers.items())


@pytest.mark.parametrize(
    ("datatype", "shape", "raw", "delivered"),
    [
        ("FP16", [2], b"\x00\x3c\x00\x40", None),
        ("BF16", [1, 2], b"\x80\x3f\x00\x40", None),
        ("FP32", [1], struct.pack("<f", 0.5), None),
        ("FP64", [2, 1], struct.pack("<2d", 0.5, 1), None),
        ("INT64", [1], struct.pack("<q", 7), None),
        ("INT8", [1, 1], b"\xff", None),
        ("BOOL", [1], b"\x01", None),
        ("BOOL", [2], b"\x01\x00", ([0], b"")),
        ("UINT8", [15], MAIL.encode(), ([0], b"")),
        ("INT64", [1], struct.pack("<q", 4111111111111111), ([0], b"")),
        ("INT64", [0], b"", None),
        ("BYTES", [0], b"", None),
        ("BYTES", [], strings(MAIL), ([], [b"[EMAIL]"])),
        ("BYTES", [2, 1], strings("x", MAIL), ([2, 1], [b"x", b"[EMAIL]"])),
    ],
)
def test_the_rule_for_numbers_is_that_of_json(datatype: str, shape: list[int], raw: bytes, delivered: Any) -> None:
    body, headers = packed(("A", datatype, shape, raw), ("B", "BYTES", [1], strings("end")))
    found = through(reply_mask(TensorReader()), body, headers)
    assert found["A"] == (delivered or read(body, headers)["A"]) and found["B"] == ([1], [b"end"])
    if datatype != "BYTES":
        assert through(reply_mask(TensorReader(tensors=True)), body, headers)["A"][1] == raw or shape == [1]


def test_texts_in_another_spelling_are_emptied() -> None:
    raw = strings("Ym9i")
    listed = {"name": "A", "datatype": "BYTES", "shape": [1]}
    head = json.dumps(
        {"outputs": [{**listed, "parameters": {"content_type": "base64", "binary_data_size": len(raw)}}]}
    ).encode()
    reply = reply_mask(TensorReader())
    out = reply.whole(200, BINARY, head + raw, {HEADER: str(len(head))})
    assert read(out, reply.headers)["A"] == ([0], [])
    (output,) = json.loads(out)["outputs"]
    assert output["parameters"] == {"content_type": "base64", "binary_data_size": 0}


def test_the_media_type_may_be_json_too_and_the_json_is_written_anew() -> None:
    body, headers = packed(("A", "BYTES", [1], strings("x")), id=MAIL)
    twice = body.replace(b'{"model_name":"m"', b'{"model_name":"' + MAIL.encode() + b'","model_name":"m"')
    reply = reply_mask(TensorReader())
    out = reply.whole(200, "application/json", twice, {HEADER: str(int(headers[HEADER]) + len(twice) - len(body))})
    assert MAIL.encode() not in out and json.loads(out[: int(dict(reply.headers)[TITLE])])["id"] == "[EMAIL]"


TITLE = "Inference-Header-Content-Length"


def test_a_rule_stops_a_binary_reply_and_a_judge_hears_it() -> None:
    body, headers = packed(("A", "BYTES", [1], strings("the falcon")))
    with pytest.raises(Refusal) as refused:
        reply_mask(TensorReader(), STOP).whole(200, BINARY, body, headers)
    assert refused.value.code == "policy_violation"
    heard: list[str] = []
    reply_mask(TensorReader(), MASK, judge=lambda text: heard.append(text)).whole(200, BINARY, body, headers)
    assert heard == ["the falcon"]


GOOD, GOOD_HEADERS = packed(("A", "BYTES", [1], strings("x")))


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (GOOD, {}),
        (GOOD, {HEADER: "0"}),
        (GOOD, {HEADER: "9999"}),
        (GOOD, {HEADER: "1, 2"}),
        (GOOD, {HEADER: "+5"}),
        (GOOD + b"x", GOOD_HEADERS),
        (GOOD[:-1], GOOD_HEADERS),
        (b"[]", {HEADER: "2"}),
        packed(("A", "BYTES", [2], strings("x"))),
        packed(("A", "BYTES", [1], strings("x", "y"))),
        packed(("A", "BYTES", [1], b"\x09\x00\x00\x00x")),
        packed(("A", "BYTES", [1], b"\x00\x00")),
        packed(("A", "INT64", [1], b"\x00" * 7)),
        packed(("A", "STRING", [1], b"x")),
        packed(("A", "BYTES", [-1], strings("x"))),
        packed(("A", "BYTES", "3", strings("x"))),  # type: ignore[arg-type]
        packed(("A", "BYTES", [1], strings("x")), ("A", "BYTES", [1], strings("y"))),
        packed(outputs=[{"name": "A", "shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": True}}]),
        packed(outputs=[{"name": "A", "shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": -1}}]),
        packed(
            outputs=[
                {"name": "A", "shape": [0], "datatype": "BYTES", "data": ["x"], "parameters": {"binary_data_size": 0}}
            ]
        ),
    ],
)
def test_a_reply_whose_parts_do_not_fit_is_not_let_through(body: bytes, headers: dict[str, str]) -> None:
    reply = reply_mask(TensorReader())
    with pytest.raises(Refusal) as refused:
        reply.whole(200, BINARY, body, headers)
    assert refused.value.code == "gateway_error" and reply.headers == ()


def test_an_error_is_read_as_one_whatever_the_header_says() -> None:
    reply = reply_mask(TensorReader())
    out = reply.whole(400, "application/json", b'{"error":"no ' + MAIL.encode() + b'"}', {HEADER: "3"})
    assert json.loads(out) == {"error": "no [EMAIL]"} and reply.headers == ()


@pytest.mark.parametrize(
    "document",
    [[], {"outputs": ["x"]}, {"outputs": [{"data": None}]}, {"outputs": [{"data": [5], "datatype": "BYTES"}]}],
)
def test_what_is_no_tensor_any_more_cannot_be_written(document: Any) -> None:
    tensors = PackedTensors()
    tensors.unpack(BINARY, GOOD, GOOD_HEADERS)
    with pytest.raises(UnreadableError):
        tensors.pack(document)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.lists(st.one_of(st.text(max_size=6), st.binary(max_size=6), st.just(f"to {MAIL}")), max_size=4),
            st.lists(st.floats(width=32), max_size=4),
        ),
        max_size=4,
    )
)
def test_every_element_stays_at_its_place(given: list[tuple[list[str | bytes], list[float]]]) -> None:
    outputs: list[Output] = []
    for at, (said, scores) in enumerate(given):
        outputs.append((f"T{at}", "BYTES", [len(said)], strings(*said)))
        outputs.append((f"N{at}", "FP32", [len(scores)], struct.pack(f"<{len(scores)}f", *scores)))
    found = through(reply_mask(TensorReader()), *packed(*outputs))
    for at, (said, scores) in enumerate(given):
        assert found[f"T{at}"] == ([len(said)], [expected(value) for value in said])
        assert found[f"N{at}"] == ([len(scores)], struct.pack(f"<{len(scores)}f", *scores))


def expected(value: str | bytes) -> bytes:
    try:
        return MASK.whole(value if isinstance(value, str) else value.decode()).text.encode()
    except UnicodeDecodeError:
        return b""
