r"""Words that stand after a value and say what it is: `925494562 is my BSN`, `65060166792 (PESEL)`.

Only where they cannot belong to what comes next: after a verb or in brackets, not before `:` or another number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import regex

from penstock.detect.view import fold

_VERB: Final = "is|was|are|as|=|ist|war|als|est|comme|es|como|fue|è|é|foi|er|är|jest|jako|vale"
_WORD: Final = r"[A-Za-z\u00c0-\u024f]{1,12}[ ]"


def following(words: Sequence[str]) -> str:
    """The pattern of what may stand right after a value: one of the words; empty when none of them can."""
    known = sorted({fold(word) for word in words if word[-1:].isalpha()}, key=lambda word: (-len(word), word))
    if not known:
        return ""
    either = "|".join("[ _-]?".join(map(regex.escape, word.split(" "))) for word in known)
    return (
        rf"[\x22']?(?:[ ]?[(\[][ ]?(?:{_WORD}){{0,2}}|[ ](?:{_VERB})[ ](?:{_WORD}){{0,3}})"
        rf"(?i:{either})(?:e?s)?(?![A-Za-z])(?![ ]?[:=#])(?![^0-9\n]{{0,12}}[0-9])"
    )
