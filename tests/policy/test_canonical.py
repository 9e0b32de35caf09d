"""The canonical form: equal exactly when two policies say the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

import pytest

from penstock.policy.canonical import canonical, fingerprint
from penstock.policy.settings import Secret


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Point:
    x: int
    where: str = field(default="", compare=False)


@dataclass(frozen=True)
class Spot:
    x: int


def test_the_order_of_sets_and_mappings_does_not_count_and_that_of_lists_does() -> None:
    assert fingerprint(frozenset({"a", "b", "c"})) == fingerprint(frozenset({"c", "b", "a"}))
    assert fingerprint({"a": 1, "b": 2}) == fingerprint(MappingProxyType({"b": 2, "a": 1}))
    assert fingerprint(("a", "b")) != fingerprint(("b", "a"))


def test_fields_that_do_not_count_in_comparisons_do_not_count() -> None:
    assert fingerprint(Point(1, "a.yaml:1")) == fingerprint(Point(1, "b.yaml:9"))
    assert fingerprint(Point(1)) != fingerprint(Point(2))


def test_the_kind_of_a_value_counts() -> None:
    assert fingerprint(Point(1)) != fingerprint(Spot(1))
    values: list[object] = [None, 0, False, "", (), {}]
    assert len(set(map(fingerprint, values))) == 6


def test_secrets_count_by_what_they_refer_to() -> None:
    assert canonical(Secret("hunter2", "${env:A}")) == {"secret": "${env:A}"}
    assert fingerprint(Secret("a", "${env:A}")) == fingerprint(Secret("b", "${env:A}"))
    assert fingerprint(Secret("a", "${env:A}")) != fingerprint(Secret("a", "${env:B}"))


def test_names_and_paths_are_text() -> None:
    assert canonical(Colour.RED) == "red"
    assert canonical(Path("a/b")) == "a/b"


def test_what_has_no_canonical_form_is_refused() -> None:
    with pytest.raises(TypeError):
        canonical(object())
    with pytest.raises(TypeError):
        canonical({"a": lambda: None})
