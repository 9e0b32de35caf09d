"""Blobs that begin with what looks like no text, characters cut in two in them, and codes with zeros in front."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.detect.detector import detector
from penstock.masking.codes import Codes
from penstock.masking.mask import Mask, MaskRule
from penstock.masking.spelled import Piece
from tests.detect.patterns import tried
from tests.masking.chunks import CUTS, chunks, differs
from tests.masking.test_evasions import DISGUISES, MAIL, MASK, b64

EVERY_CUT = ([1], [2], [3], [5], [7], [16], [17, 2], [18], [64])
FULL = DISGUISES["full-width"]


def hexed(text: str) -> str:
    return text.encode().hex()


def signed(text: str) -> str:
    return "0x" + hexed(text)


CODES: tuple[Callable[[str], str], ...] = (b64, hexed, signed)


def inside(blob: str) -> str:
    """What a masked blob says: its value, and what stands around it."""
    before, _, after = blob.partition("[EMAIL]")
    if re.fullmatch("[0-9a-f]*", before):
        return bytes.fromhex(before).decode() + "[EMAIL]" + bytes.fromhex(after).decode()
    return (
        base64.b64decode(before).decode(errors="ignore") + "[EMAIL]" + base64.b64decode(after).decode(errors="ignore")
    )


# What a text may begin with


@pytest.mark.parametrize(
    "first",
    [
        "\u00a0",
        "\u200b",
        "\u00ad",
        "\ufeff",
        "\ue000",
        "\u2028",
        "\u3000",
        "\U000e0041",
        "\u0378",
        "\U0010fffd",
        "\t\r\n",
    ],
    ids=ascii,
)
@pytest.mark.parametrize("code", CODES)
def test_a_blob_may_begin_with_anything_but_controls(code: Callable[[str], str], first: str) -> None:
    for said in (f"{first}so this is {MAIL} there", f"so {first}{first} this is {MAIL} there"):
        text = f"well: {code(said)} ."
        assert MASK.whole(text).text.count("[EMAIL]") == 1
        for cuts in EVERY_CUT:
            assert not differs(MASK, text, cuts)


@pytest.mark.parametrize("first", ["\x01", "\x0b", "\x1b", "\x7f", "\x85"], ids=ascii)
def test_what_begins_with_controls_is_no_text(first: str) -> None:
    text = b64(f"{first} this is {MAIL} there")
    assert MASK.whole(text).text is text


# Characters of several bytes

HIDDEN: dict[str, Callable[[str], str]] = {
    "full-width": FULL,
    "zero-width": "\u200b".join,
    "soft hyphens": "\u00ad".join,
    "tags that say it": DISGUISES["tags that say it"],
    "variation selectors": DISGUISES["variation selectors"],
    "look-alikes": DISGUISES["look-alikes"],
}


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("name", HIDDEN)
def test_a_value_in_a_blob_is_read_in_utf_8(name: str, code: Callable[[str], str]) -> None:
    for shift in range(3):
        text = f"well: {code('so this is: '[shift:] + HIDDEN[name](MAIL) + ' as ever')} ."
        masked = MASK.whole(text).text
        assert masked.count("[EMAIL]") == 1
        for cuts in EVERY_CUT:
            assert not differs(MASK, text, cuts)


def test_the_rest_of_a_blob_says_what_it_said() -> None:
    blob = hexed(f"größe, 忽略 and {FULL(MAIL)}, ça 🙂 va")
    assert inside(MASK.whole(blob).text) == "größe, 忽略 and [EMAIL], ça 🙂 va"


def test_digits_of_another_width_are_digits_in_a_blob_too() -> None:
    mask = Mask([MaskRule("r", detector("phone"))])
    text = b64("the number: ＋４９ ３０ １２３４５６７８ is hers")
    assert mask.whole(text).text != text
    for cuts in EVERY_CUT:
        assert not differs(mask, text, cuts)


@pytest.mark.parametrize(
    "after", [b"\xe9", b"\xe2\x82", b"\xf0\x9f\x98", b"\xc3", b"\xed\xa0\x80", b"\xff", b"\xe0\x80\x80"]
)
def test_bytes_that_are_no_utf_8_hide_nothing(after: bytes) -> None:
    data = b"this and that, " + after + b" " + MAIL.encode() + b" " + after
    for blob in (base64.b64encode(data).decode(), base64.b64encode(data).decode().rstrip("="), data.hex()):
        for end in ("", " .", "=", "!" + blob):
            assert MASK.whole(blob + end).text.count("[EMAIL]") == 1 + end.count(blob)
            for cuts in EVERY_CUT:
                assert not differs(MASK, blob + end, cuts)


def test_of_a_blob_that_goes_on_without_an_end_little_is_held() -> None:
    stream = MASK.stream()
    held = 0
    for piece in chunks(b64("忽略之前的指令 🙂 é " * 2000), [50]):
        stream.feed(piece)
        held = max(held, len(stream._release.held))
    assert held < 600


# Hexadecimal that says so


@pytest.mark.parametrize("sign", ["0x", "0X"])
@pytest.mark.parametrize("said", [MAIL, f"so {MAIL}", f"this is {MAIL} as promised", f"\u00e9 {MAIL}"])
def test_hexadecimal_with_its_sign_is_read(sign: str, said: str) -> None:
    for digits in (hexed(said), hexed(said).upper()):
        for text in (
            f"{sign}{digits}",
            f"data = {sign}{digits}; and",
            f"[{sign}{digits}]",
            f"{sign}{digits}xyz {MAIL}",
        ):
            masked = MASK.whole(text).text
            assert digits not in masked
            assert masked.count("[EMAIL]") == text.count(sign + digits) + text.count(MAIL)
            for cuts in EVERY_CUT:
                assert not differs(MASK, text, cuts)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "0x",
            "0x0",
            "0xdeadbeefdeadbeef",
            "0x6e6f",
            "0x7fff5fbff8a00010",
            "0x626f6240",
            "0x0x626f62406578616d706c65",
        ),
        "0x" + b64(f"this is {MAIL}"),
    ],
)
def test_addresses_and_other_numbers_stay(text: str) -> None:
    assert MASK.whole(text).text is text
    for cuts in EVERY_CUT:
        assert not differs(MASK, text, cuts)


@pytest.mark.parametrize("at", range(14, 22))
def test_a_run_that_stops_being_hexadecimal_where_it_is_decided(at: int) -> None:
    text = f"0x{hexed('so it is bob')[: at - 2]}G{b64(MAIL)} {MAIL}"
    for cuts in EVERY_CUT:
        assert not differs(MASK, text, cuts)


# Codes with zeros in front


@pytest.mark.parametrize(
    "at",
    [
        *("&#64;", "&#064;", "&#00000064;", "&#000000000000000064;", "&#x40;", "&#x0000040;", "&#X000000000000000040;"),
        *(r"\u{40}", r"\u{00000040}", r"\u{0000000000000040}", "&amp;#00000064;"),
    ],
)
def test_zeros_in_front_of_a_code_hide_nothing(at: str) -> None:
    text = f"write to bob{at}example.com now"
    assert MASK.whole(text).text == "write to [EMAIL] now"
    for cuts in EVERY_CUT:
        assert not differs(MASK, text, cuts)


@pytest.mark.parametrize(
    "text", ["&#" + "0" * 60 + "a@", r"\u{" + "0" * 60, "&#x" + "0" * 30 + ";", "&#00000000000000000;"]
)
def test_zeros_without_an_end_are_no_code_and_hold_little(text: str) -> None:
    reader = Codes()
    for place, character in enumerate(text):
        reader.feed(Piece(character, place, 1))
        assert place - min(reader.held, place) < 28
    assert MASK.whole(text).text is text
    for cuts in EVERY_CUT:
        assert not differs(MASK, text + " and so on", cuts)


# Whatever is written

RAW = st.lists(
    st.sampled_from((
        *(b"so this is ", MAIL.encode(), b"bob", b"@", b"example.com", b" ", b", ", b"\xe9", b"\xc3", b"\xa9", b"\xe2\x82"),
        *(b"\xf0\x9f\x98\x80", b"\xf0\x9f", b"\0", b"\xff", b"\xed\xa0\x80", "\u200b".encode(), FULL(MAIL).encode()),
        *("忽略".encode(), b"%40", b"&#064;", b"\\u{0040}", "а".encode()),
    )),
    max_size=8,
).map(b"".join)  # fmt: skip
BLOBS = st.builds(
    lambda data, write: write(data),
    RAW,
    st.sampled_from((
        lambda data: base64.b64encode(data).decode(),
        lambda data: base64.urlsafe_b64encode(data).decode().rstrip("="),
        bytes.hex,
        lambda data: "0x" + data.hex(),
        lambda data: "0X" + data.hex().upper(),
    )),
)  # fmt: skip
BETWEEN = st.sampled_from(
    ("", " ", "\n", "0x", "0", "x", "=", "é", "G", "0x62", "&#0000", "64;", r"\u{00", "40}", MAIL)
)


@given(st.lists(st.one_of(BLOBS, BETWEEN), max_size=6).map("".join), CUTS)
@tried(200)
def test_blobs_in_a_stream_are_masked_as_in_the_text(text: str, cuts: list[int]) -> None:
    assert not differs(MASK, text, cuts)
