from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.apis.wire.framing import Event
from penstock.apis.wire.ndjson import Ndjson, encode
from penstock.apis.wire.sse import encode as encode_event
from tests.apis.recorded import STREAMED, Recorded


def framed(data: bytes, cuts: list[int] | None = None) -> list[Event]:
    framer = Ndjson()
    events: list[Event] = []
    last = 0
    for cut in [*(cuts or []), len(data)]:
        events += framer.feed(data[last:cut])
        last = cut
    return events + framer.flush()


def test_a_line_is_an_event() -> None:
    assert framed(b'{"a":1}\n{"b":2}\r\n\n{"c":3}') == [
        Event(b'{"a":1}\n', b'{"a":1}'),
        Event(b'{"b":2}\r\n', b'{"b":2}', plain=False),
        Event(b"\n", None),
        Event(b'{"c":3}\n', b'{"c":3}'),
    ]


def test_a_line_has_a_largest_size() -> None:
    for cuts in ([b"1\n" + b"x" * 20 + b"\n2\n"], [b"1\n" + b"x" * 11, b"x\n2\n"]):
        framer = Ndjson(limit=10)
        assert [event.data for cut in cuts for event in framer.feed(cut)] == [b"1"]
        assert framer.overflow and framer.flush() == []


@pytest.mark.parametrize("recorded", [each for each in STREAMED if "ndjson" in each.content_type], ids=str)
def test_recorded_streams_come_apart_the_same_byte_by_byte(recorded: Recorded) -> None:
    whole = framed(recorded.body)
    assert framed(recorded.body, list(range(len(recorded.body)))) == whole
    assert b"".join(event.raw for event in whole) == recorded.body


@given(st.binary(max_size=40), st.data())
def test_any_cut_gives_the_same_lines_and_loses_no_byte(raw: bytes, data: st.DataObject) -> None:
    raw = raw.replace(b"a", b"\n")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    assert framed(raw, cuts) == framed(raw)
    assert b"".join(event.raw for event in framed(raw)) == raw + (b"" if raw.endswith(b"\n") or not raw else b"\n")


def test_an_encoded_document_is_one_line() -> None:
    assert encode({"a": "\n"}) == b'{"a":"\\n"}\n'


def test_a_line_is_one_for_readers_that_know_more_line_ends_than_json() -> None:
    text = "a\u2028b\u2029c\u0085d\x0b\x0c\x1c\x1d\x1e\u00e9\n"
    for encoded in (encode({"t": text}), encode_event({"t": text})):
        assert len(encoded.decode().strip().splitlines()) == 1
        assert orjson.loads(encoded.removeprefix(b"data: ")) == {"t": text}
