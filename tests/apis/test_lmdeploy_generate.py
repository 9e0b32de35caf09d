from __future__ import annotations

import pytest

from penstock import apis
from penstock.errors import Refusal
from penstock.exchange import Json, JsonObject, Operation
from tests.apis.calls import call, said
from tests.masking.replies import DONE, event, reply_mask, streamed, texts


def test_a_prompt_is_a_turn() -> None:
    made = call("/generate", {"prompt": "once", "max_tokens": 9, "stop": "X", "stream": True})
    assert made.api == "lmdeploy.generate" and made.operation == Operation.COMPLETE and made.stream
    assert said(made) == [("user", "once"), ("other", "X")] and made.parameters["max_tokens"] == 9
    assert not made.unusual


def test_images_and_sessions_are_named() -> None:
    made = call("/generate", {"prompt": "x", "image_data": [{"url": "http://10.0.0.1/x.png"}], "session_id": 7})
    assert made.uninspected == ("image", "url") and made.unusual == {"session_id"}


@pytest.mark.parametrize(
    "body",
    [{"prompt": None}, {"prompt": ["a"]}, {"prompt": "a", "input_ids": [1]}, {"prompt": "a", "stop": [1]}],
)
def test_what_could_be_read_in_two_ways_or_none_is_refused(body: JsonObject) -> None:
    with pytest.raises(Refusal):
        call("/generate", body)


def test_its_events_say_what_is_new_even_where_they_begin_alike() -> None:
    reader = apis.by_name("lmdeploy.generate").reader(call("/generate", {"prompt": "x"}))
    reply = reply_mask(reader)
    body = b"".join(_frame(text, at) for at, text in enumerate(["4", "411", "1 1111", " 1111", " 1111"], 1))
    out = streamed(reply, body + _frame("", 5, {"type": "stop"}) + DONE)
    assert texts(reply) == {(0, "text"): "4[CREDIT_CARD]"} or texts(reply) == {(0, "text"): "[CREDIT_CARD]"}
    assert b"1111" not in out and reply.reply.finish == "stop"


def _frame(text: str, count: int, end: Json = None) -> bytes:
    return event({"text": text, "output_ids": [1], "meta_info": {"completion_tokens": count, "finish_reason": end}})
