"""The `anthropic` SDK against llama.cpp through the gateway: what gets through, what is masked, what is refused."""

from __future__ import annotations

from typing import Any, Final

import anthropic
import httpx2
import pytest

from scripts.model.answers import CARD, EMAIL, PLAIN, THOUGHT_EMAIL, TOOL_EMAIL
from tests.e2e.people import Person, asks

MASKED: Final = "Contact [EMAIL] or card [CREDIT_CARD]."
LOOKUP: Final[Any] = {
    "name": "lookup",
    "description": "Find a person.",
    "input_schema": {"type": "object", "properties": {"email": {"type": "string"}}, "required": ["email"]},
}


class Wire(httpx2.HTTPTransport):
    """Keeps what came over the wire."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = 0
        self.received = b""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.requests += 1
        answer = super().handle_request(request)
        body = answer.read()
        self.received += body
        return httpx2.Response(answer.status_code, headers=answer.headers, content=body)


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def client(alice: Person, wire: Wire) -> anthropic.Anthropic:
    """An Anthropic client as people use it: base URL, key, and two retries."""
    http = httpx2.Client(transport=wire, timeout=60.0)
    return anthropic.Anthropic(base_url=alice.gateway.url("llama"), api_key=alice.token, http_client=http)


def ask(client: anthropic.Anthropic, prompt: str, **more: Any) -> Any:
    return client.messages.create(model="tiny", max_tokens=64, messages=asks(prompt), **more)


def listen(client: anthropic.Anthropic, prompt: str, heard: list[str]) -> Any:
    with client.messages.stream(model="tiny", max_tokens=64, messages=asks(prompt)) as stream:
        heard.extend(stream.text_stream)
        return stream.get_final_message()


def test_an_allowed_message_is_answered_with_what_the_model_said(client: anthropic.Anthropic) -> None:
    reply = ask(client, "What does water do?")
    assert reply.content[0].text == PLAIN and reply.stop_reason == "end_turn"
    assert reply.usage.output_tokens > 0


def test_values_that_the_model_says_are_masked(client: anthropic.Anthropic, wire: Wire) -> None:
    assert ask(client, "Whom do I ask?").content[0].text == MASKED
    heard: list[str] = []
    message = listen(client, "Whom do I ask?", heard)
    assert message.content[0].text == "".join(heard) == MASKED and len(heard) > 1
    assert EMAIL.encode() not in wire.received and CARD.encode() not in wire.received


def test_thinking_is_masked_like_the_answer(client: anthropic.Anthropic, wire: Wire) -> None:
    thinking, text = listen(client, "think", []).content
    assert thinking.thinking == "Maybe [EMAIL] knows it." and text.text == "Ask the desk downstairs."
    assert THOUGHT_EMAIL.encode() not in wire.received


def test_the_input_of_a_tool_is_masked_and_stays_json(client: anthropic.Anthropic, wire: Wire) -> None:
    assert ask(client, "look up erin", tools=[LOOKUP]).content[0].input == {"email": "[EMAIL]"}
    with client.messages.stream(model="tiny", max_tokens=64, messages=asks("look up erin"), tools=[LOOKUP]) as stream:
        assert stream.get_final_message().content[0].input == {"email": "[EMAIL]"}  # type: ignore[union-attr]
    assert TOOL_EMAIL.encode() not in wire.received


def test_a_blocked_prompt_surfaces_once_with_the_rules_message(client: anthropic.Anthropic, wire: Wire) -> None:
    with pytest.raises(anthropic.PermissionDeniedError, match="needs a ticket") as refused:
        ask(client, "Please export all the customers")
    assert "customers" not in str(refused.value) and wire.requests == 1


def test_a_reply_denied_in_mid_stream_raises_in_the_client(client: anthropic.Anthropic, wire: Wire) -> None:
    heard: list[str] = []
    with pytest.raises(anthropic.APIStatusError, match="stays in the house"):
        listen(client, "Tell me a secret", heard)
    assert "".join(heard) in "This is " and b"number seven" not in wire.received


def test_a_token_that_does_not_hold_is_refused_in_the_clients_own_words(alice: Person, wire: Wire) -> None:
    stranger = anthropic.Anthropic(
        base_url=alice.gateway.url("llama"), api_key="nobody", http_client=httpx2.Client(transport=wire)
    )
    with pytest.raises(anthropic.AuthenticationError):
        ask(stranger, "What does water do?")


def test_tokens_are_counted_only_for_whom_a_grant_lets(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.PermissionDeniedError, match="'tokenize' is not granted"):
        client.messages.count_tokens(model="tiny", messages=asks("hi"))
