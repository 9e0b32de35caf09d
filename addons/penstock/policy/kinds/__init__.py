"""The kinds of `match:` that guardrails have, one a file."""

from __future__ import annotations

from typing import Final

from penstock.policy.kinds import allof, anyof, detector, field, length, nonof, operation, pattern, words
from penstock.policy.matcher import Kind

KINDS: Final[tuple[Kind, ...]] = (
    pattern.KIND,
    words.KIND,
    detector.KIND,
    length.KIND,
    field.KIND,
    operation.KIND,
    anyof.KIND,
    allof.KIND,
    nonof.KIND,
)
