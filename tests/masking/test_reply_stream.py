"""A streamed reply, case by case."""

from __future__ import annotations

import orjson
import pytest

from penstock.apis import ReplyReader
from penstock.apis.dialects import OPENAI
from penstock.apis.metadata import MetadataReader
from penstock.apis.openai.reply import OpenAiReader
from penstock.apis.replies.pieces import Reading, UnreadableError
from penstock.errors import Refusal
from penstock.exchange import Json, Reply
from penstock.masking.finding import Finding
from tests.masking.replies import (
    DONE,
    MASK,
    STOP,
    chunk,
    documents,
    event,
    leaks,
    line,
    ollama,
    openai,
    reply_mask,
    said,
    streamed,
    texts,
)


def answer(out: bytes) -> str:
    """The text of choice 0 as a client puts it together."""
    return "".join(
        choice["delta"].get("content") or ""
        for document in documents(out)
        for choice in document.get("choices", ())
        if choice["index"] == 0
    )


def error(out: bytes) -> dict[str, Json]:
    """The error that a stream ends with."""
    last = documents(out)[-1]
    assert isinstance(last, dict) and isinstance(last["error"], dict)
    return last["error"]


def test_a_value_cut_between_events_is_masked_and_released_as_soon_as_it_is_over() -> None:
    reply = openai()
    outs = [
        reply.feed(chunk({"content": piece})) for piece in ("mail al", "ice@exam", "ple.com", " and more ", "words")
    ]
    assert [answer(out) for out in outs][:3] == ["mail ", "", ""]
    assert answer(b"".join(outs)).startswith("mail [EMAIL] and more ")
    out = b"".join(outs) + reply.feed(chunk({}, finish="stop") + DONE) + reply.finish()
    assert answer(out) == "mail [EMAIL] and more words" and reply.reply.complete
    assert texts(reply) == {(0, "content"): "mail [EMAIL] and more words"}


def test_the_rest_comes_in_an_event_before_the_one_that_ends_the_choice() -> None:
    last = chunk({}, finish="stop", usage={"prompt_tokens": 1})
    out = streamed(openai(), chunk({"role": "assistant", "content": "tail"}) + last + DONE)
    assert out.endswith(last + DONE)
    carried = documents(out)[1]
    assert carried == {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1795217532,
        "model": "tiny",
        "choices": [{"index": 0, "delta": {"content": "tail"}, "finish_reason": None}],
    }


def test_the_rest_comes_in_the_ending_event_itself_when_that_has_text() -> None:
    out = streamed(openai(), chunk({"content": "bob@exam"}) + chunk({"content": "ple.org"}, finish="stop") + DONE)
    assert answer(out) == "[EMAIL]"
    assert len(documents(out)) == 2


def test_a_closed_choice_says_nothing_more() -> None:
    reply = openai()
    out = streamed(
        reply, chunk({"content": "a "}) + chunk({}, finish="stop") + chunk({"content": "bob@example.org"}) + DONE
    )
    assert reply.stopped is not None and error(out)["code"] == "gateway_error" and leaks(out) == []


def test_text_that_no_event_closes_is_closed_by_the_terminator() -> None:
    reply = openai()
    assert answer(streamed(reply, chunk({"content": "tail"}) + DONE)) == "tail" and reply.reply.complete


def test_a_stream_without_terminator_is_complete_when_its_choices_are() -> None:
    reply = openai()
    body = chunk({"content": "tail"}) + chunk({}, finish="stop")
    assert answer(streamed(reply, body)) == "tail" and reply.reply.complete and reply.stopped is None


def test_nothing_follows_the_terminator() -> None:
    reply = openai()
    assert reply.feed(chunk({}, finish="stop") + DONE + chunk({"content": "bob@example.org "})).endswith(DONE)
    assert reply.feed(chunk({"content": "more "})) == b"" and reply.finish() == b""


def test_several_choices_and_fields_are_told_apart() -> None:
    body = (
        chunk({"content": "alice@exa"}, 0)
        + chunk({"content": "4111 1111 "}, 1)
        + chunk({"reasoning_content": "bob@exa"}, 0)
        + chunk({"content": "mple.com "}, 0)
        + chunk({"content": "1111 1111."}, 1)
        + chunk({"reasoning_content": "mple.org "}, 0)
        + chunk({"refusal": "no"}, 0)
        + chunk({}, 1, "stop")
        + chunk({}, 0, "stop")
        + DONE
    )
    reply = openai()
    assert leaks(streamed(reply, body)) == []
    assert texts(reply) == {
        (0, "content"): "[EMAIL] ",
        (1, "content"): "[CREDIT_CARD].",
        (0, "reasoning_content"): "[EMAIL] ",
        (0, "refusal"): "no",
    }


def test_parallel_tool_calls_are_told_apart_by_their_index() -> None:
    def call(index: int, arguments: str, **more: Json) -> bytes:
        return chunk({"tool_calls": [{"index": index, "function": {"arguments": arguments, **more}}]})

    reply = openai()
    out = streamed(
        reply,
        call(0, "", name="send")
        + call(1, "", name="look")
        + call(0, '{"to": "alice@exa')
        + call(1, '{"card": "4111 1111')
        + call(0, 'mple.com"}')
        + call(1, ' 1111 1111"}')
        + chunk({}, finish="tool_calls")
        + DONE,
    )
    assert leaks(out) == []
    assert texts(reply) == {
        (0, "tool_calls.0.name"): "send",
        (0, "tool_calls.1.name"): "look",
        (0, "tool_calls.0.arguments"): '{"to": "[EMAIL]"}',
        (0, "tool_calls.1.arguments"): '{"card": "[CREDIT_CARD]"}',
    }
    carried = [
        choice["delta"]["tool_calls"][0]
        for each in documents(out)
        for choice in each["choices"]
        if choice["delta"].get("tool_calls")
    ]
    joined = "".join(item["function"].get("arguments") or "" for item in carried if item["index"] == 1)
    assert joined == '{"card": "[CREDIT_CARD]"}'


def test_tools_have_a_mask_of_their_own() -> None:
    body = (
        chunk({"content": "bob@example.org "})
        + chunk({"tool_calls": [{"function": {"name": "f", "arguments": "bob@example.org "}}]})
        + chunk({}, finish="stop")
        + DONE
    )
    only_text = reply_mask(OpenAiReader())
    only_text._texts._tool = None
    streamed(only_text, body)
    assert texts(only_text) == {
        (0, "content"): "[EMAIL] ",
        (0, "tool_calls.0.name"): "f",
        (0, "tool_calls.0.arguments"): "bob@example.org ",
    }


def test_a_name_goes_out_at_once_and_is_masked_whole() -> None:
    reply = openai()
    first = chunk(
        {
            "tool_calls": [
                {"index": 0, "id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": ""}}
            ]
        }
    )
    assert reply.feed(first) == first
    assert b"bob" not in reply.feed(chunk({"tool_calls": [{"index": 1, "function": {"name": "bob@example.org"}}]}))
    assert texts(reply)[0, "tool_calls.1.name"] == "[EMAIL]"


def test_a_name_in_parts_passes_only_if_the_whole_needs_no_mask() -> None:
    def name(part: str) -> bytes:
        return chunk({"tool_calls": [{"index": 0, "function": {"name": part}}]})

    fine = openai()
    assert fine.feed(name("get_") + name("weather") + name("get_weather")) and fine.stopped is None
    for parts in (("bob", "@example.org"), ("4111 1111", " 1111 1111")):
        reply = openai()
        out = b"".join(reply.feed(name(part)) for part in parts)
        assert reply.stopped is not None and leaks(out) == []
    unmasked = openai(None)
    assert unmasked.feed(name("a") + name("b")) == name("a") + name("b")


def test_arguments_as_an_object_are_masked_with_their_numbers_and_keys() -> None:
    arguments: Json = {
        "to": "bob@example.org",
        "card": 4111111111111111,
        "deep": [{"alice@example.com": True, "bob@example.com": None, "pi": 3.5, "n": 7}],
    }
    for reply, body in (
        (
            ollama(),
            said("", tool_calls=[{"id": "c 1", "function": {"index": 0, "name": "f", "arguments": arguments}}])
            + said("", done=True),
        ),
        (
            openai(),
            chunk({"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": arguments}}]})
            + chunk({}, finish="stop")
            + DONE,
        ),
    ):
        out = streamed(reply, body)
        assert leaks(out) == []
        assert orjson.loads(texts(reply)[0, "tool_calls.0.arguments"]) == {
            "to": "[EMAIL]",
            "card": "[CREDIT_CARD]",
            "deep": [{"[EMAIL]": True, "[EMAIL] 2": None, "pi": 3.5, "n": 7}],
        }


def test_fields_that_nobody_has_heard_of_are_text() -> None:
    body = (
        chunk({"thoughts": "bob@exa"}, note="alice@example.com", nested={"bob@example.org": ["4111 1111 1111 1111"]})
        + chunk({"thoughts": "mple.org "}, note="x", card=4111111111111111)
        + chunk({"content": [{"type": "text", "text": "alice@exa"}]})
        + chunk({"content": [{"type": "text", "text": "mple.com "}]})
        + chunk({}, finish="stop")
        + DONE
    )
    reply = openai()
    out = streamed(reply, body)
    assert leaks(out) == []
    assert texts(reply)[0, "thoughts"] == "[EMAIL] " and texts(reply)[0, "content.0.text"] == "[EMAIL] "
    assert b'"[EMAIL]":' in out


def test_structure_that_carries_text_is_masked() -> None:
    out = streamed(openai(), chunk({"role": "bob@example.org"}) + chunk({}, finish="4111 1111 1111 1111") + DONE)
    assert leaks(out) == []


def test_a_key_that_stands_twice_hides_nothing() -> None:
    for raw in (
        b'{"choices":[{"index":0,"delta":{"content":"bob@example.org","content":"x"}}]}',
        b'{"note":"bob@example.org","note":"x","choices":[]}',
        b'{"note" :"bob@example.org","note":"x","choices":[]}',
        rb'{"note":"bob@example.org","note":"x","k\\":1,"choices":[]}',
    ):
        assert leaks(openai().feed(b"data: " + raw + b"\n\n")) == []
    code = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","refusal":null},"note":null}],"object":"x"}\n\n'
    assert openai().feed(code) == code


def test_text_that_looks_like_keys_is_no_reason_to_edit() -> None:
    raw = chunk({"content": '{"a": 1, "b\\\\": 2} '})
    reply = openai()
    out = reply.feed(raw)
    assert documents(out) == documents(raw)


def test_comments_keep_the_connection_alive_and_say_nothing() -> None:
    body = b": bob@example.org\n\n" + b"id: bob@example.org\n\n" + b"\n\n"
    assert openai().feed(body) == b":\n\n:\n\n\n\n"
    assert openai(None).feed(body) == body
    assert openai(judge=lambda text: None).feed(b": ping\n\n") == b":\n\n"


def test_other_fields_of_an_event_are_left_out() -> None:
    inner = chunk({"role": "assistant"})
    assert (
        openai().feed(b": bob@example.org\nid: bob@example.org\nretry: 5\n" + inner)
        == b"data: " + orjson.dumps(documents(inner)[0]) + b"\n\n"
    )
    assert openai().feed(b"event: message\n" + inner) == b"event: message\n" + inner
    assert openai().feed(b"id: 1\n" + DONE) == DONE
    assert openai().feed(b"id: x\ndata: null\n\n") == b"data: null\n\n"


def test_null_frames_pass() -> None:
    assert openai().feed(b"data: null\n\n") == b"data: null\n\n"


@pytest.mark.parametrize(
    "body",
    [
        b"data: not json\n\n",
        b'data: "bob@example.org"\n\n',
        b"data: [1]\n\n",
        b"data: 7\n\n",
        b"data:\n\n",
        b'data: {"a":"\xff"}\n\n',
        b'data: {"a":"\\ud800"}\n\n',
        b"event: secret\ndata: {}\n\n",
        b'data: {"choices":["bob@example.org"]}\n\n',
        b"data: " + b'{"a":' * 1020 + b"1" + b"}" * 1020 + b"\n\n",
        b"data: " + b"x" * 8_100_000,
    ],
)
def test_what_cannot_be_read_ends_the_stream_and_none_of_it_comes_out(body: bytes) -> None:
    reply = openai()
    out = reply.feed(chunk({"content": "fine then "}) + body)
    assert leaks(out) == [] and error(out)["code"] == "gateway_error" and reply.stopped is not None
    assert answer(out) == "fine then " and out.count(b"\n\n") == 2
    assert reply.reply.error == reply.stopped.message and not reply.reply.complete
    assert reply.feed(chunk({"content": "more "})) == b"" and reply.finish() == b""


def test_a_failure_of_the_gateway_ends_the_stream_too() -> None:
    class Broken(OpenAiReader):
        def read(self, document: Json, reply: Reply, *, strip: bool) -> Reading:
            raise RuntimeError("bob@example.org")

    reply = reply_mask(Broken())
    out = reply.feed(chunk({"content": "bob@example.org "}))
    assert error(out)["code"] == "gateway_error" and leaks(out) == []
    assert "could not process" in str(error(out)["message"])
    with pytest.raises(Refusal) as caught:
        reply_mask(Broken()).whole(200, "application/json", b"{}")
    assert caught.value.status == 503


def test_a_stop_rule_says_what_was_safe_and_ends_in_an_error() -> None:
    reply = openai(STOP)
    out = streamed(
        reply,
        chunk({"content": "the code is "})
        + chunk({"content": "fal"})
        + chunk({"content": "con now"})
        + chunk({}, finish="stop")
        + DONE,
    )
    assert answer(out[: out.rindex(b"data:")]) == "the code is "
    assert error(out)["code"] == "policy_violation" and "exchange 01TEST" in str(error(out)["message"])
    assert b"falcon" not in out and b'"stop"' not in out and b"[DONE]" not in out
    assert texts(reply) == {(0, "content"): "the code is "} and not reply.reply.complete


def test_what_other_channels_said_in_the_stopped_event_is_still_said() -> None:
    reply = openai(STOP)
    out = reply.feed(chunk({"content": "fine then ", "refusal": "the falcon flew "}, finish="stop"))
    assert answer(out[: out.rindex(b"data:")]) == "fine then " and b"falcon" not in out and b"flew" not in out
    assert b'"stop"' not in out


def test_what_an_unreadable_event_would_have_said_is_not_in_the_audit() -> None:
    reply = openai()
    late = chunk({"content": "second "}, finish="stop")
    reply.feed(chunk({"content": "first "}) + chunk({"content": "x"}, 1, "stop"))
    broken = event(
        {"choices": [{"index": 0, "delta": {"content": "never "}}, {"index": 1, "delta": {"content": "late"}}]}
    )
    out = reply.feed(broken + late)
    assert b"never" not in out and texts(reply)[0, "content"] == "first " and reply.reply.finish is None
    named = openai(STOP)
    out = named.feed(chunk({"content": "so ", "tool_calls": [{"function": {"name": "f", "arguments": "falcon "}}]}))
    assert texts(named) == {(0, "content"): "so ", (0, "tool_calls.0.name"): "f"}
    assert answer(out[: out.rindex(b"data:")]) == "so " and b"falcon" not in out
    whole = openai(STOP)
    out = whole.feed(chunk({"content": "so ", "function_call": {"arguments": {"a": "b"}}, "thoughts": "falcon "}))
    assert texts(whole) == {(0, "content"): "so "} and b'"b"' not in out


def test_a_reply_that_is_over_is_not_refused_any_more() -> None:
    reply = openai()
    reply.feed(chunk({}, finish="stop") + DONE)
    assert reply.refuse(Refusal("upstream_timeout", "Too slow.")) == b"" and reply.stopped is None


def test_a_stop_at_the_very_end_is_a_stop() -> None:
    for end in (chunk({}, finish="stop"), DONE):
        reply = openai(STOP)
        out = reply.feed(chunk({"content": "it is falcon"}) + end)
        assert reply.stopped is not None and answer(out[: out.rindex(b"data:")]) == "it is " and b"falcon" not in out
    reply = openai(STOP)
    out = reply.feed(chunk({"content": "it is "}) + chunk({"content": "falcon"}, finish="stop"))
    assert reply.stopped is not None and answer(out[: out.rindex(b"data:")]) == "it is " and b"falcon" not in out


def test_a_stop_in_a_text_that_is_complete_in_itself_is_a_stop() -> None:
    for body in (
        chunk({"tool_calls": [{"index": 0, "function": {"name": "falcon"}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": {"a": ["falcon"]}}}]}),
        chunk({"unheard": "falcon "}),
        event({"error": {"message": "falcon"}}),
    ):
        reply = openai(STOP)
        assert b"falcon" not in reply.feed(body) and reply.stopped is not None


def test_the_policy_may_word_the_refusal_of_a_stop() -> None:
    def wording(finding: Finding) -> Refusal:
        return Refusal("policy_violation", f"Rule {finding.rule}.")

    reply = openai(STOP, refusal=wording)
    assert "Rule words." in str(error(reply.feed(chunk({"content": "falcon "})))["message"])


def test_flags_are_kept_and_change_nothing() -> None:
    reply = openai()
    out = streamed(reply, chunk({"content": "the falcon flies "}) + chunk({}, finish="stop") + DONE)
    assert answer(out) == "the falcon flies " and [flag.rule for flag in reply.flags] == ["words"]


def test_an_error_in_mid_stream_is_masked_and_passes() -> None:
    reply = openai()
    out = streamed(
        reply, chunk({"content": "so far "}) + event({"error": {"message": "no mail to bob@example.org", "code": 500}})
    )
    assert error(out) == {"message": "no mail to [EMAIL]", "code": 500}
    assert reply.reply.error == "no mail to [EMAIL]" and not reply.reply.complete and reply.stopped is None
    named = openai()
    assert (
        named.feed(b'event: error\ndata: {"message":"bob@example.org"}\n\n')
        == b'event: error\ndata: {"message":"[EMAIL]"}\n\n'
    )
    assert named.reply.error == "[EMAIL]"
    wordless = openai()
    wordless.feed(event({"error": {"code": 1}}))
    assert wordless.reply.error == "The model server reported an error."
    detail = openai()
    detail.feed(event({"object": "error", "message": "m"}))
    assert detail.reply.error == "m"


def test_an_error_line_of_ollama_is_masked_and_passes() -> None:
    reply = ollama()
    out = streamed(reply, said("so far ") + line({"error": "bob@example.org failed"}))
    assert documents(out)[-1] == {"error": "[EMAIL] failed"} and reply.reply.error == "[EMAIL] failed"


def test_the_last_line_of_ollama_may_have_text_of_its_own() -> None:
    reply = ollama()
    out = streamed(reply, said("mail bob@exam") + said("ple.org", done=True))
    assert texts(reply) == {(0, "content"): "mail [EMAIL]"} and len(documents(out)) == 2 and reply.reply.complete


def test_the_rest_comes_in_a_line_before_the_last() -> None:
    last = said("", done=True)
    out = streamed(ollama(), said("", thinking="hm") + said("tail") + last)
    assert out.endswith(last)
    assert [document["message"] for document in documents(out)[2:4]] == [
        {"role": "assistant", "content": "", "thinking": "hm"},
        {"role": "assistant", "content": "tail"},
    ]
    generated = line({"model": "m", "response": "tail", "done": False}) + line(
        {"model": "m", "response": "", "done": True}
    )
    assert documents(streamed(ollama(), generated))[1] == {"model": "m", "response": "tail", "done": False}
    thought = line({"model": "m", "response": "", "thinking": "hm", "done": False}) + line(
        {"model": "m", "response": "", "done": True}
    )
    assert documents(streamed(ollama(), thought))[1] == {"model": "m", "thinking": "hm", "response": "", "done": False}


def test_a_cut_stream_says_nothing_of_what_was_pending() -> None:
    reply = openai()
    out = streamed(reply, chunk({"content": "well bob@exam"}) + b'data: {"id":"x","cho')
    assert answer(out[: out.rindex(b"data:")]) == "well " and b"bob" not in out
    assert error(out)["code"] in ("upstream_unreachable", "gateway_error") and reply.stopped is not None
    whole = chunk({"content": "well "})
    for unended in (whole[:-2], whole[:-1], whole[:-2] + b"\r", whole[:-2] + b"\r\n"):
        for chosen in (MASK, None):
            out = streamed(openai(chosen), unended)
            assert answer(out[: out.rindex(b"data:")]) == "well " and error(out)["code"] == "upstream_unreachable"
    ended = streamed(openai(), chunk({"content": "tail"}) + chunk({}, finish="stop") + b"data: [DONE]")
    assert answer(ended) == "tail" and ended.endswith(DONE)
    for body in (
        b"",
        chunk({"content": "x"}),
        chunk({"content": "x"}) + chunk({"content": "y"}, 1) + chunk({}, finish="stop"),
    ):
        cut = openai()
        assert b'"error"' in streamed(cut, body) and not cut.reply.complete
    assert b'"error"' in streamed(ollama(), said("x"))


def test_a_reply_is_refused_from_outside_once() -> None:
    reply = openai()
    reply.feed(chunk({"content": "tail"}))
    out = reply.refuse(Refusal("upstream_timeout", "Too slow."))
    assert error(out)["code"] == "upstream_timeout" and b"tail" not in out
    assert reply.refuse(Refusal("upstream_timeout", "Too slow.")) == b"" and reply.finish() == b""


def test_a_judge_reads_each_choice_before_anything_goes_out() -> None:
    heard: list[str] = []

    def judge(text: str) -> Refusal | None:
        heard.append(text)
        return None

    body = (
        chunk({"content": "mail bob@example.org"})
        + chunk({"content": "two"}, 1)
        + chunk({"reasoning": "why"})
        + chunk({}, finish="stop")
        + chunk({}, 1, "stop")
    )
    reply = openai(judge=judge)
    assert reply.feed(body) == b"" and texts(reply) == {}
    out = reply.feed(DONE)
    assert heard == ["mail bob@example.org\nwhy", "two"] and answer(out) == "mail [EMAIL]" and out.endswith(DONE)
    assert texts(reply)[0, "content"] == "mail [EMAIL]"


def test_what_the_judge_refuses_never_goes_out() -> None:
    reply = openai(judge=lambda text: Refusal("policy_violation", "Not this."))
    out = streamed(reply, chunk({"content": "hello there "}) + chunk({}, finish="stop") + DONE)
    assert error(out)["message"] == "Not this. (exchange 01TEST)" and b"hello" not in out
    assert texts(reply) == {} and not reply.reply.complete
    stopped = openai(STOP, buffered=True)
    out = streamed(stopped, chunk({"content": "hello there falcon "}) + DONE)
    assert b"hello" not in out and stopped.stopped is not None and texts(stopped) == {}


def test_an_error_of_the_model_is_judged_with_what_it_said() -> None:
    body = chunk({"content": "hello there "}) + event({"error": {"message": "m"}})
    assert b"hello" in streamed(openai(judge=lambda text: None), body)
    assert b"hello" not in streamed(openai(judge=lambda text: Refusal("policy_violation", "Not this.")), body)


def test_a_reply_has_a_largest_size() -> None:
    reply = openai(limit=1000)
    out = b"".join(reply.feed(chunk({"content": "well "})) for _ in range(20))
    assert "larger" in str(error(out)["message"]) and reply.stopped is not None
    held = openai(buffered=True, limit=1000)
    out = b"".join(held.feed(chunk({"content": "well "})) for _ in range(20))
    assert b"well" not in out and "larger" in str(error(out)["message"])


def test_a_stream_where_none_belongs_is_unreadable() -> None:
    reader: ReplyReader = MetadataReader(OPENAI)
    assert error(reply_mask(reader).feed(chunk({"content": "x"})))["code"] == "gateway_error"
    assert error(reply_mask(reader).feed(DONE))["code"] == "gateway_error"
    with pytest.raises(UnreadableError):
        reader.carry(next(iter(reader.read({"a": "x"}, Reply(), strip=True).pieces)).place, "x")


def test_lines_in_place_of_events_and_events_in_place_of_lines_are_unreadable() -> None:
    assert leaks(streamed(openai(), said("bob@example.org ") + said("", done=True))) == []
    assert leaks(streamed(ollama(), chunk({"content": "bob@example.org "}) + DONE)) == []
    assert MASK.whole("x").text == "x"
