"""Guardrails as the policy writes them."""

from __future__ import annotations

import pytest

from penstock.policy.guardrails import Action, Guardrail

from .conftest import Load, Problems


def rail(loaded: Load, text: str) -> Guardrail:
    return loaded(f"guardrails: [{{{text}}}]\napprovals: [{{id: ask, approvers: {{groups: [boss]}}}}]").guardrails[0]


def test_a_guardrail_is_read_with_its_defaults(loaded: Load) -> None:
    found = rail(loaded, "id: r, on: [prompt, completion], match: {words: [x]}, action: deny")
    assert found.on == {"prompt", "completion"}
    assert found.asked == {"prompt"}
    assert found.action == Action("deny")
    assert (found.mode, found.message) == ("enforce", "This call is not allowed by policy.")
    assert found.where == "b.yaml:1"
    assert found.streams
    assert found.stops


def test_a_hold_names_its_approval_rule_or_leaves_it_to_the_call(loaded: Load) -> None:
    named = rail(loaded, "id: r, on: [prompt], match: {words: [x]}, action: {hold: ask}")
    assert named.action == Action("hold", "ask")
    assert named.message == "This call needs an approval."
    unnamed = rail(loaded, "id: r, on: [prompt], match: {words: [x]}, action: hold, message: Wait.")
    assert unnamed.action == Action("hold")
    assert unnamed.message == "Wait."


def test_flags_and_observed_rules_stop_nothing(loaded: Load) -> None:
    assert not rail(loaded, "id: r, on: [completion], match: {words: [x]}, action: flag").stops
    assert not rail(loaded, "id: r, on: [completion], match: {words: [x]}, action: deny, mode: observe").stops


def test_a_rule_that_needs_whole_replies_is_a_warning_when_it_acts(loaded: Load) -> None:
    text = "guardrails: [{id: r, on: [completion], match: {length: 5}, action: %s}]"
    assert any("delivered only when complete" in warning.message for warning in loaded(text % "deny").warnings)
    assert not any("complete" in warning.message for warning in loaded(text % "flag").warnings)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "id: r, on: [prompts], match: {words: [x]}, action: deny",
            "unknown subject 'prompts' (did you mean 'prompt'?)",
        ),
        ("id: r, on: [prompt], match: {words: [x]}, action: block", "unknown action 'block'"),
        ("id: r, on: [prompt], match: {words: [x]}, action: {hold: ask}", "unknown approval 'ask'"),
        ("id: r, on: [prompt], match: {words: [x]}, action: {deny: x}", "unknown key 'deny' (there is: hold)"),
        ("id: r, on: [prompt], match: {words: [x]}, action: hold", "there is no approval rule that could release it"),
        ("id: r, on: [prompt], match: {words: [x]}, action: [deny]", "expected a mapping (hold), not a list"),
        ("id: r, on: [completion], match: {words: [x]}, action: hold", "a reply cannot be held"),
        ("id: r, on: [tool_call, prompt], match: {words: [x]}, action: hold", "a reply cannot be held"),
        ("id: r, on: [completion], match: {operation: [chat]}, action: deny", "this match cannot read: completion"),
        ("id: r, on: [operation], match: {words: [x]}, action: deny", "this match cannot read: operation"),
        ("id: r, on: [prompt], match: {words: [x]}, action: deny, mode: dry", "unknown mode 'dry'"),
        ("id: r, on: [prompt], action: deny", "guardrail: key 'match' is missing"),
        ("id: r, on: [prompt], match: {words: [x]}", "guardrail: key 'action' is missing"),
        ("on: [prompt], match: {words: [x]}, action: deny", "guardrail: key 'id' is missing"),
        ("id: r, on: [prompt], match: {words: [x]}, action: deny, messgae: x", "did you mean 'message'?"),
        ("id: r, on: [prompt], when: {group: [a]}, match: {words: [x]}, action: deny", "did you mean 'groups'?"),
        ("id: r, on: [prompt], when: {upstreams: [lap]}, match: {words: [x]}, action: deny", "unknown upstream 'lap'"),
    ],
)
def test_guardrails_that_make_no_sense_are_problems(problems: Problems, text: str, expected: str) -> None:
    assert expected in "\n".join(problems(f"guardrails: [{{{text}}}]"))


def test_an_approval_rule_with_a_problem_does_not_bring_a_second_one(problems: Problems) -> None:
    text = (
        "guardrails: [{id: r, on: [prompt], match: {words: [x]}, action: hold}]\n"
        "approvals: [{id: ask, approvers: {groups: []}}]"
    )
    assert problems(text) == ["2:43: the list is empty: name something or remove the key"]
