"""Grants: what covers a call, and the reason when nothing does."""

from __future__ import annotations

import pytest

from penstock.caller import Caller
from penstock.exchange import Call, Operation
from penstock.policy import Policy
from penstock.policy.limits import Limits
from penstock.verdict import Allow, Deny, Verdict, rule_of

from .conftest import Load, Problems

GRANTS = """
grants:
  - id: readers
    groups: [staff]
    upstreams: [lab]
    operations: [list, health]
  - id: science
    groups: [staff, guests]
    callers: ["corp|bob"]
    upstreams: [lab]
    operations: [chat, complete, show]
    models: ["llama3.2*", "qwen2.5:7b"]
    parameters: {max_tokens: {max: 100, default: 50, over: clamp}, n: {max: 1}, grammar: allow}
    uninspected: [image]
  - id: big
    groups: [staff]
    upstreams: ["*"]
    operations: [chat]
    models: ["huge"]
    parameters: {n: {max: 9}}
    limits: {requests: 1/m}
"""


@pytest.fixture
def policy(loaded: Load) -> Policy:
    return loaded(GRANTS)


def caller(*groups: str, subject: str = "ann") -> Caller:
    return Caller("corp", subject, frozenset(groups), "oidc", 2e9)


def decide(policy: Policy, who: Caller, call: Call, upstream: str = "lab", limits: Limits | None = None) -> Verdict:
    return policy.decide(who, call, upstream, now=0.0, limits=limits or Limits())


CHAT = Call("t", Operation.CHAT, "llama3.2:1b")


def test_a_call_that_a_grant_names_is_allowed(policy: Policy) -> None:
    verdict = decide(policy, caller("staff"), CHAT)
    assert isinstance(verdict, Allow)
    assert verdict.grant == "science"
    assert verdict.parameters == {"max_tokens": 50}
    assert [match.record() for match in verdict.matches] == [
        {"rule": "science", "kind": "grant", "where": "b.yaml:7", "action": "allow", "mode": "enforce"},
        {
            "rule": "science:max_tokens",
            "kind": "parameter",
            "where": "b.yaml:7",
            "action": "default",
            "mode": "enforce",
        },
    ]


def test_a_caller_may_be_named_alone(policy: Policy) -> None:
    assert isinstance(decide(policy, caller(subject="bob"), CHAT), Allow)
    assert isinstance(decide(policy, caller(subject="bobby"), CHAT), Deny)


@pytest.mark.parametrize(
    ("groups", "call", "upstream", "message", "rule"),
    [
        ((), CHAT, "lab", "Nothing is granted to this caller.", ""),
        (("staffing",), CHAT, "lab", "Nothing is granted to this caller.", ""),
        (("guests",), CHAT, "other", "This model server is not granted.", "science"),
        (("guests",), Call("t", Operation.LIST, None), "lab", "The operation 'list' is not granted.", "science"),
        (("staff",), Call("t", Operation.PULL, "x"), "lab", "The operation 'pull' is not granted.", "readers"),
        (("staff",), Call("t", Operation.CHAT, "gpt"), "lab", "The model 'gpt' is not granted for 'chat'.", "science"),
        (
            ("staff",),
            Call("t", Operation.CHAT, None),
            "lab",
            "A call without a model is not granted for 'chat'.",
            "science",
        ),
        (
            ("staff",),
            Call("t", Operation.CHAT, "llama3.2", uninspected=("image", "audio")),
            "lab",
            "Content that cannot be inspected (audio) is not granted.",
            "science",
        ),
        (
            ("staff",),
            Call("t", Operation.CHAT, "llama3.2", parameters={"seed2": 1}, unusual=frozenset({"seed2"})),
            "lab",
            "The parameter 'seed2' is not granted.",
            "science:seed2",
        ),
        (
            ("staff",),
            Call("t", Operation.CHAT, "llama3.2", parameters={"n": 2}),
            "lab",
            "The parameter 'n' may be at most 1.",
            "science:n",
        ),
    ],
)
def test_what_no_grant_names_is_refused_with_the_nearest_reason(
    policy: Policy, groups: tuple[str, ...], call: Call, upstream: str, message: str, rule: str
) -> None:
    verdict = decide(policy, caller(*groups), call, upstream)
    assert isinstance(verdict, Deny)
    assert (verdict.code, verdict.message) == ("not_granted", message)
    assert rule_of(verdict) == rule


def test_operations_on_the_server_need_no_model(policy: Policy) -> None:
    for operation in (Operation.LIST, Operation.HEALTH):
        assert isinstance(decide(policy, caller("staff"), Call("t", operation, None)), Allow)


def test_what_a_grant_names_passes_uninspected_and_unusual(policy: Policy) -> None:
    call = Call(
        "t",
        Operation.CHAT,
        "qwen2.5:7b",
        parameters={"grammar": "x", "max_tokens": 500},
        unusual=frozenset({"grammar"}),
        uninspected=("image",),
    )
    verdict = decide(policy, caller("guests"), call)
    assert isinstance(verdict, Allow)
    assert verdict.parameters == {"max_tokens": 100}


def test_the_first_grant_that_allows_it_is_the_one(policy: Policy) -> None:
    verdict = decide(policy, caller("staff"), Call("t", Operation.CHAT, "huge", parameters={"n": 5}), "anything")
    assert isinstance(verdict, Allow)
    assert verdict.grant == "big"


def test_a_limit_is_the_nearest_reason_of_all(policy: Policy) -> None:
    limits, call = Limits(), Call("t", Operation.CHAT, "huge")
    assert isinstance(decide(policy, caller("staff"), call, limits=limits), Allow)
    verdict = decide(policy, caller("staff"), call, limits=limits)
    assert isinstance(verdict, Deny)
    assert (verdict.code, verdict.retry_after, verdict.grant) == ("rate_limited", 60, "big")
    assert rule_of(verdict) == "big"
    assert isinstance(decide(policy, caller("staff", subject="eve"), call, limits=limits), Allow)


def test_without_grants_everything_is_refused(loaded: Load) -> None:
    policy = loaded()
    assert isinstance(decide(policy, caller("staff"), CHAT), Deny)
    assert any("no grants" in warning.message for warning in policy.warnings)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{id: g, upstreams: [lab], operations: [list]}", "grant 'g' says not to whom: add groups: or callers:"),
        ("{id: g, groups: [a], upstreams: [lab], operations: [chat, list]}", "names no models: add models:"),
        ("{id: g, groups: [a], upstreams: [lap], operations: [list]}", "unknown upstream 'lap' (did you mean 'lab'?)"),
        ("{id: g, groups: [a], upstreams: [lab], operations: [chats]}", "unknown operation 'chats'"),
        ("{id: g, groups: [a], upstreams: [lab], operations: ['*']}", "unknown operation '*'"),
        ("{id: g, groups: ['*'], upstreams: [lab], operations: [list]}", "groups are compared whole"),
        ("{id: g, groups: [a, a], upstreams: [lab], operations: [list]}", "'a' is in this list twice: keep one"),
        ("{id: g, groups: a, upstreams: [lab], operations: [list]}", "expected a list, not the text 'a': write [a]"),
        ("{id: g, groups: [a], operations: [list]}", "grant: key 'upstreams' is missing"),
        ("{id: g, groups: [a], upstreams: [lab], operations: [list], uninspected: [images]}", "did you mean 'image'?"),
        ("{id: g, groups: [a], upstreams: [lab], operations: [list], limits: {requests: 5}}", "expected a rate"),
        ("{id: g, group: [a], upstreams: [lab], operations: [list]}", "unknown key 'group' (did you mean 'groups'?)"),
        ("{groups: [a], upstreams: [lab], operations: [list]}", "grant: key 'id' is missing"),
        ("{id: g, groups: [a], upstreams: [lab], operations: [chat], models: [' x']}", "begins or ends with a space"),
        (
            f"{{id: g, groups: [a], upstreams: [lab], operations: [chat], models: [{'x' * 257}]}}",
            "at most 256 characters",
        ),
    ],
)
def test_grants_that_make_no_sense_are_problems(problems: Problems, text: str, expected: str) -> None:
    assert expected in "\n".join(problems(f"grants: [{text}]"))


def test_two_grants_of_one_name_are_a_problem(problems: Problems) -> None:
    grant = "{id: g, groups: [a], upstreams: [lab], operations: [list]}"
    (found,) = problems(f"grants:\n  - {grant}\n  - {grant}\n")
    assert found == "3:10: grant 'g' is here a second time (first at b.yaml:2): rename or remove one"
