"""`any`: one of several matches is enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from penstock.detect.value import Detector
from penstock.policy.match import MATCH
from penstock.policy.matcher import Matcher, kind
from penstock.policy.shape import listed
from penstock.policy.subject import On, Subject


@dataclass(frozen=True, slots=True)
class AnyOf(Matcher):
    """Hits when one of its matches does."""

    parts: tuple[Matcher, ...]

    @property
    def patterns(self) -> tuple[str, ...]:
        return tuple(pattern for part in self.parts for pattern in part.patterns)

    @property
    def needs(self) -> frozenset[str] | None:
        """One pattern of any part; nothing can be said when one part can hit without."""
        needs = [part.needs for part in self.parts]
        return None if None in needs else frozenset(self.patterns)

    @property
    def reads(self) -> frozenset[On]:
        return frozenset[On].intersection(*(part.reads for part in self.parts))

    @property
    def detectors(self) -> tuple[Detector, ...] | None:
        together: list[Detector] = []
        for part in self.parts:
            found = part.detectors
            if found is None:
                return None
            together += found
        return tuple(together)

    def hits(self, subject: Subject) -> bool:
        return any(part.hits(subject) for part in self.parts)


KIND: Final = kind(
    "any", "Matches, one of which hits.", "any: [{words: [secret]}, {length: 5000}]", listed(MATCH), AnyOf
)
