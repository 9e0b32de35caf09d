"""Letters that look like others: Cyrillic, Greek and other characters that people read as ASCII.

The table says what a character looks like, not what it is; a Russian text read through it is no Russian any more. So
it makes a view of its own, beside the one that the text itself has (`detect.view`), and characters with accents keep
them there: `bare` takes those off too, where only the sense of a phrase matters.
"""

from __future__ import annotations

import unicodedata
from typing import Final

import regex

_PAIRS: Final = (
    # Cyrillic
    ("АВЕЅІЈКМНОРСТУХҮԚԜӀҺԌЅ", "ABESIJKMHOPCTYXYQWIHGS"),
    ("авеѕіјкмнорстухүԛԝӏһԁԍгпиьѵґ", "abesijkmhopctyxyqwlhdgrnubvr"),
    # Greek
    ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹϺ", "ABEZHIKMNOPTYXCM"),
    ("αβγεηικνορστυχωϲϳ", "abyenikvopotuxwcj"),
    # Armenian, Cherokee, Coptic
    ("օսոհցզյԱՍՕ", "ounhgqjUSO"),
    ("ᎪᏴᏟᎠᎬᎻᏆᎫᏦᏞᎷᏢᎡᏚᎢᏙᎳᎩᏃ", "ABCDEHIJKLMPRSTVWYZ"),
    ("ⲀⲂⲈⲎⲒⲔⲘⲚⲞⲢⲤⲦⲨⲬⲟⲣⲥ", "ABEHIKMNOPCTYXopc"),
    # Latin letters of other shapes
    ("ıɩɪȷɑɡɢʏʀʟɴʜʙƖ", "iiijaggyrlnhbl"),
    ("ᴀᴄᴅᴇꜰᴊᴋᴍᴏᴘꞯꜱᴛᴜᴠᴡᴢ", "acdefjkmopqstuvwz"),
    ("øđłħŧɓɗɛɵʋƴȥ", "odlhtbdeouyz"),
)
LOOKS: Final[dict[int, str]] = {
    ord(other): letter for others, letters in _PAIRS for other, letter in zip(others, letters, strict=True)
}
"""Code point -> the ASCII letter it looks like; made for `str.translate`."""
LOOKS.update((0xE0000 + code, chr(code)) for code in range(0x20, 0x7F))  # tags say ASCII that nobody sees
LOOKS.update({ord("։"): ":", ord("꞉"): ":", ord("∕"): "/", ord("⁄"): "/", ord("·"): ".", ord("•"): "."})

_FOUND: Final = regex.compile(f"[{''.join(map(chr, LOOKS))}]", regex.VERSION0)
_MARKS: Final = regex.compile(r"\p{M}+", regex.VERSION0)


def disguised(text: str) -> bool:
    """Whether a character of the text looks like another."""
    return not text.isascii() and _FOUND.search(text) is not None


def bare(text: str) -> str:
    """A text as it looks from afar: without accents, each letter as the ASCII letter that it looks like."""
    if text.isascii():
        return text
    return _MARKS.sub("", unicodedata.normalize("NFD", text)).translate(LOOKS)
