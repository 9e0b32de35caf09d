"""What every kind of match can do; the kinds themselves are in `kinds/`, one a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from penstock.detect.value import Detector
from penstock.exchange import JsonObject
from penstock.policy.marked import Node
from penstock.policy.readers import Definitions, Reader
from penstock.policy.reading import Reading
from penstock.policy.subject import On, Subject

TEXTS: Final[frozenset[On]] = frozenset({"prompt", "completion", "tool_call", "parameters"})


class Matcher:
    """A condition on a subject. Frozen, equal when the policy says the same, safe to share between threads."""

    __slots__ = ()

    @property
    def patterns(self) -> tuple[str, ...]:
        """What the prefilter is to look for on its behalf."""
        return ()

    @property
    def needs(self) -> frozenset[str] | None:
        """It cannot hit where none of these patterns may match; None: it can hit anywhere."""
        return None

    @property
    def reads(self) -> frozenset[On]:
        """What it can be about."""
        return TEXTS

    @property
    def detectors(self) -> tuple[Detector, ...] | None:
        """Detectors that together find the same in a stream; None: it needs the whole text."""
        return None

    def hits(self, subject: Subject) -> bool:
        """Raises whatever goes wrong: who asks refuses."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of match, as the policy names it."""

    name: str
    doc: str
    example: str
    """In YAML, as it stands behind `match:`."""
    read: Callable[[Node, Reading], Matcher]
    schema: Callable[[Definitions], JsonObject]


def kind[T](name: str, doc: str, example: str, reader: Reader[T], make: Callable[[T], Matcher]) -> Kind:
    """A kind whose value is read by `reader` and turned into a matcher by `make`."""

    def read(node: Node, reading: Reading) -> Matcher:
        return make(reader.read(node, reading))

    return Kind(name, doc, example, read, reader.schema)
