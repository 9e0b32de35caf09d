from __future__ import annotations

import orjson
import pytest

from penstock import apis
from penstock.apis.several.vertex import VertexReader
from penstock.errors import Refusal
from penstock.exchange import Call, Json, JsonObject, Operation
from tests.apis.calls import call, said
from tests.masking.replies import reply_mask, texts

HI: Json = [{"role": "user", "content": "hi"}]


def predict(*instances: Json, path: str = "/vertex", **more: Json) -> Call:
    return call(path, {"instances": list(instances), **more})


@pytest.mark.parametrize("path", ["/predict", "/vertex", "/vertex_generate"])
def test_each_instance_is_read_as_its_own_api_does(path: str) -> None:
    made = predict(
        {"inputs": "a", "parameters": {"max_new_tokens": 5}},
        {"inputs": "b", "parameters": {"max_new_tokens": 8}},
        path=path,
    )
    assert made.api == "vertex.predict" and made.operation == Operation.COMPLETE and made.model is None
    assert [(turn.text, turn.path) for turn in made.turns] == [
        ("a", ("instances", 0, "inputs")),
        ("b", ("instances", 1, "inputs")),
    ]
    assert made.parameters == {"max_tokens": 8}
    api = apis.by_name(made.api)
    clamped = api.with_parameters(made, {"max_tokens": 6})
    assert clamped.body == {
        "instances": [
            {"inputs": "a", "parameters": {"max_new_tokens": 5}},
            {"inputs": "b", "parameters": {"max_new_tokens": 6}},
        ]
    }
    assert api.parameters(clamped.body) == {"max_tokens": 6}
    assert isinstance(api.reader(made), VertexReader)
    masked = apis.with_texts(made, {("instances", 1, "inputs"): "[X]"})
    assert said(masked)[1] == ("user", "[X]")


def test_a_chat_in_an_instance_needs_no_model_and_keeps_its_format() -> None:
    tool: Json = {"type": "function", "function": {"name": "look"}}
    made = predict(
        {"@requestFormat": "chatCompletions", "messages": HI, "max_completion_tokens": 4, "tools": [tool]},
        path="/predict",
    )
    assert made.operation == Operation.CHAT and made.model is None and made.tools == ("look",)
    assert made.body is not None
    assert made.body["instances"] == [
        {
            "@requestFormat": "chatCompletions",
            "messages": HI,
            "max_completion_tokens": 4,
            "tools": [tool],
            "max_tokens": 4,
        }
    ]
    assert predict({"messages": HI, "model": "tiny"}).model == "tiny"


def test_llama_cpps_own_completions_are_read_as_such() -> None:
    made = predict({"@requestFormat": "completion", "prompt": [1, 2], "n_predict": 3, "grammar": "x"}, path="/predict")
    assert made.uninspected == ("token_ids",) and made.unusual == {"grammar"} and made.parameters["max_tokens"] == 3


def test_sglang_has_its_parameters_beside_the_instances() -> None:
    made = predict(
        {"text": "a", "image_data": "data:image/png;base64,iVBO"},
        {"text": "b"},
        path="/vertex_generate",
        parameters={"sampling_params": {"max_new_tokens": 7, "stop": "X"}},
    )
    assert [(turn.text, turn.path) for turn in made.turns] == [
        ("a", ("instances", 0, "text")),
        ("X", ("parameters", "sampling_params", "stop")),
        ("b", ("instances", 1, "text")),
    ]
    assert made.uninspected == ("image",) and made.parameters["max_tokens"] == 7
    clamped = apis.by_name(made.api).with_parameters(made, {"max_tokens": 2})
    assert clamped.body is not None
    assert clamped.body["parameters"] == {"sampling_params": {"max_new_tokens": 2, "stop": "X"}}
    masked = apis.with_texts(made, {("parameters", "sampling_params", "stop"): "[X]"})
    assert ("other", "[X]") in said(masked)
    filled = predict({"text": "a"}, path="/vertex_generate")
    filled = apis.by_name(filled.api).with_parameters(filled, {"max_tokens": 2})
    assert filled.body == {"instances": [{"text": "a"}], "parameters": {"sampling_params": {"max_new_tokens": 2}}}


@pytest.mark.parametrize(
    "body",
    [
        {"instances": []},
        {"instances": "a"},
        {"instances": ["a"]},
        {"instances": [{}]},
        {"instances": [{"inputs": "a", "text": "b"}]},
        {"instances": [{"inputs": "a"}, {"messages": HI}]},
        {"instances": [{"inputs": "a"}], "more": 1},
        {"instances": [{"inputs": "a"}], "parameters": {"max_new_tokens": 1}},
        {"instances": [{"text": "a"}], "parameters": []},
        {"instances": [{"text": "a"}], "parameters": {"text": "b"}},
        {"instances": [{"text": "a", "rid": "x"}], "parameters": {"rid": "y"}},
        {"instances": [{"text": "a"}], "parameters": {"stream": True}},
        {"instances": [{"messages": HI, "stream": True}]},
        {"instances": [{"messages": HI, "model": "a"}, {"messages": HI, "model": "b"}]},
        {"instances": [{"messages": HI, "model": "a"}, {"messages": HI}]},
        {"instances": [{"@requestFormat": "embeddings", "prompt": "a"}]},
        {"instances": [{"@requestFormat": ["chatCompletions"], "messages": HI}]},
        {"instances": [{"@requestFormat": "completion", "messages": HI}]},
        {"instances": [{"inputs": "a", "parameters": {"max_new_tokens": 1}}, {"inputs": "b"}]},
        {"instances": [{"messages": HI, "temperature": 0}, {"messages": HI, "temperature": 2}]},
    ],
)
def test_what_could_be_read_in_two_ways_or_none_is_refused(body: JsonObject) -> None:
    with pytest.raises(Refusal):
        call("/vertex", body)


def test_an_endpoint_with_a_body_needs_one() -> None:
    api, route = apis.recognise("POST", "/vertex_generate")
    with pytest.raises(Refusal):
        api.call(route, route.path, None)


def test_each_prediction_is_masked_as_the_reply_that_it_is() -> None:
    chat: Json = {"index": 1, "message": {"role": "assistant", "content": "bob@example.com"}, "finish_reason": "stop"}
    predictions: list[Json] = [
        "bob@example.com",
        "",
        {"choices": [chat], "usage": {"prompt_tokens": 1, "completion_tokens": 2}},
        {"text": "bob@example.com", "output_ids": [1], "meta_info": {"finish_reason": {"type": "length"}}},
        {"content": "bob@example.com", "index": 0, "tokens": [1], "stop": True},
        {"error": {"message": "bob@example.com"}},
        None,
    ]
    reply = reply_mask(VertexReader())
    document: Json = {"predictions": predictions, "deployedModelId": "bob@example.com"}
    out = orjson.loads(reply.whole(200, "application/json", orjson.dumps(document)))
    assert b"bob@" not in orjson.dumps(out)
    assert out["predictions"][0] == "[EMAIL]" and out["predictions"][4]["tokens"] == []
    assert texts(reply)[(2, "1.content")] == "[EMAIL]" and texts(reply)[(3, "text")] == "[EMAIL]"
    assert reply.reply.completion_tokens == 2


def test_any_other_reply_is_not_let_through() -> None:
    with pytest.raises(Refusal):
        reply_mask(VertexReader()).whole(200, "application/json", b'["a"]')
