"""The rules that ship hold, and do what their cases say."""

from __future__ import annotations

import pytest

from penstock.policy import Policy, load
from penstock.policy.cases import Case, load_cases
from penstock.policy.packs import shipped
from penstock.policy.trial import run

from .conftest import RULES

CASES = load_cases(RULES)


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load(RULES, environ={})


def test_the_rules_that_ship_hold_without_surprises(policy: Policy) -> None:
    assert [warning.message for warning in policy.warnings] == [
        "no issuers and no machine keys: nobody can be a caller"
    ]
    assert [listen.port for listen in policy.gateway.listen] == [8080]
    assert str(policy.gateway.upstreams["lab"].replicas[0]) == "http://127.0.0.1:11434"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_rules_that_ship_do_what_their_cases_say(policy: Policy, case: Case) -> None:
    assert run(policy, case).differences == ()


def test_every_rule_that_ships_has_a_case(policy: Policy) -> None:
    expected = {str(value) for case in CASES for _, value in case.expect.values()} | {
        str(name)
        for case in CASES
        for name in (case.expect.get("rules", (None, []))[1] or [])  # type: ignore[union-attr]
    }
    own = [rail.id for rail in policy.guardrails if "." not in rail.id]  # those of packs have examples in their packs
    rules = [*(grant.id for grant in policy.grants if grant.id != "security"), *own]
    assert not [rule for rule in rules if rule not in expected]


def test_every_pack_is_used_and_observed_and_has_a_case(policy: Policy) -> None:
    assert sorted(pack.name for pack in policy.packs) == sorted(path.stem for path in shipped().iterdir())
    assert {rail.mode for pack in policy.packs for rail in pack.guardrails} == {"observe"}
    named = {str(name) for case in CASES for name in (case.expect.get("rules", (None, []))[1] or [])}  # type: ignore[union-attr]
    assert {pack.name for pack in policy.packs} <= {name.partition(".")[0] for name in named}


def test_detectors_that_the_rules_mask_have_a_case(policy: Policy) -> None:
    texts = " ".join(str(value) for case in CASES for _, value in case.expect.values())
    labels = {known.label for rule in policy.masking for known in rule.detect}
    assert not [label for label in labels if f"[{label}]" not in texts]
