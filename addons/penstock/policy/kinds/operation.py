"""`operation`: what the call asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from penstock.exchange import Operation
from penstock.policy.matcher import Matcher, kind
from penstock.policy.scope import OPERATIONS
from penstock.policy.shape import listed
from penstock.policy.subject import On, Subject


@dataclass(frozen=True, slots=True)
class Asks(Matcher):
    """Hits when the call asks for one of the operations."""

    operations: frozenset[Operation]

    @property
    def reads(self) -> frozenset[On]:
        return frozenset({"operation", "parameters", "prompt"})

    def hits(self, subject: Subject) -> bool:
        assert subject.call is not None
        return subject.call.operation in self.operations


def _make(names: tuple[str, ...]) -> Asks:
    return Asks(frozenset(map(Operation, names)))


KIND: Final = kind(
    "operation",
    "Operations, one of which the call asks for.",
    "operation: [pull, delete]",
    listed(OPERATIONS),
    _make,
)
