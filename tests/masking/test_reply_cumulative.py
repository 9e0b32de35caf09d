"""Texts that each event repeats from their beginning: masked as what they add is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.apis.sglang.reply import SglangReader
from penstock.exchange import Json
from tests.masking.replies import DONE, MASK, STOP, documents, event, reply_mask, streamed, texts


def frames(*grown: str, end: bool = True) -> bytes:
    out = b""
    for at, text in enumerate(grown, 1):
        reason: Json = {"type": "stop"} if end and at == len(grown) else None
        out += event({"text": text, "meta_info": {"finish_reason": reason}})
    return out + DONE


def reader() -> SglangReader:
    return SglangReader(cumulative=True)


def said(data: bytes) -> list[str]:
    return [str(document.get("text")) for document in documents(data)]


def test_each_event_has_what_was_released_so_far() -> None:
    reply = reply_mask(reader())
    out = streamed(reply, frames("to", "to bob@x", "to bob@x.de and", "to bob@x.de and you"))
    assert said(out) == ["", "to ", "to [EMAIL] ", "to [EMAIL] and you"]
    assert reply.reply.masked == {"email": 1} and texts(reply) == {(0, "text"): "to [EMAIL] and you"}


def test_the_rest_is_carried_with_all_that_stands_before_it() -> None:
    out = streamed(reply_mask(reader()), frames("to bob@x.de", "to bob@x.de", end=False))
    assert said(out) == ["to ", "to ", "to [EMAIL]"]


def test_a_rule_that_stops_leaves_all_that_may_be_said() -> None:
    reply = reply_mask(reader(), STOP)
    out = streamed(reply, frames("to bob@x.de", "to bob@x.de and", "to bob@x.de and falcon."))
    assert said(out)[:3] == ["to ", "to [EMAIL] ", "to [EMAIL] and "] and b"falcon" not in out
    assert reply.stopped is not None and texts(reply) == {(0, "text"): "to [EMAIL] and "}


def test_a_rule_that_stops_at_the_end_does_too() -> None:
    reply = reply_mask(reader(), STOP)
    out = streamed(reply, frames("a falcon", "a falcon", end=False))
    assert said(out) == ["a ", "a ", "None"] and reply.stopped is not None


@pytest.mark.parametrize("grown", [("one", "two"), ("one two", "one"), ("one", "on", "one two")])
def test_a_text_that_does_not_go_on_is_not_let_through(grown: tuple[str, ...]) -> None:
    reply = reply_mask(reader())
    streamed(reply, frames(*grown, end=False))
    assert reply.stopped is not None and not reply.reply.complete


def test_a_text_behind_its_end_is_not_let_through() -> None:
    reply = reply_mask(reader())
    streamed(reply, frames("one").removesuffix(DONE) + frames("one two"))
    assert reply.stopped is not None


def test_a_judge_hears_a_text_once() -> None:
    heard: list[str] = []
    reply = reply_mask(reader(), judge=lambda text: heard.append(text))
    out = streamed(reply, frames("to", "to bob@x.de", "to bob@x.de and"))
    assert heard == ["to bob@x.de and"] and said(out)[-1] == "to [EMAIL] and"


@given(st.lists(st.sampled_from(["bob", "@", "x.de", " ", "4111", " 1111", "falcons", ".", "é"]), max_size=10))
def test_the_last_event_has_the_mask_of_the_whole_text(parts: list[str]) -> None:
    grown = ["".join(parts[:at]) for at in range(len(parts) + 1)]
    reply = reply_mask(reader())
    out = said(streamed(reply, frames(*grown)))
    assert out[-1] == MASK.whole(grown[-1]).text
    assert all(out[-1].startswith(text) for text in out)
