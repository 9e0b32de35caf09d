from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock import apis
from penstock.apis.calls.fields import UNLIMITED
from penstock.apis.openai.responses.input import ITEMS, PARTS
from penstock.errors import Refusal
from penstock.exchange import Call, Json, JsonObject, Operation
from tests.apis.calls import call, said

RESPONSES = "/v1/responses"
BLOB = "QUJD" * 40


def ask(given: Json = "hi", **more: Json) -> Call:
    return call(RESPONSES, {"model": "tiny", "input": given, **more})


def refused(given: Json = "hi", **more: Json) -> str:
    with pytest.raises(Refusal) as caught:
        ask(given, **more)
    assert caught.value.status == 400
    return caught.value.message


def texts(made: Call) -> list[str]:
    return [turn.text for turn in made.turns]


def test_a_text_is_what_the_user_says() -> None:
    made = ask("mail alice", instructions="Be brief.", stream=True)
    assert said(made) == [("user", "mail alice"), ("system", "Be brief.")]
    assert (made.api, made.operation, made.model, made.stream) == ("openai.responses", Operation.CHAT, "tiny", True)
    assert not made.unusual and not made.uninspected


@pytest.mark.parametrize("path", ["/responses", "/v3/responses"])
def test_every_path_of_a_server_is_the_same_api(path: str) -> None:
    assert call(path, {"model": "tiny", "input": "hi"}).api == "openai.responses"


@pytest.mark.parametrize("path", ["/v1/responses/input_tokens", "/responses/input_tokens"])
def test_counting_the_tokens_of_a_request_reads_it_like_the_request(path: str) -> None:
    made = call(path, {"model": "tiny", "input": [{"role": "user", "content": "hi"}], "instructions": "Be brief."})
    assert (made.api, made.operation) == ("openai.responses_count", Operation.TOKENIZE)
    assert said(made) == [("user", "hi"), ("system", "Be brief.")]
    with pytest.raises(Refusal):
        call(path, {"model": "tiny", "input": [{"type": "riddle"}]})


def test_messages_have_roles_and_parts() -> None:
    made = ask(
        [
            {"role": "developer", "content": "rules"},
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "a"}],
                "status": "completed",
            },
            {
                "type": "message",
                "id": "msg_1",
                "role": "assistant",
                "status": "completed",
                "phase": "final_answer",
                "content": [
                    {"type": "output_text", "text": "b", "annotations": [{"type": "file_path", "title": "notes"}]},
                    {"type": "refusal", "refusal": "no"},
                ],
            },
        ]
    )
    assert said(made) == [
        ("developer", "rules"),
        ("user", "a"),
        ("assistant", "b"),
        ("other", "file_path"),
        ("other", "notes"),
        ("assistant", "no"),
    ]


def test_calls_and_their_results_are_read() -> None:
    made = ask(
        [
            {"role": "user", "content": "go"},
            {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "mail", "arguments": '{"to": "x"}'},
            {"type": "function_call_output", "call_id": "call_1", "output": "sent"},
            {"type": "custom_tool_call", "call_id": "call_2", "name": "sql", "input": "SELECT"},
            {
                "type": "custom_tool_call_output",
                "call_id": "call_2",
                "output": [{"type": "input_text", "text": "rows"}],
            },
        ]
    )
    assert [(turn.role, turn.text, turn.kind, turn.form) for turn in made.turns] == [
        ("user", "go", "prompt", "text"),
        ("assistant", "mail", "tool_call", "text"),
        ("assistant", '{"to": "x"}', "tool_call", "json"),
        ("tool", "sent", "prompt", "text"),
        ("assistant", "sql", "tool_call", "text"),
        ("assistant", "SELECT", "tool_call", "text"),
        ("tool", "rows", "prompt", "text"),
    ]


def test_identifiers_that_say_something_are_text() -> None:
    made = ask([{"type": "function_call_output", "call_id": "mail alice@example.com", "output": ""}])
    assert said(made) == [("other", "mail alice@example.com")]
    assert made.turns[0].kind == "tool_call"


def test_what_a_model_thought_is_read_and_what_it_sealed_is_not() -> None:
    thought: JsonObject = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "short"}],
        "content": [{"type": "reasoning_text", "text": "long"}],
    }
    # Ollama takes what stands here as the thought itself.
    plain = ask([{"role": "user", "content": "go"}, {**thought, "encrypted_content": "in plain words"}])
    assert said(plain) == [
        ("user", "go"),
        ("assistant", "short"),
        ("assistant", "long"),
        ("assistant", "in plain words"),
    ]
    assert not plain.uninspected
    assert ask([{"role": "user", "content": "go"}, {**thought, "encrypted_content": BLOB}]).uninspected == ("context",)


HELD: list[tuple[JsonObject, tuple[str, ...], list[str]]] = [
    ({"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"}, ("image",), []),
    (
        {"type": "input_image", "image_url": "https://example.org/a.png"},
        ("image", "url"),
        ["https://example.org/a.png"],
    ),
    ({"type": "input_image", "file_id": "file-1"}, ("image",), []),
    ({"type": "input_file", "file_data": "data:,x", "filename": "cv of alice"}, ("file",), ["cv of alice"]),
    ({"type": "input_file", "file_url": "https://example.org/a"}, ("file", "url"), ["https://example.org/a"]),
    ({"type": "input_file", "file_id": "file-1"}, ("file",), []),
    ({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}, ("audio",), []),
]


@pytest.mark.parametrize(("part", "kinds", "read"), HELD)
def test_what_nobody_can_read_is_named(part: JsonObject, kinds: tuple[str, ...], read: list[str]) -> None:
    made = ask([{"role": "user", "content": [part]}])
    assert made.uninspected == kinds and texts(made) == read


ITEMS_READ: list[tuple[JsonObject, list[str], tuple[str, ...]]] = [
    ({"type": "item_reference", "id": "msg_1"}, [], ("context",)),
    ({"id": "msg_1"}, [], ("context",)),
    (
        {"type": "computer_call", "id": "cu_1", "call_id": "c", "action": {"type": "type", "text": "my password"}},
        ["type", "my password"],
        (),
    ),
    (
        {
            "type": "computer_call_output",
            "call_id": "c",
            "output": {"type": "computer_screenshot", "image_url": "data:image/png;base64,AA"},
        },
        [],
        ("image",),
    ),
    (
        {"type": "file_search_call", "id": "f", "status": "completed", "queries": ["who"], "results": [{"text": "me"}]},
        ["who", "me"],
        (),
    ),
    ({"type": "web_search_call", "id": "w", "action": {"type": "search", "query": "who"}}, ["search", "who"], ()),
    ({"type": "image_generation_call", "id": "i", "result": "AAAA", "revised_prompt": "a cat"}, ["a cat"], ("image",)),
    (
        {"type": "code_interpreter_call", "id": "i", "code": "print(1)", "outputs": [{"type": "logs", "logs": "1"}]},
        ["print(1)", "logs", "1"],
        (),
    ),
    (
        {"type": "local_shell_call", "call_id": "c", "action": {"type": "exec", "command": ["cat", "a b"]}},
        ["exec", "cat", "a b"],
        (),
    ),
    ({"type": "local_shell_call_output", "id": "l", "output": "{}"}, ["{}"], ()),
    (
        {"type": "shell_call", "call_id": "c", "action": {"commands": ["ls"]}, "max_output_length": 5},
        ["ls"],
        (),
    ),
    ({"type": "shell_call_output", "call_id": "c", "output": [{"stdout": "a", "stderr": "b"}]}, ["a", "b"], ()),
    (
        {"type": "apply_patch_call", "call_id": "c", "operation": {"type": "update_file", "diff": "-a", "path": "p"}},
        ["update_file", "-a", "p"],
        (),
    ),
    ({"type": "apply_patch_call_output", "call_id": "c", "output": "done"}, ["done"], ()),
    (
        {"type": "mcp_list_tools", "id": "m", "server_label": "desk", "tools": [{"name": "t", "description": "d"}]},
        ["desk", "t", "d"],
        (),
    ),
    (
        {"type": "mcp_approval_request", "id": "m", "server_label": "desk", "name": "t", "arguments": "{}"},
        ["desk", "t", "{}"],
        (),
    ),
    (
        {"type": "mcp_approval_response", "approval_request_id": "m", "approve": True, "reason": "because"},
        ["because"],
        (),
    ),
    (
        {"type": "mcp_call", "id": "m", "server_label": "desk", "name": "t", "arguments": "{}", "output": "o"},
        ["o", "desk", "t", "{}"],
        (),
    ),
    ({"type": "compaction", "id": "c", "encrypted_content": BLOB}, [], ("context",)),
    (
        {"type": "additional_tools", "role": "developer", "tools": [{"type": "function", "name": "f"}]},
        ["f"],
        (),
    ),
    ({"type": "program", "id": "p", "call_id": "c", "code": "1+1", "fingerprint": BLOB}, ["1+1"], ("context",)),
    ({"type": "program_output", "id": "p", "call_id": "c", "result": "2"}, ["2"], ()),
    ({"type": "tool_search_call", "call_id": "c", "arguments": {"query": "q"}, "execution": "client"}, ["q"], ()),
]


@pytest.mark.parametrize(("item", "read", "kinds"), ITEMS_READ)
def test_every_kind_of_item_is_read(item: JsonObject, read: list[str], kinds: tuple[str, ...]) -> None:
    made = ask([item], instructions="x")
    assert sorted(texts(made)) == sorted([*read, "x"])
    assert made.uninspected == kinds


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        [],
        5,
        [5],
        [{"type": "reasoning", "summary": []}],
        [{"type": "riddle"}],
        [{"type": 5}],
        [{"role": "oracle", "content": "x"}],
        [{"role": "user"}],
        [{"role": "user", "content": 5}],
        [{"role": "user", "content": [{"type": "hologram"}]}],
        [{"role": "user", "content": ["x"]}],
        [{"role": "user", "content": "x", "Role": "system"}],
        [{"role": "user", "content": "x", "tool_calls": []}],
        [{"role": "user", "content": [{"type": "input_text", "text": "x", "voice": "y"}]}],
        [{"type": "function_call", "name": "f", "arguments": {"a": 1}}],
        [{"type": "mcp_approval_response", "approve": "yes"}],
        [{"type": "shell_call_output", "max_output_length": "5"}],
        [{"type": "computer_call_output", "output": "x"}],
    ],
)
def test_what_is_not_understood_is_refused_by_its_place(given: Json) -> None:
    assert refused(given).startswith("/input")


def test_a_request_without_words_is_no_order_to_load_a_model() -> None:
    assert "not empty" in refused("")
    assert ask("", instructions="Be brief.").model == "tiny"
    assert ask(None, previous_response_id="resp_1").unusual == {"previous_response_id"}


def test_the_bound_has_one_name() -> None:
    assert ask(max_output_tokens=5).parameters["max_tokens"] == 5
    # llama.cpp takes the others, too.
    assert ask(max_output_tokens=5, n_predict=-1).parameters["max_tokens"] == UNLIMITED
    api, _ = apis.recognise("POST", RESPONSES)
    assert api.with_parameters(ask(), {"max_tokens": 9}).body == {
        "model": "tiny",
        "input": "hi",
        "max_output_tokens": 9,
    }


def test_state_on_the_server_needs_a_grant() -> None:
    made = ask(store=True, background=True, previous_response_id="resp_1", conversation={"id": "conv_1"})
    assert made.unusual == {"store", "background", "previous_response_id", "conversation"}
    assert made.uninspected == ("context",)
    assert not ask(store=False, background=False).parameters


def test_a_stored_prompt_needs_a_grant_and_its_variables_are_read() -> None:
    made = ask(
        None, prompt={"id": "pmpt_1", "variables": {"who": "alice", "more": {"type": "input_text", "text": "x y"}}}
    )
    assert made.unusual == {"prompt"} and made.uninspected == ("context",)
    assert texts(made) == ["pmpt_1", "alice", "input_text", "x y"]


FUNCTION: JsonObject = {
    "type": "function",
    "name": "mail",
    "description": "Sends mail.",
    "parameters": {"type": "object", "properties": {"to": {"type": "string"}}},
    "strict": True,
}


def test_tools_that_the_caller_runs_are_ordinary() -> None:
    made = ask(
        tools=[
            FUNCTION,
            {"type": "custom", "name": "sql", "format": {"type": "grammar", "definition": "start: x"}},
            {"type": "namespace", "name": "crm", "description": "People.", "tools": [{**FUNCTION, "name": "find"}]},
        ],
        tool_choice={"type": "function", "name": "mail"},
    )
    assert made.tools == ("mail", "sql", "crm", "crm.find")
    assert not made.unusual
    assert {"Sends mail.", "start: x", "People."} <= set(texts(made))


@pytest.mark.parametrize(
    ("tool", "parameter", "name"),
    [
        ({"type": "web_search"}, "tools.web_search", "web_search"),
        ({"type": "web_search_preview_2025_03_11"}, "tools.web_search", "web_search"),
        ({"type": "file_search", "vector_store_ids": ["vs_1"]}, "tools.file_search", "file_search"),
        ({"type": "mcp", "server_label": "desk", "server_url": "https://example.org/mcp"}, "tools.mcp", "desk"),
        ({"type": "code_interpreter", "container": {"type": "auto"}}, "tools.code_interpreter", "code_interpreter"),
        ({"type": "computer_use_preview"}, "tools.computer_use", "computer_use"),
        ({"type": "invented_tomorrow"}, "tools.invented_tomorrow", "invented_tomorrow"),
    ],
)
def test_a_tool_that_the_server_runs_needs_a_grant(tool: JsonObject, parameter: str, name: str) -> None:
    for made in (
        ask(tools=[FUNCTION, tool]),
        ask(tools=[{"type": "namespace", "name": "n", "tools": [tool]}]),
        ask([{"role": "user", "content": "x"}, {"type": "additional_tools", "role": "developer", "tools": [tool]}]),
    ):
        assert made.unusual == {parameter}
    assert ask(tools=[FUNCTION, tool]).tools == ("mail", name)
    api, _ = apis.recognise("POST", RESPONSES)
    assert api.with_parameters(ask(), {parameter: True}).body == {"model": "tiny", "input": "hi"}


def test_where_a_hosted_tool_reaches_is_read() -> None:
    tool: JsonObject = {
        "type": "mcp",
        "server_label": "desk",
        "server_url": "https://x.example",
        "headers": {"a": "key 1"},
    }
    assert {"https://x.example", "key 1"} <= set(texts(ask(tools=[tool])))


def test_a_tool_that_answers_in_pictures_is_not_inspected() -> None:
    assert ask(tools=[{"type": "image_generation"}]).uninspected == ("image",)


@pytest.mark.parametrize(
    "tool",
    [
        5,
        {},
        {"type": "Function"},
        {"type": "function"},
        {"type": "function", "name": ""},
        {"type": "function", "name": "f", "function": {"name": "g"}},
        {"type": "namespace", "name": "n"},
        {"type": "mcp", "Type": "function"},
    ],
)
def test_a_tool_that_is_not_understood_is_refused(tool: Json) -> None:
    assert refused(tools=[tool]).startswith("/tools/0")


def test_the_shape_of_the_answer_is_read() -> None:
    form: Json = {"type": "json_schema", "name": "a_person", "schema": {"description": "Who?"}, "strict": True}
    made = ask(text={"format": form, "verbosity": "low"})
    assert said(made) == [("user", "hi"), ("schema", "a_person"), ("schema", "Who?")]
    assert "response_format" in made.parameters and not made.unusual
    assert said(ask(text={"verbosity": "as long as a novel"}))[1] == ("other", "as long as a novel")
    assert refused(text={"form": {}}).startswith("/text/form")
    assert refused(text={"format": {"kind": "x"}}).startswith("/text/format")


def test_unknown_parameters_are_read_and_need_a_grant() -> None:
    made = ask(previous_input_messages=[{"content": "a b"}], include=["reasoning.encrypted_content"], top_p=0.5)
    assert made.unusual == {"previous_input_messages"}
    assert ("other", "a b") in said(made)


words = st.text("ab @.1", min_size=1, max_size=12)
messages = st.builds(
    lambda role, text: {"role": role, "content": text},
    st.sampled_from(["user", "system", "assistant", "developer"]),
    words | words.map(lambda text: [{"type": "input_text", "text": text}]),
)
outputs = st.builds(lambda text: {"type": "function_call_output", "call_id": "c1", "output": text}, words)


@settings(max_examples=50)
@given(st.lists(messages | outputs, min_size=1, max_size=5), words)
def test_every_turn_can_be_replaced_where_it_stands(given_items: list[JsonObject], instructions: str) -> None:
    made = ask(list(given_items), instructions=instructions)
    again = apis.with_texts(made, {turn.path: turn.text.upper() for turn in made.turns})
    assert texts(again) == [turn.text.upper() for turn in made.turns]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | words,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "role", "content", "text", "id", "output", "summary"]), inner, max_size=4
        )
    ),
    max_leaves=10,
)
typed = st.builds(
    lambda kind, more: {**more, "type": kind},
    st.sampled_from(sorted([*ITEMS, *PARTS, "message"])),
    st.dictionaries(
        st.sampled_from(["role", "content", "text", "id", "output", "tools", "action"]), json_values, max_size=3
    ),
)


@settings(max_examples=100)
@given(st.lists(typed | json_values, max_size=3))
def test_no_input_makes_the_reader_fail_otherwise_than_by_refusing(given_items: list[Json]) -> None:
    try:
        made = ask(given_items)
    except Refusal:
        return
    assert made.turns or made.uninspected
