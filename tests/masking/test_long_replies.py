"""Replies of many choices, of ten thousand events, of one line of a megabyte: masked as any other, in bounded memory."""

from __future__ import annotations

import base64
import gc
import json
import random
import string
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import zip_longest

import pytest

from penstock.exchange import Json
from penstock.masking.mask import Form, Mask
from penstock.masking.reply import ReplyMask
from tests.masking.chunks import ALL, chunks
from tests.masking.replies import DONE, chunk, event, ollama, openai, said, streamed, texts

type Written = Callable[[int, str], bytes]

CHOICES = 64
EVENTS = 10_000
MEGABYTE = 1_000_000
MAIL, CARD = "alice.smith@example.com", "4111 1111 1111 1111"


def chat(choice: int, piece: str) -> bytes:
    return chunk({"content": piece}, choice)


def completion(choice: int, piece: str) -> bytes:
    return event({"object": "text_completion", "choices": [{"index": choice, "text": piece, "finish_reason": None}]})


def arguments(choice: int, piece: str) -> bytes:
    calls: list[Json] = [{"index": choice % 3, "function": {"arguments": piece}}]
    return chunk({"tool_calls": calls}, choice)


def spoken(choice: int) -> str:
    """A text with values of its own."""
    card = f"4111 1111 1111 {1111 if choice % 2 else 1112}"
    return f"No. {choice}: user{choice}@host{choice}.example.com, or {card}; 192.168.{choice}.7 said so."


@pytest.mark.parametrize(("written", "form"), [(chat, "text"), (completion, "text"), (arguments, "json")])
def test_many_choices_in_turns_are_masked_each_as_its_text(written: Written, form: Form) -> None:
    whole = [spoken(choice) for choice in range(CHOICES)]
    if form == "json":
        whole = [json.dumps({"to": text, "n": choice}) for choice, text in enumerate(whole)]
    turns = zip_longest(*[chunks(text, [1 + choice % 7]) for choice, text in enumerate(whole)], fillvalue="")
    body = b"".join(written(choice, piece) for turn in turns for choice, piece in enumerate(turn) if piece)
    ends = b"".join(chunk({}, choice, "stop") for choice in reversed(range(CHOICES)))
    reply = openai(ALL)
    streamed(reply, body + ends + DONE, range(0, len(body), 997))
    assert reply.reply.complete
    found = {choice: text for (choice, _), text in texts(reply).items()}
    masked = ALL.whole if form == "text" else ALL.whole_json
    assert found == {choice: masked(text).text for choice, text in enumerate(whole)}
    assert not any(f"user{choice}" in text or f"host{choice}" in text for choice, text in found.items())


def talk(events: int) -> Iterator[str]:
    """What so many events say: mostly words, now and then a piece of a value."""
    said = [
        "well ",
        "then, ",
        "it ",
        "is ",
        "as ",
        "it ",
        "was.\n",
        MAIL[:9],
        MAIL[9:],
        " or ",
        CARD[:6],
        CARD[6:],
        " ",
    ]
    for at in range(events):
        yield said[at % len(said)]


def state(reply: ReplyMask) -> int:
    """Bytes that are alive once what was said so far is with the record, which keeps it."""
    reply.reply.texts.clear()
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@pytest.mark.parametrize(("made", "written"), [(openai, lambda piece: chat(0, piece)), (ollama, said)])
def test_ten_thousand_events_are_masked_as_their_text(
    made: Callable[[Mask], ReplyMask], written: Callable[[str], bytes]
) -> None:
    pieces = list(talk(EVENTS))
    body = [written(piece) for piece in pieces]
    body.append(chunk({}, finish="stop") + DONE if made is openai else said("", done=True))
    reply = made(ALL)
    for data in body:
        reply.feed(data)
    assert reply.reply.complete
    whole = ALL.whole("".join(pieces))
    assert texts(reply) == {(0, "content"): whole.text}
    assert MAIL not in whole.text and "smith" not in whole.text and "1111" not in whole.text


def test_of_ten_thousand_events_no_more_is_kept_than_what_was_found() -> None:
    pieces = list(talk(EVENTS))
    reply, levels = openai(ALL), []
    tracemalloc.start()
    try:
        for number, piece in enumerate(pieces):
            reply.feed(chat(0, piece))
            if number in (1_000, EVENTS - 1):
                levels.append(state(reply))
    finally:
        tracemalloc.stop()
    assert levels[1] - levels[0] < 32_000 + 160 * (2 * EVENTS // 13)


def random_text(alphabet: str, size: int) -> str:
    """A text with no pattern but that it comes again after a thousand characters."""
    source = random.Random(7)
    return ("".join(source.choices(alphabet, k=997)) * (size // 997 + 1))[:size]


TOKEN = random_text(string.ascii_letters + string.digits, MEGABYTE)
BLOB = base64.b64encode(f"{'nothing to see, ' * 60}{MAIL}, ".encode() * 760).decode()
LINES: dict[str, str] = {
    "a token": TOKEN,
    "figures": random_text(string.digits, MEGABYTE),
    "one letter": "a" * MEGABYTE,
    "base64 with values in it": BLOB,
    "a private key": f"key: -----BEGIN RSA PRIVATE KEY-----{TOKEN}-----END RSA PRIVATE KEY----- end",
    "a private key without an end": f"key: -----BEGIN RSA PRIVATE KEY-----{TOKEN[:20_000]}",
    "half an escape, again and again": "\\u00" * (MEGABYTE // 5),
    "half a value, again and again": "alice@" * (MEGABYTE // 6),
    "a value in the middle": f"{TOKEN[: MEGABYTE // 2]} {MAIL} {TOKEN[: MEGABYTE // 2]}",
}


ORDINARY = (
    "a token",
    "base64 with values in it",
    "a private key",
    "a private key without an end",
    "a value in the middle",
)
NAMES = [name if name in ORDINARY else pytest.param(name, marks=pytest.mark.nightly) for name in LINES]


@pytest.mark.parametrize("line", NAMES)
def test_a_megabyte_without_a_line_end_is_masked_as_the_text(line: str) -> None:
    text, whole = LINES[line], ALL.whole(LINES[line])
    reply = openai(ALL)
    body = b"".join(chat(0, piece) for piece in chunks(text, [16_384])) + chunk({}, finish="stop") + DONE
    streamed(reply, body, range(0, len(body), 50_021))
    assert reply.reply.complete and texts(reply) == {(0, "content"): whole.text}
    assert MAIL not in whole.text
    assert bool(whole.findings) == ("value" in line.replace("half a value", "") or "key" in line)
    assert "key" not in line or ("RSA" not in whole.text and TOKEN[:64] not in whole.text)


@pytest.mark.parametrize("line", [*NAMES[:1], NAMES[-1]])
def test_a_string_of_a_megabyte_in_the_arguments_of_a_tool_is_masked_as_the_json(line: str) -> None:
    text = json.dumps({"to": LINES[line], "copy": MAIL})
    reply = openai(ALL)
    body = b"".join(arguments(0, piece) for piece in chunks(text, [16_384])) + chunk({}, finish="stop") + DONE
    streamed(reply, body)
    (found,) = texts(reply).values()
    assert found == ALL.whole_json(text).text and MAIL not in found and json.loads(found)["copy"] == "[EMAIL]"


@pytest.mark.parametrize("line", ["a token", "a private key"])
def test_a_megabyte_in_one_event_is_masked_as_the_text(line: str) -> None:
    reply = openai(ALL)
    streamed(reply, chat(0, LINES[line]) + chunk({}, finish="stop") + DONE, range(0, MEGABYTE, 65_536))
    assert texts(reply) == {(0, "content"): ALL.whole(LINES[line]).text}


@pytest.mark.parametrize("line", NAMES)
def test_what_is_kept_of_a_line_does_not_grow_with_it(line: str) -> None:
    pieces = chunks(LINES[line][: MEGABYTE // 5], [4_096])
    reply, levels, most = openai(ALL), [], 0
    tracemalloc.start()
    try:
        for number, piece in enumerate(pieces):
            data, before = chat(0, piece), tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            reply.feed(data)
            most = max(most, tracemalloc.get_traced_memory()[1] - before)
            if number in (len(pieces) // 3, len(pieces) - 2):
                levels.append(state(reply))
    finally:
        tracemalloc.stop()
    if len(pieces) > 5:
        assert levels[1] - levels[0] < 200_000
    assert most < 4_000_000
