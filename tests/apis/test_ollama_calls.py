from __future__ import annotations

import pytest

from penstock import apis
from penstock.apis.calls.fields import UNLIMITED
from penstock.errors import Refusal
from penstock.exchange import Json, JsonObject, Operation
from tests.apis.calls import GENERATE, OLLAMA_CHAT, SHOW, call, ollama, said

USER: JsonObject = {"role": "user", "content": "hi"}


def refused(path: str, body: JsonObject) -> str:
    with pytest.raises(Refusal) as caught:
        call(path, body)
    assert caught.value.code == "invalid_request"
    return caught.value.message


def test_a_chat_streams_unless_told_not_to() -> None:
    made = ollama()
    assert (made.api, made.operation, made.model, made.stream) == ("ollama.chat", Operation.CHAT, "llama3.2", True)
    assert not ollama(stream=False).stream and ollama(stream=True).stream and ollama(stream=None).stream


def test_every_text_of_a_chat_is_a_turn_with_its_place() -> None:
    body: JsonObject = {
        "model": "llama3.2",
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "see", "images": ["AAAA"]},
            {
                "role": "assistant",
                "content": "",
                "thinking": "think",
                "tool_calls": [
                    {
                        "id": "call_1",
                        "function": {"index": 0, "name": "f", "arguments": {"to": "a@b.example", "x y": [1, "z"]}},
                    }
                ],
            },
            {"role": "tool", "content": "result", "tool_name": "f", "tool_call_id": "call 1"},
        ],
        "tools": [
            {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}
        ],
        "format": {"type": "object", "description": "shape"},
        "options": {"stop": ["END"]},
    }
    made = call(OLLAMA_CHAT, body)
    assert said(made) == [
        ("system", "be brief"),
        ("user", "see"),
        ("assistant", "think"),
        ("assistant", "f"),
        ("assistant", "a@b.example"),
        ("assistant", "x y"),
        ("assistant", "z"),
        ("tool", "result"),
        ("other", "f"),
        ("other", "call 1"),
        ("schema", "f"),
        ("schema", "d"),
        ("schema", "shape"),
        ("other", "END"),
    ]
    assert made.uninspected == ("image",) and made.tools == ("f",)
    assert {turn.text for turn in made.turns if turn.kind == "tool_call"} == {"f", "a@b.example", "x y", "z"}


def test_masking_reaches_arguments_and_their_keys() -> None:
    arguments: JsonObject = {"a@b.example": "c@d.example"}
    made = call(
        OLLAMA_CHAT,
        {
            "model": "m",
            "messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": arguments}}]}],
        },
    )
    masked = apis.with_texts(made, {turn.path: "[EMAIL]" for turn in made.turns if "@" in turn.text})
    assert "@" not in apis.emit(masked.body).decode()
    assert all("@" not in turn.text for turn in masked.turns)


def test_options_are_parameters_under_their_canonical_names() -> None:
    made = ollama(
        options={"num_predict": 100, "temperature": 0.5, "stop": ["x"], "num_ctx": 8192, "unheard": "of it"},
        think="high",
        format="json",
    )
    assert made.parameters == {
        "max_tokens": 100,
        "temperature": 0.5,
        "stop": ["x"],
        "num_ctx": 8192,
        "options.unheard": "of it",
        "think": "high",
        "response_format": "json",
    }
    assert made.unusual == {"num_ctx", "options.unheard"}
    assert ("other", "of it") in said(made) and ("schema", "json") not in said(made)
    assert ollama(options={"num_predict": -1}).parameters["max_tokens"] == UNLIMITED
    assert ollama(options=None).parameters == {}


def test_parameters_are_written_into_options() -> None:
    api = apis.by_name("ollama.chat")
    made = api.with_parameters(ollama(), {"max_tokens": 64, "n": 1})
    assert made.body is not None and made.body["options"] == {"num_predict": 64} and "n" not in made.body
    given = ollama(options={"num_predict": -1, "unheard": 5, "top_k": 3})
    clamped = api.with_parameters(given, {"max_tokens": 64, "options.unheard": 4, "keep_alive": "5m"})
    assert clamped.body is not None and given.body is not None
    assert clamped.body["options"] == {"num_predict": 64, "unheard": 4, "top_k": 3}
    assert clamped.body["keep_alive"] == "5m"
    assert given.body["options"] == {"num_predict": -1, "unheard": 5, "top_k": 3}


@pytest.mark.parametrize("name", ["LLAMA3.2", "llama3.2:latest", "registry.ollama.ai/library/llama3.2"])
def test_the_model_is_judged_and_forwarded_under_one_name(name: str) -> None:
    for path, body in ((OLLAMA_CHAT, {"messages": [USER]}), (GENERATE, {"prompt": "hi"}), (SHOW, {})):
        made = call(path, {"model": name, **body})  # type: ignore[dict-item]
        assert made.model == "llama3.2" and made.body is not None and made.body["model"] == "llama3.2"


def test_a_model_that_leaves_the_host_needs_a_grant_that_says_so() -> None:
    made = call(OLLAMA_CHAT, {"model": "gpt-oss:120b-cloud", "messages": [USER]})
    assert made.unusual == {"cloud"} and made.model == "gpt-oss:120b-cloud"
    assert call(GENERATE, {"model": "x:cloud", "prompt": "p"}).unusual == {"cloud"}


@pytest.mark.parametrize(
    ("keep_alive", "operation"),
    [
        (None, Operation.LOAD),
        (0, Operation.UNLOAD),
        (-0.0, Operation.UNLOAD),
        (0.0000000001, Operation.UNLOAD),
        ("0", Operation.UNLOAD),
        ("-0", Operation.UNLOAD),
        ("0s", Operation.UNLOAD),
        ("0h0m0.0s", Operation.UNLOAD),
        ("0.4ns", Operation.UNLOAD),
        (-1, Operation.LOAD),
        (300, Operation.LOAD),
        ("5m", Operation.LOAD),
        ("1h30m", Operation.LOAD),
        ("1ns", Operation.LOAD),
        ("-5m", Operation.LOAD),
    ],
)
def test_an_order_to_load_or_unload_is_what_it_is(keep_alive: Json, operation: Operation) -> None:
    more: JsonObject = {} if keep_alive is None else {"keep_alive": keep_alive}
    for path, body in (
        (OLLAMA_CHAT, {"messages": []}),
        (OLLAMA_CHAT, {}),
        (OLLAMA_CHAT, {"messages": None}),
        (GENERATE, {"prompt": ""}),
        (GENERATE, {}),
        (GENERATE, {"prompt": None, "suffix": "x"}),
    ):
        made = call(path, {"model": "m", **body, **more})
        assert made.operation == operation and not made.unusual


def test_with_a_prompt_keep_alive_is_a_parameter_that_a_grant_must_name() -> None:
    assert ollama(keep_alive=0).operation == Operation.CHAT and ollama(keep_alive=0).unusual == {"keep_alive"}


@pytest.mark.parametrize("keep_alive", ["soon", "5", "5 m", "1d", "", "0x0", "1e3s", "\u0660s"])
def test_a_duration_that_go_would_not_read_is_refused(keep_alive: str) -> None:
    assert "/keep_alive" in refused(OLLAMA_CHAT, {"model": "m", "keep_alive": keep_alive})


def test_a_generate_call_reads_prompt_system_and_template() -> None:
    made = call(
        GENERATE,
        {
            "model": "m",
            "prompt": "p",
            "system": "s",
            "template": "t",
            "suffix": "u",
            "raw": True,
            "context": [1, 2],
            "images": ["AA"],
        },
    )
    assert made.operation == Operation.COMPLETE and made.stream
    assert sorted(said(made)) == [("system", "s"), ("system", "t"), ("user", "p"), ("user", "u")]
    assert made.unusual == {"template", "raw"} and made.uninspected == ("context", "image")
    assert call(GENERATE, {"model": "m", "prompt": "p", "context": [], "images": []}).uninspected == ()


@pytest.mark.parametrize(
    ("path", "body", "place"),
    [
        (OLLAMA_CHAT, {"stream": "false"}, "/stream"),
        (OLLAMA_CHAT, {"STREAM": False}, "/STREAM"),
        (OLLAMA_CHAT, {"\u017ftream": False}, "/\u017ftream"),
        (OLLAMA_CHAT, {"\u212aeep_alive": 0}, "eep_alive"),
        (OLLAMA_CHAT, {"Model": "other"}, "/Model"),
        (OLLAMA_CHAT, {"MESSAGES": []}, "/MESSAGES"),
        (OLLAMA_CHAT, {"messages": {}}, "/messages"),
        (OLLAMA_CHAT, {"messages": [{"role": "User", "content": "x"}]}, "/messages/0/role"),
        (OLLAMA_CHAT, {"messages": [{"role": "developer", "content": "x"}]}, "/messages/0/role"),
        (OLLAMA_CHAT, {"messages": [{"role": "user", "content": ["x"]}]}, "/messages/0/content"),
        (OLLAMA_CHAT, {"messages": [{"role": "user", "Content": "x"}]}, "/messages/0/Content"),
        (OLLAMA_CHAT, {"messages": [{"role": "user", "content": "x", "IMAGES": []}]}, "/messages/0/IMAGES"),
        (OLLAMA_CHAT, {"messages": [{"role": "user", "content": "x", "images": [1]}]}, "/messages/0/images"),
        (OLLAMA_CHAT, {"messages": [{"role": "user", "content": "x", "name": "n"}]}, "/messages/0/name"),
        (
            OLLAMA_CHAT,
            {"messages": [{"role": "assistant", "tool_calls": [{"Function": {}}]}]},
            "/messages/0/tool_calls/0/Function",
        ),
        (
            OLLAMA_CHAT,
            {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}]},
            "/arguments",
        ),
        (
            OLLAMA_CHAT,
            {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "Arguments": {}}}]}]},
            "/Arguments",
        ),
        (
            OLLAMA_CHAT,
            {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "index": "0"}}]}]},
            "/index",
        ),
        (OLLAMA_CHAT, {"tools": [{"type": "function", "function": {"name": "f", "Description": "x"}}]}, "/Description"),
        (OLLAMA_CHAT, {"tools": [{"type": "function", "function": {"name": ""}}]}, "/name"),
        (OLLAMA_CHAT, {"options": {"Temperature": 3}}, "/options/Temperature"),
        (OLLAMA_CHAT, {"options": {"NUM_PREDICT": 3}}, "/options/NUM_PREDICT"),
        (OLLAMA_CHAT, {"options": {"temperature": "3"}}, "/options/temperature"),
        (OLLAMA_CHAT, {"options": {"num_predict": 3.5}}, "/options/num_predict"),
        (OLLAMA_CHAT, {"options": {"stop": "x"}}, "/options/stop"),
        (OLLAMA_CHAT, {"options": {"stop": [1]}}, "/options/stop/0"),
        (OLLAMA_CHAT, {"options": []}, "/options"),
        (OLLAMA_CHAT, {"think": 1}, "/think"),
        (GENERATE, {"prompt": ["p"]}, "/prompt"),
        (GENERATE, {"Prompt": "p"}, "/Prompt"),
        (GENERATE, {"prompt": "p", "PROMPT": "q"}, "/PROMPT"),
        (GENERATE, {"context": "x"}, "/context"),
        (GENERATE, {"context": [1, "x"]}, "/context"),
        (GENERATE, {"System": "s"}, "/System"),
        (GENERATE, {"foo": 1, "Foo": 2}, "/Foo"),
        (SHOW, {"Name": "x"}, "/Name"),
        (SHOW, {"name": "other"}, "/name"),
    ],
)
def test_what_go_would_read_otherwise_is_refused_by_its_place(path: str, body: JsonObject, place: str) -> None:
    base: JsonObject = {"model": "m"} if "Model" not in body else {}
    assert place in refused(path, {**base, **body})


def test_aliases_to_other_hosts_are_no_ordinary_parameters() -> None:
    assert ollama(remote_host="http://elsewhere").unusual == {"remote_host"}
    assert ollama(_debug_render_only=True).unusual == {"_debug_render_only"}


def test_a_model_is_shown_by_either_key() -> None:
    for body in ({"model": "m"}, {"name": "m"}, {"model": "M:latest", "name": "m"}, {"model": "", "name": "m"}):
        made = call(SHOW, body)  # type: ignore[arg-type]
        assert made.operation == Operation.SHOW and made.model == "m" and made.body == {"model": "m"}
    assert "two models" in refused(SHOW, {"model": "m", "name": "n"})
    assert "/model" in refused(SHOW, {})
    made = call(SHOW, {"model": "m", "verbose": True, "system": "s", "extra": "e"})
    assert made.unusual == {"verbose", "system", "extra"}
    assert said(made) == [("system", "s"), ("other", "e")]


def test_a_tool_call_without_arguments_is_fine() -> None:
    body: JsonObject = {"model": "m", "messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]}]}
    assert said(call(OLLAMA_CHAT, body)) == [("assistant", "f")]
