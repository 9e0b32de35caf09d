"""`not`: a match that must not hit, in any text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from penstock.policy.match import MATCH
from penstock.policy.matcher import Matcher, kind
from penstock.policy.subject import On, Subject


@dataclass(frozen=True, slots=True)
class Not(Matcher):
    """Hits when its match does not."""

    part: Matcher

    @property
    def patterns(self) -> tuple[str, ...]:
        return self.part.patterns

    @property
    def reads(self) -> frozenset[On]:
        return self.part.reads

    def hits(self, subject: Subject) -> bool:
        return not self.part.hits(subject)


KIND: Final = kind("not", "A match that does not hit.", "not: {words: [approved]}", MATCH, Not)
