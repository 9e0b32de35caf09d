"""Text in tensors is masked wherever it stands; numbers pass where they cannot spell any."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.apis.kserve.reply import AnythingReader, GeneratedReader, TensorReader, count, numbers
from penstock.apis.kserve.repository import ModelReader
from penstock.apis.replies.pieces import DOCUMENT, UnreadableError, Walk
from penstock.apis.replies.reader import Reader
from penstock.errors import Refusal
from penstock.exchange import Call, Json, Operation, Reply
from penstock.masking.reply import ReplyMask
from tests.masking.replies import MASK, STOP, event, leaks, reply_mask, streamed, texts

MAIL = "bob@example.org"


def output(data: Any, datatype: str = "BYTES", **more: Any) -> dict[str, Any]:
    return {"name": "OUT", "shape": [2], "datatype": datatype, "data": data, **more}


def masked(*outputs: Any, tensors: bool = False, **more: Any) -> Any:
    """What is delivered of a reply with these outputs."""
    body = orjson.dumps({"model_name": "m", "model_version": "1", "outputs": [*outputs], **more})
    return json.loads(reply_mask(TensorReader(tensors=tensors)).whole(200, "application/json", body))


def test_texts_are_masked_however_they_are_nested() -> None:
    said = masked(output([MAIL, ["x", [MAIL]]]), {**output(MAIL, datatype="JSON"), "name": "B"}, id=MAIL)
    assert [one["data"] for one in said["outputs"]] == [["[EMAIL]", ["x", ["[EMAIL]"]]], ["[EMAIL]"]]
    assert said["id"] == "[EMAIL]" and said["model_name"] == "m"


def test_names_and_parameters_are_masked_too() -> None:
    said = masked({**output(["x"], parameters={"headers": {"to": MAIL, MAIL: 1}}), "name": MAIL, "more": MAIL})
    assert MAIL not in json.dumps(said) and said["outputs"][0]["shape"] == [2]


@pytest.mark.parametrize(
    ("data", "datatype", "tensors", "delivered"),
    [
        ([0.5, 0.25, None], "FP32", False, [0.5, 0.25, None]),
        ([[0.5], [1]], "FP32", False, [[0.5], [1]]),
        ([0.5, 0.25], "INT64", False, [0.5, 0.25]),
        ([1, 2], "INT64", False, []),
        ([[1], [2]], "INT64", False, []),
        ([[1, 2]], "INT64", True, [[1, 2]]),
        ([7], "INT64", False, [7]),
        ([[7]], "INT64", False, [[7]]),
        ([True, False], "BOOL", False, []),
        ([4111111111111111], "INT64", False, ["[CREDIT_CARD]"]),
        ([], "INT64", False, []),
        ({"a": [1, 2], "b": MAIL}, "JSON", False, {"a": [], "b": "[EMAIL]"}),
        ([{"a": MAIL}, 5], "JSON", False, [{"a": "[EMAIL]"}, 5]),
        (None, "BYTES", False, None),
    ],
)
def test_numbers_pass_where_they_cannot_spell_a_text(data: Json, datatype: str, tensors: bool, delivered: Json) -> None:
    (found,) = masked(output(data, datatype), tensors=tensors)["outputs"]
    assert found["data"] == delivered
    assert found["shape"] == ([0] if delivered == [] and data else [2])


def test_without_a_mask_everything_passes_as_it_came() -> None:
    body = orjson.dumps({"outputs": [output([1, 2], "INT64"), {**output([4111111111111111], "INT64"), "name": "B"}]})
    reply = ReplyMask(TensorReader(), text=None, tool=None)
    assert reply.whole(200, "application/json", body) == body


@pytest.mark.parametrize("document", [[], "text", {"outputs": ["text"]}, {"outputs": [5]}])
def test_another_shape_is_not_let_through(document: Json) -> None:
    with pytest.raises(UnreadableError):
        TensorReader().read(document, Reply(), strip=True)


def test_a_binary_reply_is_not_let_through() -> None:
    with pytest.raises(Refusal):
        reply_mask(TensorReader()).whole(200, "application/octet-stream", b'{"outputs":[]}' + MAIL.encode())


@pytest.mark.parametrize("content_type", ["base64", "pillow_image"])
def test_texts_in_another_spelling_are_emptied(content_type: str) -> None:
    parameters = {"content_type": content_type}
    for said in (masked(output(["Ym9i"], parameters=parameters)), masked(output(["Ym9i"]), parameters=parameters)):
        assert said["outputs"][0]["data"] == [] and said["outputs"][0]["shape"] == [0]
    assert masked(output(["Ym9i"], parameters=parameters), tensors=True)["outputs"][0]["data"] == ["Ym9i"]
    assert masked(output(["Ym9i"], parameters={"content_type": "str"}))["outputs"][0]["data"] == ["Ym9i"]


def test_numbers_beside_texts_are_numbers_still() -> None:
    assert masked(output(["x", [1, 2], [0.5, 0.25], 4111111111111111]))["outputs"][0]["data"] == [
        "x", [], [0.5, 0.25], "[CREDIT_CARD]"
    ]  # fmt: skip
    assert masked({**output(["x"]), "shape": [4111111111111111]})["outputs"][0]["shape"] == ["[CREDIT_CARD]"]


def test_outputs_that_cannot_be_told_apart_are_not_let_through() -> None:
    with pytest.raises(Refusal):
        masked(output(["x"]), output(["y"]))
    shapes: list[tuple[Reader, Any]] = [
        (TensorReader(), {"outputs": [output(["x"] * 1001)]}),
        (GeneratedReader(), {"t": ["x"] * 1001}),
    ]
    for reader, document in shapes:
        reader.read(document, Reply(), strip=True)
        with pytest.raises(UnreadableError):
            reader.read(document, Reply(), strip=True)


def test_many_texts_are_masked_and_share_a_channel() -> None:
    said = masked(output(["x"] * 5000 + [MAIL]))
    assert said["outputs"][0]["data"][5000] == "[EMAIL]" and len(said["outputs"][0]["data"]) == 5001


def test_a_long_vector_is_one_value_to_the_mask() -> None:
    body = orjson.dumps({"outputs": [output([0.1234567] * 500_000, "FP32")]})
    assert TensorReader().read(orjson.loads(body), Reply(), strip=True).pieces == []
    assert reply_mask(TensorReader()).whole(200, "application/json", body) is body


def test_numbers_are_told_by_their_types() -> None:
    assert numbers([1, 0.5, None, True, [2]]) == frozenset({int, float, bool, type(None)})
    assert numbers([]) == frozenset() and numbers([["x"]]) is None and numbers([{}]) is None
    assert [count(value) for value in ([], [1], [[1]], [[1], [2]], [1, 2, 3])] == [0, 1, 1, 2, 3]  # type: ignore[arg-type]


def frames(text: str, size: int, of: Any) -> bytes:
    return b"".join(event(of(text[at : at + size])) for at in range(0, len(text), size))


def tensors(said: str) -> Json:
    """An event of MLServer, whose headers say the same each time."""
    return {
        "model_name": "m",
        "model_version": "1",
        "id": "8d8c3357-0ce1-4673-8646-38ad9e8ea502",
        "parameters": {"headers": {"Ce-Specversion": "0.3"}},
        "outputs": [output(["ok", said], name="SAID")],
    }


def generated(said: str) -> Json:
    return {"model_name": "m", "model_version": "1", "text_output": said, "other": ["", said]}


@given(st.integers(1, 9), st.sampled_from(["tensors", "generated"]), st.data())
def test_a_stream_is_masked_like_its_text(size: int, kind: str, data: st.DataObject) -> None:
    text = f"Ask {MAIL} or 4111 1111 1111 1111. "
    body = frames(text, size, tensors if kind == "tensors" else generated)
    reply = reply_mask(TensorReader() if kind == "tensors" else GeneratedReader())
    out = streamed(reply, body, data.draw(st.lists(st.integers(0, len(body)), max_size=4)))
    assert leaks(out) == [] and reply.reply.complete and reply.reply.model == "m"
    found = {"outputs.SAID.1"} if kind == "tensors" else {"text_output", "other.1"}
    assert {name for (_, name), said in texts(reply).items() if said == MASK.whole(text).text} == found


def test_what_is_held_back_is_said_at_its_place_in_the_end() -> None:
    reply = reply_mask(TensorReader())
    out = streamed(reply, event({"model_name": "m", "outputs": [output(["ok ", [f"Ask {MAIL}"]])]}))
    last = json.loads(out.split(b"data: ")[-1])
    assert last["model_name"] == "m" and last["outputs"][0]["data"][1] == "[EMAIL]"
    assert last["outputs"][0]["name"] == "OUT" and last["outputs"][0]["datatype"] == "BYTES"
    reply = reply_mask(GeneratedReader())
    out = streamed(reply, event({"model_name": "m", "texts": ["a ", f"Ask {MAIL}"]}))
    assert json.loads(out.split(b"data: ")[-1]) == {"model_name": "m", "texts": ["", "[EMAIL]"]}


def test_a_stream_that_a_rule_stops_ends_in_an_error() -> None:
    for reader in (TensorReader(), GeneratedReader()):
        of = tensors if isinstance(reader, TensorReader) else generated
        out = streamed(reply_mask(reader, STOP), frames("it is falcon now ", 4, of))
        assert b"falcon" not in out and out.endswith(b"data: " + out.rsplit(b"data: ")[-1])
        assert "stopped by a rule" in json.loads(out.rsplit(b"data: ")[-1])["error"]


def test_a_stream_cut_in_an_event_ends_in_an_error() -> None:
    out = streamed(reply_mask(GeneratedReader()), event(generated("one ")) + b'data: {"text_out')
    assert "form that this gateway does not read" in json.loads(out.rsplit(b"data: ")[-1])["error"]


def test_an_error_in_a_stream_is_one() -> None:
    for reader in (GeneratedReader(), TensorReader()):
        reply = reply_mask(reader)
        out = streamed(reply, event({"error": f"no answer to {MAIL}"}))
        assert b"no answer to [EMAIL]" in out and reply.reply.error == "no answer to [EMAIL]"


def test_other_values_of_a_generated_answer_are_read() -> None:
    body = orjson.dumps({"model_name": MAIL, "ids": [1, 2], "score": [0.5], "deep": {"to": MAIL}, "n": 5, "id": None})
    out = json.loads(reply_mask(GeneratedReader()).whole(200, "application/json", body))
    assert out == {"model_name": "[EMAIL]", "ids": [], "score": [0.5], "deep": {"to": "[EMAIL]"}, "n": 5, "id": None}
    with pytest.raises(UnreadableError):
        GeneratedReader().read([], Reply(), strip=True)


def test_a_place_that_no_tensor_has_cannot_be_carried() -> None:
    reader = TensorReader()
    reader.read({"outputs": [output(["x"])]}, Reply(), strip=True)
    for path in (("id",), ("outputs", "OUT", "x")):
        with pytest.raises(UnreadableError):
            reader.carry(Walk().place(DOCUMENT, path), "x")


@pytest.mark.parametrize(
    ("body", "delivered"),
    [
        (
            {"predictions": [MAIL, {"to": MAIL}, [0.5, 0.5]]},
            {"predictions": ["[EMAIL]", {"to": "[EMAIL]"}, [0.5, 0.5]]},
        ),
        ({"predictions": [1, 0, 2]}, {"predictions": []}),
        ([1, 2, 3], []),
        ([0.5, 0.25], [0.5, 0.25]),
        ([MAIL], ["[EMAIL]"]),
        ({"predictions": [{"b64": "Ym9i", "to": MAIL}]}, {"predictions": [{"b64": None, "to": "[EMAIL]"}]}),
    ],
)
def test_predictions_of_any_shape_are_masked(body: Json, delivered: Json) -> None:
    assert json.loads(reply_mask(AnythingReader()).whole(200, "application/json", orjson.dumps(body))) == delivered
    assert json.loads(reply_mask(AnythingReader(tensors=True)).whole(200, "application/json", b"[1,2]")) == [1, 2]


def test_shapes_of_models_are_left_alone() -> None:
    model: Json = {"inputs": [{"name": "IN", "shape": [-1, 3]}], "parameters": {"note": MAIL, "ids": [*range(20)]}}
    out = json.loads(reply_mask(ModelReader()).whole(200, "application/json", orjson.dumps(model)))
    assert out == {"inputs": [{"name": "IN", "shape": [-1, 3]}], "parameters": {"note": "[EMAIL]", "ids": None}}


def test_the_reader_knows_what_the_call_was_about() -> None:
    from penstock import apis

    for name in ("kserve.v2.infer", "triton.generate", "mlserver.stream", "kserve.v1.predict"):
        api = apis.by_name(name)
        for uninspected in ((), ("tensor",)):
            document: Any = {"predictions": [1, 2]}
            reader = api.reader(Call(name, Operation.INFER, "m", uninspected=uninspected))
            reading = reader.read(document, Reply(), strip=True)
            assert bool(document["predictions"]) == bool(uninspected) != reading.edited
    assert isinstance(apis.by_name("kserve.models").reader(Call("kserve.models", Operation.SHOW, "m")), ModelReader)
