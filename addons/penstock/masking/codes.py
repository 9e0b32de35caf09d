r"""What is spelled in a code, read as it arrives: `%40`, `&#64;`, `&commat;`, `\x40`, or in look-alikes."""

from __future__ import annotations

import html
from typing import Final
from urllib.parse import unquote_to_bytes

import regex

from penstock.detect.confusable import LOOKS
from penstock.masking.escapes import Piece
from penstock.masking.release import FOREVER

# Entities of the characters that values are made of. With the semicolon, so that no code is the beginning of another.
_NAMES: Final = (
    "commat|period|num|lowbar|hyphen|dash|plus|equals|colon|sol|bsol|amp|quot|apos|lt|gt|excl|dollar|percnt|lpar|rpar"
    "|ast|comma|semi|quest|nbsp|Tab|NewLine"
)
_H: Final = "[0-9A-Fa-f]"
_CODE: Final = regex.compile(
    rf"%(?:[0-7]{_H}|[c-dC-D]{_H}%[89abAB]{_H}|[eE]{_H}(?:%[89abAB]{_H}){{2}}|[fF][0-7](?:%[89abAB]{_H}){{3}})"
    rf"|&(?:\#(?:[0-9]{{1,7}}|[xX]{_H}{{1,6}})|{_NAMES});"
    rf"|\\(?:x{_H}{{2}}|u\{{{_H}{{1,6}}\}}|U{_H}{{8}}|[0-3][0-7]{{2}})",
    regex.VERSION0,
)
_LONGEST: Final = 12
_FIRST: Final = regex.compile(r"[%&\\]")
# What may become a code in a text that goes on.
_SIGN: Final = regex.compile(rf"%(?:{_H}|\Z)|&(?:\#|[A-Za-z]{{1,7}}(?:;|\Z)|\Z)|\\(?:[xU0-3]|u(?:\{{|\Z)|\Z)")


def has_codes(text: str) -> bool:
    """Whether a code may stand in the text, or begin at its end."""
    return ("%" in text or "&" in text or "\\" in text) and _SIGN.search(text) is not None


class Codes:
    """Reads the codes of a text that arrives in pieces. What is none stands for itself."""

    __slots__ = ("_ends", "_pending", "_starts")

    def __init__(self) -> None:
        self._pending = ""
        """A code that is not complete yet."""
        self._starts: list[int] = []
        """Where each of its characters starts and ends in the original text."""
        self._ends: list[int] = []

    @property
    def held(self) -> int:
        """Where what is not complete yet begins in the original text."""
        return self._starts[0] if self._starts else FOREVER

    def copy(self) -> Codes:
        other = Codes()
        other._pending, other._starts, other._ends = self._pending, self._starts.copy(), self._ends.copy()
        return other

    def feed(self, piece: Piece) -> Piece:
        """The characters that are complete now."""
        if not self._pending and _FIRST.search(piece.text) is None:
            return piece
        text = self._pending + piece.text
        starts, ends = [*self._starts, *piece.starts()], [*self._ends, *piece.ends()]
        return self._read(text, starts, ends, piece, last=False)

    def close(self) -> Piece:
        """The end of the text: what has remained incomplete."""
        return self._read(self._pending, self._starts, self._ends, Piece("", 0, 0), last=True)

    def _read(self, text: str, starts: list[int], ends: list[int], whole: Piece, *, last: bool) -> Piece:
        read: list[str] = []
        first: list[int] = []
        after: list[int] = []
        at = 0
        self._pending, self._starts, self._ends = "", [], []
        while (found := _FIRST.search(text, at)) is not None:
            begin = found.start()
            code = _CODE.match(text, begin)
            stop = begin if code is not None else begin + 1
            near = code is None and not last and len(text) - begin <= _LONGEST
            open_ = near and _CODE.fullmatch(text, begin, partial=True) is not None
            if open_:
                stop = begin
            read.append(text[at:stop])
            first += starts[at:stop]
            after += ends[at:stop]
            at = stop
            if open_:
                self._pending, self._starts, self._ends = text[begin:], starts[begin:], ends[begin:]
                return _piece("".join(read), first, after, whole)
            if code is not None:
                at = code.end()
                said = _decoded(code[0])
                read.append(said)
                first += [starts[begin]] * len(said)
                after += [ends[at - 1]] * len(said)
        read.append(text[at:])
        return _piece("".join(read), first + starts[at:], after + ends[at:], whole)


def _piece(text: str, starts: list[int], ends: list[int], whole: Piece) -> Piece:
    place = whole.place
    return Piece(text, place, whole.size, [each - place for each in starts], [each - place for each in ends])


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
