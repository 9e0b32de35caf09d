"""What a rule does about a value, and what was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from penstock.detect.value import Detector

type Action = Literal["mask", "stop", "flag"]
type Form = Literal["text", "json"]


@dataclass(frozen=True, slots=True)
class MaskRule:
    """What is done about one kind of value."""

    id: str
    detector: Detector
    action: Action = "mask"
    replace: Callable[[str], str] | None = None
    """The value, as the rules read it (folded), -> what stands in its place; None: the label in brackets.

    The label also stands where values overlap that are not the same, and where a value is swallowed (`Detector.until`):
    there the value is never there as a whole."""
    token: bool = False
    """A token that the vault of the exchange remembers stands in its place; the label where there is no vault."""
    min_confidence: float = 0.0
    """A value of which its detector is less sure than this stays."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A value that was found; offsets are into the original text."""

    rule: str
    detector: str
    action: Action
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Masked:
    """A whole text, masked."""

    text: str
    """The input itself (the same object) when nothing was replaced."""
    findings: tuple[Finding, ...]
