"""What holds for the replies of every API: a value anywhere in them is never seen, however they are cut or mangled."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from penstock.apis.metadata import MetadataReader
from penstock.apis.replies.pieces import Place
from penstock.apis.wire.framing import Framer
from penstock.apis.wire.ndjson import Ndjson
from penstock.apis.wire.sse import Sse
from penstock.errors import Refusal
from penstock.exchange import Json, JsonObject, Reply
from penstock.masking.reply import ReplyMask
from tests.apis.recorded import STREAMED, WHOLE, Recorded
from tests.apis.test_every_api import put
from tests.masking.replies import leaks, reply_mask, streamed

MAIL = "zebra@stripes.example"
CARD = "5500 0055 5555 5559"
SECRETS = (MAIL, CARD, CARD.replace(" ", ""))


def tried(count: int) -> settings:
    """So many examples, times what `FUZZ` says in the environment."""
    return settings(max_examples=count * int(os.environ.get("FUZZ", "1")), deadline=None)


def leaves(value: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where strings stand."""
    match value:
        case str():
            yield path
        case dict():
            for key, inner in value.items():
                yield from leaves(inner, (*path, key))
        case list():
            for at, inner in enumerate(value):
                yield from leaves(inner, (*path, at))
        case _:
            return


def at(value: Json, path: tuple[str | int, ...]) -> Json:
    for part in path:
        value = value[part]  # type: ignore[index]
    return value


# Whole replies


def delivered(recorded: Recorded, body: bytes) -> bytes:
    """What of a whole reply the caller sees; nothing when it is refused."""
    try:
        return reply_mask(recorded.reader()).whole(recorded.status, recorded.content_type, body)
    except Refusal:
        return b""


JSON_REPLIES = [each for each in WHOLE if "json" in each.content_type and each.body.strip()[:1] in (b"{", b"[")]


@pytest.mark.parametrize("recorded", JSON_REPLIES, ids=str)
def test_a_value_in_any_string_of_a_whole_reply_is_hidden(recorded: Recorded) -> None:
    document: Json = json.loads(recorded.body)
    paths = list(leaves(document))
    for path in paths[:: max(1, len(paths) // 60)]:
        for value in (MAIL, f"{at(document, path)} {CARD}"):
            out = delivered(recorded, json.dumps(put(document, path, value)).encode())
            assert not leaks(out, SECRETS), path


@pytest.mark.parametrize("recorded", JSON_REPLIES, ids=str)
def test_a_value_that_nobody_expects_in_a_whole_reply_is_hidden(recorded: Recorded) -> None:
    document: Json = json.loads(recorded.body)
    holders = {path[:-1] for path in leaves(document) if path and isinstance(path[-1], str)}
    for path in sorted(holders, key=str)[:20]:
        inner = at(document, path)
        assert isinstance(inner, dict)
        strangers: list[JsonObject] = [{"unheard_of": MAIL}, {MAIL: 1}, {"a": {"b": [[CARD]]}}]
        if not isinstance(recorded.reader(), MetadataReader):  # what a server says of models are numbers, not secrets
            strangers += [{"n": int(SECRETS[2])}, {"n": float(SECRETS[2])}]
        for more in strangers:
            out = delivered(recorded, json.dumps(put(document, path, {**inner, **more})).encode())
            assert not leaks(out, SECRETS), path


# Streams


class Events:
    """A recorded stream, event by event: raw bytes, and the document where there is one."""

    def __init__(self, recorded: Recorded) -> None:
        self.recorded = recorded
        sse = recorded.content_type.startswith("text/event-stream")
        framer: Framer = Sse() if sse else Ndjson()
        self.sse = sse
        events = [*framer.feed(recorded.body), *framer.flush()]
        self.raw = [event.raw for event in events]
        self.names = [event.name for event in events]
        self.documents: list[Json] = [_document(event.data) for event in events]

    def written(self, index: int, document: Json) -> bytes:
        data = json.dumps(document, ensure_ascii=False).encode()
        if not self.sse:
            return data + b"\n"
        name = f"event: {self.names[index]}\n".encode() if self.names[index] else b""
        return name + b"data: " + data + b"\n\n"

    def flowing(self) -> dict[Place, list[int]]:
        """The places whose texts go on, and the events that have a piece of each."""
        reader = self.recorded.reader()
        found: dict[Place, list[int]] = {}
        for index, document in enumerate(self.documents):
            if document is None:
                continue
            copy: Json = json.loads(json.dumps(document))
            for piece in reader.read(copy, Reply(), strip=True).pieces:
                if piece.mode == "flow" and piece.text and piece.place.form == "text":
                    found.setdefault(piece.place, []).append(index)
        return found

    def with_text(self, place: Place, texts: dict[int, str]) -> bytes:
        """The stream with other texts at a place, by event."""
        reader = self.recorded.reader()
        label = (place.channel, place.path)
        out = b""
        for index, document in enumerate(self.documents):
            if document is None:
                out += self.raw[index]
                continue
            copy: Json = json.loads(json.dumps(document))
            changed = False
            for piece in reader.read(copy, Reply(), strip=False).pieces:
                if index in texts and (piece.place.channel, piece.place.path) == label and piece.mode == "flow":
                    piece.put(texts[index])
                    changed = True
            out += self.written(index, copy) if changed else self.raw[index]
        return out


def _document(data: bytes | None) -> Json:
    try:
        return json.loads(data) if data else None
    except ValueError:
        return None


@cache
def events(recorded: Recorded) -> Events:
    return Events(recorded)


streams = st.sampled_from(STREAMED)
cuts = st.lists(st.integers(0, 3000), max_size=6)


def run(recorded: Recorded, body: bytes, places: list[int], **more: Any) -> tuple[ReplyMask, bytes]:
    """A stream through the mask. It is over afterwards, in one way or the other."""
    reply = reply_mask(recorded.reader(), **more)
    out = streamed(reply, body, [place for place in places if place <= len(body)])
    assert reply.reply.complete != (reply.stopped is not None) or reply.reply.error is not None
    return reply, out


@tried(200)
@given(streams, st.data(), cuts)
def test_a_value_in_any_string_of_a_stream_is_hidden(
    recorded: Recorded, data: st.DataObject, places: list[int]
) -> None:
    known = events(recorded)
    index = data.draw(st.sampled_from([at for at, each in enumerate(known.documents) if each is not None]))
    document = known.documents[index]
    path = data.draw(st.sampled_from(list(leaves(document)) or [()]))
    value = data.draw(st.sampled_from([MAIL, f"x {CARD} ", f"{at(document, path)} {MAIL} " if path else MAIL]))
    raw = [*known.raw]
    raw[index] = known.written(index, put(document, path, value))
    for unknown in ("refuse", "pass"):
        _, out = run(recorded, b"".join(raw), places, unknown_events=unknown)
        assert not leaks(out, SECRETS), (index, path)


@tried(200)
@given(streams, st.data(), cuts)
def test_a_value_cut_over_the_pieces_of_a_text_is_hidden(
    recorded: Recorded, data: st.DataObject, places: list[int]
) -> None:
    flowing = {place: found for place, found in events(recorded).flowing().items() if len(found) > 1}
    assume(flowing)
    place = data.draw(st.sampled_from(sorted(flowing, key=lambda each: str(each.channel))))
    found = flowing[place]
    first = data.draw(st.integers(0, len(found) - 2))
    within = found[first : first + data.draw(st.integers(2, 8))]
    value = data.draw(st.sampled_from([MAIL, CARD, SECRETS[2]]))
    marks = sorted(data.draw(st.integers(0, len(value))) for _ in within[1:])
    parts = [value[a:b] for a, b in zip([0, *marks], [*marks, len(value)], strict=True)]
    texts = dict(zip(within, parts, strict=True))
    texts[within[0]] = f". {texts[within[0]]}"
    if within[-1] != within[0]:
        texts[within[-1]] += " ."
    _, out = run(recorded, events(recorded).with_text(place, texts), places)
    assert not leaks(out, SECRETS)


# Mangled streams

deep: Json = MAIL
for _ in range(300):
    deep = [deep]
strange: list[Json] = [
    MAIL,
    [MAIL],
    {"text": MAIL},
    {MAIL: MAIL},
    deep,
    None,
    True,
    7,
    1.5,
    [],
    {},
    "",
]
junk = st.sampled_from(strange)
inserted = st.sampled_from(
    [
        f": {MAIL}\n\n",
        f"event: unheard_of\ndata: {json.dumps({'type': 'unheard_of', 'text': MAIL})}\n\n",
        f"event: {MAIL}\ndata: {{}}\n\n",
        f"id: {MAIL}\nretry: 1\ndata: {{}}\n\n",
        f'data: {{"a":"{MAIL}","a":1}}\n\n',
        f'data: {{"a" :"{MAIL}","a":1}}\n\n',
        f'data: {{"type":"{MAIL}","type":"message"}}\n\n',
        f"data: {MAIL}\n\n",
        f'data: "{MAIL}"\n\n',
        f'data: ["{MAIL}"]\n\n',
        'data: {"a":\ndata: 1}\n\n',
        f'data: {{"error":{{"message":"{MAIL}"}}}}\n\n',
        f'{{"text":"{MAIL}"}}\n',
        f'{{"error":"{MAIL}"}}\n',
        "data: " + "[" * 2000 + "\n\n",
        "data: null\n\n",
        "\n\n\n",
        "data\n\n",
        "data: [DONE]\n\n",
        f"data: [DONE]\n\ndata: {json.dumps({'text': MAIL})}\n\n",
        "\x00",
    ]
)


@st.composite
def mangled(draw: st.DrawFn) -> tuple[Recorded, bytes]:
    recorded = draw(streams)
    known = events(recorded)
    raw = [*known.raw]
    for _ in range(draw(st.integers(1, 4))):
        index = draw(st.integers(0, len(raw) - 1))
        match draw(st.sampled_from(["drop", "twice", "swap", "cut", "insert", "junk", "more", "key twice"])):
            case "drop":
                raw[index] = b""
            case "twice":
                raw[index] += raw[index]
            case "swap":
                other = draw(st.integers(0, len(raw) - 1))
                raw[index], raw[other] = raw[other], raw[index]
            case "cut":
                raw[index] = raw[index][: draw(st.integers(0, len(raw[index])))]
            case "insert":
                raw[index] += draw(inserted).encode()
            case "junk" if known.documents[index] is not None:
                document = known.documents[index]
                path = draw(st.sampled_from(sorted(_all(document), key=str)))
                raw[index] = known.written(index, put(document, path, draw(junk)))
            case "more" if isinstance(found := known.documents[index], dict):
                raw[index] = known.written(index, {**found, draw(st.sampled_from(["unheard_of", MAIL])): draw(junk)})
            case "key twice" if isinstance(found := known.documents[index], dict) and found:
                key = json.dumps(draw(st.sampled_from(sorted(found))))
                raw[index] = raw[index].replace(b"{", f'{{{key}:"{MAIL}",'.encode(), 1)
            case _:
                pass
    body = b"".join(raw)
    match draw(st.sampled_from(["", "", "", "crlf", "cr", "bom", "short"])):
        case "crlf":
            body = body.replace(b"\n", b"\r\n")
        case "cr":
            body = body.replace(b"\n", b"\r")
        case "bom":
            body = b"\xef\xbb\xbf" + body
        case "short":
            body = body[: draw(st.integers(0, len(body)))]
        case _:
            pass
    return recorded, body


def _all(value: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    match value:
        case dict():
            for key, inner in value.items():
                yield from _all(inner, (*path, key))
        case list():
            for index, inner in enumerate(value):
                yield from _all(inner, (*path, index))
        case _:
            return


@tried(500)
@given(mangled(), cuts, st.sampled_from(["refuse", "pass"]))
def test_no_mangled_stream_raises_or_shows_the_value(
    stream: tuple[Recorded, bytes], places: list[int], unknown: str
) -> None:
    recorded, body = stream
    _, out = run(recorded, body, places, unknown_events=unknown)
    assert not leaks(out, SECRETS)


@tried(200)
@given(streams, st.data())
def test_a_stream_that_lost_text_never_ends_as_if_it_were_whole(recorded: Recorded, data: st.DataObject) -> None:
    known = events(recorded)
    spoken = [index for found in known.flowing().values() for index in found]
    assume(spoken and not recorded.reader().unterminated)
    end = data.draw(st.integers(0, sum(map(len, known.raw[: max(spoken)]))))
    reply, out = run(recorded, recorded.body[:end], [])
    assert not reply.reply.complete and reply.reply.error
    assert b"error" in out[-600:]


# What is delivered was judged, and is in the record

PHRASE = "quetzal birds sing"


def unheard(recorded: Recorded, body: bytes) -> str:
    """Why a judge, or the record, missed the phrase in a reply that was delivered with it; empty: neither did."""
    heard: list[str] = []
    reply = reply_mask(recorded.reader(), None, judge=lambda text: heard.append(text))
    if recorded.streamed:
        out = streamed(reply, body)
    else:
        try:
            out = reply.whole(recorded.status, recorded.content_type, body)
        except Refusal:
            return ""
    if PHRASE.encode() not in out or reply.reply.uninspected:
        return ""
    if PHRASE not in "\n".join(heard):
        return "not judged"
    return "" if PHRASE in reply.reply.completion() else "not recorded"


@pytest.mark.parametrize("recorded", JSON_REPLIES, ids=str)
def test_a_text_anywhere_in_a_whole_reply_is_judged_and_recorded(recorded: Recorded) -> None:
    document: Json = json.loads(recorded.body)
    paths = list(leaves(document))
    for path in paths[:: max(1, len(paths) // 60)]:
        assert not unheard(recorded, json.dumps(put(document, path, PHRASE)).encode()), path


@tried(200)
@given(streams, st.data())
def test_a_text_anywhere_in_a_stream_is_judged_and_recorded(recorded: Recorded, data: st.DataObject) -> None:
    known = events(recorded)
    index = data.draw(st.sampled_from([at for at, each in enumerate(known.documents) if each is not None]))
    document = known.documents[index]
    path = data.draw(st.sampled_from(list(leaves(document)) or [()]))
    raw = [*known.raw]
    raw[index] = known.written(index, put(document, path, PHRASE))
    assert not unheard(recorded, b"".join(raw)), (index, path)
