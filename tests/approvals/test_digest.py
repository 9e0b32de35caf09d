"""What an approval is bound to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.approvals.digest import Held, binding, digest
from penstock.policy.settings import ApprovalRule
from tests.approvals.desk_kit import EVE, HELD, HOURLY, RULE, someone

OTHERS = {
    "issuer": replace(HELD, caller=someone("alice", issuer="partner")),
    "subject": replace(HELD, caller=EVE),
    "method": replace(HELD, method="GET"),
    "upstream": replace(HELD, upstream="prod"),
    "path": replace(HELD, path="/v1/completions"),
    "model": replace(HELD, model="llama3.1"),
    "no model": replace(HELD, model=None),
    "body": replace(HELD, body=HELD.body + b" "),
    "policy": replace(HELD, policy="q" * 64),
}


@pytest.mark.parametrize("what", OTHERS)
def test_anything_else_that_would_be_sent_has_another_digest(what: str) -> None:
    assert digest(OTHERS[what], RULE) != digest(HELD, RULE)


def test_another_approval_rule_has_another_digest() -> None:
    assert digest(HELD, replace(RULE, id="other")) != digest(HELD, RULE)


def test_the_same_request_sent_again_has_the_same_digest() -> None:
    again = replace(HELD, exchange="X2", caller=replace(HELD.caller, expires=1.0, groups=frozenset({"more"})))
    assert digest(again, RULE) == digest(HELD, RULE)
    assert len(digest(HELD, RULE)) == 64


def test_no_model_differs_from_an_empty_one() -> None:
    assert digest(replace(HELD, model=None), RULE) != digest(replace(HELD, model=""), RULE)
    assert digest(replace(HELD, model=None), RULE) != digest(replace(HELD, model="-"), RULE)


@given(*[st.text(max_size=6)] * 6)
def test_text_never_runs_over_into_the_next_field(a: str, b: str, c: str, d: str, e: str, f: str) -> None:
    one = replace(HELD, upstream=a, path=b, model=c)
    two = replace(HELD, upstream=d, path=e, model=f)
    assert (digest(one, RULE) == digest(two, RULE)) == ((a, b, c) == (d, e, f))


def test_a_lone_surrogate_does_not_break_the_digest() -> None:
    assert digest(replace(HELD, model="\ud800"), RULE) != digest(replace(HELD, model="?"), RULE)


def test_a_grant_for_one_request_binds_that_request() -> None:
    assert binding(HELD, RULE) == digest(HELD, RULE)


@pytest.mark.parametrize("what", ["issuer", "subject", "policy"])
def test_a_scope_never_reaches_other_people_or_another_policy(what: str) -> None:
    assert binding(OTHERS[what], HOURLY) != binding(HELD, HOURLY)


@pytest.mark.parametrize("what", ["body", "model", "path"])
def test_a_scope_reaches_other_requests_of_the_caller(what: str) -> None:
    assert binding(OTHERS[what], HOURLY) == binding(HELD, HOURLY)


@pytest.mark.parametrize(
    ("scope", "same"),
    [(frozenset({"caller", "rule"}), False), (frozenset({"caller"}), True)],
)
def test_a_scope_with_the_rule_is_for_the_same_guardrails_only(scope: frozenset[str], same: bool) -> None:
    rule = ApprovalRule("r", RULE.approvers, grant_for=60.0, grant_scope=scope)  # type: ignore[arg-type]
    other: Held = replace(HELD, rules=("another",))
    assert (binding(other, rule) == binding(HELD, rule)) is same


def test_the_order_of_the_guardrails_makes_no_other_scope() -> None:
    one, two = replace(HELD, rules=("a", "b")), replace(HELD, rules=("b", "a"))
    assert binding(one, HOURLY) == binding(two, HOURLY)


def test_a_name_of_absurd_length_is_cut_for_people_only() -> None:
    long, longer = replace(HELD, model="m" * 300), replace(HELD, model="m" * 301)
    assert long.summary().model == "m" * 256 + "…" == longer.summary().model
    assert digest(long, RULE) != digest(longer, RULE)
    assert replace(HELD, model=None).summary().model is None
