"""Every recorded reply, through the mask: nothing planted comes out, nothing else is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.detect.detector import DETECTORS
from penstock.exchange import Reply
from penstock.masking.finding import MaskRule
from penstock.masking.mask import Mask
from penstock.masking.reply import ReplyMask
from tests.apis.recorded import RECORDED, STREAMED, WHOLE, Recorded
from tests.masking.replies import MASK, documents, leaks, reply_mask, streamed, texts

BUILT_IN = Mask([MaskRule(detector.name, detector) for detector in DETECTORS])


def run(recorded: Recorded, reply: ReplyMask) -> bytes:
    if recorded.streamed:
        reply.reply.status = recorded.status
        return streamed(reply, recorded.body)
    return reply.whole(recorded.status, recorded.content_type, recorded.body)


def said(recorded: Recorded) -> dict[tuple[int, str], str]:
    """What the model said, by channel, before any mask; without what says it again."""
    heard = reply_mask(recorded.reader(), None)
    run(recorded, heard)
    again = ("logprobs", "__verbose", "_debug_info", "words")
    return {channel: text for channel, text in texts(heard).items() if not any(name in channel[1] for name in again)}


@pytest.mark.parametrize("recorded", RECORDED, ids=str)
def test_nothing_planted_comes_out(recorded: Recorded) -> None:
    reply = reply_mask(recorded.reader())
    out = run(recorded, reply)
    assert leaks(out) == []
    assert reply.stopped is None or "error" in recorded.name
    assert reply.reply.complete or "error" in recorded.name


@pytest.mark.parametrize("recorded", RECORDED, ids=str)
def test_each_text_is_delivered_as_the_mask_of_the_whole_text(recorded: Recorded) -> None:
    reply = reply_mask(recorded.reader())
    run(recorded, reply)
    arguments = {channel: text for channel, text in said(recorded).items() if channel[1].endswith("arguments")}
    for channel, text in said(recorded).items():
        if channel not in arguments and "error" not in recorded.name:
            assert texts(reply).get(channel, "") == MASK.whole(text).text
    for channel in arguments:
        assert "[EMAIL]" in texts(reply)[channel]


@pytest.mark.parametrize("recorded", RECORDED, ids=str)
def test_what_needs_no_edit_passes_byte_for_byte(recorded: Recorded) -> None:
    assert run(recorded, reply_mask(recorded.reader(), None)) == recorded.body


@pytest.mark.parametrize("recorded", STREAMED, ids=str)
def test_a_stream_cut_at_every_byte_comes_out_the_same(recorded: Recorded) -> None:
    body = recorded.body[:20_000]
    assert streamed(reply_mask(recorded.reader()), body, range(len(body))) == streamed(
        reply_mask(recorded.reader()), body
    )


@given(st.sampled_from(STREAMED), st.data())
def test_a_stream_cut_anywhere_comes_out_the_same(recorded: Recorded, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(recorded.body)), max_size=5))
    once, again = reply_mask(recorded.reader()), reply_mask(recorded.reader())
    assert streamed(once, recorded.body, cuts) == streamed(again, recorded.body)
    assert once.reply == again.reply


@given(st.sampled_from(STREAMED), st.data())
def test_a_stream_cut_short_leaks_nothing_and_never_ends_as_if_it_were_whole(
    recorded: Recorded, data: st.DataObject
) -> None:
    end = data.draw(st.integers(0, len(recorded.body)))
    reply = reply_mask(recorded.reader())
    out = streamed(reply, recorded.body[:end])
    assert leaks(out) == []
    if not reply.reply.complete:
        assert reply.reply.error and b'"error"' in out.splitlines()[-2 if out.endswith(b"\n\n") else -1]


@pytest.mark.parametrize("recorded", STREAMED, ids=str)
def test_a_buffered_reply_is_the_same_reply_at_once(recorded: Recorded) -> None:
    heard: list[str] = []
    reply = reply_mask(recorded.reader(), judge=lambda text: heard.append(text))
    out, parts = b"", []
    for at in range(0, len(recorded.body), 700):
        parts.append(reply.feed(recorded.body[at : at + 700]))
    out = b"".join(parts) + reply.finish()
    assert out == streamed(reply_mask(recorded.reader()), recorded.body)
    assert sum(map(bool, parts)) <= 1
    assert heard or "error" in recorded.name or not said(recorded)


@pytest.mark.parametrize("recorded", [each for each in RECORDED if each.status == 200], ids=str)
def test_the_audit_learns_how_it_ended(recorded: Recorded) -> None:
    if recorded.api.name not in ("openai.chat", "openai.completions", "ollama.chat", "ollama.generate"):
        return
    reply = reply_mask(recorded.reader())
    run(recorded, reply)
    noted: Reply = reply.reply
    assert noted.model in ("tiny", "llama3.2")
    if "error" not in recorded.name and "debug" not in recorded.name:
        assert noted.finish in ("stop", "length", "tool_calls", "load", "unload")


@pytest.mark.parametrize("recorded", WHOLE, ids=str)
def test_an_error_answer_is_noted_as_one(recorded: Recorded) -> None:
    reply = reply_mask(recorded.reader())
    run(recorded, reply)
    assert (reply.reply.error is not None) == (recorded.status >= 400)
    assert reply.reply.status == recorded.status


@pytest.mark.parametrize("recorded", RECORDED, ids=str)
def test_the_built_in_detectors_find_what_was_planted_and_leave_structure_alone(recorded: Recorded) -> None:
    reply = reply_mask(recorded.reader(), BUILT_IN)
    out = run(recorded, reply)
    assert leaks(out, ("alice.smith@example.com", "4111 1111 1111 1111", "078-05-1120", "AKIAIOSFODNN7EXAMPLE")) == []
    if recorded.api.name in ("openai.models", "ollama.models", "health"):
        assert out == recorded.body


def test_the_masked_values_are_counted() -> None:
    recorded = next(each for each in STREAMED if each.name == "llama_cpp_chat_n2_stream")
    reply = reply_mask(recorded.reader())
    streamed(reply, recorded.body)
    assert reply.reply.masked == {"email": 2, "credit_card": 2}
    assert texts(reply) == {
        (0, "content"): "mail [EMAIL] card [CREDIT_CARD].",
        (1, "content"): "mail [EMAIL] card [CREDIT_CARD].",
    }


@pytest.mark.parametrize(
    "recorded", [each for each in RECORDED if "logprobs" in each.name or "verbose" in each.name], ids=str
)
def test_logprobs_and_debug_output_are_emptied(recorded: Recorded) -> None:
    out = run(recorded, reply_mask(recorded.reader()))
    for document in documents(out):
        assert isinstance(document, dict) and not document.get("logprobs") and not document.get("__verbose")
        for choice in document.get("choices") or []:
            assert not choice.get("logprobs")
