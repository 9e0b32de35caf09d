from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.apis.openai.responses.events import CONTENT, EVENTS
from penstock.apis.openai.responses.reply import ResponsesReader
from penstock.apis.openai.responses.texts import Told
from penstock.apis.replies.pieces import DOCUMENT, Place, UnreadableError
from penstock.errors import Refusal
from penstock.exchange import Call, Json, JsonObject, Operation, Turn
from penstock.masking.mask import Mask
from penstock.masking.reply import ReplyMask
from tests.apis.recorded import RECORDED, Recorded
from tests.masking.replies import MASK, STOP, documents, event, leaks, reply_mask, streamed, texts

ITEM = "msg_1"
MAIL = "alice@example.com"
BLOB = "QUJD" * 40
type Event = tuple[str, JsonObject]
HERE: JsonObject = {"item_id": ITEM, "output_index": 0, "content_index": 0}
DELTA = "response.output_text.delta"


def call(*turns: Turn, uninspected: tuple[str, ...] = ()) -> Call:
    return Call("openai.responses", Operation.CHAT, "tiny", turns, uninspected=uninspected)


def responses(chosen: Mask | None = MASK, asked: Call | None = None, **more: Any) -> ReplyMask:
    return reply_mask(ResponsesReader(asked or call()), chosen, **more)


def sse(kind: str, **document: Json) -> bytes:
    return written(kind, document)


def written(kind: str, document: JsonObject, *, name: bool = True) -> bytes:
    data = json.dumps({"type": kind, **document}, separators=(",", ":"), ensure_ascii=False)
    return (f"event: {kind}\n" if name else "").encode() + f"data: {data}\n\n".encode()


def numbered(*events: Event) -> bytes:
    return b"".join(sse(kind, **more, sequence_number=at) for at, (kind, more) in enumerate(events))


def said(*pieces: str) -> list[Event]:
    return [(DELTA, {**HERE, "delta": piece, "logprobs": []}) for piece in pieces]


def told(text: str) -> Event:
    return ("response.output_text.done", {**HERE, "text": text, "logprobs": []})


def response(status: str = "completed", *output: JsonObject, **more: Json) -> JsonObject:
    return {"id": "resp_1", "object": "response", "model": "tiny", "status": status, "output": list(output), **more}


def message(text: str) -> JsonObject:
    part: JsonObject = {"type": "output_text", "text": text, "annotations": []}
    return {"id": ITEM, "type": "message", "role": "assistant", "status": "completed", "content": [part]}


def end(text: str) -> Event:
    return ("response.completed", {"response": response("completed", message(text))})


END = sse("response.completed", response=response())


def numbers(out: bytes) -> list[int]:
    return [document["sequence_number"] for document in documents(out)]


def whole(document: Json, reply: ReplyMask | None = None, status: int = 200) -> Any:
    body = json.dumps(document, ensure_ascii=False).encode()
    return json.loads((reply or responses()).whole(status, "application/json", body))


# What goes on from event to event


def test_a_value_over_many_deltas_is_masked_and_the_rest_goes_out_before_the_event_that_repeats_it() -> None:
    text = f"mail {MAIL} now"
    reply = responses()
    out = streamed(reply, numbered(*said("mail ali", "ce@exam", "ple.com n", "ow"), told(text), end(text)))
    found = documents(out)
    assert [each["type"] for each in found] == [DELTA] * 5 + ["response.output_text.done", "response.completed"]
    assert "".join(each["delta"] for each in found[:5]) == "mail [EMAIL] now" == found[5]["text"]
    assert found[4] == {**found[0], "delta": "now", "sequence_number": 4}
    assert found[6]["response"]["output"][0]["content"][0]["text"] == "mail [EMAIL] now"
    assert b"event: response.output_text.delta\n" in out and leaks(out) == []
    assert numbers(out) == [0, 1, 2, 3, 4, 5, 6]
    assert reply.reply.complete and reply.reply.masked == {"email": 1}
    assert texts(reply) == {(1, "content"): "mail [EMAIL] now"}


def test_the_texts_of_several_items_are_kept_apart() -> None:
    events: list[Event] = [
        ("response.reasoning_text.delta", {"item_id": "rs_1", "output_index": 0, "content_index": 0, "delta": "al"}),
        (DELTA, {"item_id": "msg_1", "output_index": 1, "content_index": 0, "delta": "bob@exam"}),
        (DELTA, {"item_id": "msg_1", "output_index": 1, "content_index": 1, "delta": "4111 1111 "}),
        (
            "response.reasoning_text.delta",
            {"item_id": "rs_1", "output_index": 0, "content_index": 0, "delta": "ice@x.co"},
        ),
        (DELTA, {"item_id": "msg_1", "output_index": 1, "content_index": 0, "delta": "ple.org"}),
        (DELTA, {"item_id": "msg_1", "output_index": 1, "content_index": 1, "delta": "1111 1111"}),
        ("response.completed", {"response": response()}),
    ]
    reply = responses()
    out = streamed(reply, numbered(*events))
    assert leaks(out, ("alice@x.co", "bob@example.org", "4111 1111 1111 1111")) == []
    assert texts(reply) == {(1, "reasoning"): "[EMAIL]", (2, "content"): "[EMAIL]", (3, "content"): "[CREDIT_CARD]"}
    rests = [each for each in documents(out) if each.get("delta")]
    assert [(each["item_id"], each["output_index"], each["content_index"]) for each in rests] == [
        ("rs_1", 0, 0),
        ("msg_1", 1, 0),
        ("msg_1", 1, 1),
    ]
    assert sorted(set(numbers(out))) == numbers(out)


def test_arguments_stay_json_in_deltas_and_in_what_repeats_them() -> None:
    place: JsonObject = {"item_id": "fc_1", "output_index": 0}
    text = json.dumps({"to": MAIL, "card": 4111111111111111, "note": 'a "b"'})
    item: JsonObject = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "mail", "arguments": ""}
    pieces = [text[at : at + 3] for at in range(0, len(text), 3)]
    out = streamed(
        responses(),
        numbered(
            ("response.output_item.added", {"output_index": 0, "item": item}),
            *(("response.function_call_arguments.delta", {**place, "delta": piece}) for piece in pieces),
            ("response.function_call_arguments.done", {**place, "arguments": text}),
            ("response.output_item.done", {"output_index": 0, "item": {**item, "arguments": text}}),
            ("response.completed", {"response": response("completed", {**item, "arguments": text})}),
        ),
    )
    found = documents(out)
    joined = "".join(each.get("delta", "") for each in found)
    assert leaks(out) == [] and json.loads(joined) == {"to": "[EMAIL]", "card": "[CREDIT_CARD]", "note": 'a "b"'}
    assert joined == found[-3]["arguments"] == found[-2]["item"]["arguments"]
    assert joined == found[-1]["response"]["output"][0]["arguments"]


def test_an_item_or_part_may_begin_with_text_that_deltas_go_on_with() -> None:
    item: JsonObject = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "c1", "name": "sql", "input": "mail ali"}
    out = streamed(
        responses(),
        numbered(
            ("response.output_item.added", {"output_index": 0, "item": item}),
            (
                "response.custom_tool_call_input.delta",
                {"item_id": "ctc_1", "output_index": 0, "delta": "ce@example.com"},
            ),
            ("response.output_item.done", {"output_index": 0, "item": {**item, "input": f"mail {MAIL}"}}),
            (
                "response.content_part.added",
                {**HERE, "output_index": 1, "part": {"type": "output_text", "text": "bob@exam"}},
            ),
            (DELTA, {**HERE, "output_index": 1, "delta": "ple.org"}),
            ("response.shell_call_command.added", {"output_index": 2, "command_index": 0, "command": "mail bob@exam"}),
            ("response.shell_call_command.delta", {"output_index": 2, "command_index": 0, "delta": "ple.org"}),
            (
                "response.shell_call_command.done",
                {"output_index": 2, "command_index": 0, "command": "mail bob@example.org"},
            ),
            ("response.completed", {"response": response()}),
        ),
    )
    assert leaks(out) == []
    kinds = [(each["type"], each["delta"]) for each in documents(out) if each.get("delta")]
    assert kinds == [
        ("response.custom_tool_call_input.delta", "[EMAIL]"),
        ("response.shell_call_command.delta", "[EMAIL]"),
        (DELTA, "[EMAIL]"),
    ]


def test_an_item_that_begins_with_text_and_nothing_else_is_told_by_a_delta() -> None:
    item: JsonObject = {"type": "function_call", "id": "fc_1", "name": "f", "arguments": "", "call_id": "c"}
    begun = {**item, "arguments": json.dumps({"to": MAIL})}
    out = streamed(responses(), numbered(("response.output_item.added", {"item": begun, "output_index": 0}), end("")))
    assert [each["delta"] for each in documents(out) if "delta" in each] == []
    assert leaks(out) == []


def test_what_a_command_writes_is_two_texts() -> None:
    place: JsonObject = {"item_id": "sho_1", "output_index": 0, "command_index": 0}
    kind = "response.shell_call_output_content.delta"
    out = streamed(
        responses(),
        numbered(
            (kind, {**place, "delta": {"stdout": "alice@exa", "stderr": "bob@exam"}}),
            (kind, {**place, "delta": {"stdout": "mple.com", "stderr": None}}),
            (kind, {**place, "delta": {"stdout": None, "stderr": "ple.org"}}),
            (
                "response.shell_call_output_content.done",
                {**place, "output": [{"stdout": MAIL, "stderr": "bob@example.org"}]},
            ),
            end(""),
        ),
    )
    assert leaks(out) == []
    rests = [each["delta"] for each in documents(out) if isinstance(each.get("delta"), dict)][3:]
    assert rests == [{"stdout": "[EMAIL]"}, {"stderr": "[EMAIL]"}]


def test_a_key_that_nobody_knows_beside_a_delta_cannot_carry_a_value_past_the_mask() -> None:
    reply = responses()
    out = streamed(
        reply,
        numbered(
            (DELTA, {**HERE, "delta": "x", "shadow": "alice@exa", "deep": [{"er": "bob@exam"}]}),
            (DELTA, {**HERE, "delta": "y", "shadow": "mple.com", "deep": [{"er": "ple.org"}], "n": 4111111111111111}),
            told("xy"),
            end("xy"),
        ),
    )
    assert leaks(out) == []
    assert reply.reply.complete and texts(reply)[1, "content.shadow"] == "[EMAIL]"
    many: list[Event] = [(DELTA, {**HERE, "delta": "x", f"k{at}": "y"}) for at in range(30)]
    refused = responses()
    streamed(refused, numbered(*many))
    assert refused.stopped is not None


def test_identifiers_that_say_something_are_masked_and_not_said_again() -> None:
    reply = responses()
    out = streamed(reply, numbered((DELTA, {**HERE, "item_id": f"to {MAIL}", "delta": "held@"}), end("held@")))
    assert leaks(out) == []
    assert "item_id" not in documents(out)[1] and documents(out)[1]["delta"] == "held@"


def test_a_reply_of_endless_texts_is_refused() -> None:
    told = Told()
    for at in range(10_001):
        told.begin(("", at, "content", 0), CONTENT, ("delta",), {})
    with pytest.raises(UnreadableError):
        told.begin(("", -1, "content", 0), CONTENT, ("delta",), {})


# What is said whole


def test_a_text_that_comes_whole_only_is_masked_counted_and_kept() -> None:
    heard: list[str] = []
    reply = responses(judge=lambda text: heard.append(text))
    out = streamed(reply, numbered(told(f"mail {MAIL}"), end(f"mail {MAIL}")))
    assert leaks(out) == [] and reply.reply.masked == {"email": 1}
    assert texts(reply) == {(DOCUMENT, "content"): "mail [EMAIL]"}
    assert f"mail {MAIL}" in heard


def test_a_whole_text_that_differs_from_its_deltas_is_read_for_itself() -> None:
    reply = responses()
    out = streamed(reply, numbered(*said("nothing"), told(f"mail {MAIL}"), end(f"mail {MAIL}")))
    assert leaks(out) == []
    assert texts(reply) == {(1, "content"): "nothing", (DOCUMENT, "content"): "mail [EMAIL]"}


def test_a_whole_text_ends_its_deltas_whatever_its_event_says_of_its_place() -> None:
    done: Event = (
        "response.output_text.done",
        {"item_id": "other", "output_index": 7, "content_index": 0, "text": "a b"},
    )
    part: JsonObject = {"type": "output_text", "text": "c d"}
    out = streamed(
        responses(),
        numbered(
            *said("a b"),
            done,
            (DELTA, {**HERE, "output_index": 1, "delta": "c d"}),
            ("response.content_part.done", {**HERE, "item_id": "other", "output_index": 9, "part": part}),
            ("response.content_part.done", {**HERE, "item_id": "other", "output_index": 9, "part": part}),
            end(""),
        ),
    )
    kinds = [(each["type"].split(".", 1)[1], each.get("delta")) for each in documents(out)]
    assert kinds == [
        ("output_text.delta", "a "),
        ("output_text.delta", "b"),
        ("output_text.done", None),
        ("output_text.delta", "c "),
        ("output_text.delta", "d"),
        ("content_part.done", None),
        ("content_part.done", None),
        ("completed", None),
    ]


def test_a_text_behind_its_end_is_refused() -> None:
    reply = responses()
    streamed(reply, numbered(*said("a"), told("a"), *said("b")))
    assert reply.stopped is not None


def test_a_stream_that_closes_nothing_itself_is_closed_by_the_last_event() -> None:
    reply = responses()
    out = streamed(
        reply, numbered(*said("mail ali", "ce@example.com"), ("response.completed", {"response": response()}))
    )
    assert texts(reply) == {(1, "content"): "mail [EMAIL]"} and reply.reply.complete
    assert documents(out)[-1]["type"] == "response.completed"


@pytest.mark.parametrize("finish", [b"", b"data: [DONE]\n\n"])
def test_the_terminator_of_chats_may_follow(finish: bytes) -> None:
    body = numbered(*said("a "), told("a "), end("a ")) + finish
    reply = responses()
    out = streamed(reply, body)
    assert out.endswith(finish) and out.count(finish or b"data: ") == (1 if finish else 3) and reply.reply.complete
    assert streamed(responses(None), body) == body


def test_a_terminator_without_a_last_event_says_what_was_held() -> None:
    reply = responses()
    out = streamed(reply, numbered(*said("a", " b")) + b"data: [DONE]\n\n")
    assert [each["delta"] for each in documents(out)] == ["", "a ", "b"] and numbers(out) == [0, 1, 2]
    assert reply.reply.complete


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_stream_without_its_last_event_was_cut(cut: int) -> None:
    events: list[Event] = [
        *said("a "),
        told("a "),
        ("response.output_item.done", {"output_index": 0, "item": message("a ")}),
        end("a "),
    ]
    reply = responses()
    out = streamed(reply, numbered(*events[:cut]))
    assert not reply.reply.complete
    last = documents(out)[-1]
    assert last["type"] == "error" and "ended before" in last["message"] == last["error"]["message"]
    assert last["sequence_number"] > numbers(out)[-2]


# Numbers of events


def test_numbers_rise_and_none_comes_twice() -> None:
    recorded = [each for each in RECORDED if each.api.name == "openai.responses" and each.streamed]
    for each in recorded:
        found = documents(streamed(reply_mask(each.reader()), each.body))
        if "sequence_number" in found[0]:
            counted = [document["sequence_number"] for document in found]
            assert all(before < after for before, after in pairwise(counted)), str(each)


def test_without_a_mask_numbers_stay_as_they_are() -> None:
    body = numbered(*said("a", " b"), told("a b"), end("a b"))
    assert streamed(responses(None), body) == body


def test_an_error_in_mid_stream_says_it_in_both_ways_and_has_the_next_number() -> None:
    reply = responses(STOP)
    out = streamed(reply, numbered(*said("it is ", "falcon ", "more"), end("")))
    *before, last = documents(out)
    assert "".join(each["delta"] for each in before) == "it is "
    assert last["type"] == "error" and last["code"] == "policy_violation" == last["error"]["code"]
    assert last["message"] == last["error"]["message"] and "01TEST" in last["message"]
    assert last["sequence_number"] > before[-1]["sequence_number"]
    assert out.count(b"event: error\n") == 1


def test_an_error_before_the_first_event_is_number_zero() -> None:
    reply = responses()
    out = reply.refuse(Refusal("upstream_unreachable", "Nobody is there."))
    assert documents(out)[0]["sequence_number"] == 0


# What is known, and what is not


def test_every_event_of_the_reference_is_read() -> None:
    openai = next(each for each in RECORDED if str(each) == "openai.responses-openai_events_stream")
    seen = {document["type"] for document in documents(openai.body)}
    missing = {kind for kind in EVENTS if kind not in seen}
    assert missing == {
        "error",
        "response.audio.delta",
        "response.cancelled",
        "response.compaction.compacting",
        "response.failed",
        "response.image_generation_call.completed",
        "response.image_generation_call.generating",
        "response.image_generation_call.in_progress",
        "response.image_generation_call.partial_image",
        "response.incomplete",
        "response.mcp_call.failed",
        "response.mcp_list_tools.failed",
    }


@pytest.mark.parametrize("name", [True, False])
def test_an_unknown_event_is_refused_or_masked_and_noted(name: bool) -> None:
    body = written("response.novelty", {"text": f"mail {MAIL}"}, name=name) + END
    refused = responses()
    assert MAIL.encode() not in streamed(refused, body) and refused.stopped is not None
    passing = responses(unknown_events="pass")
    out = streamed(passing, body)
    assert documents(out)[0]["text"] == "mail [EMAIL]" and passing.reply.complete
    assert passing.reply.uninspected == {"event:response.novelty"}


@pytest.mark.parametrize(
    "body",
    [
        b"data: 5\n\n",
        b"data: {}\n\n",
        b'data: {"type":5}\n\n',
        sse("response.content_part.done", part="x"),
        sse("response.output_item.added", item=["x"]),
        sse("response.completed", response="x"),
        sse("response.completed", response=response("completed", "x")),  # type: ignore[arg-type]
        sse("response.output_item.done", item={"content": ["x"]}),
        sse("response.shell_call_output_content.delta", delta={"stdlog": "x"}),
        sse("response.shell_call_output_content.delta", delta={"stdout": 5}),
    ],
)
def test_what_is_not_understood_is_refused(body: bytes) -> None:
    reply = responses()
    assert b'"error"' in streamed(reply, body) and reply.stopped is not None


def test_a_body_that_is_no_response_is_refused() -> None:
    with pytest.raises(Refusal):
        whole({"object": "chat.completion"})
    with pytest.raises(Refusal):
        whole(response("completed", "x"))  # type: ignore[arg-type]


def test_an_error_for_an_answer_is_read_like_any_text() -> None:
    reply = responses()
    assert whole({"error": {"message": f"no {MAIL}"}}, reply) == {"error": {"message": "no [EMAIL]"}}
    assert reply.reply.error == "no [EMAIL]"
    found = whole(response("failed", error={"code": "server_error", "message": f"no {MAIL}"}))
    assert found["error"]["message"] == "no [EMAIL]"


def test_an_error_in_a_stream_is_masked_and_noted() -> None:
    reply = responses()
    out = streamed(reply, sse("error", code="x", message=f"no {MAIL}", param=None, sequence_number=0))
    assert leaks(out) == [] and reply.reply.error == "no [EMAIL]" and not reply.reply.complete
    llama = responses()
    assert leaks(streamed(llama, b'data: {"error":{"message":"no alice@example.com"}}\n\n')) == []
    assert llama.reply.error == "no [EMAIL]"


def test_a_failed_response_is_noted_as_one() -> None:
    reply = responses()
    error: Json = {"code": "server_error", "message": f"no {MAIL}"}
    out = streamed(reply, numbered(*said("a b"), ("response.failed", {"response": response("failed", error=error)})))
    assert leaks(out) == [] and reply.reply.error and reply.reply.finish == "failed"
    assert [each.get("delta") for each in documents(out)] == ["a ", "b", None]


# What must not stand beside a mask


def test_tokens_and_padding_are_emptied() -> None:
    token: Json = {"token": MAIL, "bytes": list(MAIL.encode()), "logprob": -1, "top_logprobs": []}
    body = numbered((DELTA, {**HERE, "delta": "x ", "logprobs": [token], "obfuscation": "abc"}), end("x "))
    found = documents(streamed(responses(), body))
    assert found[0]["logprobs"] == [] and found[0]["obfuscation"] == ""
    unmasked = responses(None)
    assert streamed(unmasked, body) == body
    assert texts(unmasked)[1, "content"] == "x " and (1, "content.obfuscation") not in texts(unmasked)
    found = whole(response(input_messages=[{"content": MAIL}], output_messages="x", top_logprobs=3))
    assert found["input_messages"] == [] and found["output_messages"] == ""


@pytest.mark.parametrize(("sealed", "shown"), [(f"mail {MAIL}", "mail [EMAIL]"), (BLOB, None)])
def test_sealed_thoughts_are_masked_or_emptied(sealed: str, shown: str | None) -> None:
    item: JsonObject = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": sealed}
    assert whole(response("completed", item))["output"][0]["encrypted_content"] == shown
    assert whole(response("completed", item), responses(None))["output"][0]["encrypted_content"] == sealed


PICTURE = (
    "response.image_generation_call.partial_image",
    {"item_id": "ig_1", "output_index": 0, "partial_image_b64": "AAAA"},
)
SPEECH = ("response.audio.delta", {"delta": "AAAA"})
DRAWN: JsonObject = {"id": "ig_1", "type": "image_generation_call", "status": "completed", "result": "AAAA"}
SHOWN = ("response.output_item.done", {"output_index": 0, "item": DRAWN})


@pytest.mark.parametrize(("unread", "kind"), [(PICTURE, "image"), (SPEECH, "audio"), (SHOWN, "image")])
def test_pictures_and_speech_pass_only_when_a_grant_named_them(unread: Event, kind: str) -> None:
    body = numbered(unread, ("response.completed", {"response": response()}))
    refused = responses()
    assert b"AAAA" not in streamed(refused, body) and refused.stopped is not None
    granted = responses(asked=call(uninspected=(kind,)))
    assert streamed(granted, body) == body and granted.reply.uninspected == {kind}


def test_a_part_of_a_kind_that_nobody_knows_is_text() -> None:
    part: JsonObject = {"type": "novel", "text": MAIL}
    kinds = ("response.content_part.added", "response.content_part.done")
    out = streamed(responses(), numbered(*((kind, {**HERE, "part": part}) for kind in kinds), end("")))
    assert [each["part"]["text"] for each in documents(out)[:2]] == ["[EMAIL]", "[EMAIL]"]


def test_what_a_program_answers_is_text() -> None:
    item: JsonObject = {"id": "p", "type": "program_output", "call_id": "c", "result": f"is {MAIL}"}
    assert whole(response("completed", item))["output"][0]["result"] == "is [EMAIL]"


def test_arguments_may_be_an_object() -> None:
    item: JsonObject = {"id": "t", "type": "tool_search_call", "call_id": "c", "arguments": {"who": MAIL, "n": 1}}
    assert whole(response("completed", item))["output"][0]["arguments"] == {"who": "[EMAIL]", "n": 1}


# What a response says of itself


def test_the_callers_own_words_come_back_to_him_as_they_are() -> None:
    own = f"Write to {MAIL}, falcon."
    reply = responses(STOP, call(Turn("system", own, ("instructions",))))
    found = whole(response(instructions=own, metadata={"a": MAIL}), reply)
    assert found["instructions"] == own and found["metadata"] == {"a": "[EMAIL]"}
    assert texts(reply) == {(DOCUMENT, "metadata.a"): "[EMAIL]"}
    assert whole(response(metadata={MAIL: "x"}))["metadata"] == {"[EMAIL]": "x"}


def test_usage_model_and_the_way_it_ended_are_noted() -> None:
    usage: Json = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
    reply = responses()
    whole(response("incomplete", usage=usage, incomplete_details={"reason": "max_output_tokens"}), reply)
    noted = reply.reply
    assert (noted.prompt_tokens, noted.completion_tokens, noted.model) == (3, 4, "tiny")
    assert noted.finish == "max_output_tokens"
    other = responses()
    whole(response(usage={"input_tokens": "3"}, incomplete_details={"reason": 5}, created_at=1795217545), other)
    assert (other.reply.finish, other.reply.prompt_tokens) == ("completed", None)


def test_there_is_nothing_to_carry_at_a_strange_place() -> None:
    with pytest.raises(UnreadableError):
        ResponsesReader(call()).carry(Place((0, "content"), ("delta",)), "x")


# Any stream, any cut

STREAMS = [each for each in RECORDED if each.api.name == "openai.responses" and each.streamed]
ITEMS = st.sampled_from(["", "mail ", MAIL, "bob@example.org", "4111 1111 1111 1111", "é\u2028", '"\\', "12 ", "@"])


@settings(max_examples=60)
@given(st.lists(st.lists(ITEMS, max_size=6).map("".join), min_size=1, max_size=4), st.data())
def test_each_text_comes_out_as_the_mask_of_the_whole_and_is_repeated_so(
    wholes: list[str], data: st.DataObject
) -> None:
    left = {at: text for at, text in enumerate(wholes) if text}
    events: list[tuple[str, JsonObject]] = []
    while left:
        at = data.draw(st.sampled_from(sorted(left)))
        size = data.draw(st.integers(1, 9))
        place: JsonObject = {"item_id": f"msg_{at}", "output_index": at, "content_index": 0}
        events.append((DELTA, {**place, "delta": left[at][:size]}))
        left[at] = left[at][size:]
        if not left[at]:
            del left[at]
            if data.draw(st.booleans()):
                events.append(("response.output_text.done", {**place, "text": wholes[at]}))
    last = [{**message(text), "id": f"msg_{at}"} for at, text in enumerate(wholes)]
    events.append(("response.completed", {"response": response("completed", *last)}))
    body = numbered(*events)
    reply = responses()
    out = streamed(reply, body, data.draw(st.lists(st.integers(0, len(body)), max_size=6)))
    assert reply.reply.complete and leaks(out) == []
    found = documents(out)
    for at, text in enumerate(wholes):
        heard = "".join(each["delta"] for each in found if each.get("item_id") == f"msg_{at}" and "delta" in each)
        assert heard == MASK.whole(text).text == found[-1]["response"]["output"][at]["content"][0]["text"]
    assert all(before < after for before, after in pairwise(numbers(out)))


@settings(max_examples=40)
@given(st.sampled_from(STREAMS), st.data())
def test_a_recorded_stream_cut_anywhere_says_the_same(recorded: Recorded, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(recorded.body)), max_size=5))
    assert streamed(reply_mask(recorded.reader()), recorded.body, cuts) == streamed(
        reply_mask(recorded.reader()), recorded.body
    )


@settings(max_examples=100)
@given(
    st.sampled_from(sorted(EVENTS)),
    st.dictionaries(
        st.sampled_from(
            ["delta", "text", "item", "part", "response", "item_id", "output_index", "sequence_number", "zz"]
        ),
        st.recursive(
            st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([MAIL, "x", "output_text"]),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(
                    st.sampled_from(["type", "text", "content", "output", "id", "stdout"]), inner, max_size=3
                )
            ),
            max_leaves=6,
        ),
        max_size=5,
    ),
)
def test_no_event_makes_the_reader_fail_or_say_what_it_must_not(kind: str, more: JsonObject) -> None:
    reply = responses()
    out = streamed(reply, event({**more, "type": kind}) + END)
    assert leaks(out) == []
    assert reply.stopped is None or reply.stopped.status == 502
