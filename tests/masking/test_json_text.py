"""JSON in fragments: masked within its strings and numbers, JSON still, and text when it is none."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from penstock.detect.detector import custom, detector
from penstock.exchange import Json
from penstock.masking.json_text import JsonStream
from penstock.masking.mask import Mask, MaskRule
from tests.detect.patterns import tried
from tests.masking.chunks import ALL, BASIC, CUTS, TEXTS, chunks, differs

SURE = Mask([MaskRule(known.name, known) for known in BASIC if not known.context and known.name != "ip"])
"""Rules for which it does not matter what stands before."""

NUMBERS: st.SearchStrategy[Json] = st.sampled_from([4111111111111111, 378282246310005, 123456789, 1, -2.5, 1e300, 0])
KEYS = st.one_of(st.sampled_from(("a", "ssn", "phone", "card")), TEXTS)
SIMPLE: st.SearchStrategy[Json] = st.one_of(TEXTS, NUMBERS, st.none(), st.booleans())
VALUES: st.SearchStrategy[Json] = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3), st.builds(json.dumps, inner)
    ),
    max_leaves=6,
)
WRITTEN = st.builds(
    lambda value, ascii_only, indent: json.dumps(value, ensure_ascii=ascii_only, indent=indent),
    VALUES,
    st.booleans(),
    st.sampled_from((None, 1)),
)
SPOILED = st.builds(
    lambda text, at, what, lost: text[: at % (len(text) + 1)] + what + text[at % (len(text) + 1) + lost :],
    WRITTEN,
    st.integers(0, 200),
    st.one_of(st.sampled_from(("", '"', "\\", "x", "{", "\n", " ", ",", "\x00", "\u00a0", "\\u00")), TEXTS),
    st.integers(0, 2),
)


def spelled(text: str, which: int) -> str:
    """The same JSON, with some letters of its strings as escapes."""
    return "".join(
        f"\\u{ord(each):04x}" if at % 3 == which and (each in "@" or each.isalpha()) and ord(each) < 0x10000 else each
        for at, each in enumerate(text)
    )


def strings(value: Json) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for each in value:
                yield from strings(each)
        case dict():
            for key, each in value.items():
                yield key
                yield from strings(each)
        case _:
            pass


@given(st.one_of(WRITTEN, SPOILED, TEXTS), CUTS)
@tried(140)
def test_json_in_fragments_is_masked_as_in_one_piece(text: str, cuts: list[int]) -> None:
    assert not differs(ALL, text, cuts, "json")


@given(st.text(st.sampled_from('{}[]:," \\u0041nbtrue-.1e\n'), max_size=30), CUTS)
@tried(80)
def test_anything_at_all_is_masked_in_fragments_as_in_one_piece(text: str, cuts: list[int]) -> None:
    mask = Mask(
        [
            MaskRule("a", custom("a", "[1A]{2}")),
            MaskRule("t", custom("t", "t[a-z]+")),
            MaskRule("x", custom("x", r"1, 1|\}")),
        ]
    )
    assert not differs(mask, text, cuts, "json")


@given(WRITTEN)
@tried(80)
def test_json_stays_json(text: str) -> None:
    json.loads(ALL.whole_json(text).text)


@given(VALUES)
@tried(80)
def test_each_string_is_masked_as_the_text_that_it_is(value: Json) -> None:
    before, after = list(strings(value)), list(strings(json.loads(SURE.whole_json(json.dumps(value)).text)))
    assume(len({*before}) == len(before))
    left = [SURE.whole(text).text for text in before]
    assume(len({*left}) == len(left))
    assert [text for text in left if "\\" not in text and text not in after] == []


@given(WRITTEN, st.integers(0, 2))
@tried(60)
def test_what_is_spelled_in_escapes_is_masked_alike(text: str, which: int) -> None:
    assume("\\" not in text and not any(word in text for word in ("true", "false", "null", "e+")))
    other = spelled(text, which)
    assert json.loads(SURE.whole_json(other).text) == json.loads(SURE.whole_json(text).text)


@given(TEXTS)
@tried(60)
def test_a_text_that_is_no_json_hides_no_more_than_plain_text(text: str) -> None:
    assume(not text.lstrip(" \n").startswith(('"', "{", "[", "-", *"0123456789tfnNI")))
    hidden = {(finding.start, finding.end) for finding in SURE.whole_json(text).findings}
    assert (
        {(finding.start, finding.end) for finding in SURE.whole(text).findings} <= hidden or '"' in text or "\\" in text
    )


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ('{"to": "bob@example.com"}', '{"to": "[EMAIL]"}'),
        ('{"bob@example.com": 1}', '{"[EMAIL]": 1}'),
        ('{"card": 4111111111111111}', '{"card": "[CREDIT_CARD]"}'),
        ('{"card":4111111111111111,"n":[1,2.5,-3e7]}', '{"card":"[CREDIT_CARD]","n":[1,2.5,-3e7]}'),
        ("4111111111111111", '"[CREDIT_CARD]"'),
        ("-4111111111111111", '"-[CREDIT_CARD]"'),
        ('{"ssn": "123456789"}', '{"ssn": "[US_SSN]"}'),
        ('{"ssn": 123456789}', '{"ssn": "[US_SSN]"}'),
        ('{"id": 123456789}', '{"id": 123456789}'),
        (r'{"to": "bob\u0040example.com"}', '{"to": "[EMAIL]"}'),
        (r'{"to": "\u0062\u006fb@example.com"}', '{"to": "[EMAIL]"}'),
        (r'{"t": "\ud83d\ude42bob@example.com\ud83d\ude42"}', r'{"t": "\ud83d\ude42[EMAIL]\ud83d\ude42"}'),
        (r'{"t": "a\nbob@example.com\n"}', r'{"t": "a\n[EMAIL]\n"}'),
        (r'{"t": "{\"b\": \"bob\\u0040x.com\"}"}', r'{"t": "{\"b\": \"[EMAIL]\"}"}'),
        (r'{"t": "{\"b\": \"a\\nbob@x.com\"}"}', r'{"t": "{\"b\": \"a[EMAIL]\"}"}'),
        (r'{"t": "[\"{\\\"c\\\": \\\"bob\\\\u0040x.com\\\"}\"]"}', r'{"t": "[\"{\\\"c\\\": \\\"[EMAIL]\\\"}\"]"}'),
        (r'{"k": "-----BEGIN PRIVATE KEY-----\nMII", "n": "x"}', '{"k": "[PRIVATE_KEY]", "n": "x"}'),
        ('["4111", "1111", "1111", "1111"]', '["4111", "1111", "1111", "1111"]'),
        ('{"a": "bob@", "b": "example.com"}', '{"a": "bob@", "b": "example.com"}'),
        ('{"a": NaN, "b": "bob@example.com"}', '{"a": NaN, "b": "[EMAIL]"}'),
        (' \n{"a" : "x"}\t', ' \n{"a" : "x"}\t'),
    ],
)
def test_json_is_masked_in_its_strings_and_numbers(text: str, masked: str) -> None:
    assert ALL.whole_json(text).text == masked
    json.loads(masked)
    for cuts in ([1], [2], [3], [5], [8]):
        assert not differs(ALL, text, cuts, "json")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("write to bob@example.com: 4111 1111 1111 1111", "write to [EMAIL]: [CREDIT_CARD]"),
        ('{"a": 4111 1111 1111 1111}', '{"a": [CREDIT_CARD]}'),
        ('{"a": 2001:db8::1}', '{"a": [IPV6]}'),
        ("{'a': 'bob@example.com'}", "{'a': '[EMAIL]'}"),
        ('{"a": "bob@example.com\n"}', '{"a": "[EMAIL]\n"}'),
        ('{"a": "bob@example.com', '{"a": "[EMAIL]'),
        ('{"a": bob@example.com}', '{"a": [EMAIL]}'),
        ("4111111111111111x", "[CREDIT_CARD]x"),
        ("4111111111111111.", "[CREDIT_CARD]."),
        ("4111111111111111. ", "[CREDIT_CARD]. "),
        ("tru bob@example.com", "tru [EMAIL]"),
        ("1 bob@example.com", "1 [EMAIL]"),
        ('{"a": 1}}, "bob@example.com"', '{"a": 1}}, "[EMAIL]"'),
        (r'"a\x bob@example.com"', r'"a\x [EMAIL]"'),
        (r'"a\u00zz bob@example.com"', r'"a\u00zz [EMAIL]"'),
        (r'"bob@example.com\u00', r'"[EMAIL]\u00'),
        (r'"bob@example.com\ud83d', r'"[EMAIL]\ud83d'),
        (r'"bob@example.com\u00" bob@example.com', r'"[EMAIL]\u00" [EMAIL]'),
        ('{"a" "bob@example.com"}', '{"a" "[EMAIL]"}'),
        ("-----BEGIN PRIVATE KEY----- MII", "[PRIVATE_KEY]"),
        ("1" * 2000 + " bob@example.com", "1" * 2000 + " [EMAIL]"),
        ('{"a":\u00a0"bob@example.com"}', '{"a":\u00a0"[EMAIL]"}'),
        ("\ud800 bob@example.com", "\ud800 [EMAIL]"),
    ],
)
def test_what_is_no_json_is_masked_as_text(text: str, masked: str) -> None:
    assert ALL.whole_json(text).text == masked
    for cuts in ([1], [2], [3], [5], [8]):
        assert not differs(ALL, text, cuts, "json")


def test_a_replacement_is_escaped_as_deep_as_it_stands() -> None:
    mask = Mask([MaskRule("r", custom("t", "a@b"), "mask", lambda value: f'"{value}"\\')])
    masked = mask.whole_json(json.dumps({"x": "a@b", "y": json.dumps({"z": "a\\u0040b".replace("\\u0040", "@")})})).text
    assert json.loads(masked)["x"] == '"a@b"\\'
    inner = mask.whole_json(r'{"y": "{\"z\": \"a\\u0040b\"}"}').text
    assert json.loads(json.loads(inner)["y"])["z"] == '"a@b"\\'


def test_a_number_becomes_one_string_whatever_is_found_in_it() -> None:
    rules = [MaskRule("a", custom("a", "12"), "mask", lambda value: '"'), MaskRule("b", custom("b", "34"), "flag")]
    whole = Mask(rules).whole_json('{"n": 912341256}')
    assert whole.text == '{"n": "9\\"34\\"56"}'
    assert [(finding.rule, finding.start, finding.end) for finding in whole.findings] == [
        ("a", 7, 9),
        ("b", 9, 11),
        ("a", 11, 13),
    ]
    assert not differs(Mask(rules), '{"n": 912341256}', [1], "json")


def test_a_flag_in_a_number_leaves_it_a_number() -> None:
    mask = Mask([MaskRule("b", custom("b", "34"), "flag")])
    assert mask.whole_json("12345").text == "12345"
    assert len(mask.whole_json("12345").findings) == 1


def test_a_stop_in_a_number_ends_the_text_before_it() -> None:
    mask = Mask([MaskRule("b", custom("b", "34"), "stop")])
    assert mask.whole_json('{"a": 12345}').text == '{"a": '
    assert not differs(mask, '{"a": 12345}', [1], "json")


def test_a_string_is_a_text_with_a_start_and_an_end_of_its_own() -> None:
    mask = Mask([MaskRule("r", custom("pin", "^[0-9]{4}$"))])
    assert (
        mask.whole_json('{"pin": "1234", "n": 1234, "x": "a1234"}').text
        == '{"pin": "[PIN]", "n": "[PIN]", "x": "a1234"}'
    )
    assert not differs(mask, '{"pin": "1234", "n": 1234, "x": "a1234"}', [1], "json")


def test_what_goes_across_strings_is_left_alone_in_json_and_only_there() -> None:
    mask = Mask([MaskRule("r", custom("across", 'a", "b'))])
    assert mask.whole_json('["a", "b"]').text == '["a", "b"]'
    assert mask.whole_json('x ["a", "b"]').text == 'x ["[ACROSS]"]'
    for cuts in ([1], [4]):
        assert not differs(mask, '["a", "b"]', cuts, "json")
        assert not differs(mask, 'x ["a", "b"]', cuts, "json")


def test_strings_are_released_as_they_come() -> None:
    stream = ALL.stream("json")
    assert stream.feed('{"text": "the quick bro') == '{"text": "the quick '
    assert stream.feed("wn fox\\u00") == "brown "
    assert stream.feed("e9 of bob\\u0040exam") == "fox\\u00e9 of "
    assert stream.feed('ple.com", "n": 12') == '[EMAIL]", "n": '
    assert stream.feed("34}") + stream.flush() == "1234}"


def test_a_number_without_end_is_not_held_for_ever() -> None:
    stream = ALL.stream("json")
    out = "".join(stream.feed("1234567890") for _ in range(1000))
    assert len(out) > 9000
    assert out + stream.flush() == "1234567890" * 1000


def test_strings_with_no_end_take_no_memory() -> None:
    stream = ALL.stream("json")
    out = stream.feed('{"a": "')
    for piece in chunks("ab\\n\\\\ cd\\u00e9 " * 800, [64]):
        out += stream.feed(piece)
        assert len(stream._release.held) < 600
    assert isinstance(stream, JsonStream)
    assert stream._string is not None and len(stream._string._told._scan._buffer) < 2000


def test_after_a_stop_nothing_comes() -> None:
    stream = Mask([MaskRule("no", detector("email"), "stop")]).stream("json")
    assert stream.feed('{"a": "bob@example.com"}') == '{"a": "'
    assert stream.stopped is not None
    assert stream.feed('{"b": 1}') == stream.flush() == ""
