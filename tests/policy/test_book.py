"""The policy in force: strictest wins, everything that matched is told, and what fails refuses."""

from __future__ import annotations

import pytest

from penstock.caller import Caller
from penstock.errors import ConfigurationError
from penstock.exchange import Call, Operation, Turn
from penstock.policy import Policy, book
from penstock.policy.kinds.pattern import Pattern
from penstock.policy.limits import Limits
from penstock.verdict import Allow, Deny, Hold, Verdict, rule_of

from .conftest import Load

GRANT = """
grants:
  - id: g
    groups: [staff]
    upstreams: ["*"]
    operations: [chat, complete, pull, list]
    models: ["*"]
    parameters: {max_tokens: {max: 10, default: 5, over: clamp}}
    limits: {requests: 3/m, concurrent: 2}
"""
RULES = """
guardrails:
  - {id: watch, on: [prompt], match: {words: [alpha, beta, gamma]}, action: deny, mode: observe}
  - {id: note, on: [prompt], match: {words: [alpha]}, action: flag}
  - {id: wait, on: [prompt], match: {words: [beta]}, action: {hold: ask}, message: Please wait.}
  - {id: no, on: [prompt], match: {words: [gamma]}, action: deny, message: No gamma.}
  - {id: never, on: [prompt], match: {words: [gamma, delta]}, action: deny, message: Never.}
  - {id: bench, on: [prompt], when: {groups: [interns]}, match: {words: [omega]}, action: deny}
approvals:
  - {id: ask, approvers: {groups: [boss]}}
"""


def caller(*groups: str, subject: str = "ann") -> Caller:
    return Caller("corp", subject, frozenset(groups), "oidc", 2e9)


def chat(text: str, model: str = "m") -> Call:
    return Call("t", Operation.CHAT, model, (Turn("user", text, ("messages", 0, "content")),))


def decide(policy: Policy, text: str, who: Caller | None = None, limits: Limits | None = None) -> Verdict:
    return policy.decide(who or caller("staff"), chat(text), "lab", now=0.0, limits=limits or Limits())


@pytest.fixture
def policy(loaded: Load) -> Policy:
    return loaded(GRANT + RULES)


def told(verdict: Verdict) -> list[tuple[str, str, str]]:
    return [(match.rule, match.action, match.mode) for match in verdict.matches if match.kind == "guardrail"]


def test_nothing_that_hits_is_allowed(policy: Policy) -> None:
    verdict = decide(policy, "hello")
    assert isinstance(verdict, Allow)
    assert told(verdict) == []
    assert verdict.parameters == {"max_tokens": 5}


def test_a_flag_is_told_and_has_no_effect(policy: Policy) -> None:
    verdict = decide(policy, "alpha")
    assert isinstance(verdict, Allow)
    assert told(verdict) == [("watch", "deny", "observe"), ("note", "flag", "enforce")]
    assert rule_of(verdict) == "g"


def test_a_hold_is_stricter_than_an_allow(policy: Policy) -> None:
    verdict = decide(policy, "beta")
    assert isinstance(verdict, Hold)
    assert (verdict.approval, verdict.message, verdict.grant) == ("ask", "Please wait.", "g")
    assert verdict.parameters == {"max_tokens": 5}
    assert rule_of(verdict) == "wait"


def test_a_denial_is_stricter_than_a_hold_and_the_first_speaks(policy: Policy) -> None:
    verdict = decide(policy, "alpha beta gamma")
    assert isinstance(verdict, Deny)
    assert (verdict.code, verdict.message, verdict.grant) == ("policy_violation", "No gamma.", "g")
    assert rule_of(verdict) == "no"
    assert told(verdict) == [
        ("watch", "deny", "observe"),
        ("note", "flag", "enforce"),
        ("wait", "hold", "enforce"),
        ("no", "deny", "enforce"),
        ("never", "deny", "enforce"),
    ]


def test_an_observed_rule_is_told_and_has_no_effect(policy: Policy) -> None:
    verdict = decide(policy, "alpha")
    assert isinstance(verdict, Allow)
    assert ("watch", "deny", "observe") in told(verdict)


def test_a_rule_out_of_scope_is_not_asked(policy: Policy) -> None:
    assert isinstance(decide(policy, "omega"), Allow)
    assert isinstance(decide(policy, "omega", caller("staff", "interns")), Deny)


def test_what_is_not_granted_is_refused_before_any_guardrail_runs(policy: Policy) -> None:
    verdict = decide(policy, "gamma", caller("nobody"))
    assert isinstance(verdict, Deny)
    assert verdict.code == "not_granted"
    assert told(verdict) == []


def broken(policy: Policy, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def raises(*_: object) -> bool:
        raise error

    monkeypatch.setattr(Pattern, "hits", raises)


@pytest.mark.parametrize("error", [TimeoutError("slow"), RecursionError(), ValueError("x"), KeyboardInterrupt()])
def test_a_rule_that_raises_lets_it_pass_so_that_the_call_is_refused(
    policy: Policy, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    limits = Limits()
    broken(policy, monkeypatch, error)
    for _ in range(3):
        with pytest.raises(type(error)):
            decide(policy, "gamma", limits=limits)
    monkeypatch.undo()
    verdict = decide(policy, "hello", limits=limits)
    assert isinstance(verdict, Deny), "failed calls count as requests"
    assert verdict.code == "rate_limited"


def test_a_denied_or_failed_call_holds_no_place_of_the_concurrent_ones(policy: Policy) -> None:
    limits = Limits()
    assert isinstance(decide(policy, "gamma", limits=limits), Deny)
    assert isinstance(decide(policy, "hello", limits=limits), Allow)
    assert isinstance(decide(policy, "hello", limits=limits), Allow)
    last = decide(policy, "hello", limits=limits)
    assert isinstance(last, Deny)
    assert last.code == "rate_limited"


def test_a_held_call_counts_until_its_lease_ends(loaded: Load) -> None:
    policy, limits = loaded(GRANT.replace("requests: 3/m, ", "") + RULES), Limits()
    assert isinstance(decide(policy, "beta", limits=limits), Hold)
    assert isinstance(decide(policy, "hello", limits=limits), Allow)
    assert isinstance(decide(policy, "hello", limits=limits), Deny)
    limits.lease("corp|ann", "g").end(tokens=0, now=0.0)
    assert isinstance(decide(policy, "hello", limits=limits), Allow)


APPROVALS = """
guardrails:
  - {id: plain, on: [prompt], match: {words: [plain]}, action: hold}
  - {id: named, on: [prompt], match: {words: [named]}, action: {hold: two}}
  - {id: both, on: [prompt], match: {words: [both]}, action: {hold: one}}
approvals:
  - {id: pulls, when: {operations: [pull]}, approvers: {groups: [boss]}, quorum: 2}
  - {id: one, approvers: {groups: [boss]}}
  - {id: two, approvers: {groups: [boss]}, quorum: 3}
"""


def test_an_approval_rule_with_a_scope_holds_by_itself(loaded: Load) -> None:
    policy = loaded(GRANT + APPROVALS)
    verdict = policy.decide(caller("staff"), Call("t", Operation.PULL, "m"), "lab", now=0.0, limits=Limits())
    assert isinstance(verdict, Hold)
    assert (verdict.approval, verdict.message) == ("pulls", "This call needs an approval.")
    assert rule_of(verdict) == "pulls"
    assert verdict.matches[-1].kind == "approval"


def test_an_unnamed_hold_goes_to_the_first_rule_that_covers_the_call(loaded: Load) -> None:
    verdict = decide(loaded(GRANT + APPROVALS), "plain")
    assert isinstance(verdict, Hold)
    assert verdict.approval == "one"


def test_of_several_holds_the_one_that_asks_for_most_people_counts(loaded: Load) -> None:
    verdict = decide(loaded(GRANT + APPROVALS), "both plain named")
    assert isinstance(verdict, Hold)
    assert verdict.approval == "two"


def test_a_hold_that_nobody_can_release_is_a_denial(loaded: Load) -> None:
    text = """
    guardrails: [{id: plain, on: [prompt], match: {words: [plain]}, action: hold}]
    approvals: [{id: pulls, when: {operations: [pull]}, approvers: {groups: [boss]}}]
    """
    verdict = decide(loaded(GRANT, text), "plain")
    assert isinstance(verdict, Deny)
    assert "no approval rule covers it" in verdict.message
    assert rule_of(verdict) == "plain"


def test_an_observed_hold_holds_nothing(loaded: Load) -> None:
    text = APPROVALS.replace("action: hold", "action: hold, mode: observe")
    assert isinstance(decide(loaded(GRANT + text), "plain"), Allow)


def test_an_approval_rule_is_found_by_its_id(policy: Policy) -> None:
    assert policy.approval("ask").approvers == {"boss"}
    with pytest.raises(ConfigurationError):
        policy.approval("nobody")


def test_a_value_split_over_messages_is_found(policy: Policy) -> None:
    turns = (Turn("user", "del", ()), Turn("assistant", "what?", ()), Turn("user", "ta", ()))
    call = Call("t", Operation.CHAT, "m", turns)
    assert isinstance(policy.decide(caller("staff"), call, "lab", now=0.0, limits=Limits()), Deny)


def test_rules_about_parameters_operations_and_tool_calls_read_just_those(loaded: Load) -> None:
    policy = loaded(
        GRANT,
        """
        guardrails:
          - {id: p, on: [parameters], match: {field: {pointer: /logprobs, is: true}}, action: deny}
          - {id: o, on: [operation], match: {operation: [pull]}, action: deny}
          - {id: t, on: [tool_call], match: {pattern: 'rm -rf'}, action: deny}
        """,
    )

    def rule(call: Call) -> str:
        return rule_of(policy.decide(caller("staff"), call, "lab", now=0.0, limits=Limits()))

    assert rule(Call("t", Operation.CHAT, "m", parameters={"logprobs": True})) == "p"
    assert rule(Call("t", Operation.PULL, "m")) == "o"
    assert rule(Call("t", Operation.CHAT, "m", (Turn("a", '{"c": "rm -rf"}', (), "tool_call", "json"),))) == "t"
    assert rule(Call("t", Operation.CHAT, "m", (Turn("a", "rm -rf", ()),))) == "g"


def test_the_rules_in_force_are_remembered_within_bounds(policy: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Models are named by callers: whoever makes up names must not fill the memory."""
    monkeypatch.setattr(book, "_REMEMBERED", 10)
    for index in range(100):
        policy.screen(caller("staff"), chat("x", f"model-{index}"), "lab")
    assert len(policy._known) <= 10


def test_a_scope_on_models_cannot_be_dodged_by_another_spelling(loaded: Load) -> None:
    policy = loaded(
        GRANT, "guardrails: [{id: r, on: [prompt], when: {models: [llama3]}, match: {words: [x]}, action: deny}]"
    )
    for model in ("llama3", "LLAMA3", "llama3:latest", "registry.ollama.ai/library/llama3"):
        verdict = policy.decide(caller("staff"), chat("x", model), "lab", now=0.0, limits=Limits())
        assert isinstance(verdict, Deny), model
    assert isinstance(policy.decide(caller("staff"), chat("x", "llama2"), "lab", now=0.0, limits=Limits()), Allow)


def test_size_counts_the_rules(policy: Policy) -> None:
    assert policy.size == 8
