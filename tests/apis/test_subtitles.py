"""Subtitles: a value that the times of a cue cut in two is found, and nothing but what was said ever changes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.apis.openai.subtitles import Subtitles, is_subtitles
from penstock.apis.openai.transcript import TranscriptReader
from penstock.apis.replies.aligned import aligned
from penstock.apis.replies.pieces import UnreadableError
from penstock.errors import Refusal
from penstock.exchange import Call, Json, Operation
from penstock.masking.reply import ReplyMask
from tests.apis.recorded import recorded
from tests.masking.replies import STOP, reply_mask, texts

TIMES = re.compile(r".*-->.*|WEBVTT.*|\d{1,2}")


def srt(*cues: str, end: str = "\n") -> str:
    """As OpenAI, whisper.cpp and LocalAI write it."""
    lines: list[str] = []
    for at, cue in enumerate(cues):
        lines += [
            str(at + 1),
            f"00:{at // 60:02}:{at % 60:02},000 --> 00:{at // 60:02}:{at % 60:02},500",
            *cue.split("\n"),
            "",
        ]
    return end.join(lines) + end


def vtt(*cues: str) -> str:
    lines = ["WEBVTT", ""]
    for at, cue in enumerate(cues):
        lines += [f"00:{at:02}.000 --> 00:{at + 1:02}.500 align:start position:0%", *cue.split("\n"), ""]
    return "\n".join(lines)


def delivered(text: str, media: str = "text/plain; charset=utf-8", reply: ReplyMask | None = None) -> str:
    return (reply or reply_mask(TranscriptReader())).whole(200, media, text.encode()).decode()


def said(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not TIMES.fullmatch(line)]


def times(text: str) -> list[str]:
    return [line for line in text.splitlines() if TIMES.fullmatch(line)]


@pytest.mark.parametrize("write", [srt, vtt])
@pytest.mark.parametrize("media", ["text/plain; charset=utf-8", "text/vtt", "application/x-subrip", "text/srt"])
@pytest.mark.parametrize(
    ("cues", "found"),
    [
        (["my card is 4111 1111", "1111 1111, thank you"], ["my card is [CREDIT_CARD]", ", thank you"]),
        (["my card is 4111", "1111", "1111", "1111"], ["my card is [CREDIT_CARD]"]),
        (["write to alice.smith@", "example.com please"], ["write to [EMAIL]", "please"]),
        (["write to ali", "ce@example.com"], ["write to [EMAIL]"]),
        (["first line\ncard 4111 1111", "1111 1111\nlast line"], ["first line", "card [CREDIT_CARD]", "last line"]),
        (["call now", "bye"], ["call now", "bye"]),
    ],
)
def test_a_value_that_cues_cut_is_found(write: object, media: str, cues: list[str], found: list[str]) -> None:
    given = srt(*cues) if write is srt else vtt(*cues)
    out = delivered(given, media)
    assert said(out) == found
    assert times(out) == times(given)


def test_whole_cues_stay_where_they_are() -> None:
    cues = ["Good morning everybody.", "I am bob@example.org,", "ok", "and the card is 4111 1111 1111 1111.", "Bye."]
    reply = reply_mask(TranscriptReader())
    out = delivered(srt(*cues, end="\r\n"), reply=reply)
    assert out == srt(cues[0], "I am [EMAIL],", "ok", "and the card is [CREDIT_CARD].", "Bye.", end="\r\n")
    assert reply.reply.masked == {"email": 1, "credit_card": 1}
    assert texts(reply) == {
        (0, "subtitles"): "Good morning everybody. I am [EMAIL], ok and the card is [CREDIT_CARD]. Bye."
    }


def test_what_words_of_two_cues_make_together_is_found_only_with_the_space_between_them() -> None:
    with pytest.raises(Refusal) as refused:
        delivered(srt("the", "falcon", "flies"), reply=reply_mask(TranscriptReader(), STOP))
    assert refused.value.code == "policy_violation"


def test_without_a_mask_a_file_passes_byte_for_byte() -> None:
    for text in (srt("a", " b "), vtt("x\r\ny"), "\ufeffWEBVTT\r\n\r\n00:01.0 --> 00:02.0\r\n \r\nNOTE x\r\n"):
        assert delivered(text, reply=ReplyMask(TranscriptReader(), text=None, tool=None)) == text
        assert delivered(text) == text


def test_a_recorded_file_is_masked() -> None:
    one = recorded("openai.audio.transcriptions-localai_vtt")
    out = reply_mask(TranscriptReader()).whole(200, one.content_type, one.body).decode()
    assert out == "WEBVTT\n\n00:00:00.000 --> 00:00:07.000\n Write to [EMAIL], the card is [CREDIT_CARD].\n\n"


def test_times_between_the_words_of_a_line_do_not_hide_a_value() -> None:
    line = "<00:00:01.000><c> card</c> <00:00:02.000><c>4111 1111</c><00:00:03.000><c> 1111 1111</c>"
    out = delivered(vtt(line))
    assert "<00:00:01.000><c> card</c>" in out and "[CREDIT_CARD]" in out and "4111" not in out
    assert out.count("<00:00:0") == 3
    lrc = "[by:LocalAI]\n[00:00.00] mail ali\n[00:01.50]ce@example.com\n"
    assert delivered(lrc) == "[by:LocalAI]\n[00:00.00] mail [EMAIL]\n[00:01.50]\n"


@pytest.mark.parametrize(
    "line",
    [
        "WEBVTT - for bob@example.org",
        "00:00:00,000 --> 00:00:01,000 bob@example.org",
        "NOTE bob@example.org",
        "<v bob@example.org>hello",
        "4111111111111111",
        "00:00:00,000 --> 4111111111111111",
    ],
)
def test_what_only_looks_like_structure_is_text(line: str) -> None:
    out = delivered(f"{line}\n\n{srt('hello')}{line}\n")
    assert "bob@" not in out and "4111" not in out


def test_numbers_are_left_alone_only_above_the_times_of_a_cue() -> None:
    out = delivered("4111\n1111\n1111\n1111\n" + srt("hello"))
    assert "4111" not in out and "1\n00:00:00,000" in out


def test_a_plain_text_stays_one() -> None:
    assert not is_subtitles("at 10:30 --> gone") and is_subtitles("x\r00:01.0 --> 00:02.0\r")
    reply = reply_mask(TranscriptReader())
    assert delivered("mail bob@example.org", reply=reply) == "mail [EMAIL]"
    assert texts(reply) == {(-1, "body"): "mail [EMAIL]"}


def test_a_file_without_a_word_passes() -> None:
    text = "WEBVTT\n\n00:00.000 --> 00:01.000\n\n"
    assert delivered(text) == text


def test_what_is_no_text_is_not_let_through() -> None:
    with pytest.raises(Refusal):
        reply_mask(TranscriptReader()).whole(200, "text/vtt", vtt("x").encode() + b"\xff")
    reader = TranscriptReader()
    with pytest.raises(UnreadableError):
        reader.pack([])
    assert reader.unpack("text/vtt", vtt("x").encode(), {}) == [{"text": "x"}]
    documents: list[Json] = [{}, [], [{"text": 5}], ["x"]]
    for document in documents:
        with pytest.raises(UnreadableError):
            reader.pack(document)


def test_every_api_of_transcripts_reads_them() -> None:
    from penstock import apis

    for name in ("openai.audio.transcriptions", "openai.audio.translations", "koboldcpp.transcribe"):
        reader = apis.by_name(name).reader(Call(name, Operation.TRANSCRIBE, "whisper"))
        assert reader.unpack("text/plain", srt("x").encode(), {}) == [{"text": "x"}]


LINE = st.text(st.sampled_from("ab1 \t:->,.<>cWEBVT[]0\u00e9"), max_size=12)


@settings(max_examples=150)
@given(st.lists(st.one_of(LINE, st.sampled_from([srt("x", "y"), vtt("z"), "1", "WEBVTT", "[00:01.00]a", "<c>b</c>"]))),
       st.sampled_from(["\n", "\r\n", "\r"]))  # fmt: skip
def test_whatever_a_file_is_it_is_written_as_it_was(lines: list[str], end: str) -> None:
    text = end.join(lines)
    subtitles = Subtitles(text)
    assert subtitles.text([*subtitles.cues]) == text


@settings(max_examples=150)
@given(st.lists(st.text("ab 1", max_size=12), min_size=1, max_size=8), st.text("ab 1X", max_size=60))
def test_words_are_aligned_without_loss(parts: list[str], whole: str) -> None:
    assert "".join(aligned(parts, whole)) == whole
    assert aligned(parts, "".join(parts)) == parts


def test_parts_that_did_not_change_keep_their_place() -> None:
    parts = ["Good morning everybody.", " I am 4111 1111", " 1111 1111 ok", " and this is the end of it."]
    whole = "Good morning everybody. I am [CARD] ok and this is the end of it."
    assert aligned(parts, whole) == [parts[0], " I am [CARD]", " ok", parts[3]]


def test_what_shares_no_word_goes_to_the_first_part() -> None:
    assert aligned(["a " * 300, "b " * 300], "c-" * 200) == ["c-" * 200, ""]
    assert aligned(["a", "b"], "") == ["", ""]


def test_a_long_file_stays_in_order() -> None:
    made = srt(*(f"mail bob@example.org x{at}" for at in range(3000)))
    assert delivered(made) == made.replace("bob@example.org", "[EMAIL]")
