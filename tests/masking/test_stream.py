"""Masking a stream is masking the text: for every chunking, every rule, every combination of rules."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from penstock.detect.admission import refuse_unstreamable
from penstock.detect.detector import DETECTORS, Detector, PatternError, custom, detector
from penstock.detect.shape import shape
from penstock.detect.syntax import parse
from penstock.masking.mask import Action, Mask, MaskRule
from penstock.masking.stream import Scan
from tests.detect.patterns import STREAMED, tried
from tests.detect.patterns import TEXTS as SMALL
from tests.masking.chunks import ALL, BASIC, CUTS, TEXTS, VALUES, chunks, differs, streamed

REPLACEMENTS = [None, None, lambda value: f"<{value[-2:]}>", lambda value: ""]
ACTIONS: list[Action] = ["mask", "mask", "mask", "mask", "flag", "stop"]
RULES = st.lists(
    st.builds(
        MaskRule,
        st.sampled_from(("a", "b", "c")),
        st.sampled_from(DETECTORS),
        st.sampled_from(ACTIONS),
        st.sampled_from(REPLACEMENTS),
    ),
    min_size=1,
    max_size=8,
)


@given(TEXTS, CUTS)
@tried(120)
def test_all_detectors_at_once_mask_a_stream_as_the_text(text: str, cuts: list[int]) -> None:
    assert not differs(ALL, text, cuts)


@pytest.mark.parametrize("name", [known.name for known in BASIC])
@given(text=TEXTS, cuts=CUTS)
@tried(6)
def test_each_detector_alone_masks_a_stream_as_the_text(name: str, text: str, cuts: list[int]) -> None:
    assert not differs(Mask([MaskRule("r", detector(name))]), text, cuts)


@given(RULES, TEXTS, CUTS)
@tried(60)
def test_rules_of_all_kinds_mask_a_stream_as_the_text(rules: list[MaskRule], text: str, cuts: list[int]) -> None:
    assert not differs(Mask(rules), text, cuts)


@given(st.lists(STREAMED, min_size=1, max_size=3), st.lists(SMALL, min_size=1, max_size=5), CUTS)
@tried(100)
def test_patterns_of_the_admitted_kind_mask_a_stream_as_the_text(
    patterns: list[str], texts: list[str], cuts: list[int]
) -> None:
    for pattern in patterns:
        assume(shape(parse(pattern)).low > 0)
        refuse_unstreamable(parse(pattern))
    mask = Mask([MaskRule(str(index), Detector("d", f"D{index}", pattern)) for index, pattern in enumerate(patterns)])
    for text in texts:
        assert not differs(mask, text, cuts)


@given(st.sampled_from(("[ab]{3,}", r"\w+", "1[^a]*", "(?i)b[a-z]{2,}")), SMALL, CUTS)
@tried(40)
def test_patterns_without_an_end_mask_a_stream_as_the_text(pattern: str, text: str, cuts: list[int]) -> None:
    mask = Mask([MaskRule("r", custom("t", pattern))])
    assert not differs(mask, text, cuts)
    plain = Mask([MaskRule("r", custom("t", pattern, streamable=False))])
    if "\\" not in text:
        assert mask.whole(text) == plain.whole(text)


@given(TEXTS, TEXTS)
@tried(60)
def test_what_is_released_holds_whatever_comes_next(text: str, more: str) -> None:
    stream = ALL.stream()
    released = stream.feed(text)
    assert ALL.whole(text + more).text.startswith(released)


@given(st.sampled_from(VALUES), st.integers(1, 60))
@tried(60)
def test_a_value_that_is_cut_short_has_leaked_nothing(value: str, size: int) -> None:
    stream = ALL.stream()
    start = "so this is it: "
    released = stream.feed(start + value[:size])
    whole = ALL.whole(start + value)
    if whole.findings and whole.findings[0].start == len(start):
        assert start.startswith(released) or "[" in released


PROSE = (
    "The Nile is the longest river in Africa, and has historically been considered the longest river in the world, "
    "though this has been contested by research suggesting that the Amazon is slightly longer. Of the world's major "
    "rivers, it is one of the smallest, as measured by annual flow in cubic metres of water. About 6,650 km (4,130 mi) "
    "long, its drainage basin covers eleven countries; see chapters 3.2 - 3.5, or https://example.org/rivers/nile. "
)


def test_little_more_than_the_current_word_is_held_back() -> None:
    stream = ALL.stream()
    held = released = 0
    for at, character in enumerate(PROSE, 1):
        released += len(stream.feed(character))
        held += at - released
    assert held / len(PROSE) <= 4.5


def test_what_is_held_is_bounded_by_the_patterns() -> None:
    for unit in ("a", "a.", "1", "1 ", "eyJa", "a@a.", "-----BEGIN ", "::", "\\u00"):
        stream = ALL.stream()
        most = released = 0
        for at in range(0, 6_000, 24):
            piece = (unit * 24)[at % len(unit) :][:24]
            released += len(stream.feed(piece))
            most = max(most, at + 24 - released)
        assert most < 4200, unit


def test_a_swallowed_value_takes_no_memory() -> None:
    stream = ALL.stream()
    out = stream.feed("key: -----BEGIN PRIVATE KEY-----\n")
    for _ in range(400):
        out += stream.feed("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n" * 10)
        assert len(stream._release.held) < 100
    out += stream.feed("-----END PRIVATE KEY-----\ndone") + stream.flush()
    assert out == "key: [PRIVATE_KEY]\ndone"


def test_a_label_is_released_as_soon_as_its_value_has_begun() -> None:
    stream = ALL.stream()
    assert stream.feed("-----BEGIN PRIVATE KEY-----\n") == "[PRIVATE_KEY]"
    assert stream.feed("MIIE") == ""
    assert [finding.end for finding in stream.findings] == [0]
    assert stream.flush() == ""
    assert [(finding.start, finding.end) for finding in stream.findings] == [(0, 32)]


def test_an_empty_chunk_and_a_pause_release_nothing() -> None:
    stream = ALL.stream()
    assert stream.feed("write to bob@example.co") == "write to "
    assert [stream.feed("") for _ in range(5)] == [""] * 5
    assert stream.feed("m now") == "[EMAIL] "
    assert stream.flush() == "now"


def test_a_stream_of_nothing_is_nothing() -> None:
    assert streamed(ALL, [])[0] == ALL.whole("")


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_stop_ends_the_text_where_its_match_starts(form: str) -> None:
    assert form in ("text", "json")
    mask = Mask([MaskRule("no", custom("secret", "(?i)top secret"), "stop"), MaskRule("mail", detector("email"))])
    stream = mask.stream("text" if form == "text" else "json")
    assert stream.feed("to bob@x.com: this is top") == "to [EMAIL]: this is "
    assert stream.stopped is None
    assert stream.feed(" secret, you know") == ""
    assert stream.stopped is not None
    assert (stream.stopped.rule, stream.stopped.start, stream.stopped.end) == ("no", 22, 32)
    assert stream.feed("bob@x.com and more") == ""
    assert stream.flush() == ""
    assert [finding.rule for finding in stream.findings] == ["mail", "no"]


def test_a_stop_within_a_swallowed_value_ends_that_too() -> None:
    mask = Mask([MaskRule("key", detector("private_key")), MaskRule("no", custom("stop", "ZZZ"), "stop")])
    text = "a -----BEGIN PRIVATE KEY-----\nMIIE ZZZ more -----END PRIVATE KEY----- b"
    for cuts in ([1], [7], [1000]):
        assert not differs(mask, text, cuts)
    whole = mask.whole(text)
    assert whole.text == "a [PRIVATE_KEY]"
    assert [(finding.start, finding.end) for finding in whole.findings] == [(2, 35), (35, 38)]


def test_a_stop_is_told_only_when_all_before_it_is_settled() -> None:
    mask = Mask([MaskRule("mail", detector("email")), MaskRule("no", custom("stop", "zz"), "stop")])
    assert not differs(mask, "bob@xzz.com zz", [1])
    assert mask.whole("bob@xzz.com zz").text == "[EMAIL]"


def test_a_flag_changes_nothing_and_is_told() -> None:
    mask = Mask([MaskRule("seen", detector("email"), "flag")])
    text = "to bob@example.com and ann@example.com"
    whole = mask.whole(text)
    assert whole.text is text
    assert [finding.action for finding in whole.findings] == ["flag", "flag"]
    assert not differs(mask, text, [1])


@pytest.mark.parametrize("cuts", [[1], [2], [3], [5], [100]])
def test_left_context_is_there_after_it_is_released(cuts: list[int]) -> None:
    rules = [
        MaskRule("behind", custom("b", r"(?<=id: .{0,20})\d{4}")),
        MaskRule("start", custom("s", "^x[0-9]")),
        MaskRule("line", custom("l", "(?m)^y[0-9]$")),
        MaskRule("context", custom("c", r"\b[0-9]{6}\b", context=["staff"])),
    ]
    text = "x1 id: and some 1234 x2 " + "padding " * 100 + "\ny3\nx4 staff no 123456 id: 12 9876\ny5"
    assert not differs(Mask(rules), text, cuts)
    assert len(Mask(rules).whole(text).findings) == 6


def test_characters_that_vanish_are_covered_within_a_value_only() -> None:
    text = "\u200bbob\u200b@example\u00ad.com\u200b\u200b, 4111\u20601111 1111 1111\ufe0f."
    masked = "\u200b[EMAIL]\u200b\u200b, [CREDIT_CARD]\ufe0f."
    assert ALL.whole(text).text == masked
    for cuts in ([1], [2], [3], [4]):
        assert not differs(ALL, text, cuts)


def test_a_character_that_reads_as_several_is_covered_whole() -> None:
    mask = Mask([MaskRule("r", custom("t", "i[0-9]"))])
    assert mask.whole("ﬁ7 \ufb017").text == "[T] [T]"
    for cuts in ([1], [2]):
        assert not differs(mask, "ﬁ7 \ufb017", cuts)


def test_two_values_in_one_character_are_one() -> None:
    mask = Mask([MaskRule("f", custom("f", "[0-9]f")), MaskRule("i", custom("i", "i[0-9]"))])
    assert mask.whole("1ﬁ7").text == "[F]"
    assert not differs(mask, "1ﬁ7", [1])


def test_rules_that_were_admitted_for_whole_texts_only_make_no_streams() -> None:
    mask = Mask([MaskRule("r", custom("t", r"x(.)\1y", streamable=False))])
    assert mask.whole("xaay xaby").text == "[T] xaby"
    for form in ("text", "json"):
        with pytest.raises(PatternError, match="'r' cannot mask a stream"):
            mask.stream(form)


def test_a_long_piece_and_short_ones_are_one_text() -> None:
    text = PROSE + "bob@example.com " + PROSE + "4111 1111 1111 1111 " + PROSE
    for cuts in ([200, 1, 1, 1, 60, 2], [1, 300], [48], [47, 49], [len(text)]):
        assert not differs(ALL, text, cuts)


def test_a_scan_forgets_what_no_rule_can_look_back_at() -> None:
    stream = ALL.stream()
    for piece in chunks(PROSE * 20, [7]):
        stream.feed(piece)
    scan: Scan = stream._told._scan  # type: ignore[attr-defined]  # the text form has one
    assert len(scan._buffer) < 1000
    for piece in chunks("🙂\ufe0f " * 2000 + PROSE * 4, [7]):
        stream.feed(piece)
    assert len(scan._buffer) < 1000
    assert scan._start is None


def test_many_values_are_all_told_in_order() -> None:
    text = "bob@example.com, 192.168.0.1; " * 300
    whole, _ = streamed(ALL, chunks(text, [13]))
    starts = [finding.start for finding in whole.findings]
    assert starts == sorted(starts)
    assert len({replace(finding, detector="") for finding in whole.findings}) >= 600
