from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.apis.wire.framing import Event
from penstock.apis.wire.sse import Sse, encode
from tests.apis.recorded import STREAMED, Recorded


def framed(data: bytes, cuts: list[int] | None = None) -> list[Event]:
    """The events of a stream, cut at some places, the rest at its end included."""
    framer = Sse()
    events: list[Event] = []
    last = 0
    for cut in [*(cuts or []), len(data)]:
        events += framer.feed(data[last:cut])
        last = cut
    return events + framer.flush()


def test_a_plain_event_is_its_data() -> None:
    assert framed(b'data: {"a":1}\n\n') == [Event(b'data: {"a":1}\n\n', b'{"a":1}')]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_line_end_of_the_standard_ends_a_line(end: bytes) -> None:
    raw = b"event: x" + end + b"data: 1" + end + b"data:2" + end + end + b"data: 3" + end + end
    events = framed(raw)
    assert [(event.data, event.name) for event in events] == [(b"1\n2", "x"), (b"3", "")]
    assert b"".join(event.raw for event in events) == raw


def test_comments_and_empty_lines_are_blocks_without_data() -> None:
    events = framed(b": ping\n\ndata: 1\n\n: a\ndata: 2\n\n\n\n")
    assert [(event.data, event.plain) for event in events] == [
        (None, False),
        (b"1", True),
        (b"2", False),
        (None, False),
    ]


def test_fields_that_are_not_understood_make_an_event_not_plain() -> None:
    for line in (b"id: 7", b"retry: 5", b"unknown: x", b"data"):
        (event,) = framed(line + b"\ndata: 1\n\n")
        assert not event.plain
    (event,) = framed(b"event: x\ndata: 1\n\n")
    assert event.plain and event.name == "x"
    (event,) = framed(b"event: x\nevent: y\ndata: 1\n\n")
    assert not event.plain and event.name == "y"


def test_a_byte_order_mark_may_stand_at_the_very_start_only() -> None:
    first, second = framed(b"\xef\xbb\xbfdata: 1\n\n\xef\xbb\xbfdata: 2\n\n")
    assert first.data == b"1" and second.data is None


def test_one_space_behind_the_colon_is_not_data() -> None:
    assert [event.data for event in framed(b"data:  1\n\ndata:2\n\ndata:\n\n")] == [b" 1", b"2", b""]


def test_a_stream_that_ends_without_an_empty_line_still_gives_its_last_event() -> None:
    assert [event.data for event in framed(b"data: 1\n\ndata: [DONE]\n")] == [b"1", b"[DONE]"]
    assert framed(b"") == []
    for left in (b"data: 1", b"data: 1\n", b"data: 1\r", b"data: 1\r\n"):
        (event,) = framed(left)
        assert event.data == b"1" and framed(event.raw + b"data: 2\n\n")[1].data == b"2"
    (late,) = framed(b"data: 1\r\n\r")
    assert late.raw == b"data: 1\r\n\r"


def test_an_event_has_a_largest_size() -> None:
    small, large = b"data: 1\n\n", b"data: " + b"x" * 100 + b"\n\n"
    for cuts in ([small + large + small], [small, large, small], [small + large[:50], large[50:] + small]):
        framer = Sse(limit=100)
        assert [event.raw for cut in cuts for event in framer.feed(cut)] == [small]
        assert framer.overflow and framer.flush() == []
    pending = Sse(limit=100)
    assert pending.feed(small + large[:104]) == [Event(small, b"1")] and pending.overflow
    within = Sse(limit=1000)
    assert len(within.feed(small + large)) == 2 and not within.overflow


@pytest.mark.parametrize("recorded", [each for each in STREAMED if each.content_type.startswith("text/")], ids=str)
def test_recorded_streams_come_apart_the_same_byte_by_byte(recorded: Recorded) -> None:
    whole = framed(recorded.body)
    assert framed(recorded.body, list(range(len(recorded.body)))) == whole
    assert b"".join(event.raw for event in whole) == recorded.body


@given(
    st.lists(
        st.sampled_from(
            [
                b"data: 1",
                b"data: \xc3\xa4",
                b": c",
                b"event: e",
                b"id: 1",
                b"\n",
                b"\r",
                b"\r\n",
                b"\n\n",
                b"",
                b"\xef\xbb\xbf",
            ]
        ),
        max_size=14,
    ),
    st.data(),
)
def test_any_cut_gives_the_same_events_and_loses_no_byte(parts: list[bytes], data: st.DataObject) -> None:
    raw = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    whole = framed(raw)
    assert framed(raw, cuts) == whole
    back = b"".join(event.raw for event in whole)
    assert back.startswith(raw) and back[len(raw) :] in (b"", b"\n", b"\n\n")


def test_an_encoded_event_comes_apart_again() -> None:
    (event,) = framed(encode({"a": "\n\u2028"}, "name"))
    assert event.name == "name" and event.data is not None and orjson.loads(event.data) == {"a": "\n\u2028"}
    assert encode(None) == b"data: null\n\n"
