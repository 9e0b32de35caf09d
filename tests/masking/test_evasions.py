"""Values in disguise: every row of the table of evasions, in a prompt, a reply, a stream cut anywhere, tool arguments.

What is not found is listed too, so that it is known.
"""

from __future__ import annotations

import base64
import codecs
import json
import os
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.detect.detector import detector
from penstock.exchange import Turn
from penstock.masking.mask import Mask, MaskRule
from penstock.masking.together import mask_turns
from tests.masking.chunks import CUTS, chunks, differs, streamed

NAMES = ("email", "credit_card", "iban", "us_ssn", "aws_key", "phone")
MASK = Mask([MaskRule(name, detector(name)) for name in NAMES])
FUZZ = int(os.environ.get("FUZZ", "1"))

MAIL = "bob@example.com"
CARD = "4111 1111 1111 1111"
KEY = "AKIAIOSFODNN7EXAMPLE"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def every(spell: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: "".join(map(spell, text))


def looks(text: str) -> str:
    return text.translate(str.maketrans("aeopcxiAKIOE", "аеорсхіАКІОЕ"))


DISGUISES: dict[str, Callable[[str], str]] = {
    "zero-width": every(lambda c: c + "\u200b"),
    "soft hyphens and bidi controls": every(lambda c: "\u00ad\u202a" + c),
    "variation selectors": every(lambda c: c + "\ufe0f"),
    "tags between": every(lambda c: c + "\U000e0041"),
    "tags that say it": every(lambda c: chr(0xE0000 + ord(c))),
    "full-width": every(lambda c: chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c),
    "mathematical": every(lambda c: chr(0x1D7CE + int(c)) if c.isdigit() else c),
    "other scripts' digits": every(lambda c: chr(0x0660 + int(c)) if c.isdigit() else c),
    "no-break spaces": lambda text: text.replace(" ", "\u00a0"),
    "look-alikes": looks,
    "json escapes": every(lambda c: f"\\u{ord(c):04x}"),
    "hex escapes": every(lambda c: f"\\x{ord(c):02x}"),
    "braced escapes": every(lambda c: f"\\u{{{ord(c):x}}}"),
    "octal escapes": every(lambda c: f"\\{ord(c):03o}"),
    "percent": every(lambda c: f"%{ord(c):02X}"),
    "percent where needed": lambda text: text.replace("@", "%40").replace(" ", "%20"),
    "percent twice": lambda text: text.replace("@", "%2540").replace(" ", "%2520").replace("A", "%2541"),
    "decimal entities": every(lambda c: f"&#{ord(c)};"),
    "hex entities": every(lambda c: f"&#x{ord(c):x};"),
    "named entities": lambda text: text.replace("@", "&commat;").replace(".", "&period;").replace(" ", "&nbsp;"),
    "base64": lambda text: b64(f"this is it: {text}, as promised"),
    "base64 without padding": lambda text: b64(f"say {text}!").rstrip("="),
    "base64 for urls": lambda text: base64.urlsafe_b64encode(f"~~~? {text} ~~~?".encode()).decode(),
    "base64 in lines": lambda text: (
        b64(f"here it comes at last, {text}")[:20] + "\n" + b64(f"here it comes at last, {text}")[20:]
    ),
    "base64 of utf-16": lambda text: base64.b64encode(f"it: {text}".encode("utf-16-le")).decode(),
    "base64 twice": lambda text: b64(b64(f"this is it: {text}, as promised")),
    "base64 of percent": lambda text: b64("it is this one: " + text.replace("@", "%40").replace(" ", "%20")),
    "hex": lambda text: f"this is {text}".encode().hex(),
    "capital hex": lambda text: f"this is {text}".encode().hex().upper(),
    "hex of base64": lambda text: b64(f"this is {text}").encode().hex(),
}
VALUES = (MAIL, CARD, KEY)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", DISGUISES)
def test_a_disguised_value_is_masked_in_a_text_that_is_whole(name: str, value: str) -> None:
    written = DISGUISES[name](value)
    masked = MASK.whole(f"well: {written} .")
    assert masked.text != f"well: {written} ."
    assert masked.findings
    assert written not in masked.text


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", DISGUISES)
def test_and_in_a_stream_wherever_it_is_cut(name: str, value: str) -> None:
    text = f"well: {DISGUISES[name](value)} ."
    for cuts in ([1], [2], [3], [4], [5], [7], [16], [17, 2]):
        assert not differs(MASK, text, cuts), cuts


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", DISGUISES)
def test_and_in_tool_arguments_which_stay_json(name: str, value: str) -> None:
    written = DISGUISES[name](value)
    for text in (json.dumps({"to": written}), json.dumps({"to": written}, ensure_ascii=False)):
        masked = MASK.whole_json(text)
        assert written not in json.loads(masked.text)["to"]
        assert masked.findings
        for cuts in ([1], [3], [4], [19]):
            assert not differs(MASK, text, cuts, "json")


@pytest.mark.parametrize("name", DISGUISES)
def test_and_when_the_stream_is_cut_short(name: str) -> None:
    """What is delivered before the end is a beginning of what is delivered in the end."""
    text = f"well: {DISGUISES[name](MAIL)} ."
    whole = MASK.whole(text).text
    for size in range(0, len(text), 5):
        stream = MASK.stream()
        assert whole.startswith("".join(map(stream.feed, text[:size])))


PIECES = st.one_of(
    st.builds(lambda name, value: DISGUISES[name](value), st.sampled_from(sorted(DISGUISES)), st.sampled_from(VALUES)),
    st.sampled_from(
        (MAIL, "bob", "@", "example.com", "%", "%4", "&", "&#", "&#64", ";", "\\", "\\x", "\\u", "0040", "%2")
    ),
    st.sampled_from(
        (" ", "\n", "Ym9i", "QGV4YW1wbGUuY29t", "=", "AAAA", "626f62", "а", "\u200b", "é", "😀", '"', "a b")
    ),
)


@given(st.lists(PIECES, max_size=6).map("".join), CUTS)
@settings(max_examples=150 * FUZZ, deadline=None)
def test_whatever_is_written_in_codes_a_stream_is_masked_as_the_text(text: str, cuts: list[int]) -> None:
    assert not differs(MASK, text, cuts)


@given(st.lists(PIECES, max_size=5).map("".join), CUTS)
@settings(max_examples=100 * FUZZ, deadline=None)
def test_and_as_tool_arguments(text: str, cuts: list[int]) -> None:
    assert not differs(MASK, json.dumps({"a": text}), cuts, "json")
    assert not differs(MASK, text, cuts, "json")


# What codes must not do


@pytest.mark.parametrize(
    "text",
    [
        "100% of it & more; a\\b and x&y",
        "getElementsByClassName internationalization_of_strings",
        "https://example.com/a%20b?c=%C3%A9&d=%",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
        "Москва слезам не верит",
        b64("only words, and nothing else in here"),
        "&unknown; &#x110000; %zz \\xzz \\u{110000000} \\U00110000 %FF%C3",
    ],
)
def test_codes_without_a_value_stay_as_they_are(text: str) -> None:
    assert MASK.whole(text).text is text
    assert streamed(MASK, chunks(text, [3]))[0].text == text


def test_the_rest_of_a_blob_says_what_it_said() -> None:
    masked = MASK.whole(b64(f"write to {MAIL} today, please")).text
    before, _, after = masked.partition("[EMAIL]")
    assert base64.b64decode(before).startswith(b"write to")
    assert base64.b64decode(after).endswith(b"today, please")


def test_a_blob_without_an_end_takes_no_memory() -> None:
    stream = MASK.stream()
    out = [stream.feed(piece) for piece in chunks(b64(f"again and again {MAIL} " * 3_000), [50])]
    assert len(stream._release.held) < 600
    assert sum(map(len, out)) > 15_000
    assert "Ym9iQGV4YW1wbGUuY29t" not in "".join(out)


def test_prose_is_held_back_as_little_as_before() -> None:
    stream = MASK.stream()
    held, released = 0, 0
    text = "The committee met on Tuesday to discuss the budget for the coming year, and everyone agreed. " * 20
    for at, character in enumerate(text, 1):
        released += len(stream.feed(character))
        held += at - released
    assert held / len(text) < 4


# What is not handled: listed, so that nobody relies on it


@pytest.mark.parametrize(
    "text",
    [
        KEY[::-1],  # backwards
        codecs.encode(KEY, "rot13"),
        "bob at example dot com",  # in words
        "b64:xx" + b64(f"it is {MAIL}"),  # a blob glued to other letters of its alphabet
        base64.b64encode(b"\x89PNG\xff" + MAIL.encode()).decode(),  # binary in front
        base64.b32encode(f"this is {MAIL}".encode()).decode(),  # base32, base85, compression
        " ".join(f"{byte:02x}" for byte in MAIL.encode()),  # hexadecimal with spaces
        "bob=40example.com",  # quoted-printable
        r"bob\N{COMMERCIAL AT}example.com",  # names of characters
        "bob&#64example.com",  # an entity without its semicolon
    ],
)
def test_not_found(text: str) -> None:
    assert MASK.whole(text).text is text


# Split over parts and messages


def turns(*texts: str, role: str = "user") -> list[Turn]:
    return [Turn(role, text, ()) for text in texts]


def together(*texts: str) -> list[str]:
    return [masked.text for masked in mask_turns(MASK, turns(*texts))]


def test_a_value_that_is_split_over_parts_is_masked_in_each() -> None:
    assert together("mail bob@exa", "mple.com now") == ["mail [EMAIL]", "[EMAIL] now"]
    assert together("card 4111 1111", "1111 1111 ok") == ["card [CREDIT_CARD]", "[CREDIT_CARD] ok"]
    assert together("AKIA", "IOSF", "ODNN7", "EXAMPLE") == ["[AWS_KEY]"] * 4
    assert together("x" * 5000 + " bob@exa", "mple.com " + "y" * 5000)[0].endswith("x [EMAIL]")


def test_texts_that_are_complete_in_themselves_are_masked_alone() -> None:
    assert together("write to bob@example.com", "my name is Bob") == ["write to [EMAIL]", "my name is Bob"]
    assert together("nothing", "", "here") == ["nothing", "", "here"]
    assert together("only one: bob@example.com") == ["only one: [EMAIL]"]


def test_texts_of_other_roles_stand_between_the_pieces() -> None:
    spoken = [*turns("bob@exa"), *turns("go on", role="assistant"), *turns("mple.com")]
    assert [masked.text for masked in mask_turns(MASK, spoken)] == ["[EMAIL]", "go on", "[EMAIL]"]


# Much of it


@pytest.mark.parametrize(
    "text",
    ["1 " * 9_000, "1-" * 9_000, "%" * 20_000, "&#" * 9_000, "\\" * 20_000, "%41" * 7_000, b64("1 " * 7_000)],
    ids=lambda text: text[:4],
)
def test_hostile_text_is_masked_in_streams_too_and_little_is_held(text: str) -> None:
    stream = MASK.stream()
    held = 0
    out = []
    for piece in chunks(text, [997]):
        out.append(stream.feed(piece))
        held = max(held, len(stream._release.held))
    assert "".join([*out, stream.flush()]) == MASK.whole(text).text
    assert held < 3000


def test_patience_with_a_text_that_only_keeps_us_busy_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.masking.stream.PATIENCE", 20)
    mask = Mask([MaskRule("card", detector("credit_card"))])
    text = "4111 1111 1111 1112, " * 40
    masked = mask.whole(text).text
    assert masked.startswith("4111 1111 1111 1112, ") and masked.endswith("[CREDIT_CARD], ")
    for cuts in ([1], [7], [100]):
        assert not differs(mask, text, cuts)
        assert not differs(mask, text.replace(", ", "%2c ", 3), cuts)


def test_a_line_of_a_megabyte_is_masked_as_it_comes() -> None:
    text = ("lorem ipsum dolor sit amet, " * 36_000) + MAIL
    stream = MASK.stream()
    out = [stream.feed(piece) for piece in chunks(text, [10_000])]
    assert "".join([*out, stream.flush()]) == text[: -len(MAIL)] + "[EMAIL]"


def test_ten_thousand_pieces_leak_nothing_and_take_no_memory() -> None:
    stream = MASK.stream()
    out = [stream.feed(piece) for number in range(5000) for piece in (f"no {number}: bob@exam", "ple.com; ")]
    out.append(stream.flush())
    assert "bob@" not in "".join(out)
    assert len(stream._release.held) < 100
