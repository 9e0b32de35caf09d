from __future__ import annotations

from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import apis
from penstock.apis.replies.pieces import Place
from penstock.apis.sglang.growth import Growth
from penstock.apis.sglang.reply import SglangReader
from penstock.errors import Refusal
from penstock.exchange import Call, Json, JsonObject, Operation
from tests.apis.calls import call, said
from tests.masking.replies import DONE, MASK, PLANTED, STOP, documents, event, leaks, reply_mask, streamed, texts

TOKENS = ["mail", " bob", "@exam", "ple", ".com", " card 4111", " 1111", " 1111", " 1111", ".", " Bye"]
TEXT = "".join(TOKENS)


def generate(method: str = "POST", **more: Json) -> Call:
    return call("/generate", {"text": "once", **more}, method)


def frame(text: str, count: int, ids: int | None, end: Json = None, index: int | None = None) -> bytes:
    meta: JsonObject = {"id": "r1", "finish_reason": end, "prompt_tokens": 3, "completion_tokens": count}
    document: JsonObject = {"text": text, "meta_info": meta}
    if ids is not None:
        document["output_ids"] = list(range(ids))
    return event({**document, **({} if index is None else {"index": index})})


def frames(tokens: list[str], *, cumulative: bool, ids: bool = True, index: int | None = None) -> list[bytes]:
    out: list[bytes] = []
    for count in range(1, len(tokens) + 1):
        text = "".join(tokens[:count]) if cumulative else tokens[count - 1]
        known = (count if cumulative else 1) if ids else None
        end: Json = {"type": "length", "length": count} if count == len(tokens) else None
        out.append(frame(text, count, known, end, index))
    return out


def last(data: bytes) -> str:
    return str(documents(data)[-1]["text"])


def joined(data: bytes) -> str:
    return "".join(str(document["text"]) for document in documents(data))


# Calls


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_text_is_a_turn(method: str) -> None:
    made = generate(method, sampling_params={"max_new_tokens": 9, "stop": "END", "sampling_seed": 1}, stream=True)
    assert made.api == "sglang.generate" and made.operation == Operation.COMPLETE and made.stream
    assert said(made) == [("user", "once"), ("other", "END")]
    assert made.parameters == {"max_tokens": 9, "stop": "END", "seed": 1} and not made.unusual
    assert isinstance(apis.by_name(made.api).reader(made), SglangReader)


def test_a_batch_has_parameters_for_each_and_is_judged_by_the_largest() -> None:
    made = call(
        "/generate",
        {
            "text": ["a", "b"],
            "sampling_params": [
                {"max_new_tokens": 5, "temperature": 0, "stop": ["x"]},
                {"max_new_tokens": 70, "temperature": 0, "stop": ["x"]},
            ],
        },
    )
    assert [turn.path for turn in made.turns] == [
        ("text", 0),
        ("text", 1),
        ("sampling_params", 0, "stop", 0),
        ("sampling_params", 1, "stop", 0),
    ]
    assert made.parameters["max_tokens"] == 70
    clamped = apis.by_name(made.api).with_parameters(made, {"max_tokens": 10, "top_p": 0.5})
    assert clamped.body is not None
    sampling = clamped.body["sampling_params"]
    assert sampling == [
        {"max_new_tokens": 5, "temperature": 0, "stop": ["x"], "top_p": 0.5},
        {"max_new_tokens": 10, "temperature": 0, "stop": ["x"], "top_p": 0.5},
    ]


def test_a_default_is_filled_in_where_there_are_no_parameters() -> None:
    made = generate()
    filled = apis.by_name(made.api).with_parameters(made, {"max_tokens": 8})
    assert filled.body == {"text": "once", "sampling_params": {"max_new_tokens": 8}}


@pytest.mark.parametrize(
    ("more", "uninspected"),
    [
        ({"input_ids": [1, 2]}, ("token_ids",)),
        ({"input_ids": [[1], [2]]}, ("token_ids",)),
        ({"input_embeds": [[0.5]]}, ("embeddings",)),
        ({"text": "x", "image_data": "data:image/png;base64,iVBO"}, ("image",)),
        ({"text": "x", "image_data": ["A" * 80, [None]]}, ("image",)),
        ({"text": "x", "video_data": "/etc/passwd"}, ("url", "video")),
        ({"text": "x", "audio_data": {"url": "http://10.0.0.1/a.wav", "bob@example.com": 1}}, ("audio", "url")),
    ],
)
def test_what_nobody_can_read_is_named(more: JsonObject, uninspected: tuple[str, ...]) -> None:
    assert call("/generate", more).uninspected == uninspected


def test_where_the_server_fetches_from_is_read() -> None:
    made = generate(audio_data={"url": "http://10.0.0.1/a.wav", "a@b.example": 1})
    assert ("other", "http://10.0.0.1/a.wav") in said(made) and ("other", "a@b.example") in said(made)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("lora_path", "other"),
        ("session_params", {"id": "s"}),
        ("session_id", "s"),
        ("custom_logit_processor", "gASV"),
        ("return_hidden_states", True),
        ("priority", 9),
        ("bootstrap_host", "10.0.0.1"),
    ],
)
def test_state_adapters_and_code_need_a_grant(key: str, value: Json) -> None:
    assert call("/generate", {"text": "once", key: value}).unusual == {key}


@pytest.mark.parametrize("key", ["json_schema", "regex", "ebnf", "structural_tag", "stop_regex"])
def test_a_grammar_needs_a_grant_and_is_read(key: str) -> None:
    made = generate(sampling_params={key: "bob@example.com"})
    assert made.unusual == {key} and "bob@example.com" in dict(said(made)).values()


@pytest.mark.parametrize(
    "body",
    [
        {"text": None},
        {"text": 1},
        {"text": []},
        {"text": ["a", 1]},
        {"text": "a", "input_ids": [1]},
        {"input_ids": []},
        {"input_ids": ["a"]},
        {"input_ids": [[]]},
        {"text": "a", "prompt": "b"},
        {"text": "a", "inputs": "b"},
        {"text": "a", "sampling_params": [1]},
        {"text": "a", "sampling_params": "x"},
        {"text": "a", "sampling_params": {"max_tokens": 1}},
        {"text": "a", "sampling_params": {"stop": [1]}},
        {"text": "a", "sampling_params": [{"stop": [1]}]},
        {"text": "a", "sampling_params": [{"temperature": 0}, {"temperature": 1}]},
        {"text": "a", "sampling_params": [{"temperature": 1}, {"temperature": True}]},
        {"text": "a", "sampling_params": [{"max_new_tokens": 1}, {}]},
        {"text": "a", "max_tokens": 1},
        {"text": "a", "max_new_tokens": 1},
    ],
)
def test_what_could_be_read_in_two_ways_or_none_is_refused(body: JsonObject) -> None:
    with pytest.raises(Refusal):
        call("/generate", body)


def test_no_parameters_for_any_of_a_batch_are_no_parameters() -> None:
    assert call("/generate", {"text": ["a"], "sampling_params": [{}]}).parameters == {}
    assert call("/generate", {"text": ["a"], "sampling_params": []}).parameters == {}


# Replies


def test_a_cumulative_text_is_masked_as_it_grows() -> None:
    reply = reply_mask(SglangReader())
    out = streamed(reply, b"".join(frames(TOKENS, cumulative=True)) + DONE)
    grown = [str(document["text"]) for document in documents(out)]
    assert grown[-1] == MASK.whole(TEXT).text == "mail [EMAIL] card [CREDIT_CARD]. Bye"
    assert all(later.startswith(earlier) for earlier, later in pairwise(grown))
    assert texts(reply) == {(0, "text"): grown[-1]} and reply.reply.masked == {"email": 1, "credit_card": 1}
    assert (reply.reply.finish, reply.reply.prompt_tokens, reply.reply.completion_tokens) == ("length", 3, 11)
    assert all(document["output_ids"] == [] for document in documents(out))


def test_an_incremental_text_is_masked_as_any_other() -> None:
    reply = reply_mask(SglangReader())
    out = streamed(reply, b"".join(frames(TOKENS, cumulative=False)) + DONE)
    assert joined(out) == MASK.whole(TEXT).text and texts(reply) == {(0, "text"): MASK.whole(TEXT).text}


def test_nothing_is_said_before_it_is_known_how() -> None:
    for cumulative in (True, False):
        reply = reply_mask(SglangReader())
        one, two = frames(TOKENS, cumulative=cumulative)[:2]
        assert documents(reply.feed(one))[0]["text"] == ""
        assert documents(reply.feed(two))[0]["text"] == "mail "


def test_a_repeated_digit_does_not_pass_for_a_text_that_grows() -> None:
    body = frame("4", 1, 1) + frame("4111", 2, 1) + frame(" 1111" * 3, 5, 3, {"type": "stop", "matched": 2}) + DONE
    out = streamed(reply_mask(SglangReader()), body)
    assert joined(out) == MASK.whole("44111 1111 1111 1111").text


@pytest.mark.parametrize("cumulative", [True, False])
def test_older_servers_are_told_apart_by_their_texts(cumulative: bool) -> None:
    tokens = ["I am happy", " to write to ", *TOKENS]
    reply = reply_mask(SglangReader())
    out = streamed(reply, b"".join(frames(tokens, cumulative=cumulative, ids=False)) + DONE)
    assert (last(out) if cumulative else joined(out)) == MASK.whole("".join(tokens)).text


def test_a_text_that_stays_as_it_was_tells_nothing() -> None:
    body = frame("", 0, 0) + frame("", 0, 0) + frame("ab", 1, 1) + frame("ab", 1, 1) + frame("abc", 2, 2) + DONE
    out = [document["text"] for document in documents(streamed(reply_mask(SglangReader()), body))]
    assert out == ["", "", "", "", "", "abc"]


def test_a_single_event_is_the_whole_text() -> None:
    out = streamed(reply_mask(SglangReader()), frame("bob@example.com", 4, 4, {"type": "stop"}) + DONE)
    assert last(out) == "[EMAIL]"


def test_a_text_that_changes_what_it_said_is_not_let_through() -> None:
    reply = reply_mask(SglangReader())
    out = streamed(reply, frame("one", 1, 1) + frame("one two", 2, 2) + frame("two", 3, 3) + DONE)
    assert reply.stopped is not None and b'"error"' in out and not reply.reply.complete


def test_a_stop_word_is_taken_back_where_nothing_was_masked() -> None:
    stop: Json = {"type": "stop", "matched": "User:"}
    body = frame("one", 1, 1) + frame("one User", 2, 2) + frame("one ", 3, 2, stop) + DONE
    assert last(streamed(reply_mask(SglangReader()), body)) == "one "
    body = frame("card 4111 1111", 1, 1) + frame("card 4111 1111 1111 1111", 2, 2)
    out = streamed(reply_mask(SglangReader()), body + frame("card 4111 1111 1111", 3, 3, stop) + DONE)
    assert last(out) == "card [CREDIT_CARD]", "less of what was masked is not said in plain"
    body = frame("one", 1, 1) + frame("one falcons", 2, 2) + frame("one falcon", 3, 3, stop) + DONE
    assert last(streamed(reply_mask(SglangReader()), body)) == "one falcon"


def test_the_last_of_two_events_may_take_back_too() -> None:
    body = frame("one User", 1, None) + frame("one", 2, None, {"type": "stop", "matched": "User"}) + DONE
    assert last(streamed(reply_mask(SglangReader()), body)) == "one"


def test_each_text_of_a_batch_grows_by_itself() -> None:
    one, two = (frames(TOKENS, cumulative=True, index=index) for index in (0, 1))
    reply = reply_mask(SglangReader())
    streamed(reply, b"".join(a + b for a, b in zip(one, two, strict=True)) + DONE)
    assert texts(reply) == {(0, "text"): MASK.whole(TEXT).text, (1, "text"): MASK.whole(TEXT).text}
    assert reply.reply.completion_tokens == 22


def test_the_texts_of_an_incremental_batch_keep_what_was_held() -> None:
    one, two = (frames(TOKENS, cumulative=False, index=index) for index in (0, 1))
    reply = reply_mask(SglangReader())
    streamed(reply, one[0] + two[0] + b"".join(one[1:]) + b"".join(two[1:]) + DONE)
    assert texts(reply) == {(0, "text"): MASK.whole(TEXT).text, (1, "text"): MASK.whole(TEXT).text}


def test_what_is_held_back_goes_out_when_a_stream_ends_without_a_reason() -> None:
    for cumulative in (True, False):
        body = b"".join(frames([*TOKENS, "x"], cumulative=cumulative)[:5]) + DONE
        out = streamed(reply_mask(SglangReader()), body)
        assert (last(out) if cumulative else joined(out)) == "mail [EMAIL]"
        assert leaks(out) == []


def test_a_rule_that_stops_the_reply_leaves_what_may_be_said() -> None:
    reply = reply_mask(SglangReader(), STOP)
    out = streamed(reply, b"".join(frames(["the ", "word ", "falcon", " it is"], cumulative=True)) + DONE)
    said = [document.get("text") for document in documents(out)]
    assert "the word " in said and b"falcon" not in out and reply.stopped is not None
    assert texts(reply) == {(0, "text"): "the word "}


def test_without_rules_every_byte_passes() -> None:
    for cumulative in (True, False):
        body = b"".join(frames(TOKENS, cumulative=cumulative)) + DONE
        reply = reply_mask(SglangReader(), None)
        assert streamed(reply, body) == body and texts(reply) == {(0, "text"): TEXT}


def test_a_whole_reply_says_nothing_again() -> None:
    document: JsonObject = {
        "text": "mail bob@example.com",
        "output_ids": [1, 2],
        "hidden": None,
        "note": "bob@example.com",
        "extra": ["bob@example.com"],
        "meta_info": {
            "id": "r1",
            "about": {"who": "bob@example.com"},
            "finish_reason": {"type": "stop", "matched": "bob@example.com", "status": 1},
            "prompt_tokens": 3,
            "completion_tokens": 2,
            "output_token_logprobs": [[-0.1, 1, "bob@example.com"]],
            "input_token_logprobs_flat": "AAAA",
            "lora": None,
            "weight_version": "bob@example.com",
        },
    }
    reply = reply_mask(SglangReader())
    out = orjson.loads(reply.whole(200, "application/json", orjson.dumps([document, document])))
    assert out[0] == {
        "text": "mail [EMAIL]",
        "output_ids": [],
        "hidden": None,
        "note": "[EMAIL]",
        "extra": ["[EMAIL]"],
        "meta_info": {
            "id": "r1",
            "about": {"who": "[EMAIL]"},
            "finish_reason": {"type": "stop", "matched": "[EMAIL]", "status": 1},
            "prompt_tokens": 3,
            "completion_tokens": 2,
            "output_token_logprobs": [],
            "input_token_logprobs_flat": None,
            "lora": None,
            "weight_version": "[EMAIL]",
        },
    }
    assert reply.reply.completion_tokens == 4


def test_a_reply_without_figures_is_masked_too() -> None:
    out = reply_mask(SglangReader()).whole(200, "application/json", b'{"text":"bob@example.com"}')
    assert out == b'{"text":"[EMAIL]"}'


@pytest.mark.parametrize("document", ["a", ["a"], {"text": "a", "index": -1}, {"text": "a", "index": True}])
def test_any_other_reply_is_not_let_through(document: Json) -> None:
    with pytest.raises(Refusal):
        reply_mask(SglangReader()).whole(200, "application/json", orjson.dumps(document))


def test_an_error_is_masked_in_either_form() -> None:
    errors: list[Json] = [
        {"error": {"message": "no bob@example.com"}},
        {"object": "error", "message": "no bob@example.com"},
    ]
    for error in errors:
        reply = reply_mask(SglangReader())
        out = streamed(reply, event(error) + DONE)
        assert b"bob@" not in out and reply.reply.error == "no [EMAIL]"


def test_a_text_elsewhere_is_carried_in_an_event_of_its_own() -> None:
    body = event({"text": "", "index": 0, "note": "bob@example.com"}) + DONE
    assert b"bob@" not in streamed(reply_mask(SglangReader()), body)
    assert documents(SglangReader().carry(_place(-1), "x")) == [{"note": "x"}]


def _place(index: int) -> Place:
    return Place((index, "note"), ("note",))


words = st.lists(st.sampled_from([*TOKENS, "1", "11", " ", "", "b", "bob@example.com"]), min_size=1, max_size=12)


@given(words, st.booleans(), st.booleans())
def test_no_stream_of_either_kind_says_what_is_masked(tokens: list[str], cumulative: bool, ids: bool) -> None:
    whole = "".join(tokens)
    reply = reply_mask(SglangReader())
    out = streamed(reply, b"".join(frames(tokens, cumulative=cumulative, ids=ids)) + DONE)
    seen = "" if reply.stopped else last(out) if cumulative else joined(out)
    assert not [value for value in PLANTED if value in seen]
    if ids or cumulative:
        assert seen == MASK.whole(whole).text


def test_a_reader_that_was_told_does_not_ask() -> None:
    assert Growth(True).read(0, "a", {}, hold=True, ended=False) == ("cumulative", "a")
    assert Growth(False).read(0, "a", {}, hold=True, ended=False) == ("flow", "a")
