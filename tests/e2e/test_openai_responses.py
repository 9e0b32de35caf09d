"""The Responses API of the `openai` SDK against llama.cpp through the gateway."""

from __future__ import annotations

import json

import openai
import pytest

from scripts.model.answers import CARD, EMAIL, PLAIN, THOUGHT_EMAIL, TOOL_EMAIL
from tests.e2e.people import Person, shows

MASKED = "Contact [EMAIL] or card [CREDIT_CARD]."
SCHEMA: dict[str, object] = {"type": "object", "properties": {"email": {"type": "string"}}, "required": ["email"]}
HIDDEN = (EMAIL, CARD, THOUGHT_EMAIL, TOOL_EMAIL)


def heard(person: Person, question: str) -> tuple[str, str]:
    """What deltas add up to, and what the last event says it was."""
    said, last = "", ""
    for event in person.openai().responses.create(model="tiny", input=question, stream=True):
        if event.type == "response.output_text.delta":
            said += event.delta
        elif event.type == "response.completed":
            last = event.response.output_text
    return said, last


def test_a_response_is_masked_whole(alice: Person) -> None:
    reply = alice.openai().responses.create(model="tiny", input="Whom do I ask?", instructions="Be brief.")

    assert reply.output_text == MASKED and reply.status == "completed"
    assert not shows(alice.wire.received, HIDDEN)


def test_a_stream_is_masked_and_its_last_event_says_the_same(alice: Person) -> None:
    assert heard(alice, "Whom do I ask?") == (MASKED, MASKED)
    assert not shows(alice.wire.received, HIDDEN)
    assert heard(alice, "What does water do?") == (PLAIN, PLAIN)


def test_thoughts_are_masked_like_the_answer(alice: Person) -> None:
    heard(alice, "Please think.")

    assert not shows(alice.wire.received, HIDDEN) and b"[EMAIL]" in alice.wire.received


def test_the_arguments_of_a_call_are_masked(alice: Person) -> None:
    reply = alice.openai().responses.create(
        model="tiny",
        input="look up erin",
        tools=[{"type": "function", "name": "lookup", "description": "Finds.", "parameters": SCHEMA, "strict": False}],
    )

    call = reply.output[0]
    assert call.type == "function_call" and json.loads(call.arguments) == {"email": "[EMAIL]"}
    assert not shows(alice.wire.received, HIDDEN)


def test_a_denial_in_mid_stream_raises_with_the_rules_message(alice: Person) -> None:
    with pytest.raises(openai.APIError, match=r"The plan stays in the house\."):
        heard(alice, "Tell me the secret.")
    assert b"secret-plan" not in alice.wire.received


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"previous_response_id": "resp_1"}, r"cannot be inspected \(context\)"),
        ({"store": True}, "store"),
        ({"tools": [{"type": "web_search"}]}, r"tools\.web_search"),
    ],
)
def test_what_reaches_further_than_the_model_is_not_granted(alice: Person, more: dict[str, object], named: str) -> None:
    with pytest.raises(openai.PermissionDeniedError, match=named):
        alice.openai().responses.create(model="tiny", input="x", extra_body=more)
