"""Attacks on the masks: disguises within disguises, pieces cut where they hurt, rules that might oversleep."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from penstock.detect.detector import Detector, custom
from penstock.detect.shape import shape
from penstock.detect.syntax import parse
from penstock.masking.mask import Mask, MaskRule
from penstock.masking.text import TextStream
from tests.detect.patterns import tried
from tests.masking.chunks import ALL, CUTS, TEXTS, differs
from tests.masking.test_evasions import DISGUISES, MAIL, MASK, PIECES, VALUES, b64, every, looks

UNICODE = DISGUISES["json escapes"]
FULL = DISGUISES["full-width"]


def percent(text: str) -> str:
    return text.replace("@", "%40").replace(" ", "%20").replace("A", "%41")


def said(text: str) -> str:
    return f"this is it: {text}, as promised"


def lines(text: str, width: int, end: str) -> str:
    return end.join(re.findall(f".{{1,{width}}}", text))


# Disguises within disguises

TWICE: dict[str, Callable[[str], str]] = {
    "escapes of percent": lambda text: UNICODE(percent(text)),
    "percent of look-alikes": lambda text: quote(looks(text), safe="@. "),
    "look-alikes and percent": lambda text: percent(looks(text)),
    "look-alikes with nothing between": lambda text: "\u200b".join(looks(text)),
    "full-width and percent": lambda text: percent(
        text.replace("example", FULL("example")).replace("EXAMPLE", "EXAMPLE")
    ),
    "entities of percent": lambda text: percent(text).replace("%", "&#37;"),
    "percent of entities": lambda text: percent(text).replace("%40", "%26%2364%3B").replace("%20", "%26%2332%3B"),
    "entities of entities": lambda text: (
        text.replace("@", "&amp;#64;").replace(" ", "&amp;#32;").replace("A", "&amp;#65;")
    ),
    "each character in another way": lambda text: "".join(
        (r"\x%02x", "%%%02x", "&#%d;", r"\u%04x", r"\%03o")[at % 5] % ord(each) for at, each in enumerate(text)
    ),
    "escapes with two backslashes": lambda text: UNICODE(text).replace("\\", "\\\\"),
    "tags that say percent": lambda text: DISGUISES["tags that say it"](percent(text)),
    "full-width base64": lambda text: FULL(b64(said(text)).rstrip("=")),
    "base64 with nothing between": lambda text: "\u200b".join(b64(said(text))),
    "base64 in escapes": lambda text: UNICODE(b64(said(text))),
    "base64 in percent": lambda text: DISGUISES["percent"](b64(said(text))),
    "base64 of escapes": lambda text: b64('{"the value": "' + UNICODE(text) + '"}'),
    "base64 of entities": lambda text: b64("it is this: " + DISGUISES["decimal entities"](text)),
    "base64 in lines of Windows": lambda text: lines(b64("here it comes at long last: " + text), 24, "\r\n"),
    "base64 in a URL of its own": lambda text: "data:text/plain;base64," + b64(said(text)),
    "base64 after text": lambda text: b64("lorem ipsum dolor sit " * 30 + text),
    "base64 before binary": lambda text: base64.b64encode(said(text).encode() + b"\xff\xfe\x00").decode(),
    "base64 of emoji": lambda text: b64("\U0001f600 hello " + text),
    "two in a row": lambda text: b64("first some other words") + " " + b64(said(text)),
    "hex of percent": lambda text: said(DISGUISES["percent"](text)).encode().hex(),
    "escapes in JSON": lambda text: json.dumps({"to": UNICODE(text)}),
}


@pytest.mark.parametrize("name", TWICE)
def test_a_value_in_two_disguises_is_masked_whole_cut_and_as_arguments(name: str) -> None:
    for value in VALUES:
        written = TWICE[name](value)
        text = f"well: {written} ."
        assert MASK.whole(text).findings, value
        arguments = json.dumps({"to": text})
        assert MASK.whole_json(arguments).findings, value
        json.loads(MASK.whole_json(arguments).text)
        for cuts in ([1], [3], [5, 1], [64], [1, 200]):
            assert not differs(MASK, text, cuts), (value, cuts)
            assert not differs(MASK, arguments, cuts, "json"), (value, cuts)


# Cut where it hurts: every way of making three pieces


@pytest.mark.parametrize(
    "text",
    [
        "\\ud83d\\ude00bob\\u0040example.com \\ud83d",
        "\\ud83d\\u0062ob@example.com\\ude00",
        "%25%34%30 bob%2540example.com %F0%9F%98%80",
        "&amp;#64; bob&amp;#64;example.com &#x1F600;",
        "\\x5cx40 bob\\x5cx40example.com \\134",
        "\ud83d\\u0040\u200b\ude00bob\u200b@example.com",
        "=Ym9iIGlzIGJvYkBleGFtcGxlLmNvbQ==\x00Ym9i",
        "\u00e9626f6220697320626f62406578616d706c652e636f6dg",
    ],
)
def test_three_pieces_of_any_length_are_masked_as_the_whole(text: str) -> None:
    for first in range(1, len(text) - 1):
        for second in range(1, len(text) - first, 3):
            assert not differs(MASK, text, [first, second, len(text)])


@given(st.lists(st.one_of(PIECES, st.sampled_from(("x" * 190, "ab " * 66, "A" * 200, "%41" * 65))), max_size=5), CUTS)
@tried(60)
def test_long_pieces_between_short_ones_change_nothing(texts: list[str], cuts: list[int]) -> None:
    text = "".join(texts)
    for size in (191, 192, 193):
        assert not differs(MASK, text, [*cuts, size])


@given(st.lists(PIECES, max_size=4).map("".join), TEXTS)
@tried(60)
def test_a_text_in_which_nothing_is_spelled_takes_no_other_way_to_another_end(spelled: str, text: str) -> None:
    for mask in (MASK, ALL):
        for each in (spelled, text):
            stream = TextStream(mask._compiled, whole=True)
            assert mask.whole(each).text == stream.feed(each) + stream.flush()


# Blobs at their limits


@pytest.mark.parametrize("before", ["", " ", "\x00", "\u00e9", "\ud800", "=", "\n", "\\n"])
@pytest.mark.parametrize("filled", [0, 170, 180, 192, 400])
def test_a_blob_is_found_behind_anything_and_far_into_a_piece(before: str, filled: int) -> None:
    text = "a b " * (filled // 4) + before + b64(f"so: {MAIL} it is") + before + "end"
    assert MASK.whole(text).text.count("[EMAIL]") == 1
    for cuts in ([1], [filled + 3, 7], [192], [filled + 20, 200]):
        assert not differs(MASK, text, cuts)


# Rules that sleep


@pytest.mark.parametrize(
    "pattern", ["[a-z]{1,3}(?:[a-z]{1100})?@x", "[a-z]@x|[a-z]{1101}@x", "[a-z]{2}[a-z]{0,1100}@x"]
)
def test_a_run_too_long_to_be_counted_is_not_forgotten(pattern: str) -> None:
    mask = Mask([MaskRule("r", custom("d", f"(?<![a-z])(?:{pattern})"))])
    text = " " + "a" * 1101 + "@x "
    assert mask.whole(text).text == " [D] "
    for cuts in ([1], [2, 9], [60], [192, 1], [1100]):
        assert not differs(mask, text, cuts)


RUNS = st.sampled_from(("[a-z]", "[a-z0-9]", r"[\w.-]", "[a-z\u00e9]", "[0-9]", r"\w", "[A-Za-z0-9_-]", "[abc]"))
COUNTS = st.sampled_from(("{1,3}", "{2,6}", "{1,12}", "{3}", "{8}", "{1,64}", "{1,4}+", "{1,6}?"))
KEYS = st.sampled_from(("@", "-", "::", "[@:]", "(?:@|::)", "@?:", "[-.]"))
TAILS = st.sampled_from(("", "x", "[a-z]{1,3}", r"[a-z]{2}\b", "[0-9]{1,2}(?![0-9])", "(?:[a-z]{1,3}@)?[a-z]"))
BEFORE = st.sampled_from(("", "(?<!%s)", "(?<![A-Za-z0-9._-])", r"\b", "(?<![a-z@])", "(?<=[ :@])"))
STARTS = st.sampled_from(("", "", "", "[A-Z]", "[a-z@]", "[-a-z]", "[_a-z]"))
MORE = st.sampled_from(("", "", "(?:%s{2})?", "(?:%s{7}){0,2}", "(?:%s{1100})?"))
HEADED = st.builds(
    lambda before, start, run, count, more, key, tail: (
        before.replace("%s", run) + start + run + count + more.replace("%s", run) + key + tail
    ),
    BEFORE, STARTS, RUNS, COUNTS, MORE, KEYS, TAILS,
)  # fmt: skip
WORDS = st.lists(
    st.one_of(
        st.text(st.sampled_from("abcxyz@@--  ::..\u00e9\n_AB01"), max_size=12),
        st.builds(
            lambda each, count: each * count, st.sampled_from("abx1"), st.sampled_from((2, 3, 8, 9, 64, 65, 200, 1101))
        ),
        st.sampled_from(("a@", "x:", "abc@x", "aaa-1", "\u00e9@", "ab ", "\u200b", "\ud800")),
    ),
    max_size=7,
).map("".join)


@given(st.lists(HEADED, min_size=1, max_size=3), WORDS, st.one_of(CUTS, st.sampled_from(([1, 192], [200, 3], [64, 1]))))
@tried(150)
def test_no_rule_that_begins_with_a_word_oversleeps(patterns: list[str], text: str, cuts: list[int]) -> None:
    assume(all(shape(parse(pattern)).low for pattern in patterns))
    rules = [
        MaskRule(str(index), Detector(f"d{index}", f"D{index}", pattern)) for index, pattern in enumerate(patterns)
    ]
    assert not differs(Mask(rules), text, cuts)


@pytest.mark.parametrize("count", [1, 2, 3, 63, 64, 65, 191, 192, 193, 1023, 1024, 1025, 1101, 1103, 1104])
def test_a_word_of_any_length_before_a_key_is_taken_as_in_the_whole(count: int) -> None:
    patterns = (
        *("[a-z]{1,64}@x", "(?<![a-z])[a-z]{1,64}@x", "(?<![a-z])[a-z]{1,1024}-x", "[a-z]{1024}(?:-x)?"),
        *("(?<![a-z])[a-z]{1,3}(?:[a-z]{1100})?@x", "(?<![a-z])[a-z]{1100}(?:-x)?"),
    )
    mask = Mask([MaskRule(name, Detector(name, name, each)) for name, each in zip("ABCDEF", patterns, strict=True)])
    for key in ("@x", "-x", " "):
        for cuts in ([1], [7], [192, 1], [1000, 1]):
            assert not differs(mask, f" {'a' * count}{key} a@x", cuts)


def test_every_disguise_of_every_character_alone_is_as_exact() -> None:
    for name in ("json escapes", "hex escapes", "braced escapes", "octal escapes", "percent", "decimal entities"):
        spell = DISGUISES[name]
        for at in range(len(MAIL)):
            text = f"to {MAIL[:at]}{spell(MAIL[at])}{MAIL[at + 1 :]} now"
            assert MASK.whole(text).text == "to [EMAIL] now"
            assert not differs(MASK, text, [1])
            assert not differs(MASK, every(spell)(text), [2, 3])
