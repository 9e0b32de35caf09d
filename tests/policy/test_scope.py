"""Scopes: every part that is given must fit."""

from __future__ import annotations

import pytest

from penstock.caller import Caller
from penstock.exchange import Operation
from penstock.policy.globs import Glob
from penstock.policy.scope import Scope

from .conftest import Problems

ANN = Caller("corp", "ann", frozenset({"staff", "hr"}), "oidc", 2e9)


def covers(scope: Scope, model: str | None = "llama3") -> bool:
    return scope.covers(ANN, "lab", Operation.CHAT, model)


def test_an_empty_scope_covers_everything() -> None:
    assert covers(Scope())


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope(groups=frozenset({"hr", "x"})), True),
        (Scope(groups=frozenset({"h"})), False),
        (Scope(not_groups=frozenset({"hr"})), False),
        (Scope(not_groups=frozenset({"x"})), True),
        (Scope(groups=frozenset({"staff"}), not_groups=frozenset({"hr"})), False),
        (Scope(callers=frozenset({"corp|ann"})), True),
        (Scope(callers=frozenset({"other|ann"})), False),
        (Scope(upstreams=frozenset({"lab"})), True),
        (Scope(upstreams=frozenset({"x"})), False),
        (Scope(operations=frozenset({Operation.CHAT})), True),
        (Scope(operations=frozenset({Operation.LIST})), False),
        (Scope(models=(Glob("llama3"),)), True),
        (Scope(models=(Glob("LLAMA3:latest"),)), True),
        (Scope(models=(Glob("qwen*"),)), False),
        (Scope(groups=frozenset({"hr"}), models=(Glob("qwen*"),)), False),
    ],
)
def test_each_part_narrows_it(scope: Scope, expected: bool) -> None:
    assert covers(scope) is expected


def test_a_call_without_a_model_may_reach_any_of_them() -> None:
    assert covers(Scope(models=(Glob("qwen*"),)), None)


def test_a_scope_that_leaves_everyone_out_is_a_problem(problems: Problems) -> None:
    (found,) = problems(
        "guardrails: [{id: g, on: [prompt], when: {groups: [a], not_groups: [a, b]}, "
        "match: {words: [x]}, action: deny}]"
    )
    assert "the rule would never apply" in found
