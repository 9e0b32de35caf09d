"""Calls of Cohere's chat and embed: every text is read, every shape known."""

from __future__ import annotations

from typing import Any

import pytest

from penstock import apis
from penstock.errors import Refusal
from penstock.exchange import Call, JsonObject, Operation
from tests.apis.calls import call, said

CHAT = "/v2/chat"
EMBED = "/v2/embed"
HELLO: JsonObject = {"role": "user", "content": "hi"}
PNG = "data:image/png;base64,iVBO"


def chat(*messages: JsonObject, **more: Any) -> Call:
    return call(CHAT, {"model": "command", "messages": [*(messages or (HELLO,))], **more})


def embed(**more: Any) -> Call:
    return call(EMBED, {"model": "embed", "input_type": "search_query", **more})


@pytest.mark.parametrize("path", [CHAT, "/cohere/v2/chat"])
def test_a_chat_is_one_at_cohere_and_at_vllm(path: str) -> None:
    made = call(path, {"model": "command", "messages": [HELLO]})
    assert made.operation is Operation.CHAT and made.model == "command" and said(made) == [("user", "hi")]


def test_every_text_of_a_conversation_is_read() -> None:
    made = chat(
        {"role": "system", "content": [{"type": "text", "text": "be brief"}]},
        {
            "role": "user",
            "content": [{"type": "text", "text": "who"}, {"type": "image_url", "image_url": {"url": PNG}}],
        },
        {
            "role": "assistant",
            "tool_plan": "I look it up",
            "content": [{"type": "thinking", "thinking": "hmm"}],
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": '{"who": "bob"}'}}
            ],
            "citations": [{"text": "a quote", "start": 0}],
        },
        {
            "role": "tool",
            "tool_call_id": "call_1",
            "content": [{"type": "document", "document": {"id": "doc 1", "data": {"mail": "bob@example.com"}}}],
        },
        documents=["a page", {"id": "two", "data": {"title": "another"}}, {"data": "third"}],
        tools=[{"type": "function", "function": {"name": "look_up", "description": "finds", "parameters": {}}}],
    )
    assert said(made) == [
        ("system", "be brief"),
        ("user", "who"),
        ("assistant", "I look it up"),
        ("assistant", "hmm"),
        ("assistant", "look_up"),
        ("assistant", '{"who": "bob"}'),
        ("assistant", "a quote"),
        ("other", "doc 1"),
        ("tool", "bob@example.com"),
        ("user", "a page"),
        ("other", "two"),
        ("user", "another"),
        ("user", "third"),
        ("schema", "look_up"),
        ("schema", "finds"),
    ]
    assert made.uninspected == ("image",) and made.tools == ("look_up",) and not made.unusual
    arguments = next(turn for turn in made.turns if turn.form == "json")
    assert arguments.kind == "tool_call"


def test_parameters_have_their_common_names() -> None:
    made = chat(
        stream=True,
        max_tokens=5,
        k=3,
        p=0.5,
        temperature=0,
        seed=1,
        stop_sequences=["END"],
        safety_mode="STRICT",
        tool_choice="REQUIRED",
        thinking={"type": "enabled"},
        citation_options={"mode": "FAST"},
        response_format={"type": "json_object", "json_schema": {"description": "an answer"}},
    )
    assert made.stream and not made.unusual
    assert {name: made.parameters[name] for name in ("max_tokens", "top_k", "top_p", "stop")} == {
        "max_tokens": 5,
        "top_k": 3,
        "top_p": 0.5,
        "stop": ["END"],
    }
    assert said(made)[1:] == [("other", "END"), ("schema", "an answer")]
    changed = apis.by_name(made.api).with_parameters(made, {"top_k": 1})
    assert changed.body is not None and changed.body["k"] == 1


@pytest.mark.parametrize("name", ["priority", "chat_template_kwargs", "kv_transfer_params", "unheard_of"])
def test_what_is_unusual_needs_a_grant_that_names_it(name: str) -> None:
    assert chat(**{name: 1 if name == "priority" else {"a": "b"}}).unusual == {name}


@pytest.mark.parametrize(
    "more",
    [
        {"messages": []},
        {"messages": [{"role": "DEVELOPER", "content": "x"}]},
        {"messages": [{"role": "user", "content": "x", "name": "y"}]},
        {"messages": [{"role": "user", "content": 1}]},
        {"messages": [{"role": "user", "content": ["x"]}]},
        {"messages": [{"role": "user", "content": [{"type": "audio", "audio": "x"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "x", "thinking": "y"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": PNG}]}]},
        {"messages": [{"role": "assistant", "tool_calls": [{"type": "custom", "function": {"name": "x"}}]}]},
        {"messages": [{"role": "assistant", "tool_calls": [{"function": {}}]}]},
        {"messages": [{"role": "assistant", "citations": "x"}]},
        {"documents": [1]},
        {"documents": [{"text": "x"}]},
        {"stop_sequences": [1]},
        {"top_k": 1},
        {"model": None},
    ],
)
def test_a_chat_of_another_shape_is_refused(more: JsonObject) -> None:
    with pytest.raises(Refusal):
        chat(**more)


def test_an_image_elsewhere_is_fetched_by_the_server() -> None:
    image: JsonObject = {"url": "http://in.example/x", "detail": "auto"}
    made = chat({"role": "user", "content": [{"type": "image_url", "image_url": image}]})
    assert made.uninspected == ("image", "url") and said(made) == [("other", "http://in.example/x")]


def test_a_call_may_have_no_id_and_no_arguments() -> None:
    made = chat({"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "x"}}]})
    assert said(made) == [("assistant", "x")]


def test_every_text_to_embed_is_read() -> None:
    made = embed(
        texts=["one", "two"],
        inputs=[{"content": [{"type": "text", "text": "three"}, {"type": "image_url", "image_url": {"url": PNG}}]}],
        embedding_types=["float"],
        truncate="END",
        output_dimension=64,
        max_tokens=128,
    )
    assert made.operation is Operation.EMBED and made.model == "embed"
    assert said(made) == [("user", "one"), ("user", "two"), ("user", "three")]
    assert made.uninspected == ("image",) and not made.unusual
    # How much of a text is read is no bound on what is said.
    assert "max_tokens" not in made.parameters


def test_images_alone_can_be_embedded() -> None:
    made = embed(images=[PNG, "http://in.example/x"], priority=1)
    assert made.uninspected == ("image", "url") and said(made) == [("other", "http://in.example/x")]
    assert made.unusual == {"priority"}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"texts": []},
        {"texts": [1]},
        {"texts": "x"},
        {"images": [1]},
        {"inputs": [{"text": "x"}]},
        {"inputs": ["x"]},
    ],
)
def test_a_body_without_anything_to_embed_is_refused(more: JsonObject) -> None:
    with pytest.raises(Refusal):
        embed(**more)
