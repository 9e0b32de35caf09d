"""Approval rules as the policy writes them."""

from __future__ import annotations

import pytest

from penstock.exchange import Operation
from penstock.policy.approvals import Approval
from penstock.policy.scope import Scope
from penstock.policy.settings import ApprovalRule

from .conftest import Load, Problems


def approval(loaded: Load, text: str) -> Approval:
    return loaded(f"approvals: [{{{text}}}]").approvals[0]


def test_an_approval_rule_is_read_whole(loaded: Load) -> None:
    found = approval(
        loaded,
        "id: risky, when: {operations: [pull]}, approvers: {groups: [sec, boss]}, quorum: 2, expires: 5m, "
        "grant: {for: 1h, scope: [rule]}, reason: optional, break_glass: {groups: [oncall]}",
    )
    assert found.when == Scope(operations=frozenset({Operation.PULL}))
    assert found.rule == ApprovalRule(
        id="risky",
        approvers=frozenset({"sec", "boss"}),
        quorum=2,
        expires=300.0,
        grant_for=3600.0,
        grant_scope=frozenset({"caller", "rule"}),
        reason_required=False,
        break_glass=frozenset({"oncall"}),
    )
    assert found.rule.where == "b.yaml:1"


def test_an_approval_serves_once_and_needs_a_reason_by_default(loaded: Load) -> None:
    found = approval(loaded, "id: risky, approvers: {groups: [sec]}")
    assert found.when is None
    assert found.rule == ApprovalRule("risky", frozenset({"sec"}))
    assert approval(loaded, "id: risky, approvers: {groups: [sec]}, grant: once, reason: required") == found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id: r", "approval: key 'approvers' is missing"),
        ("id: r, approvers: {groups: []}", "the list is empty"),
        ("id: r, approvers: [sec]", "expected a mapping (approvers), not a list"),
        ("id: r, approvers: {groups: [sec]}, quorum: 0", "expected a whole number, 1 to 20, not 0"),
        ("id: r, approvers: {groups: [sec]}, when: {}", "an empty `when:` holds every call"),
        ("id: r, approvers: {groups: [sec]}, grant: twice", "unknown grant 'twice'"),
        ("id: r, approvers: {groups: [sec]}, grant: {scope: [rule]}", "approval_grant: key 'for' is missing"),
        ("id: r, approvers: {groups: [sec]}, grant: {for: 1h, scope: [model]}", "unknown part of a grant's scope"),
        ("id: r, approvers: {groups: [sec]}, reason: maybe", "unknown reason 'maybe'"),
        ("id: r, approvers: {groups: [sec]}, expires: 1s", "expected a duration (10s to 7d"),
    ],
)
def test_approval_rules_that_make_no_sense_are_problems(problems: Problems, text: str, expected: str) -> None:
    assert expected in "\n".join(problems(f"approvals: [{{{text}}}]"))
