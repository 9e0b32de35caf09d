from __future__ import annotations

import pytest

from penstock import apis
from penstock.apis.calls.fields import UNLIMITED
from penstock.errors import Refusal
from penstock.exchange import Json, JsonObject, Operation
from tests.apis.calls import CHAT, call, chat, said

USER: JsonObject = {"role": "user", "content": "hi"}
IMAGE: JsonObject = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


def refused(**body: Json) -> str:
    """The message that a body is refused with."""
    with pytest.raises(Refusal) as caught:
        call(CHAT, {"model": "tiny", "messages": [USER], **body})
    assert caught.value.status == 400
    return caught.value.message


def test_a_plain_call_says_all_there_is() -> None:
    made = chat(temperature=0.5, stream=True)
    assert (made.api, made.operation, made.model, made.stream) == ("openai.chat", Operation.CHAT, "tiny", True)
    assert said(made) == [("user", "hi")]
    assert made.parameters == {"temperature": 0.5} and not made.unusual and not made.uninspected and not made.tools
    assert not chat().stream and not chat(stream=None).stream and not chat(stream=False).stream


def test_every_text_of_a_conversation_is_a_turn_with_its_place() -> None:
    body: JsonObject = {
        "model": "tiny",
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "developer", "content": [{"type": "text", "text": "be kind"}]},
            {
                "role": "user",
                "name": "bob",
                "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}],
            },
            {
                "role": "assistant",
                "content": None,
                "reasoning_content": "think",
                "reasoning": "harder",
                "refusal": "no",
                "tool_calls": [
                    {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": "b"}'}},
                    {"id": "x y", "index": 1, "type": "custom", "custom": {"name": "g", "input": "raw"}},
                ],
                "annotations": [{"type": "url_citation", "url_citation": {"title": "Title"}}],
                "audio": {"id": "audio_1"},
            },
            {"role": "assistant", "content": "", "function_call": {"name": "old", "arguments": "{}"}},
            {"role": "tool", "tool_call_id": "call_1", "content": "result"},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "never"}]},
        ],
    }
    made = call(CHAT, body)
    assert said(made) == [
        ("system", "be brief"),
        ("developer", "be kind"),
        ("user", "one"),
        ("user", "two"),
        ("other", "bob"),
        ("assistant", "think"),
        ("assistant", "harder"),
        ("assistant", "no"),
        ("assistant", "f"),
        ("assistant", '{"a": "b"}'),
        ("other", "x y"),
        ("assistant", "g"),
        ("assistant", "raw"),
        ("assistant", "url_citation"),
        ("assistant", "Title"),
        ("assistant", "old"),
        ("assistant", "{}"),
        ("tool", "result"),
        ("assistant", "never"),
    ]
    for turn in made.turns:
        value: Json = made.body
        for part in turn.path:
            value = value[part]  # type: ignore[index]
        assert value == turn.text
    forms = {turn.text: (turn.kind, turn.form) for turn in made.turns}
    assert forms['{"a": "b"}'] == ("tool_call", "json") and forms["f"] == ("tool_call", "text")
    assert forms["raw"] == ("tool_call", "text") and forms["one"] == ("prompt", "text")


def test_tools_are_named_and_read() -> None:
    schema: JsonObject = {
        "type": "object",
        "properties": {"city": {"type": "string", "description": "where", "enum": ["Bern"]}},
    }
    made = chat(
        tools=[
            {
                "type": "function",
                "function": {"name": "weather", "description": "tells", "parameters": schema, "strict": True},
            },
            {"type": "custom", "custom": {"name": "shell", "description": "runs", "format": {"type": "text"}}},
        ],
        functions=[{"name": "older", "description": "says"}],
        tool_choice={"type": "function", "function": {"name": "weather"}},
    )
    assert made.tools == ("weather", "shell", "older")
    texts = [text for role, text in said(made) if role == "schema"]
    assert texts == ["weather", "tells", "where", "Bern", "shell", "runs", "older", "says"]
    assert set(made.parameters) == {"tools", "tool_choice"} and not made.unusual
    assert "tools" not in chat(tools=[]).parameters and "tools" not in chat(tools=None).parameters


@pytest.mark.parametrize("key", ["max_tokens", "max_completion_tokens", "n_predict"])
def test_each_name_of_the_token_limit_is_the_same_parameter(key: str) -> None:
    assert chat(**{key: 100}).parameters == {"max_tokens": 100}
    assert chat(**{key: -1}).parameters == {"max_tokens": UNLIMITED}
    assert chat(**{key: None}).parameters == {}


def test_several_token_limits_are_judged_by_the_largest_and_clamped_together() -> None:
    made = chat(max_tokens=10, max_completion_tokens=5000)
    assert made.parameters == {"max_tokens": 5000}
    api = apis.by_name("openai.chat")
    clamped = api.with_parameters(made, {"max_tokens": 2048})
    assert clamped.body is not None and clamped.parameters == {"max_tokens": 2048}
    assert (clamped.body["max_tokens"], clamped.body["max_completion_tokens"]) == (10, 2048)
    assert made.body is not None and made.body["max_completion_tokens"] == 5000


def test_a_limit_that_only_newer_servers_know_is_said_in_the_older_way_too() -> None:
    made = chat(max_completion_tokens=64)
    assert made.body is not None and made.body["max_tokens"] == 64


def test_parameters_are_written_to_their_places() -> None:
    api = apis.by_name("openai.chat")
    made = api.with_parameters(
        chat(temperature=2, n=3, n_cmpl=4), {"temperature": 1, "n": 1, "top_p": 0.9, "max_tokens": 5}
    )
    assert made.body is not None
    assert {key: made.body[key] for key in ("temperature", "n", "n_cmpl", "top_p", "max_tokens")} == {
        "temperature": 1,
        "n": 1,
        "n_cmpl": 1,
        "top_p": 0.9,
        "max_tokens": 5,
    }
    assert "max_completion_tokens" not in made.body
    unlimited = api.with_parameters(chat(max_tokens=-1), {"max_tokens": 7})
    assert unlimited.body is not None and unlimited.body["max_tokens"] == 7
    of_its_own = api.with_parameters(chat(), {"chat_template_kwargs": {"enable_thinking": False}, "unheard": 1})
    assert of_its_own.body is not None and of_its_own.body["unheard"] == 1
    assert of_its_own.unusual == chat().unusual


def test_what_no_one_lists_as_ordinary_needs_a_grant_that_names_it() -> None:
    made = chat(
        chat_template="{{ x }}", grammar="root ::= x", priority=1, guided_regex="a b", store=False, temperature=1
    )
    assert made.unusual == {"chat_template", "grammar", "priority", "guided_regex", "store"}
    assert set(made.parameters) == {*made.unusual, "temperature"}
    assert (
        ("system", "{{ x }}") in said(made)
        and ("schema", "root ::= x") in said(made)
        and ("other", "a b") in said(made)
    )
    assert chat(input_ids=[1, 2]).uninspected == ("token_ids",)


def test_a_model_that_leaves_the_host_needs_a_grant_that_says_so() -> None:
    made = call(CHAT, {"model": "gpt-oss:120b-cloud", "messages": [USER]})
    assert made.parameters["cloud"] is True and made.unusual == {"cloud"}


def test_ordinary_parameters_with_text_in_them_are_read() -> None:
    made = chat(
        stop=["END", "dump"],
        user="u-1",
        metadata={"a@b.example": "v"},
        prediction={"type": "content", "content": "guess"},
        response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": {"description": "d"}}},
        reasoning_effort="high",
        service_tier="auto",
    )
    texts = [text for _, text in said(made)]
    assert {"END", "dump", "u-1", "a@b.example", "v", "guess", "n", "d"} <= set(texts)
    assert "high" not in texts and "auto" not in texts and "json_schema" not in texts
    assert not made.unusual
    parts = chat(prediction={"type": "content", "content": [{"type": "text", "text": "guess"}]})
    assert ("assistant", "guess") in said(parts)


@pytest.mark.parametrize(
    ("part", "kinds"),
    [
        (IMAGE, ("image",)),
        ({"type": "image_url", "image_url": {"url": "https://host/x.png", "detail": "low"}}, ("image", "url")),
        ({"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}, ("image", "url")),
        ({"type": "video_url", "video_url": {"url": "data:video/mp4;base64,AA"}}, ("video",)),
        ({"type": "audio_url", "audio_url": {"url": "http://host/x"}}, ("audio", "url")),
        ({"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}, ("audio",)),
        ({"type": "file", "file": {"file_data": "AA", "filename": "a.pdf", "file_id": "f"}}, ("file",)),
    ],
)
def test_what_nobody_can_read_here_is_named_by_kind(part: JsonObject, kinds: tuple[str, ...]) -> None:
    made = call(
        CHAT, {"model": "tiny", "messages": [{"role": "user", "content": [{"type": "text", "text": "see"}, part]}]}
    )
    assert made.uninspected == kinds
    assert ("user", "see") in said(made)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"stream": "true"}, "/stream"),
        ({"stream": 1}, "/stream"),
        ({"temperature": "0.5"}, "/temperature"),
        ({"temperature": True}, "/temperature"),
        ({"max_tokens": 1.5}, "/max_tokens"),
        ({"max_tokens": True}, "/max_tokens"),
        ({"n": "1"}, "/n"),
        ({"stop": 7}, "/stop"),
        ({"stop": ["a", 7]}, "/stop/1"),
        ({"tools": {}}, "/tools"),
        ({"tools": [{"type": "web_search"}]}, "/tools/0/type"),
        ({"tools": [{"type": "function"}]}, "/tools/0/function"),
        ({"tools": [{"type": "function", "function": {"name": ""}}]}, "/tools/0/function/name"),
        ({"tools": [{"type": "function", "function": {"name": "f"}, "custom": {}}]}, "/tools/0/type"),
        ({"tools": [{"type": "function", "function": {"name": "f", "Name": "g"}}]}, "/tools/0/function/Name"),
        ({"logit_bias": {"hello": 1}}, "/logit_bias"),
        ({"logit_bias": {"12": "x"}}, "/logit_bias"),
        ({"stream_options": {"include_usage": 1}}, "/stream_options/include_usage"),
        ({"stream_options": {"other": True}}, "/stream_options/other"),
        ({"prediction": {"type": "other", "content": "x"}}, "/prediction/type"),
        ({"prediction": {"type": "content"}}, "/prediction/content"),
        ({"response_format": {"Type": "json_object"}}, "/response_format/Type"),
        ({"messages": "hi"}, "/messages"),
        ({"messages": []}, "/messages"),
        ({"messages": None}, "/messages"),
        ({"messages": ["hi"]}, "/messages/0"),
        ({"messages": [{"content": "hi"}]}, "/messages/0/role"),
        ({"messages": [{"role": "User", "content": "hi"}]}, "/messages/0/role"),
        ({"messages": [{"role": "ipython", "content": "hi"}]}, "/messages/0/role"),
        ({"messages": [{"role": ["user"], "content": "hi"}]}, "/messages/0/role"),
        ({"messages": [{"role": "user", "content": 7}]}, "/messages/0/content"),
        ({"messages": [{"role": "user", "content": {"text": "hi"}}]}, "/messages/0/content"),
        ({"messages": [{"role": "user", "content": ["hi"]}]}, "/messages/0/content/0/type"),
        ({"messages": [{"role": "user", "content": [{"text": "hi"}]}]}, "/messages/0/content/0/type"),
        ({"messages": [{"role": "user", "content": [{"type": ["text"], "text": "hi"}]}]}, "/messages/0/content/0/type"),
        ({"messages": [{"role": "user", "content": [{"type": "hologram"}]}]}, "/messages/0/content/0/type"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "a", "Text": "b"}]}]},
            "/messages/0/content/0/Text",
        ),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "/messages/0/content/0/text"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "http://x"}]}]},
            "/messages/0/content/0/image_url",
        ),
        ({"messages": [{"role": "user", "content": "a", "Content": "b"}]}, "/messages/0/Content"),
        ({"messages": [{"role": "user", "content": "a", "hidden": "b"}]}, "/messages/0/hidden"),
        ({"messages": [{"role": "user", "content": "a", "name": 7}]}, "/messages/0/name"),
        ({"messages": [{"role": "assistant", "tool_calls": [{"id": 1}]}]}, "/messages/0/tool_calls/0/id"),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}]},
            "/messages/0/tool_calls/0/function/arguments",
        ),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"index": "0", "function": {"name": "f"}}]}]},
            "/messages/0/tool_calls/0/index",
        ),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"type": "mcp", "function": {"name": "f"}}]}]},
            "/messages/0/tool_calls/0/type",
        ),
        ({"messages": [{"role": "assistant", "annotations": "x"}]}, "/messages/0/annotations"),
        ({"Model": "x"}, "/Model"),
        ({"\u017ftream": False}, "/\u017ftream"),
        ({"TEMPERATURE": 3}, "/TEMPERATURE"),
        ({"foo": 1, "FOO": 2}, "/FOO"),
        ({"model": None}, "/model"),
        ({"model": 7}, "/model"),
    ],
)
def test_an_unknown_shape_is_refused_by_its_place(body: JsonObject, place: str) -> None:
    assert place in refused(**body)


def test_a_call_that_names_no_model_is_refused() -> None:
    with pytest.raises(Refusal) as caught:
        call(CHAT, {"messages": [USER]})
    assert "/model" in caught.value.message


def test_a_tool_call_without_arguments_is_fine() -> None:
    made = call(
        CHAT,
        {
            "model": "m",
            "messages": [
                {
                    "role": "assistant",
                    "tool_calls": [
                        {"function": {"name": "f", "arguments": None}},
                        {"function": {"name": "", "arguments": ""}},
                    ],
                }
            ],
        },
    )
    assert said(made) == [("assistant", "f")]


def test_a_refusal_never_repeats_a_value() -> None:
    assert "4111" not in refused(stop={"card": "4111 1111 1111 1111"})
    assert "4111" not in refused(messages=[{"role": "4111 1111 1111 1111", "content": "x"}])


def test_what_is_forwarded_is_what_was_judged() -> None:
    made = chat(temperature=0.25, stop=["x"])
    assert apis.parse(apis.emit(made.body), "application/json") == made.body


def test_what_is_null_is_not_there() -> None:
    made = chat(stream_options={"include_usage": None}, logit_bias=None, tools=None, stop=None, user=None)
    assert set(made.parameters) == {"stream_options"} and said(made) == [("user", "hi")]
    assert chat(stream_options={"include_usage": True}, logit_bias={"12": -100, "7": 0.5}).unusual == frozenset()
