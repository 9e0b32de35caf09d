"""How the terms of a list are spelt: what counts as the same character, as a word, and as the space between words.

Like the view of a text (`detect.view`) all of it is told of each character by itself, so that a text cut anywhere is
spelt the same, character for character.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Final

import regex

from penstock.detect.view import fold

# Scripts that set no spaces between words: there every character may begin a word, or end one.
_UNSPACED: Final = r"\p{Han}\p{Hiragana}\p{Katakana}\u30fc\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_WORD: Final = regex.compile(rf"[\w--[{_UNSPACED}]]", regex.VERSION1)
_QUOTES: Final = {
    "\u2018": "'",
    "\u2019": "'",
    "\u0130": "i",
}  # and the capital i with a dot, alone in having two folds
_KEPT: Final = 0x20000
"""Code points from here on are not remembered: they are rare, and many."""


class Spelling(dict[int, str]):
    """Code point -> the character it is taken for; made for `str.translate`. Total: one character for each."""

    def __init__(self, *, ignore_case: bool) -> None:
        self._ignore_case: Final = ignore_case
        self._ascii: Final = bytes(range(256)).lower() if ignore_case else bytes(range(256))

    def __missing__(self, code: int) -> str:
        spelt = self._spelt(chr(code))
        if code < _KEPT:
            self[code] = spelt
        return spelt

    def _spelt(self, character: str) -> str:
        if 0xD800 <= ord(character) < 0xE000:
            return "\ufffd"  # half a pair is no text: in no term, and nothing that could be searched
        if character in _QUOTES and (self._ignore_case or character != "\u0130"):
            return _QUOTES[character]
        if not self._ignore_case:
            return character
        return next((folded for folded in (character.casefold(), character.lower()) if len(folded) == 1), character)

    def read(self, text: str) -> str:
        """A text as it is spelt."""
        return _read(text, self._ascii, self)


class Edges(dict[int, str]):
    """The same for the characters of words; a space for every other character."""

    def __init__(self, spelling: Spelling) -> None:
        self._spelling: Final = spelling
        self._ascii: Final = "".join(self[code] for code in range(128)).encode() + bytes(128)

    def __missing__(self, code: int) -> str:
        spelt = self._spelling[code] if is_word(chr(code)) else " "
        if code < _KEPT:
            self[code] = spelt
        return spelt

    def read(self, text: str) -> str:
        """The words of a text as they are spelt, with spaces between them."""
        return _read(text, self._ascii, self)


def _read(text: str, table: bytes, others: Mapping[int, str]) -> str:
    # Three times as fast as `str.translate` is with a mapping.
    return text.encode().translate(table).decode() if text.isascii() else text.translate(others)


def is_word(character: str) -> bool:
    """Whether a character can stand only within a word: a letter, mark, digit or `_` of a script that sets spaces."""
    return _WORD.match(character) is not None


EXACT: Final = Spelling(ignore_case=False)
ANY_CASE: Final = Spelling(ignore_case=True)
EXACT_EDGES: Final = Edges(EXACT)
ANY_CASE_EDGES: Final = Edges(ANY_CASE)


def spelt(term: str, *, ignore_case: bool) -> str:
    """A term as lists keep it: its view, one space for any white space between words; empty when nothing shows."""
    if not term.isascii():
        term = fold(unicodedata.normalize("NFC", term))
    elif ignore_case:
        return " ".join(term.lower().split())
    return (ANY_CASE if ignore_case else EXACT).read(" ".join(term.split()))


def apart(term: str) -> str:
    """A term with accents as marks of their own, as some texts have them."""
    return term if term.isascii() else fold(unicodedata.normalize("NFD", term))
