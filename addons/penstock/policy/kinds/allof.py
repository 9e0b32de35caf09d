"""`all`: several matches, each of which must hit, be it in different texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from penstock.detect.value import Detector
from penstock.policy.match import MATCH
from penstock.policy.matcher import Matcher, kind
from penstock.policy.shape import listed
from penstock.policy.subject import On, Subject


@dataclass(frozen=True, slots=True)
class AllOf(Matcher):
    """Hits when every one of its matches does."""

    parts: tuple[Matcher, ...]

    @property
    def patterns(self) -> tuple[str, ...]:
        return tuple(pattern for part in self.parts for pattern in part.patterns)

    @property
    def needs(self) -> frozenset[str] | None:
        """What the first part with a need needs: without it the whole cannot hit."""
        return next((part.needs for part in self.parts if part.needs is not None), None)

    @property
    def reads(self) -> frozenset[On]:
        return frozenset[On].intersection(*(part.reads for part in self.parts))

    @property
    def detectors(self) -> tuple[Detector, ...] | None:
        return self.parts[0].detectors if len(self.parts) == 1 else None

    def hits(self, subject: Subject) -> bool:
        return all(part.hits(subject) for part in self.parts)


KIND: Final = kind(
    "all",
    "Matches, each of which hits; each may find its own text.",
    "all: [{pattern: '(?i)\\bexport\\b'}, {not: {pattern: 'TICKET-[0-9]{1,8}'}}]",
    listed(MATCH),
    AllOf,
)
