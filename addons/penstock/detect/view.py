"""The view of a text that patterns read: every character folded by itself, so that disguises fall away.

The fold knows no context. A character becomes the same few characters wherever it stands, hence a text cut anywhere
folds to the same view, which no `unicodedata.normalize` on chunks could promise. What it does:

- Default_Ignorable characters vanish (zero-width, soft hyphen, bidi controls, variation selectors, tags);
- every other character takes its own NFKC form (full-width, mathematical, circled, ligatures, no-break spaces);
- digits of every script become 0-9, spaces (Zs) a space, dashes (Pd, minus) a hyphen, ideographic stops a full stop.

ASCII is its own view. Patterns are folded alike when they are read (`detect.syntax`), so what a policy's author writes
with a no-break space or a zero-width joiner still matches.
"""

from __future__ import annotations

import unicodedata
from typing import Final, NamedTuple

# Unicode 17, DerivedCoreProperties.txt, Default_Ignorable_Code_Point (a stable property: unassigned ones included),
# and the interlinear annotation marks U+FFF9-FFFB, as invisible as the others.
IGNORABLE: Final = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFB),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
_STOPS: Final = "\u3002\u2024\u06d4\uff61"  # ideographic, one dot leader, Arabic, half-width
_MINUS: Final = "\u2212\u02d7\u2796"


def _fold(character: str) -> str:
    if any(low <= ord(character) <= high for low, high in IGNORABLE):
        return ""
    return "".join(map(_plain, unicodedata.normalize("NFKC", character)))


def _plain(character: str) -> str:
    if character in _STOPS:
        return "."
    if character in _MINUS:
        return "-"
    match unicodedata.category(character):
        case "Nd":
            return str(unicodedata.decimal(character))
        case "Zs":
            return " "
        case "Pd":
            return "-"
        case _:
            return character


_PLAIN: Final[set[str]] = set(map(chr, range(128)))
"""Characters met so far that are their own fold: nearly all that prose is made of."""
_UNEVEN: Final[set[str]] = set()
"""Characters met so far whose fold is not one character."""


class _Folds(dict[int, str]):
    """Code point -> its fold, worked out once; made for `str.translate`."""

    def __missing__(self, code: int) -> str:
        folded = _fold(chr(code)) if code > 0x7F else chr(code)
        if len(folded) != 1:
            _UNEVEN.add(chr(code))  # before the fold can be seen: another thread may be waiting for it
        if code < 0x20000 or folded != chr(code):  # the rare rest is not worth a hundred megabytes
            self[code] = folded
            if folded == chr(code):
                _PLAIN.add(folded)
        return folded


_FOLDS: Final = _Folds()


def fold(text: str) -> str:
    """The view of a text, without offsets."""
    return text if text.isascii() or _PLAIN.issuperset(text) else text.translate(_FOLDS)


class View(NamedTuple):
    """A folded piece of text. Character `i` of `text` stands for `start[i]:end[i]` of the original piece."""

    text: str
    start: list[int] | None
    """None: character for character, nothing moved."""
    end: list[int] | None


def view(piece: str) -> View:
    """The view of a piece, with offsets into that piece."""
    if piece.isascii() or _PLAIN.issuperset(piece):
        return View(piece, None, None)
    folded = piece.translate(_FOLDS)
    if _UNEVEN.isdisjoint(piece):
        return View(folded, None, None)
    start: list[int] = []
    end: list[int] = []
    for at, character in enumerate(piece):
        count = len(_FOLDS[ord(character)])
        start += [at] * count
        end += [at + 1] * count
    return View(folded, start, end)
