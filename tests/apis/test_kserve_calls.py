from __future__ import annotations

from typing import Any

import pytest

from penstock import apis
from penstock.apis.calls.fields import UNLIMITED
from penstock.errors import Refusal
from penstock.exchange import Blob, Call, Json, JsonObject, Operation
from tests.apis.calls import call, said

INFER = "/v2/models/m/infer"
PREDICT = "/v1/models/m:predict"


def given(data: Json, name: str = "TEXT", **more: Any) -> JsonObject:
    return {"name": name, "shape": [1], "datatype": "BYTES", "data": data, **more}


def infer(*inputs: JsonObject, path: str = INFER, **more: Any) -> Call:
    return call(path, {"inputs": [*inputs], **more})


def refused(path: str, body: JsonObject) -> str:
    with pytest.raises(Refusal) as caught:
        call(path, body)
    assert caught.value.code == "invalid_request"
    return caught.value.message


def test_the_model_stands_in_the_path_and_its_version_is_a_parameter() -> None:
    made = infer(given(["x"]), path="/v2/models/my-model/versions/3/infer")
    assert (made.api, made.operation, made.model) == ("kserve.v2.infer", Operation.INFER, "my-model")
    assert made.parameters == {"model_version": "3"} and not made.unusual and not made.stream
    masked = apis.with_texts(made, {made.turns[0].path: "y"})
    assert masked.model == "my-model" and masked.parameters == made.parameters and said(masked) == [("user", "y")]
    with pytest.raises(Refusal):
        apis.by_name(made.api).with_parameters(made, {"model_version": "2"})
    with pytest.raises(Refusal):
        infer(given(["x"]), path="/v2/models/m/versions/a%20b/infer")
    with pytest.raises(Refusal):
        infer(given(["x"]), path="/v2/models/a%20b/infer")


def test_texts_are_read_however_they_are_nested() -> None:
    made = infer(given(["a", ["b", [["c"]]]]), given("d"), given(["", "e"], datatype="FP32"), id="an id")
    assert said(made) == [("user", text) for text in "abcde"] + [("other", "an id")]
    assert made.turns[2].path == ("inputs", 0, "data", 1, 1, 0, 0)


def test_names_and_parameters_are_text_where_they_do_not_look_like_names() -> None:
    made = infer(
        given(["x"], name="my input", datatype="BY TES", parameters={"content_type": "a type", "note": "n"}),
        parameters={"sequence_id": "mail me", "own": {"deep": "d"}, "an odd key": 1},
        outputs=[{"name": "an output", "parameters": {"classification": 3, "binary_data": True}}],
        more="m",
    )
    assert {text for _, text in said(made)} == {
        "my input", "BY TES", "a type", "n", "x", "mail me", "d", "an odd key", "an output", "m"
    }  # fmt: skip
    assert made.unusual == {"inputs.note", "parameters.own", "parameters.an odd key", "more"}


def test_replies_are_asked_for_as_the_caller_did() -> None:
    body: JsonObject = {
        "inputs": [given(["x"])],
        "parameters": {"binary_data_output": True, "priority": 1},
        "outputs": [{"name": "A", "parameters": {"binary_data": True}}, {"name": "B"}],
    }
    made = call(INFER, body)
    assert made.body == body
    assert not made.unusual and made.parameters == {"priority": 1}


@pytest.mark.parametrize(
    ("data", "uninspected"),
    [
        ([64], ()),
        ([[64]], ()),
        ([0.5], ()),
        ([True], ()),
        ([], ()),
        ([1, 2], ("tensor",)),
        ([[1], [2]], ("tensor",)),
        ([[0.1, 0.2], [0.3, 0.4]], ("tensor",)),
        (["text", 1, 2], ("tensor",)),
        ([[[1, None]]], ("tensor",)),
    ],
)
def test_numbers_in_bulk_need_a_grant(data: Json, uninspected: tuple[str, ...]) -> None:
    assert infer(given(data, datatype="INT64")).uninspected == uninspected


def test_a_large_number_is_text() -> None:
    made = infer(given([4111111111111111], datatype="INT64"), given(5, datatype="INT64"))
    assert said(made) == [("user", "4111111111111111")]


def test_objects_in_data_are_read_with_their_keys() -> None:
    made = infer(given([{"role": "user", "a b": "c", "n": 1, "ids": [1, 2]}]))
    assert said(made) == [("user", "a b"), ("user", "user"), ("user", "c")] and made.uninspected == ("tensor",)


@pytest.mark.parametrize(
    ("content_type", "uninspected"), [("base64", ("tensor",)), ("pillow_image", ("image",)), ("str", ())]
)
def test_content_that_is_encoded_needs_a_grant(content_type: str, uninspected: tuple[str, ...]) -> None:
    one = infer(given(["YWxpY2U="], parameters={"content_type": content_type}))
    all_of_them = infer(given(["YWxpY2U="]), parameters={"content_type": content_type})
    assert one.uninspected == all_of_them.uninspected == uninspected
    assert said(one) == [("user", "YWxpY2U=")]


def test_json_in_a_text_is_read_as_json() -> None:
    made = infer(given(['{"a": "b"}', "no json", "1"], parameters={"content_type": "hg_json"}))
    assert [turn.form for turn in made.turns] == ["json", "text", "text"]


def test_shared_memory_needs_a_grant() -> None:
    memory: JsonObject = {"shared_memory_region": "mine", "shared_memory_byte_size": 64}
    made = infer({"name": "A", "shape": [1], "datatype": "BYTES", "parameters": memory})
    assert made.uninspected == ("shared_memory",) and not made.unusual
    out = infer(given(["x"]), outputs=[{"name": "A", "parameters": memory}])
    assert out.uninspected == ("shared_memory",)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"inputs": "x"},
        {"inputs": ["x"]},
        {"inputs": [given(None)]},
        {"inputs": [{**given(["x"]), "more": 1}]},
        {"inputs": [{**given(["x"]), "name": 5}]},
        {"inputs": [{**given(["x"]), "shape": "1"}]},
        {"inputs": [{**given(["x"]), "shape": ["x"]}]},
        {"inputs": [{**given(["x"]), "shape": [1] * 17}]},
        {"inputs": [{**given(["x"]), "parameters": []}]},
        {"inputs": [given(["x"])], "outputs": [{"name": "A", "data": 1}]},
        {"inputs": [given(["x"])], "outputs": "A"},
        {"inputs": [given(["x"])], "parameters": []},
        {"inputs": [given(["x"])], "parameters": {"max_tokens": "5"}},
        {"inputs": [given(["x"])], "parameters": {"Max_Tokens": 5}},
        {"Inputs": [given(["x"])], "inputs": []},
    ],
)
def test_a_body_that_is_not_understood_is_refused(body: JsonObject) -> None:
    assert refused(INFER, body)


def test_a_call_without_a_body_is_refused() -> None:
    api, route = apis.recognise("POST", INFER)
    with pytest.raises(Refusal):
        api.call(route, INFER, None)


def test_a_limit_holds_for_an_input_as_for_a_parameter() -> None:
    made = infer(
        given(["x"]), given([[64], [900]], name="request_output_len", datatype="INT32"), parameters={"max_tokens": 7}
    )
    api = apis.by_name(made.api)
    assert made.parameters == {"max_tokens": 900}
    bound = api.with_parameters(made, {"max_tokens": 100})
    assert bound.parameters == {"max_tokens": 100} and bound.body is not None and bound.model == "m"
    assert bound.body["parameters"] == {"max_tokens": 7}
    assert bound.body["inputs"][1]["data"] == [[64], [100]]  # type: ignore[index, call-overload]
    alone = api.with_parameters(infer(given(["x"])), {"max_tokens": 100, "nobody_knows": 1})
    assert alone.parameters == {"max_tokens": 100}
    inside = api.with_parameters(infer(given([-1], name="max_tokens", datatype="INT32")), {"max_tokens": 5})
    assert inside.body is not None and "parameters" not in inside.body and inside.parameters == {"max_tokens": 5}


def test_a_limit_that_nobody_can_read_is_none() -> None:
    api = apis.by_name("kserve.v2.infer")
    blob: JsonObject = given(Blob(bytes(520)), name="max_tokens", datatype="INT64")
    made = api.call(apis.recognise("POST", INFER).route, INFER, {"inputs": [blob]})
    assert made.parameters == {"max_tokens": UNLIMITED} and made.uninspected == ("tensor",)
    with pytest.raises(Refusal):
        api.with_parameters(made, {"max_tokens": 5})
    heat: JsonObject = given(Blob(b"xx"), name="temperature", datatype="FP16")
    assert api.parameters({"inputs": [heat]}) == {"temperature": None}


def test_a_parameter_that_stands_twice_is_refused() -> None:
    body: JsonObject = {
        "inputs": [given([0.5], name="temperature", datatype="FP32")],
        "parameters": {"temperature": 0.1},
    }
    assert "twice" in refused(INFER, body)


def test_a_parameter_that_cannot_be_written_is_refused() -> None:
    made = infer(given(["x"], parameters={"level": 9}))
    with pytest.raises(Refusal) as caught:
        apis.by_name(made.api).with_parameters(made, {"inputs.level": 5})
    assert caught.value.code == "not_granted"


def test_sampling_parameters_as_an_input_need_a_grant() -> None:
    made = infer(given(["x"]), given(['{"max_tokens": 9000}'], name="sampling_parameters"))
    assert made.unusual == {"sampling_parameters"}


# KServe's first protocol


@pytest.mark.parametrize("verb", ["predict", "explain", "classify", "regress"])
@pytest.mark.parametrize("version", ["", "/versions/2", "/labels/stable"])
def test_the_first_protocol_has_its_verb_in_the_path(verb: str, version: str) -> None:
    made = call(f"/v1/models/flowers{version}:{verb}", {"instances": ["x"]})
    assert (made.api, made.operation, made.model) == ("kserve.v1.predict", Operation.INFER, "flowers")
    assert made.parameters.get("model_version", "") == version.rpartition("/")[2]


def test_instances_and_inputs_are_read_whatever_they_are() -> None:
    made = call(
        PREDICT,
        {
            "instances": [{"text": "a", "age": 5}, ["b"], {"b64": "YQ=="}],
            "inputs": {"c": "d"},
            "signature_name": "my signature",
            "id": "i d",
            "parameters": {"max_tokens": 5, "note": "n"},
            "more": "m",
            "context": None,
        },
    )
    assert [text for _, text in said(made)] == ["a", "b", "YQ==", "d", "my signature", "i d", "n", "m"]
    assert made.uninspected == ("tensor",) and made.unusual == {"parameters.note", "more"}
    assert made.parameters["max_tokens"] == 5
    bound = apis.by_name(made.api).with_parameters(made, {"max_tokens": 3})
    assert bound.parameters["max_tokens"] == 3


def test_numbers_of_the_first_protocol_need_a_grant() -> None:
    assert call(PREDICT, {"instances": [[6.8, 2.8], [6.0, 3.4]]}).uninspected == ("tensor",)
    assert call(PREDICT, {"inputs": 5, "parameters": None}).uninspected == ()


@pytest.mark.parametrize("body", [{}, {"instances": None}, {"instances": "x"}, {"Instances": ["x"], "inputs": 1}])
def test_a_body_without_instances_is_refused(body: JsonObject) -> None:
    assert refused(PREDICT, body)


def test_limits_inside_the_instances_are_judged_like_those_beside_them() -> None:
    made = call(
        "/v1/models/m:predict",
        {
            "instances": [{"prompt": "a", "max_tokens": 9999, "top_p": 1}, [{"max_new_tokens": 5, "lora_name": "x"}]],
            "parameters": {"top_p": 0.5},
        },
    )
    assert made.parameters == {"max_tokens": 9999, "top_p": [0.5, 1], "lora": "x"} and made.unusual == {"lora"}
    with pytest.raises(Refusal) as caught:
        apis.by_name(made.api).with_parameters(made, {"max_tokens": 7})
    assert "cannot be changed here" in caught.value.message
