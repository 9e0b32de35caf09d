"""`detector`: a value that a detector knows, with its checks (a real card number, not any 16 digits)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from penstock.detect.value import Detector
from penstock.masking.mask import Mask, MaskRule
from penstock.policy.detectors import DETECTOR
from penstock.policy.marked import Node, Scalar
from penstock.policy.matcher import Matcher, kind
from penstock.policy.readers import Reader
from penstock.policy.reading import Reading
from penstock.policy.shape import listed
from penstock.policy.subject import Subject


@dataclass(frozen=True, slots=True)
class Detected(Matcher):
    """Found when one of the detectors finds a value."""

    names: tuple[str, ...]
    found: tuple[Detector, ...] = field(compare=False, repr=False)
    needs: frozenset[str] = field(init=False, compare=False, repr=False)
    mask: Mask = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "needs", frozenset(self.patterns))
        object.__setattr__(self, "mask", Mask([MaskRule(known.name, known, "flag") for known in self.found]).ready())

    @property
    def patterns(self) -> tuple[str, ...]:
        return tuple(pattern for known in self.found for pattern in (known.pattern, *known.forms))

    @property
    def detectors(self) -> tuple[Detector, ...] | None:
        return self.found if all(known.streamable for known in self.found) else None

    def hits(self, subject: Subject) -> bool:
        return any(
            not self.needs.isdisjoint(view.possible) and bool(self.mask.whole(view.text).findings)
            for view in subject.views
        )


def _read(node: Node, reading: Reading) -> tuple[Detector, ...]:
    return (DETECTOR.read(node, reading),) if isinstance(node, Scalar) else _LIST.read(node, reading)


def _make(found: tuple[Detector, ...]) -> Detected:
    return Detected(tuple(known.name for known in found), found)


_LIST: Final = listed(DETECTOR)
_READER: Final = Reader(
    "a detector, or a list of them",
    _read,
    lambda definitions: {"anyOf": [DETECTOR.schema(definitions), _LIST.schema(definitions)]},
)
KIND: Final = kind(
    "detector",
    "A detector, or a list of them, that finds a value.",
    "detector: [aws_key, private_key]",
    _READER,
    _make,
)
