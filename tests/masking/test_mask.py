"""The mask: one set of rules, for whole texts and for streams, in any thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from penstock.detect.detector import Detector, PatternError, detector
from penstock.masking.mask import Mask, MaskRule
from penstock.masking.text import MaskStream
from tests.masking.chunks import ALL, VALUES, chunks, streamed


def test_a_pattern_that_cannot_be_read_makes_no_mask() -> None:
    with pytest.raises(PatternError, match="bad pattern"):
        Mask([MaskRule("r", Detector("d", "D", "(a"))])


def test_many_threads_may_use_one_mask() -> None:
    texts = [f"{value} é{value}\u200b {value}" for value in VALUES] * 3
    expected = [ALL.whole(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ALL.whole, texts)) == expected
        assert [whole for whole, _ in pool.map(lambda text: streamed(ALL, chunks(text, [5])), texts)] == expected


def test_streams_of_one_mask_know_nothing_of_each_other() -> None:
    mask = Mask([MaskRule("r", detector("email"))])
    one, two = mask.stream(), mask.stream()
    assert one.feed("bob@exam") == ""
    assert two.feed("ple.com ") == "ple.com "
    assert one.feed("ple.com ") == "[EMAIL] "
    assert (len(one.findings), len(two.findings)) == (1, 0)


def test_lone_surrogates_are_text() -> None:
    text = "\ud800 bob@example.com \udfff"
    assert ALL.whole(text).text == "\ud800 [EMAIL] \udfff"
    assert ALL.whole_json(f'"{text}"').text == '"\ud800 [EMAIL] \udfff"'


def test_a_bare_stream_has_no_form() -> None:
    stream = MaskStream()
    with pytest.raises(NotImplementedError):
        stream.feed("a")
    with pytest.raises(NotImplementedError):
        stream.flush()


def test_a_detector_may_name_the_part_that_is_the_value() -> None:
    mask = Mask([MaskRule("r", Detector("d", "D", "id=([0-9]{3})(?![0-9])", group=1))])
    assert mask.whole("id=123 id=1234 123").text == "id=[D] id=1234 123"
    for cuts in ([1], [2]):
        assert streamed(mask, chunks("id=123 id=1234 123", cuts))[0] == mask.whole("id=123 id=1234 123")


def test_a_part_that_is_not_there_is_no_value() -> None:
    mask = Mask([MaskRule("r", Detector("d", "D", "a(b)?", group=1))])
    assert mask.whole("a ab").text == "a a[D]"
    assert streamed(mask, chunks("a ab", [1]))[0] == mask.whole("a ab")
