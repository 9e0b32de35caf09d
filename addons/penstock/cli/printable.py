"""Text from elsewhere, made safe for a terminal."""

from __future__ import annotations

import re
from typing import Final

# Control characters except tab and newline, and those that turn the direction of text.
_OBEYED: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """The text, with what a terminal would obey written out as an escape: `\\u001b`."""
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
