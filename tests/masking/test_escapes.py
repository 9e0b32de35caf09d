"""Texts within texts: what is spelled in escapes is found as its reader will see it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.detect.detector import custom, detector
from penstock.masking.escapes import Unescape, escape
from penstock.masking.mask import Mask, MaskRule
from penstock.masking.spelled import Piece
from tests.detect.patterns import tried
from tests.masking.chunks import ALL, CUTS, chunks, differs

PLAIN = st.text(st.one_of(st.sampled_from('a"\\/\n\t\b🙂é\ud83d\ude42'), st.characters(codec=None)), max_size=20)
BROKEN = st.text(st.sampled_from('\\u00d8bn"/x4'), max_size=24)


def unescaped(text: str, cuts: list[int]) -> list[tuple[str, int, int]]:
    """What is read, each character with the place it stands for."""
    reader = Unescape()
    read: list[tuple[str, int, int]] = []
    place = 0
    pieces = []
    for chunk in chunks(text, cuts):
        pieces.append(reader.feed(Piece(chunk, place, len(chunk))))
        place += len(chunk)
    for piece in [*pieces, reader.close()]:
        for at, character in enumerate(piece.text):
            start = piece.place + (at if piece.start is None else piece.start[at])
            end = piece.place + (at + 1 if piece.end is None else piece.end[at])
            read.append((character, start, end))
    return read


@given(PLAIN, CUTS, st.booleans())
def test_what_json_wrote_is_read_again(text: str, cuts: list[int], ascii_only: bool) -> None:
    written = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
    read = unescaped(written, cuts)
    assert "".join(character for character, _, _ in read) == json.loads(f'"{written}"')
    places = [place for _, start, end in read for place in range(start, end)]
    assert places == list(range(len(written)))


@given(BROKEN, CUTS)
def test_what_is_no_escape_stands_for_itself_however_it_comes(text: str, cuts: list[int]) -> None:
    read = unescaped(text, cuts)
    assert read == unescaped(text, [100])
    assert [place for _, start, end in read for place in range(start, end)] == list(range(len(text)))
    if "\\" not in text:
        assert "".join(character for character, _, _ in read) == text


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"\u0040", "@"),
        (r"\ud83d\ude42", "🙂"),
        (r"\ud83d", "\ud83d"),
        (r"\ud83dx", "\ud83dx"),
        (r"\ud83d\n", "\ud83d\n"),
        (r"\ud83d\ud83d\ude42", "\ud83d🙂"),
        (r"\ud83d\ud8", "\ud83d" + r"\ud8"),
        (r"\u00", r"\u00"),
        (r"\u00zz", r"\u00zz"),
        (r"\x41", r"\x41"),
        (r"\\u0040", r"\u0040"),
        (r"\u00\u0040", r"\u00@"),
    ],
)
def test_escapes(written: str, read: str) -> None:
    for cuts in ([1], [3], [100]):
        assert "".join(character for character, _, _ in unescaped(written, cuts)) == read


def test_escape_writes_what_json_reads() -> None:
    assert json.loads(f'"{escape("a")}"') == "a"
    assert escape('"\\\n') == r"\"\\\n"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (r"bob\u0040example.com", "[EMAIL]"),
        (r"{\"mail\": \"bob\u0040example.com\"}", r"{\"mail\": \"[EMAIL]\"}"),
        (r"C:\new\bob@example.com", r"C:\new[EMAIL]"),
        (r"C:\\bob@example.com", "C:[EMAIL]"),
        (r"\\\nbob@example.com", r"\\[EMAIL]"),
        (r"\u00e9bob@example.com", "[EMAIL]"),
        (r"\u4111111111111111", "[CREDIT_CARD]"),
        (r"\u0034111 1111 1111 1111", "[CREDIT_CARD]"),
        (r"a\\u0040b.de", "[EMAIL]"),  # escaped twice
        (r"line\nbob@example.com\n", r"line[EMAIL]\n"),
        (r"\ud83d\ude42bob@example.com", "[EMAIL]"),
    ],
)
def test_text_is_read_through_its_escapes(text: str, masked: str) -> None:
    assert ALL.whole(text).text == masked
    for cuts in ([1], [2], [3], [5], [7]):
        assert not differs(ALL, text, cuts)


def test_a_replacement_is_escaped_where_it_stands_among_escapes() -> None:
    mask = Mask([MaskRule("r", custom("t", "a@b"), "mask", lambda value: f'"{value}"')])
    assert mask.whole(r"x a\u0040b a@b").text == r'x \"a@b\" "a@b"'
    assert not differs(mask, r"x a\u0040b a@b", [1])


def test_the_second_reading_ends_when_it_says_the_same() -> None:
    stream = ALL.stream()
    stream.feed("a\\nb, ")
    assert stream._told._levels  # type: ignore[attr-defined]
    for _ in range(80):
        stream.feed("and so on, ")
    assert not stream._told._levels  # type: ignore[attr-defined]


@given(
    st.lists(st.sampled_from(("\\", "u0040", "bob", "example.com", "@", '"', "n", " ", "\\u00", "🙂")), max_size=12),
    CUTS,
)
@tried(120)
def test_escapes_in_a_stream_are_as_in_the_text(parts: list[str], cuts: list[int]) -> None:
    assert not differs(ALL, "".join(parts) + " x" * 40 + "".join(parts), cuts)


def test_a_value_swallowed_in_both_readings_ends_where_both_end() -> None:
    mask = Mask([MaskRule("r", detector("private_key"))])
    text = r"\n-----BEGIN PRIVATE KEY-----\nMIIE-----END PRIVATE KEY----\u002d after"
    assert mask.whole(text).text == r"\n[PRIVATE_KEY] after"
    for cuts in ([1], [2], [9], [33]):
        assert not differs(mask, text, cuts)
