r"""What is spelled in a code, read as it arrives: `%40`, `&#64;`, `&commat;`, `\x40`, or in look-alikes."""

from __future__ import annotations

import html
from typing import Final
from urllib.parse import unquote_to_bytes

import regex

from penstock.detect.confusable import LOOKS
from penstock.masking.release import FOREVER
from penstock.masking.spelled import OPEN, Piece, Spelled, Word

# Entities of the characters that values are made of. With the semicolon, so that no code is the beginning of another.
# Numbers may begin with zeros, as many as a reader may take; no more than sixteen, so that little is held back.
_NAMES: Final = (
    "commat|period|num|lowbar|hyphen|dash|plus|equals|colon|sol|bsol|amp|quot|apos|lt|gt|excl|dollar|percnt|lpar|rpar"
    "|ast|comma|semi|quest|nbsp|Tab|NewLine"
)
_H: Final = "[0-9A-Fa-f]"
_CODE: Final = regex.compile(
    rf"%(?:[0-7]{_H}|[c-dC-D]{_H}%[89abAB]{_H}|[eE]{_H}(?:%[89abAB]{_H}){{2}}|[fF][0-7](?:%[89abAB]{_H}){{3}})"
    rf"|&(?:\#(?:0{{0,16}}[0-9]{{1,7}}|[xX]0{{0,16}}{_H}{{1,6}})|{_NAMES});"
    rf"|\\(?:x{_H}{{2}}|u\{{0{{0,16}}{_H}{{1,6}}\}}|U{_H}{{8}}|[0-3][0-7]{{2}})",
    regex.VERSION0,
)
_LONGEST: Final = 28
# What may become a code in a text that goes on.
_SIGN: Final = regex.compile(rf"%(?:{_H}|\Z)|&(?:\#|[A-Za-z]{{1,7}}(?:;|\Z)|\Z)|\\(?:[xU0-3]|u(?:\{{|\Z)|\Z)")


def has_codes(text: str) -> bool:
    """Whether a code may stand in the text, or begin at its end."""
    return ("%" in text or "&" in text or "\\" in text) and _SIGN.search(text) is not None


class Codes(Spelled):
    """Reads the codes of a text that arrives in pieces. What is none stands for itself."""

    __slots__ = ()
    begins = regex.compile(r"[%&\\]", regex.VERSION0)

    def word(self, text: str, at: int, *, last: bool) -> Word | str | None:
        code = _CODE.match(text, at)
        if code is not None:
            return Word(code.end(), _decoded(code[0]))
        near = not last and len(text) - at <= _LONGEST
        return OPEN if near and _CODE.fullmatch(text, at, partial=True) is not None else None


def _decoded(code: str) -> str:
    if code[0] == "%":
        return unquote_to_bytes(code).decode(errors="replace")
    if code[0] == "&":
        return html.unescape(code)
    point = int(code[1:], 8) if code[1].isdigit() else int(code[2:].strip("{}"), 16)
    return chr(point) if point <= 0x10FFFF else code


class Looks:
    """Reads letters as those that they look like."""

    __slots__ = ()
    held: Final = FOREVER

    def copy(self) -> Looks:
        return self

    def feed(self, piece: Piece) -> Piece:
        return piece._replace(text=piece.text.translate(LOOKS))

    def close(self) -> Piece:
        return Piece("", 0, 0)
