"""Streams that no server ever sent, but could: what comes out is the mask of each whole text, for every cut."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from penstock.exchange import Json, JsonObject
from tests.masking.replies import DONE, MASK, PLANTED, chunk, leaks, ollama, openai, said, streamed, texts

FIELDS = ("content", "reasoning_content", "reasoning", "refusal", "unheard_of")
NOISE = (
    "well",
    " and ",
    "mail ",
    "\u00e9t\u00e9 ",
    "\U0001f600",
    "\u65e5\u672c ",
    "\n",
    "\u2028",
    '"',
    "\\",
    "<b>",
    "12 ",
    "@",
    ".",
    "41",
)
words = st.sampled_from((*NOISE, *PLANTED))
prose = st.lists(words, max_size=8).map("".join)


type Texts = dict[tuple[int, str], str]


@dataclass(frozen=True)
class Said:
    """A piece of text on one channel."""

    choice: int
    field: str
    text: str


@st.composite
def conversations(draw: st.DrawFn, choices: int = 3) -> tuple[Texts, list[Said]]:
    """Whole texts by channel, and their pieces in the order in which they are sent."""
    channels = draw(
        st.lists(st.tuples(st.integers(0, choices - 1), st.sampled_from(FIELDS)), unique=True, min_size=1, max_size=5)
    )
    whole = {channel: draw(prose) for channel in channels}
    left = {channel: text for channel, text in whole.items() if text}
    order: list[Said] = []
    while left:
        channel = draw(st.sampled_from(sorted(left)))
        size = draw(st.integers(1, 9))
        order.append(Said(*channel, left[channel][:size]))
        left[channel] = left[channel][size:]
        left = {each: text for each, text in left.items() if text}
    return whole, order


def cut(data: bytes, draw: st.DataObject) -> list[int]:
    return draw.draw(st.lists(st.integers(0, len(data)), max_size=8))


def masked(whole: Texts) -> Texts:
    """What is to be delivered, on the channels that a dialect knows."""
    return {channel: MASK.whole(text).text for channel, text in whole.items() if text and channel[1] != "unheard_of"}


@given(conversations(), st.data())
def test_each_text_of_a_chat_comes_out_as_the_mask_of_the_whole(
    conversation: tuple[Texts, list[Said]], data: st.DataObject
) -> None:
    whole, order = conversation
    body = b"".join(chunk({piece.field: piece.text}, piece.choice) for piece in order)
    finishing = data.draw(st.permutations(sorted({choice for choice, _ in whole})))
    body += b"".join(chunk({}, choice, "stop") for choice in finishing) + data.draw(st.sampled_from([DONE, b""]))
    reply = openai()
    out = streamed(reply, body, cut(body, data))
    assert reply.stopped is None and reply.reply.complete and leaks(out) == []
    delivered = {channel: text for channel, text in texts(reply).items() if channel[1] != "unheard_of"}
    assert delivered == masked(whole)
    again = openai(None)
    streamed(again, out)
    assert {channel: text for channel, text in texts(again).items() if channel[1] != "unheard_of"} == delivered


@given(st.lists(st.tuples(prose, prose), max_size=6), prose, st.data())
def test_each_text_of_ollama_comes_out_as_the_mask_of_the_whole(
    lines: list[tuple[str, str]], last: str, data: st.DataObject
) -> None:
    body = b"".join(said(content, thinking=thinking) for content, thinking in lines) + said(last, done=True)
    whole = {
        (0, "content"): "".join(content for content, _ in lines) + last,
        (0, "thinking"): "".join(thinking for _, thinking in lines),
    }
    reply = ollama()
    out = streamed(reply, body, cut(body, data))
    assert reply.stopped is None and reply.reply.complete and leaks(out) == []
    assert texts(reply) == masked(whole)


keys = st.sampled_from(["to", "note", "bob@example.org", "a b"])
values = st.recursive(
    prose | st.integers(-9, 9) | st.sampled_from([4111111111111111, None, True, 2.5]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
arguments = st.dictionaries(keys, values, max_size=3)


@given(arguments, st.booleans(), st.data())
def test_tool_arguments_stay_json_and_hide_what_they_must(
    given_arguments: JsonObject, ascii_only: bool, data: st.DataObject
) -> None:
    text = json.dumps(given_arguments, ensure_ascii=ascii_only).replace(
        "@", data.draw(st.sampled_from(["@", "\\u0040"]))
    )
    marks = sorted({0, len(text), *data.draw(st.lists(st.integers(0, len(text)), max_size=10))})
    pieces: list[Json] = [text[start:end] for start, end in pairwise(marks)]
    body = b"".join(chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}) for piece in pieces)
    body += chunk({}, finish="tool_calls") + DONE
    reply = openai()
    out = streamed(reply, body, cut(body, data))
    assert leaks(out) == []
    delivered = texts(reply)[0, "tool_calls.0.arguments"]
    assert delivered == MASK.whole_json(text).text
    assert _shape(json.loads(delivered)) == _shape(given_arguments)


@given(arguments)
def test_arguments_as_an_object_hide_what_they_must(given_arguments: JsonObject) -> None:
    call: Json = {"function": {"index": 0, "name": "f", "arguments": given_arguments}}
    reply = ollama()
    out = streamed(reply, said("", tool_calls=[call]) + said("", done=True))
    assert leaks(out) == []
    assert _shape(json.loads(texts(reply)[0, "tool_calls.0.arguments"])) == _shape(given_arguments)


def _shape(value: Json) -> object:
    """What is left of a value without its texts: where the objects and lists are."""
    match value:
        case dict():
            return ["object", *map(_shape, value.values())]
        case list():
            return ["list", *map(_shape, value)]
        case _:
            return None


@given(conversations(), st.data())
def test_a_cut_stream_never_says_more_than_the_mask_of_what_came(
    conversation: tuple[Texts, list[Said]], data: st.DataObject
) -> None:
    whole, order = conversation
    body = b"".join(chunk({piece.field: piece.text}, piece.choice) for piece in order)
    end = data.draw(st.integers(0, len(body)))
    reply = openai()
    out = streamed(reply, body[:end], cut(body[:end], data))
    assert leaks(out) == [] and reply.stopped is not None and not reply.reply.complete
    for channel, text in texts(reply).items():
        if channel[1] != "unheard_of":
            assert masked(whole)[channel].startswith(text)
