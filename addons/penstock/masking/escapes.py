r"""What a text says once its backslash escapes are read (`\u0040`, `\"`, `\n`), as it arrives."""

from __future__ import annotations

import json
from typing import Final

import regex

from penstock.masking.spelled import OPEN, Spelled, Word

_SIMPLE: Final = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_ESCAPE: Final = regex.compile(r'\\(?:(["\\/bfnrt])|u([0-9A-Fa-f]{4}))', regex.VERSION0)
_BEGUN: Final = regex.compile(r"\\(?:u[0-9A-Fa-f]{0,3})?\Z", regex.VERSION0)
# The second half of a surrogate pair, and what may become one.
_LOW: Final = regex.compile(r"\\u([dD][c-fC-F][0-9A-Fa-f]{2})", regex.VERSION0)
_LOW_BEGUN: Final = regex.compile(r"(?:\\(?:u(?:[dD](?:[c-fC-F][0-9A-Fa-f]?)?)?)?)?\Z", regex.VERSION0)


def escape(text: str) -> str:
    """A text as it stands in a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


class Unescape(Spelled):
    """Reads the escapes of a text that arrives in pieces. What is no escape after all stands for itself."""

    __slots__ = ()
    begins = regex.compile(r"\\", regex.VERSION0)

    def word(self, text: str, at: int, *, last: bool) -> Word | str | None:
        escape = _ESCAPE.match(text, at)
        if escape is None:
            return OPEN if not last and _BEGUN.match(text, at) is not None else None
        if escape[1]:
            return Word(escape.end(), _SIMPLE[escape[1]])
        code, end = int(escape[2], 16), escape.end()
        if 0xD800 <= code <= 0xDBFF:
            if (low := _LOW.match(text, end)) is not None:
                return Word(low.end(), chr(0x10000 + ((code - 0xD800) << 10) + int(low[1], 16) - 0xDC00))
            if not last and _LOW_BEGUN.match(text, end) is not None:
                return OPEN
        return Word(end, chr(code))
