"""How a token is told: by the letters that its issuer puts before the random ones."""

from __future__ import annotations

from typing import Final

from penstock.detect import checks
from penstock.detect.value import Detector

HEX: Final = "0-9a-f"
WORD: Final = "0-9A-Za-z"
URL: Final = "0-9A-Za-z_-"
UUID: Final = "[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"


def token(
    name: str, what: str, start: str, letters: str = WORD, least: int = 20, *, confidence: float = 0.95
) -> Detector:
    """A token that starts like this and has at least so many of these letters; it goes on for as long as they do."""
    return Detector(
        name,
        name.upper(),
        f"(?<![0-9A-Za-z])(?:{start})[{letters}]{{{least}}}",
        check=checks.not_placeholder,
        until=f"(?![{letters}])",
        confidence=confidence,
        kind="secret",
        what=what,
    )


def exact(name: str, what: str, pattern: str, *, confidence: float = 0.95) -> Detector:
    """A token of which every letter is told."""
    return Detector(
        name,
        name.upper(),
        f"(?<![0-9A-Za-z_])(?:{pattern})(?![0-9A-Za-z_])",
        check=checks.not_placeholder,
        confidence=confidence,
        kind="secret",
        what=what,
    )


def named(name: str, what: str, pattern: str, *words: str, confidence: float = 0.85) -> Detector:
    """Random letters without a mark of their own: the name of their issuer stands before them."""
    return Detector(
        name,
        name.upper(),
        f"(?<![0-9A-Za-z_-])(?<![0-9A-Za-z][./+])(?:{pattern})(?![0-9A-Za-z_-])",
        check=checks.random_letters,
        context=words,
        confidence=confidence,
        kind="secret",
        what=what,
    )
