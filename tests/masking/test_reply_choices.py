"""A stream without its terminator is whole only when as many choices have ended as the call asked for."""

from __future__ import annotations

from typing import Any

import pytest

from penstock import apis
from penstock.apis.replies.choices import choices
from penstock.exchange import Call, JsonObject, Operation
from penstock.masking.reply import ReplyMask
from tests.apis.calls import call
from tests.apis.recorded import recorded
from tests.masking.replies import DONE, chunk, event, reply_mask, streamed

CHAT = "/v1/chat/completions"
COMPLETE = "/v1/completions"


def chat(**more: Any) -> Call:
    return call(CHAT, {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True, **more})


def complete(prompt: Any = "hi", **more: Any) -> Call:
    return call(COMPLETE, {"model": "m", "prompt": prompt, "stream": True, **more})


def reply_to(made: Call) -> ReplyMask:
    return reply_mask(apis.by_name(made.api).reader(made))


@pytest.mark.parametrize(
    ("made", "asked"),
    [
        (chat(), 1),
        (chat(n=1), 1),
        (chat(n=3), 3),
        (chat(n=None), 1),
        (complete(), 1),
        (complete(["a", "b"]), 2),
        (complete(["a", "b"], n=2), 4),
        (complete([1, 2, 3]), 1),
        (complete([[1, 2], [3], [4]], n=2), 6),
        (complete(["a"], best_of=5), 1),
        (call("/generate", {"text": ["a", "b"], "sampling_params": {"n": 2}, "stream": True}), 4),
        (call("/generate", {"input_ids": [[1], [2]], "stream": True}), 2),
        (call("/completion", {"prompt": ["a", "b", "c"], "stream": True}), 3),
        (call("/infill", {"input_prefix": "a", "input_suffix": "b", "stream": True}), 1),
        (call("/api/chat", {"model": "m", "messages": [{"role": "user", "content": "hi"}]}), 1),
    ],
)
def test_the_reader_knows_how_many_texts_the_call_gets(made: Call, asked: int) -> None:
    assert apis.by_name(made.api).reader(made).choices == asked


def test_a_call_without_a_body_gets_one() -> None:
    assert choices(Call("openai.chat", Operation.CHAT, "m"), "prompt") == 1
    odd: JsonObject = {"n": True, "prompt": "x"}
    assert choices(Call("openai.chat", Operation.CHAT, "m", body=odd), "prompt", copies=("n",)) == 1


ONE = chunk({"content": "one"}, 0) + chunk({}, 0, "stop")
TWO = chunk({"content": "two"}, 1) + chunk({}, 1, "stop")


@pytest.mark.parametrize(
    ("asked", "data", "whole"),
    [
        (1, ONE, True),
        (2, ONE, False),
        (2, TWO, False),
        (2, ONE + TWO, True),
        (2, ONE + ONE, False),
        (2, ONE + chunk({"content": "tw"}, 1), False),
        (2, ONE + DONE, True),
        (3, ONE + TWO, False),
    ],
)
def test_a_stream_cut_before_its_second_choice_ends_in_an_error(asked: int, data: bytes, whole: bool) -> None:
    reply = reply_to(chat(n=asked))
    out = streamed(reply, data)
    assert reply.reply.complete is whole and (b'"error"' in out) is not whole


@pytest.mark.parametrize("name", ["llama_cpp_chat_n2_stream"])
def test_a_recorded_stream_of_two_choices_is_cut_anywhere(name: str) -> None:
    body = recorded(f"openai.chat-{name}").body
    events = body.split(b"\n\n")
    ends = [at for at, each in enumerate(events) if b'"finish_reason":"' in each]
    assert len(ends) == 2
    for count in range(len(events) - 2):
        reply = reply_to(chat(n=2))
        streamed(reply, b"".join(each + b"\n\n" for each in events[:count]))
        assert reply.reply.complete is (count > ends[1])


def test_batches_of_sglang_and_llama_cpp_count_their_texts() -> None:
    def sglang(index: int) -> bytes:
        return event({"index": index, "text": "x", "meta_info": {"finish_reason": {"type": "stop"}}})

    body: JsonObject = {"text": ["a", "b"], "stream": True}
    for data, whole in ((sglang(0), False), (sglang(0) + sglang(1), True)):
        reply = reply_to(call("/generate", body))
        streamed(reply, data)
        assert reply.reply.complete is whole

    def native(index: int) -> bytes:
        return event({"index": index, "content": "x", "stop": True})

    body = {"prompt": ["a", "b"], "stream": True}
    for data, whole in ((native(0), False), (native(0) + native(1), True)):
        reply = reply_to(call("/completion", body))
        streamed(reply, data)
        assert reply.reply.complete is whole
