"""Calls of Anthropic's messages: every block is read or refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import apis
from penstock.apis.anthropic.blocks import BLOCKS
from penstock.errors import Refusal
from penstock.exchange import Call, Json, JsonObject, Operation
from tests.apis.calls import call, said

PATH = "/v1/messages"
HELLO: JsonObject = {"role": "user", "content": "hi"}


def messages(*blocks: JsonObject, role: str = "user", **more: Any) -> Call:
    content: Json = [*blocks] if blocks else "hi"
    return call(PATH, {"model": "tiny", "max_tokens": 9, "messages": [{"role": role, "content": content}], **more})


def refused(*blocks: JsonObject, **more: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        messages(*blocks, **more)
    assert caught.value.code == "invalid_request"
    return caught.value


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        (PATH, Operation.CHAT),
        (f"{PATH}?beta=true", Operation.CHAT),
        ("/anthropic/v1/messages", Operation.CHAT),
        ("/v1/messages/count_tokens", Operation.TOKENIZE),
        ("/v1/messages/count_tokens?beta=true", Operation.TOKENIZE),
        ("/anthropic/v1/messages/count_tokens", Operation.TOKENIZE),
    ],
)
def test_messages_and_the_count_of_their_tokens_are_asked_alike(path: str, operation: Operation) -> None:
    made = call(path, {"model": "tiny", "system": "be brief", "messages": [HELLO]})
    assert made.operation is operation and made.model == "tiny" and not made.unusual and not made.stream
    assert said(made) == [("system", "be brief"), ("user", "hi")]


@pytest.mark.parametrize("query", ["beta=false", "beta=alice@example.com", "beta=", "alpha=true"])
def test_no_other_query_is_taken(query: str) -> None:
    with pytest.raises(Refusal):
        call(f"{PATH}?{query}", {"model": "tiny", "messages": [HELLO]})


def test_the_body_must_be_there() -> None:
    api, route = apis.recognise("POST", PATH)
    with pytest.raises(Refusal):
        api.call(route, PATH, None)


def test_parameters_have_their_common_names() -> None:
    made = messages(
        stream=True,
        temperature=0.5,
        top_p=0.9,
        top_k=4,
        stop_sequences=["END of bob"],
        metadata={"user_id": "alice@example.com"},
        thinking={"type": "enabled", "budget_tokens": 1024},
        tool_choice={"type": "tool", "name": "look up"},
        service_tier="auto",
        cache_control={"type": "ephemeral"},
        output_config={"effort": "low", "format": {"type": "json_schema", "schema": {"description": "an answer"}}},
    )
    assert made.stream and not made.unusual
    assert made.parameters["max_tokens"] == 9 and made.parameters["stop"] == ["END of bob"]
    assert {
        ("other", "END of bob"),
        ("other", "alice@example.com"),
        ("other", "look up"),
        ("schema", "an answer"),
    } <= set(said(made))
    changed = apis.by_name(made.api).with_parameters(made, {"max_tokens": 5})
    assert changed.body is not None and changed.body["max_tokens"] == 5


@pytest.mark.parametrize(
    "name",
    [
        "mcp_servers",
        "container",
        "context_management",
        "fallbacks",
        "thread",
        "compaction",
        "betas",
        "return_token_ids",
    ],
)
def test_what_reaches_further_needs_a_grant_that_names_it(name: str) -> None:
    value: JsonObject = {"note": "tell bob@example.com"}
    more: dict[str, Any] = {name: [value] if name == "mcp_servers" else value}
    made = messages(**more)
    assert made.unusual == {name}
    assert ("other", "tell bob@example.com") in said(made)


def test_an_unknown_key_does_not_pass_for_a_parameter_of_that_name() -> None:
    assert "/stop" in refused(stop="x").message
    assert "/Model" in refused(Model="other").message


def test_every_content_block_is_read() -> None:
    made = messages(
        {"type": "text", "text": "a text", "cache_control": {"type": "ephemeral"}, "citations": [{"cited_text": "q"}]},
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "a document"},
            "title": "t",
        },
        {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "nested"}]}},
        {"type": "document", "source": {"type": "content", "content": "plain"}, "context": "where from"},
        {"type": "search_result", "source": "a place", "title": "found", "content": [{"type": "text", "text": "hit"}]},
        {"type": "thinking", "thinking": "a thought", "signature": "c2lnbmVk"},
        {"type": "tool_use", "id": "toolu_1", "name": "send", "input": {"to": "bob", "card": 4111111111111111}},
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "sent", "is_error": False},
        {"type": "tool_result", "tool_use_id": "toolu_2", "content": [{"type": "text", "text": "sent too"}]},
        {"type": "tool_reference", "tool_name": "look_up"},
        {"type": "web_search_tool_result", "tool_use_id": "s_1", "content": [{"title": "a page", "url": "http://x.y"}]},
        {"type": "compaction", "content": "in short"},
        {"type": "tool_addition", "tool": {"type": "tool_reference", "tool_name": "x y"}},
        {"type": "mcp_tool_listing", "mcp_server_name": "staff", "tools": [{"name": "n", "description": "d"}]},
        {"type": "fallback", "from": {"model": "one"}, "to": {"model": "two"}, "trigger": None},
        role="assistant",
    )
    assert not made.uninspected
    assert {
        ("assistant", "a text"),
        ("assistant", "q"),
        ("assistant", "a document"),
        ("assistant", "t"),
        ("assistant", "nested"),
        ("assistant", "plain"),
        ("assistant", "where from"),
        ("other", "a place"),
        ("assistant", "found"),
        ("assistant", "hit"),
        ("assistant", "a thought"),
        ("other", "c2lnbmVk"),
        ("assistant", "send"),
        ("assistant", "bob"),
        ("assistant", "4111111111111111"),
        ("tool", "sent"),
        ("tool", "sent too"),
        ("other", "look_up"),
        ("tool", "a page"),
        ("tool", "http://x.y"),
        ("assistant", "in short"),
        ("schema", "x y"),
        ("schema", "d"),
        ("assistant", "one"),
    } <= set(said(made))
    assert {turn.text for turn in made.turns if turn.kind == "tool_call"} == {"send", "bob", "4111111111111111"}


@pytest.mark.parametrize(
    ("block", "kinds"),
    [
        ({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBO"}}, {"image"}),
        ({"type": "image", "source": {"type": "url", "url": "http://in.example/x"}}, {"image", "url"}),
        ({"type": "image", "source": {"type": "url", "url": "data:image/png;base64,x"}}, {"image"}),
        ({"type": "image", "source": {"type": "file", "file_id": "file_1"}}, {"image"}),
        ({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "J"}}, {"file"}),
        ({"type": "document", "source": {"type": "url", "url": "http://in.example/x"}}, {"file", "url"}),
        ({"type": "redacted_thinking", "data": "RW5j"}, {"context"}),
        ({"type": "compaction", "encrypted_content": "RW5j"}, {"context"}),
        ({"type": "container_upload", "file_id": "file_1"}, {"file"}),
        ({"type": "web_search_tool_result", "content": [{"encrypted_content": "RW5j"}]}, {"context"}),
        ({"type": "web_fetch_tool_result", "content": {"source": {"type": "base64", "data": "J"}}}, {"file"}),
        (
            {"type": "tool_result", "content": [{"type": "image", "source": {"type": "base64", "data": "i"}}]},
            {"image"},
        ),
    ],
)
def test_what_nobody_can_read_is_named(block: JsonObject, kinds: set[str]) -> None:
    assert set(messages(block).uninspected) == kinds


@pytest.mark.parametrize(
    "block",
    [
        {"type": "unheard_of", "text": "x"},
        {"text": "x"},
        {"type": "text", "text": 1},
        {"type": "text", "text": "x", "thinking": "hidden"},
        {"type": "text", "text": "x", "Text": "hidden"},
        {"type": "tool_use", "id": "t", "name": "n", "input": "text"},
        {"type": "tool_result", "is_error": "yes"},
        {"type": "tool_result", "content": 7},
        {"type": "image", "source": {"type": "text", "data": "x"}},
        {"type": "image", "source": {"type": "base64", "data": "x", "url": "http://in.example"}},
        {"type": "image", "source": "x"},
        {"type": "image", "source": {"type": "base64"}},
        {"type": "redacted_thinking", "data": ["x"]},
    ],
)
def test_a_block_that_is_not_known_in_full_is_refused(block: JsonObject) -> None:
    assert refused(block).message.startswith("/messages/0/content/0")


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [HELLO]},
        {"model": "tiny"},
        {"model": "tiny", "messages": []},
        {"model": "tiny", "messages": ["hi"]},
        {"model": "tiny", "messages": [{"role": "root", "content": "hi"}]},
        {"model": "tiny", "messages": [{"role": "user", "content": None}]},
        {"model": "tiny", "messages": [{"role": "user", "content": ["hi"]}]},
        {"model": "tiny", "messages": [{**HELLO, "name": "bob"}]},
        {"model": "tiny", "messages": [HELLO], "system": [1]},
        {"model": "tiny", "messages": [HELLO], "stop_sequences": [1]},
        {"model": "tiny", "messages": [HELLO], "max_tokens": "9"},
        {"model": "tiny", "messages": [HELLO], "tools": [1]},
        {"model": "tiny", "messages": [HELLO], "tools": [{"description": "no name"}]},
        {"model": "tiny", "messages": [HELLO], "tools": [{"name": "x", "unheard": 1}]},
        {"model": "tiny", "messages": [HELLO], "tools": [{"name": "x", "type": 1}]},
        {"model": "tiny", "messages": [HELLO], "tools": [{"name": 1, "type": "bash_20250124"}]},
    ],
)
def test_a_body_of_another_shape_is_refused(body: JsonObject) -> None:
    with pytest.raises(Refusal):
        call(PATH, body)


def test_the_roles_that_one_client_invents_are_the_users() -> None:
    made = call(PATH, {"model": "m", "messages": [{"role": "ctx", "content": "a"}, {"role": "msg", "content": "b"}]})
    assert said(made) == [("user", "a"), ("user", "b")]


def test_tools_of_the_caller_are_read_and_named() -> None:
    schema: JsonObject = {"type": "object", "properties": {"to": {"type": "string", "description": "whom"}}}
    made = messages(tools=[{"name": "send", "description": "sends mail", "input_schema": schema, "type": "custom"}])
    assert made.tools == ("send",) and not made.unusual
    assert {("schema", "send"), ("schema", "sends mail"), ("schema", "whom")} <= set(said(made))


def test_tools_of_the_server_need_a_grant_that_names_them() -> None:
    made = messages(tools=[{"type": "web_search_20250305", "name": "web_search", "max_uses": 3}, {"type": "x_toolset"}])
    assert made.unusual == {"server_tools"} and made.tools == ("web_search",)
    assert made.parameters["server_tools"] == ["web_search_20250305", "x_toolset"]


def test_a_text_is_masked_where_it_stands() -> None:
    made = messages({"type": "tool_use", "id": "t", "name": "n", "input": {"to": "bob@example.com", "card": 41111111}})
    paths = {turn.text: turn.path for turn in made.turns}
    masked = apis.with_texts(made, {paths["bob@example.com"]: "[EMAIL]", paths["41111111"]: "[CARD]"})
    assert masked.body is not None
    assert masked.body["messages"] == [
        {
            "role": "user",
            "content": [{"type": "tool_use", "id": "t", "name": "n", "input": {"to": "[EMAIL]", "card": "[CARD]"}}],
        }
    ]


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 10**15) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@given(st.sampled_from(sorted(BLOCKS)), st.data())
def test_a_value_is_seen_or_the_block_refused(kind: str, data: st.DataObject) -> None:
    keys = BLOCKS[kind][0].names - {"type"}
    block = data.draw(st.dictionaries(st.sampled_from(sorted(keys)), _VALUES, max_size=3))
    place = data.draw(st.sampled_from(sorted(keys)))
    try:
        made = messages({**block, "type": kind, place: "hidden bob@example.com"})
    except Refusal:
        return
    seen = any("hidden bob@example.com" in turn.text for turn in made.turns)
    assert seen or made.uninspected
