"""`length`: more text than a rule wants to see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from penstock.policy.matcher import Matcher, kind
from penstock.policy.readers import whole
from penstock.policy.shape import Fields, Key, Record, either
from penstock.policy.subject import Subject


@dataclass(frozen=True, slots=True)
class Length(Matcher):
    """Hits when all the texts together have more characters."""

    over: int

    def hits(self, subject: Subject) -> bool:
        return subject.size > self.over


_COUNT: Final = whole(0, 1_000_000_000)
OVER: Final = Key("over", _COUNT, "Characters, over which it hits.")


def _over(fields: Fields) -> int:
    return fields[OVER]


RECORD: Final = Record("length", "More text than this.", (OVER,), _over)


KIND: Final = kind(
    "length",
    "More characters than this, all texts together. A number, or `{over: N}`.",
    "length: {over: 20000}",
    either(_COUNT, RECORD.reader),
    Length,
)
