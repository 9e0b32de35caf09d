"""How a token is told: by the letters that its issuer puts before the random ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from penstock.detect import checks
from penstock.detect.value import Detector

HEX: Final = "0-9a-f"
WORD: Final = "0-9A-Za-z"
URL: Final = "0-9A-Za-z_-"
UUID: Final = "[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"

NO_DIGEST: Final = (
    r"(?<![0-9A-Za-z_-])(?=[0-9A-Za-z_./+-]{20})(?<![0-9A-Za-z][./+@])"
    r"(?<!(?:(?i:commit|revision|etag|trace|span|digest|checksum|uuid|guid|run)|[Ss]ha[0-9]{0,3}|SHA-?[0-9]{0,3}"
    r"|(?:[_ ]|[a-z])ID|[_ ]id|[a-z]Id)[\"'\]]{0,2}[ \t]{0,2}(?:is|=>|[:=-])?[ \t]{0,2}(?:W/)?[\"'(]{0,2})"
    r"(?<!(?i:md5|checksum)(?: [^ \n]{1,24}){0,3}[ :=]{1,3})"
)
"""Before a random-looking value: not in mid-word or mid-path, nor what is called a digest, a commit or an id."""


def token(
    name: str,
    what: str,
    start: str,
    letters: str = WORD,
    least: int = 20,
    *,
    check: Callable[[str], bool] = checks.not_placeholder,
    confidence: float = 0.95,
) -> Detector:
    """A token that starts like this and has at least so many of these letters; it goes on for as long as they do."""
    return Detector(
        name,
        name.upper(),
        f"(?<![0-9A-Za-z])(?:{start})[{letters}]{{{least}}}",
        check=check,
        until=f"(?![{letters}])",
        confidence=confidence,
        kind="secret",
        what=what,
    )


def exact(
    name: str,
    what: str,
    pattern: str,
    *,
    check: Callable[[str], bool] = checks.not_placeholder,
    confidence: float = 0.95,
) -> Detector:
    """A token of which every letter is told."""
    return Detector(
        name,
        name.upper(),
        f"(?<![0-9A-Za-z_])(?:{pattern})(?![0-9A-Za-z_])",
        check=check,
        confidence=confidence,
        kind="secret",
        what=what,
    )


def named(
    name: str,
    what: str,
    pattern: str,
    *words: str,
    check: Callable[[str], bool] = checks.random_letters,
    alone: str = "",
    confidence: float = 0.85,
) -> Detector:
    """Random letters without a mark of their own: the name of their issuer stands before them."""
    return Detector(
        name,
        name.upper(),
        f"{NO_DIGEST}(?:{pattern})(?![0-9A-Za-z_-])",
        check=check,
        context=words,
        alone=alone,
        confidence=confidence,
        kind="secret",
        what=what,
    )
