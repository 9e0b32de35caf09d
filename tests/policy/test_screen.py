"""Screens: what stands between a model's texts and who reads them."""

from __future__ import annotations

import pytest

from penstock.caller import Caller
from penstock.errors import Refusal
from penstock.exchange import Call, Operation
from penstock.masking.mask import Mask
from penstock.policy import Policy, Screen

from .conftest import Load

RULES = r"""
masking:
  - {id: contact, on: [completion], when: {not_groups: [hr]}, detect: [email]}
  - {id: secrets, on: [prompt, record], detect: [us_ssn], with: redact}
guardrails:
  - {id: codename, on: [completion, tool_call], match: {words: [bluebird]}, action: deny, message: Not that.}
  - {id: tool-only, on: [tool_call], match: {pattern: 'rm -rf'}, action: deny}
  - {id: seen, on: [completion], match: {words: [hello]}, action: flag}
  - {id: watched, on: [completion], match: {words: [secret]}, action: deny, mode: observe}
  - {id: prompt-only, on: [prompt], match: {words: [x]}, action: deny}
  - {id: too-long, on: [completion], when: {groups: [short]}, match: {length: 20}, action: deny, message: Too long.}
  - {id: long-seen, on: [completion], match: {length: 10}, action: flag}
  - {id: long-watched, on: [completion], match: {not: {words: [please]}}, action: deny, mode: observe}
"""
CALL = Call("t", Operation.CHAT, "m")


def caller(*groups: str) -> Caller:
    return Caller("corp", "ann", frozenset(groups), "oidc", 2e9)


@pytest.fixture
def policy(loaded: Load) -> Policy:
    return loaded(RULES)


@pytest.fixture
def screen(policy: Policy) -> Screen:
    return policy.screen(caller(), CALL, "lab")


def text(mask: Mask | None, given: str) -> str:
    assert mask is not None
    return mask.whole(given).text


def test_replies_are_masked_and_prompts_are_not_by_the_same_rule(screen: Screen) -> None:
    assert text(screen.completion, "to bob@example.com") == "to [EMAIL]"
    assert text(screen.tool, "to bob@example.com") == "to [EMAIL]"
    assert text(screen.prompt, "to bob@example.com") == "to bob@example.com"
    assert text(screen.prompt, "ssn 219-09-9999") == "ssn [REDACTED]"


def test_the_record_is_masked_by_its_own_rules_only(screen: Screen) -> None:
    assert text(screen.record, "bob@example.com, ssn 219-09-9999") == "bob@example.com, ssn [REDACTED]"


def test_a_guardrail_stops_a_reply_where_it_hits(screen: Screen) -> None:
    assert screen.completion is not None
    masked = screen.completion.whole("the name is bluebird, bob@example.com")
    assert masked.text == "the name is "
    assert [finding.rule for finding in masked.findings if finding.action == "stop"] == ["codename"]
    refusal = screen.refusal("codename")
    assert (refusal.code, refusal.message, refusal.status) == ("policy_violation", "Not that.", 403)


def test_guardrails_on_tool_calls_leave_texts_alone(screen: Screen) -> None:
    assert text(screen.completion, "rm -rf") == "rm -rf"
    assert text(screen.tool, "rm -rf") == ""


def test_flags_and_observed_rules_change_nothing_and_are_found(screen: Screen) -> None:
    assert screen.completion is not None
    masked = screen.completion.whole("hello, the secret")
    assert masked.text == "hello, the secret"
    assert [(finding.rule, finding.action) for finding in masked.findings] == [("seen", "flag"), ("watched", "flag")]
    assert screen.match("watched").record()["mode"] == "observe"
    assert screen.match("contact").kind == "masking"


def test_a_rule_that_needs_the_whole_reply_buffers_it(policy: Policy, screen: Screen) -> None:
    assert not screen.buffered
    assert screen.judge("x" * 50) is None
    short = policy.screen(caller("short"), CALL, "lab")
    assert short.buffered
    assert short.judge("short enough") is None
    refusal = short.judge("x" * 21)
    assert isinstance(refusal, Refusal)
    assert refusal.message == "Too long."
    judging = short.judging("x" * 21)
    assert judging is not None
    assert judging.id == "too-long"


def test_rules_without_effect_that_need_the_whole_reply_do_not_buffer_it(screen: Screen) -> None:
    assert [match.rule for match in screen.review("x" * 11)] == ["long-seen", "long-watched"]
    assert [match.rule for match in screen.review("please")] == []


def test_the_masking_rules_in_force_are_told(policy: Policy, screen: Screen) -> None:
    assert [match.rule for match in screen.matches] == ["contact", "secrets"]
    assert [match.rule for match in policy.screen(caller("hr"), CALL, "lab").matches] == ["secrets"]


def test_a_screen_is_compiled_once_for_each_set_of_rules(policy: Policy) -> None:
    screens = {
        id(policy.screen(Caller("corp", f"s{index}", frozenset({group}), "oidc", 2e9), CALL, "lab"))
        for index, group in enumerate(["a", "b", "c", "hr", "hr", "short"])
    }
    assert len(screens) == 3


def test_without_rules_there_is_nothing_to_pass(loaded: Load) -> None:
    screen = loaded().screen(caller(), CALL, "lab")
    assert (screen.prompt, screen.completion, screen.tool, screen.record) == (None, None, None, None)
    assert not screen.buffered
    assert screen.matches == ()
    assert screen.judge("anything") is None
    assert screen.review("anything") == ()


def test_a_rule_that_is_not_in_the_screen_is_not_named(screen: Screen) -> None:
    with pytest.raises(KeyError):
        screen.refusal("nobody")
    with pytest.raises(KeyError):
        screen.match("nobody")
