from __future__ import annotations

import orjson
import pytest

from penstock import apis
from penstock.errors import Refusal
from penstock.exchange import Call, Json, JsonObject, Operation
from tests.apis.calls import call, said
from tests.apis.recorded import RECORDED, recorded
from tests.masking.replies import reply_mask

MESSAGES: Json = [{"role": "user", "content": "a"}]


def masked(made: Call, document: Json) -> Json:
    """A reply to a call, behind a mask."""
    body = orjson.dumps(document)
    out: Json = orjson.loads(reply_mask(apis.by_name(made.api).reader(made)).whole(200, "application/json", body))
    return out


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/tokenize", {"model": "m", "prompt": "a", "return_token_strs": True}),
        ("/tokenize", {"model": "m", "messages": MESSAGES, "add_generation_prompt": True}),
        ("/tokenize", {"content": "a", "add_special": True, "with_pieces": True}),
        ("/tokenize", {"inputs": "a", "add_special_tokens": False}),
        ("/tokenize", {"inputs": ["a"]}),
        ("/v1/tokenize", {"prompt": ["a"], "reasoning_effort": "low"}),
        ("/v1/tokenize", {"model": "m", "content": "a"}),
        ("/v3/tokenize", {"model": "m", "text": "a", "max_length": 5, "padding_side": "left"}),
        ("/extras/tokenize", {"input": "a"}),
        ("/extras/tokenize/count", {"input": "a"}),
        ("/v1/token/encode", {"text": MESSAGES, "add_bos_token": True}),
        ("/api/extra/tokencount", {"prompt": "a", "special": False}),
        ("/v1/encode", {"input": ["a"], "do_preprocess": True, "add_bos": True}),
    ],
)
def test_the_text_is_a_turn_for_every_server(path: str, body: JsonObject) -> None:
    made = call(path, body)
    assert made.operation == Operation.TOKENIZE and said(made) == [("user", "a")]
    assert not made.unusual and not made.uninspected


def test_token_ids_between_texts_need_a_grant() -> None:
    assert call("/tokenize", {"content": [12, "a", 34]}).uninspected == ("token_ids",)


def test_tools_and_templates_are_read() -> None:
    tool: Json = {"type": "function", "function": {"name": "send", "description": "Sends."}}
    made = call("/tokenize", {"messages": MESSAGES, "tools": [tool], "chat_template_kwargs": {"x": "b"}})
    assert said(made) == [("user", "a"), ("schema", "send"), ("schema", "Sends."), ("other", "b")]
    assert made.unusual == {"chat_template_kwargs"}


def test_a_body_of_two_servers_is_refused() -> None:
    for more in ({"prompt": "b"}, {"content": "b"}, {"vibe": 1}):
        with pytest.raises(Refusal):
            call("/tokenize", {"inputs": "a", **more})
    with pytest.raises(Refusal):
        call("/tokenize", {"model": "m"})


def test_the_ids_of_the_callers_own_text_pass_and_their_strings_are_emptied() -> None:
    made = call("/tokenize", {"prompt": "a"})
    document: Json = {"count": 2, "tokens": [1, 2], "token_strs": ["bob@exam", "ple.org"]}
    assert masked(made, document) == {"count": 2, "tokens": [1, 2], "token_strs": None}
    assert masked(made, {"tokens": [{"id": 5, "piece": "bob"}]}) == {"tokens": [{"id": 5, "piece": None}]}
    made = call("/tokenize", {"inputs": "a"})
    tokens: Json = [[{"id": 5, "text": "bob", "special": False, "start": None, "stop": 3}]]
    assert masked(made, tokens) == [[{"id": 5, "text": None, "special": False, "start": None, "stop": 3}]]


@pytest.mark.parametrize("name", [str(each) for each in RECORDED if each.api.name in ("tokenize", "tei.tokenize")])
def test_ids_and_counts_survive_a_mask(name: str) -> None:
    given = recorded(name)
    out = reply_mask(given.reader()).whole(given.status, given.content_type, given.body)
    if given.status == 200:
        assert numbers(orjson.loads(out)) == numbers(orjson.loads(given.body))


def numbers(document: Json) -> list[int]:
    match document:
        case int():
            return [document]
        case dict():
            return [number for value in document.values() for number in numbers(value)]
        case list():
            return [number for value in document for number in numbers(value)]
        case _:
            return []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/detokenize", {"model": "m", "tokens": [1, 2]}),
        ("/v1/detokenize", {"tokens": [[1], [2]], "skip_special_tokens": False}),
        ("/extras/detokenize", {"tokens": [1]}),
        ("/v1/token/decode", {"tokens": [1], "decode_special_tokens": True}),
        ("/decode", {"ids": [[1, 2]]}),
    ],
)
def test_ids_that_become_text_need_a_grant(path: str, body: JsonObject) -> None:
    made = call(path, body)
    assert made.uninspected == ("token_ids",) and made.operation == Operation.TOKENIZE and not made.unusual


def test_what_ids_become_is_masked() -> None:
    made = call("/detokenize", {"tokens": [1]})
    for document in ({"prompt": "bob@example.org"}, {"content": "bob@example.org"}, {"text": ["bob@example.org"]}):
        assert b"bob" not in orjson.dumps(masked(made, document))  # type: ignore[arg-type]
    assert masked(made, ["to bob@example.org", "x"]) == ["to [EMAIL]", "x"]


def test_the_strings_of_single_tokens_are_not_said_beside_a_mask() -> None:
    made = call("/v1/convert_ids_to_tokens", {"model": "m", "input": [[1, 2]]})
    assert made.uninspected == ("token_ids",) and made.operation == Operation.TOKENIZE
    assert masked(made, [["bob@", "example.org"]]) == [] and masked(made, []) == []
    body = b'[["bob@","example.org"]]'
    assert reply_mask(apis.by_name(made.api).reader(made), None).whole(200, "application/json", body) == body


@pytest.mark.parametrize(
    ("path", "api"),
    [
        ("/apply-template", "llama_cpp.tools"),
        ("/chat/completions/input_tokens", "llama_cpp.tools"),
        ("/v1/chat/completions/input_tokens", "llama_cpp.tools"),
        ("/chat_tokenize", "tgi.chat_tokenize"),
        ("/v1/chat/completions/render", "vllm.render"),
    ],
)
def test_a_chat_is_read_like_a_chat_and_needs_no_model(path: str, api: str) -> None:
    made = call(path, {"messages": MESSAGES, "stream": True, "max_completion_tokens": 5, "chat_template": "t"})
    assert (made.api, made.operation, made.model, made.stream) == (api, Operation.TOKENIZE, None, False)
    assert said(made) == [("user", "a"), ("system", "t")] and made.unusual == {"chat_template"}
    assert made.body is not None and "model" not in made.body
    changed = apis.with_texts(made, {made.turns[0].path: "b"})
    assert (changed.api, changed.operation, changed.model) == (api, Operation.TOKENIZE, None)
    assert said(changed) == [("user", "b"), ("system", "t")]
    named = call(path, {"messages": MESSAGES, "model": "m"})
    assert named.model == "m" and apis.with_texts(named, {named.turns[0].path: "b"}).model == "m"
    limited = apis.by_name(api).with_parameters(made, {"max_tokens": 2})
    assert limited.api == api and limited.parameters["max_tokens"] == 2
    assert apis.by_name(api).parameters({"n": 2}) == {"n": 2}
    with pytest.raises(Refusal):
        call(path, {"model": "m"})


def test_the_prompt_that_a_template_makes_is_text() -> None:
    made = call("/apply-template", {"messages": MESSAGES})
    assert masked(made, {"prompt": "<|user|> bob@example.org"}) == {"prompt": "<|user|> [EMAIL]"}
    made = call("/chat_tokenize", {"messages": MESSAGES})
    document: Json = {"tokenize_response": [{"id": 1, "text": "bob"}], "templated_text": "bob@example.org"}
    assert masked(made, document) == {"tokenize_response": [{"id": 1, "text": None}], "templated_text": "[EMAIL]"}
