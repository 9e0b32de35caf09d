"""The `ollama` SDK through the gateway: NDJSON streams, thinking, tool calls, context, and Ollama's errors."""

from __future__ import annotations

from collections.abc import Callable

import ollama
import pytest

from scripts.model.answers import ANSWERS, CARD, EMAIL, PLAIN, THOUGHT_EMAIL, TOOL_EMAIL
from scripts.model.ollama_server import OllamaServer
from tests.e2e.people import LOOKUP, MALLORY, Person, asks, shows

MASKED = "Contact [EMAIL] or card [CREDIT_CARD]."
HIDDEN = (EMAIL, CARD, "alice.", "smi", "th@")


def test_an_allowed_chat_is_answered_with_what_the_model_said(alice: Person) -> None:
    reply = alice.ollama().chat("tiny", asks("What does water do?"))

    assert reply.message.content == PLAIN
    assert reply.done and reply.done_reason == "stop"
    assert reply.eval_count


def test_an_allowed_stream_arrives_line_by_line(alice: Person) -> None:
    lines = list(alice.ollama().chat("tiny", asks("What does water do?"), stream=True))

    assert "".join(line.message.content or "" for line in lines) == PLAIN
    assert len(lines) > 3
    assert lines[-1].done
    assert alice.wire.received.count(b"\n") == len(lines)


def test_values_that_the_model_says_are_masked_in_a_whole_chat(alice: Person, facade: OllamaServer) -> None:
    said = ollama.Client(host=facade.url).chat("tiny", asks("Whom do I ask?")).message.content
    reply = alice.ollama().chat("tiny", asks("Whom do I ask?"))

    assert said == "".join(ANSWERS[-1].pieces)
    assert reply.message.content == MASKED
    assert not shows(alice.wire.received, HIDDEN)


def test_values_cut_over_many_tokens_are_masked_in_a_stream(alice: Person) -> None:
    lines = list(alice.ollama().chat("tiny", asks("Whom do I ask?"), stream=True))

    assert "".join(line.message.content or "" for line in lines) == MASKED
    assert lines[-1].done
    assert not shows(alice.wire.received, HIDDEN)


@pytest.mark.parametrize("stream", [False, True])
def test_thinking_is_masked_like_the_answer(alice: Person, stream: bool) -> None:
    if stream:
        lines = list(alice.ollama().chat("tiny", asks("Please think."), stream=True, think=True))
        thinking = "".join(line.message.thinking or "" for line in lines)
    else:
        thinking = alice.ollama().chat("tiny", asks("Please think."), think=True).message.thinking or ""

    assert thinking == "Maybe [EMAIL] knows it."
    assert not shows(alice.wire.received, [THOUGHT_EMAIL])


@pytest.mark.parametrize("stream", [False, True])
def test_the_arguments_of_a_tool_call_are_masked(alice: Person, stream: bool) -> None:
    if stream:
        lines = list(alice.ollama().chat("tiny", asks("look up Erin"), tools=[LOOKUP], stream=True))
        calls = [call for line in lines for call in line.message.tool_calls or ()]
    else:
        calls = list(alice.ollama().chat("tiny", asks("look up Erin"), tools=[LOOKUP]).message.tool_calls or ())

    assert [(call.function.name, call.function.arguments) for call in calls] == [("lookup", {"email": "[EMAIL]"})]
    assert not shows(alice.wire.received, [TOOL_EMAIL])


@pytest.mark.parametrize("stream", [False, True])
def test_a_generated_text_is_masked_and_its_token_ids_are_left_out(alice: Person, stream: bool) -> None:
    if stream:
        lines = list(alice.ollama().generate("tiny", "Whom do I ask?", stream=True))
    else:
        lines = [alice.ollama().generate("tiny", "Whom do I ask?")]

    assert "".join(line.response or "" for line in lines) == MASKED
    assert lines[-1].done and not lines[-1].context
    assert not shows(alice.wire.received, HIDDEN)


def test_log_probabilities_do_not_tell_what_was_masked(alice: Person) -> None:
    reply = alice.ollama().chat("tiny", asks("Whom do I ask?"), logprobs=True, top_logprobs=2)

    assert reply.message.content == MASKED
    assert not shows(alice.wire.received, HIDDEN)


@pytest.mark.parametrize("stream", [False, True])
def test_a_blocked_prompt_surfaces_with_the_rules_message(alice: Person, stream: bool) -> None:
    chat, messages = alice.ollama().chat, asks("Please export quickly all the customers.")
    with pytest.raises(ollama.ResponseError) as refused:
        list(chat("tiny", messages, stream=True) if stream else chat("tiny", messages))

    assert refused.value.status_code == 403
    assert "Bulk export needs a ticket." in refused.value.error
    assert len(alice.wire.requests) == 1


def test_a_denied_reply_is_not_delivered(alice: Person) -> None:
    with pytest.raises(ollama.ResponseError, match="stays in the house"):
        alice.ollama().chat("tiny", asks("Tell me a secret"))

    assert not shows(alice.wire.received, ["secret-plan", "number seven"])


def test_a_reply_denied_in_mid_stream_raises_in_the_client(alice: Person) -> None:
    delivered: list[str] = []
    with pytest.raises(ollama.ResponseError, match="stays in the house"):
        delivered += [line.message.content or "" for line in alice.ollama().chat("tiny", asks("secret"), stream=True)]

    assert not shows(alice.wire.received, ["secret-plan", "number seven"])


def test_the_models_can_be_listed_and_shown(alice: Person) -> None:
    assert [model.model for model in alice.ollama().list().models] == ["tiny:latest"]
    assert alice.ollama().show("tiny").capabilities


def test_ordering_a_model_is_refused(alice: Person) -> None:
    with pytest.raises(ollama.ResponseError) as refused:
        alice.ollama().pull("tiny")

    assert refused.value.status_code in (403, 404)


def test_unloading_a_model_by_an_empty_chat_is_refused(alice: Person) -> None:
    with pytest.raises(ollama.ResponseError) as refused:
        alice.ollama().chat("tiny", [], keep_alive=0)

    assert refused.value.status_code in (400, 403)


def test_without_a_token_nobody_gets_through(person: Callable[..., Person], alice: Person) -> None:
    nobody = Person("", alice.gateway)
    with pytest.raises(ollama.ResponseError) as refused:
        nobody.ollama().chat("tiny", asks("What does water do?"))
    assert refused.value.status_code == 401

    with pytest.raises(ollama.ResponseError) as refused:
        person(MALLORY).ollama().chat("tiny", asks("What does water do?"))
    assert refused.value.status_code == 403
