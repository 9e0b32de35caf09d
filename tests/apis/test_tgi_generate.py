from __future__ import annotations

import orjson
import pytest

from penstock import apis
from penstock.apis.replies.pieces import UnreadableError
from penstock.apis.tgi.reply import TgiReader
from penstock.errors import Refusal
from penstock.exchange import Call, Json, JsonObject, Operation, Reply
from tests.apis.calls import call, said
from tests.masking.replies import documents, event, reply_mask, streamed, texts


def generate(inputs: Json = "once", path: str = "/generate", **parameters: Json) -> Call:
    return call(path, {"inputs": inputs, **({"parameters": parameters} if parameters else {})})


def token(text: str, *, special: bool = False, last: str | None = None, **more: Json) -> bytes:
    said: JsonObject = {"id": 417, "text": text, "logprob": -0.5, "special": special}
    return event({"index": 1, "token": said, "generated_text": last, "details": None, **more})


@pytest.mark.parametrize(
    ("path", "name"),
    [("/generate", "tgi.generate"), ("/", "tgi.generate"), ("/generate_stream", "tgi.generate_stream")],
)
def test_the_inputs_are_a_turn(path: str, name: str) -> None:
    made = generate(path=path, max_new_tokens=20, best_of=2, stop=["END"], repetition_penalty=1.1, details=True)
    assert made.api == name and made.operation == Operation.COMPLETE and made.model is None
    assert said(made) == [("user", "once"), ("other", "END")] and not made.unusual
    assert made.turns[1].path == ("parameters", "stop", 0)
    assert (made.parameters["max_tokens"], made.parameters["n"], made.parameters["repeat_penalty"]) == (20, 2, 1.1)
    assert made.stream == (name == "tgi.generate_stream")


def test_the_root_streams_when_it_is_told_to() -> None:
    assert call("/", {"inputs": "x", "stream": True}).stream


def test_a_limit_is_written_where_the_server_reads_it() -> None:
    made = generate()
    api = apis.by_name(made.api)
    filled = api.with_parameters(made, {"max_tokens": 64, "temperature": 0.5})
    assert filled.body == {"inputs": "once", "parameters": {"max_new_tokens": 64, "temperature": 0.5}}
    assert filled.parameters == {"max_tokens": 64, "temperature": 0.5}
    assert api.with_parameters(filled, {"max_tokens": 9}).body == {
        "inputs": "once",
        "parameters": {"max_new_tokens": 9, "temperature": 0.5},
    }


@pytest.mark.parametrize("key", ["grammar", "adapter_id", "unheard_of"])
def test_what_chooses_another_model_or_form_needs_a_grant(key: str) -> None:
    given: dict[str, Json] = {"grammar": {"type": "regex", "value": "bob@[a-z]+"}}
    made = call("/generate", {"inputs": "once", "parameters": {key: given.get(key, "bob@example.com")}})
    assert made.unusual == {key if key != "unheard_of" else "parameters.unheard_of"}
    assert any("bob@" in text for _, text in said(made))


@pytest.mark.parametrize(
    ("inputs", "uninspected"),
    [
        ("what is ![](data:image/png;base64,iVBO)", ("image",)),
        ("what is ![a cat](https://intranet.example/cat.png)?", ("image", "url")),
        ("![see] (this)", ()),
    ],
)
def test_images_in_the_text_are_seen(inputs: str, uninspected: tuple[str, ...]) -> None:
    made = generate(inputs)
    assert made.uninspected == uninspected and said(made) == [("user", inputs)]


@pytest.mark.parametrize(
    "body",
    [
        {"inputs": None},
        {"inputs": ["a"]},
        {"inputs": "a", "parameters": []},
        {"inputs": "a", "parameters": {"stop": "x"}},
        {"inputs": "a", "parameters": {"stop": [1]}},
        {"inputs": "a", "parameters": {"max_new_tokens": "20"}},
        {"inputs": "a", "parameters": {"max_tokens": 1, "max_new_tokens": 9000}},
        {"inputs": "a", "max_new_tokens": 1},
        {"inputs": "a", "max_tokens": 1},
        {"inputs": "a", "text": "b"},
        {"nothing": "a"},
        {},
    ],
)
def test_what_could_be_read_in_two_ways_or_none_is_refused(body: JsonObject) -> None:
    with pytest.raises(Refusal) as caught:
        call("/generate", body)
    assert caught.value.code == "invalid_request"


def test_special_tokens_are_no_part_of_what_flows() -> None:
    reply = reply_mask(TgiReader())
    body = token("bob@exam") + token("<s>", special=True) + token("ple.com") + token("</s>", special=True, last="x")
    out = documents(streamed(reply, body))
    assert "".join(each["token"]["text"] for each in out if not each["token"]["special"]) == "[EMAIL]"
    assert [each["token"]["text"] for each in out if each["token"]["special"]] == ["<s>", "</s>"]
    assert texts(reply) == {(0, "token.text"): "[EMAIL]", (0, "generated_text"): "x"}


def test_a_special_token_that_says_something_is_masked() -> None:
    out = streamed(reply_mask(TgiReader()), token("bob@example.com", special=True, last=""))
    assert b"bob@" not in out


@pytest.mark.parametrize("last", ["mail bob@example.com", "Write: mail bob@example.com", " mail bob@example.com"])
def test_the_full_text_at_the_end_is_masked_and_counts_once(last: str) -> None:
    reply = reply_mask(TgiReader("Write: "))
    out = documents(streamed(reply, token("mail bob@exam") + token("ple.com", last=last)))
    assert out[-1]["generated_text"] == last.replace("bob@example.com", "[EMAIL]")
    assert texts(reply) == {(0, "token.text"): "mail [EMAIL]"} and reply.reply.masked == {"email": 1}
    assert all(each["token"]["id"] == 0 for each in out)


def test_a_full_text_that_is_another_one_is_a_text_of_its_own() -> None:
    reply = reply_mask(TgiReader("Write: "))
    streamed(reply, token("a", last="bob@example.com"))
    assert texts(reply) == {(0, "token.text"): "a", (0, "generated_text"): "[EMAIL]"}


def test_a_whole_reply_keeps_the_forms_that_clients_read() -> None:
    api = apis.by_name("tgi.generate")
    document: JsonObject = {
        "generated_text": "a",
        "details": {
            "finish_reason": "length",
            "generated_tokens": 3,
            "seed": None,
            "prefill": [{"id": 1, "text": "<s>", "logprob": None}, {"id": 2, "text": "bob@example.com"}],
            "tokens": [{"id": 1, "text": "a"}],
            "best_of_sequences": [{"generated_text": "bob@example.com", "finish_reason": "length", "tokens": [1]}],
            "note": "bob@example.com",
        },
    }
    reply = reply_mask(api.reader(generate()))
    out = orjson.loads(reply.whole(200, "application/json", orjson.dumps([document])))[0]
    assert out["details"]["tokens"] == [] and out["details"]["prefill"] == []
    assert out["details"]["best_of_sequences"] == [
        {"generated_text": "[EMAIL]", "finish_reason": "length", "tokens": []}
    ]
    assert out["details"]["note"] == "[EMAIL]"
    assert (reply.reply.finish, reply.reply.completion_tokens, reply.reply.prompt_tokens) == ("length", 3, 2)


@pytest.mark.parametrize(
    "document",
    ["a", ["a"], {"token": {"id": 1}}, {"details": {"best_of_sequences": ["a"]}}, {"token": {"text": 1}}],
)
def test_any_other_reply_is_not_let_through(document: Json) -> None:
    with pytest.raises(Refusal):
        reply_mask(TgiReader()).whole(200, "application/json", orjson.dumps(document))


def test_a_text_nobody_knows_is_masked_and_carried() -> None:
    body = token("a", note="see bob@ex", top_tokens=[{"text": "bob@example.com"}]) + token("b", last="ab")
    out = streamed(reply_mask(TgiReader()), body)
    assert b"bob@example.com" not in out and documents(out)[0]["top_tokens"] == []
    assert [each.get("note") for each in documents(out)] == ["see ", "bob@ex", None]
    assert streamed(reply_mask(TgiReader(), None), body) == body


def test_what_nobody_knows_of_a_token_is_masked() -> None:
    said: JsonObject = {"id": 0, "text": "a", "note": "bob@example.com", "special": False}
    out = streamed(reply_mask(TgiReader()), event({"token": said, "generated_text": "a"}))
    assert documents(out)[-1]["token"]["note"] == "[EMAIL]"
    sequence: Json = {"generated_text": "a", "note": "bob@example.com", "seed": None}
    body = orjson.dumps({"generated_text": "a", "details": {"best_of_sequences": [sequence]}})
    assert b"bob@" not in reply_mask(TgiReader()).whole(200, "application/json", body)


def test_an_error_in_mid_stream_is_seen() -> None:
    reply = reply_mask(TgiReader())
    out = streamed(reply, b":\n\n" + token("a") + event({"error": "no bob@example.com", "error_type": "generation"}))
    assert b"bob@" not in out and reply.reply.error == "no [EMAIL]"
    late = reply_mask(TgiReader())
    assert b"bob@" not in streamed(
        late, token("a", other=4111111111111111, who=["bob@example.com"]) + token("b", last="ab")
    )
    counted: Json = {"generated_text": "a", "details": {"input_length": 7, "prefill": [], "finish_reason": 1}}
    known = reply_mask(TgiReader())
    known.whole(200, "application/json", orjson.dumps(counted))
    assert known.reply.prompt_tokens == 7 and known.reply.finish is None
    refused = reply_mask(TgiReader()).refuse(Refusal("policy_violation", "no"))
    assert documents(refused) == [{"error": "no (exchange 01TEST)", "error_type": "policy_violation"}]


@pytest.mark.parametrize("strange", [{"id": "bob@example.org"}, {"logprob": ["x"]}, {"special": {"a": "x"}}])
def test_a_token_is_numbers_beside_its_text(strange: JsonObject) -> None:
    token: JsonObject = {"id": 1, "text": "hi", "logprob": -0.5, "special": False}
    with pytest.raises(UnreadableError):
        TgiReader().read({"index": 1, "token": {**token, **strange}, "generated_text": None}, Reply(), strip=True)
