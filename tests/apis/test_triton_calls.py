from __future__ import annotations

from typing import Any

import pytest

from penstock import apis
from penstock.apis.kserve.errors import KSERVE
from penstock.errors import Refusal
from penstock.exchange import Call, Json, JsonObject, Operation
from tests.apis.calls import call, said

GENERATE = "/v2/models/m/generate"
LOAD = "/v2/repository/models/m/load"


def generate(**body: Any) -> Call:
    return call(GENERATE, {"text_input": "hi", **body})


def order(method: str, path: str, content: bytes = b"") -> Call:
    return apis.asked(apis.recognise(method, path), path, content, None)


def test_generate_is_a_completion_and_its_other_path_streams() -> None:
    made = generate()
    assert (made.api, made.operation, made.model, made.stream) == ("triton.generate", Operation.COMPLETE, "m", False)
    stream = call("/v2/models/m/versions/2/generate_stream", {"text_input": "hi"})
    assert stream.stream and stream.parameters == {"model_version": "2"}
    assert apis.with_texts(stream, {("text_input",): "x"}).stream


def test_every_text_of_a_generate_is_read() -> None:
    made = generate(
        text_input=["a", "b"],
        prompt="c",
        bad_words=["d"],
        id="an id",
        PROMPT="e",
        parameters={"stop": "f", "own": "g", "odd key": 1},
        image="AAAA" * 16,
        **{"another key": ["h", 1, 2]},
    )
    assert {text for _, text in said(made)} == {
        "a",
        "b",
        "c",
        "d",
        "an id",
        "e",
        "f",
        "g",
        "odd key",
        "another key",
        "h",
    }
    assert made.uninspected == ("image", "tensor")
    assert made.unusual == {"PROMPT", "parameters.own", "parameters.odd key", "another key"}


def test_token_ids_are_no_text() -> None:
    assert generate(input_ids=[1, 2, 3]).uninspected == ("tensor",)


def test_a_limit_is_written_to_where_it_stands() -> None:
    api = apis.by_name("triton.generate")
    inside = api.with_parameters(generate(parameters={"max_tokens": 900, "max_new_tokens": 5}), {"max_tokens": 64})
    assert inside.body == {"text_input": "hi", "parameters": {"max_tokens": 64, "max_new_tokens": 5}}
    outside = api.with_parameters(generate(request_output_len=900), {"max_tokens": 64})
    assert outside.body == {"text_input": "hi", "request_output_len": 64}
    assert api.with_parameters(generate(), {"max_tokens": 64}).body == {"text_input": "hi", "max_tokens": 64}


def test_a_parameter_in_both_places_is_refused() -> None:
    with pytest.raises(Refusal) as caught:
        generate(max_tokens=1, parameters={"max_new_tokens": 900})
    assert "leave one of them out" in caught.value.message


@pytest.mark.parametrize(
    "body",
    [{"text_input": 5}, {"parameters": []}, {"max_tokens": "9"}, {"parameters": {"n": "9"}}],
)
def test_a_generate_that_is_not_understood_is_refused(body: JsonObject) -> None:
    with pytest.raises(Refusal):
        generate(**body)


def test_mlserver_has_the_same_paths_for_bodies_with_inputs() -> None:
    inputs: Json = [{"name": "T", "shape": [1], "datatype": "BYTES", "data": ["hi"]}]
    for verb, streams in (("generate", False), ("generate_stream", True), ("infer_stream", True)):
        made = call(f"/v2/models/m/{verb}", {"inputs": inputs})
        assert (made.api, made.operation, made.stream) == ("mlserver.stream", Operation.INFER, streams)
        assert said(made) == [("user", "hi")]


def test_its_clients_read_the_message_of_a_refusal() -> None:
    refusal = Refusal("policy_violation", "No.")
    assert KSERVE.error(refusal, "01X") == ("application/json", b'{"error":"No. (exchange 01X)"}')
    assert KSERVE.event(refusal, "") == b'data: {"error":"No."}\n\n'


# What is asked about models, and what changes them


@pytest.mark.parametrize(
    ("method", "path", "operation", "model"),
    [
        ("GET", "/v2", Operation.HEALTH, None),
        ("GET", "/v2/health/ready", Operation.HEALTH, None),
        ("GET", "/v2/models/stats", Operation.METRICS, None),
        ("GET", "/v2/models/m", Operation.SHOW, "m"),
        ("GET", "/v2/models/m/versions/1", Operation.SHOW, "m"),
        ("GET", "/v2/models/m/versions/1/ready", Operation.HEALTH, "m"),
        ("GET", "/v2/models/m/config", Operation.SHOW, "m"),
        ("GET", "/v2/models/m/stats", Operation.METRICS, "m"),
        ("POST", "/v2/repository/index", Operation.LIST, None),
        ("POST", "/v2/repository/mine/index", Operation.LIST, None),
        ("POST", LOAD, Operation.LOAD, "m"),
        ("POST", "/v2/repository/mine/models/m/unload", Operation.UNLOAD, "m"),
        ("GET", "/v2/logging", Operation.SHOW, None),
        ("GET", "/v2/models/m/trace/setting", Operation.SHOW, "m"),
        ("GET", "/v1/models/m/versions/1/metadata", Operation.SHOW, "m"),
    ],
)
def test_an_endpoint_about_models_is_an_operation_of_its_own(
    method: str, path: str, operation: Operation, model: str | None
) -> None:
    made = order(method, path)
    assert (made.api, made.operation, made.model) == ("kserve.models", operation, model)
    assert not made.uninspected


def test_what_a_load_brings_with_it_needs_a_grant() -> None:
    made = order("POST", LOAD, b'{"parameters":{"config":"{\\"backend\\":\\"python\\"}","file:1/model.py":"aW1wb3J0"}}')
    assert made.unusual == {"config", "files"} and made.uninspected == ("file",)
    assert said(made) == [("other", '{"backend":"python"}')]
    assert order("POST", LOAD, b"{}").unusual == frozenset()
    with pytest.raises(Refusal):
        order("POST", LOAD, b'{"parameters":"config"}')


def test_unloading_what_depends_on_a_model_needs_a_grant() -> None:
    path = "/v2/repository/models/m/unload"
    assert order("POST", path, b'{"parameters":{"unload_dependents":false}}').unusual == frozenset()
    assert order("POST", path, b'{"parameters":{"unload_dependents":true}}').unusual == {"unload_dependents"}


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("POST", "/v2/systemsharedmemory/region/mine/register", b'{"key":"/mine","offset":0,"byte_size":64}'),
        ("POST", "/v2/systemsharedmemory/region/mine/unregister", b""),
        ("POST", "/v2/cudasharedmemory/unregister", b""),
        ("POST", "/v2/cudasharedmemory/region/mine/register", b'{"raw_handle":{"b64":"AA=="},"byte_size":64}'),
        ("GET", "/v2/systemsharedmemory/status", b""),
        ("GET", "/v2/cudasharedmemory/region/mine/status", b""),
    ],
)
def test_shared_memory_needs_a_grant_that_names_it(method: str, path: str, content: bytes) -> None:
    made = order(method, path, content)
    assert made.uninspected == ("shared_memory",)
    assert made.operation == (Operation.CONFIGURE if method == "POST" else Operation.SHOW)


def test_where_logs_and_traces_go_needs_a_grant() -> None:
    assert order("POST", "/v2/logging", b'{"log_verbose_level":1}').unusual == frozenset()
    made = order("POST", "/v2/logging", b'{"log_file":"/etc/passwd"}')
    assert made.operation == Operation.CONFIGURE and made.unusual == {"log_file"}
    assert order("POST", "/v2/models/m/trace/setting", b'{"trace_file":"x"}').unusual == {"trace_file"}


def test_an_image_that_the_server_is_to_fetch_is_an_address_and_text() -> None:
    for key in ("image", "multi_modal_data"):
        made = generate(text_input="a", **{key: {"image": ["http://inside.example/x.png"]}})
        assert made.uninspected == ("image", "url")
        assert ("other", "http://inside.example/x.png") in said(made)
