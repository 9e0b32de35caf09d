"""The `openai` SDK against llama.cpp through the gateway: what gets through, what is masked, what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable

import openai
import pytest

from scripts.model.answers import ANSWERS, CARD, EMAIL, PLAIN, THOUGHT_EMAIL, TOOL_EMAIL
from scripts.model.llama_server import LlamaServer
from scripts.stage.gateway import Gateway
from tests.e2e.people import ALICE, BOB, HEIDI, LOOKUP, MALLORY, Person, asks, shows

MASKED = "Contact [EMAIL] or card [CREDIT_CARD]."
PIECES = ANSWERS[-1].pieces
HIDDEN = (EMAIL, CARD, "alice.", "smi", "th@")
"""The values, and the tokens that are wholly within one."""


def test_an_allowed_call_is_answered_with_what_the_model_said(alice: Person) -> None:
    reply = alice.openai().chat.completions.create(model="tiny", messages=asks("What does water do?"))

    assert reply.choices[0].message.content == PLAIN
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage is not None and reply.usage.completion_tokens > 0
    assert len(alice.wire.exchange) == 26


def test_an_allowed_stream_arrives_piece_by_piece(alice: Person) -> None:
    stream = alice.openai().chat.completions.create(
        model="tiny", messages=asks("What does water do?"), stream=True, stream_options={"include_usage": True}
    )
    events = list(stream)

    pieces = [event.choices[0].delta.content for event in events if event.choices and event.choices[0].delta.content]
    assert "".join(pieces) == PLAIN
    assert len(pieces) > 3
    assert events[-1].usage is not None
    assert alice.wire.received.endswith(b"data: [DONE]\n\n")


def test_values_that_the_model_says_are_masked_in_a_whole_reply(alice: Person, llama: LlamaServer) -> None:
    direct = openai.OpenAI(base_url=f"{llama.url}/v1", api_key=llama.api_key)
    said = direct.chat.completions.create(model="tiny", messages=asks("Whom do I ask?")).choices[0].message.content
    reply = alice.openai().chat.completions.create(model="tiny", messages=asks("Whom do I ask?"))

    assert said == "".join(PIECES) and EMAIL in said and CARD in said
    assert reply.choices[0].message.content == MASKED
    assert not shows(alice.wire.received, HIDDEN)


def test_values_cut_over_many_tokens_are_masked_in_a_stream(alice: Person, llama: LlamaServer) -> None:
    direct = openai.OpenAI(base_url=f"{llama.url}/v1", api_key=llama.api_key)
    said = direct.chat.completions.create(model="tiny", messages=asks("Whom do I ask?"), stream=True)
    pieces = [event.choices[0].delta.content for event in said if event.choices and event.choices[0].delta.content]
    stream = alice.openai().chat.completions.create(model="tiny", messages=asks("Whom do I ask?"), stream=True)
    masked = [event.choices[0].delta.content for event in stream if event.choices and event.choices[0].delta.content]

    assert pieces == list(PIECES)
    assert "".join(masked) == MASKED
    assert len(masked) > 1
    assert not shows(alice.wire.received, HIDDEN)


def test_who_the_rule_leaves_out_reads_the_values(person: Callable[..., Person]) -> None:
    heidi = person(HEIDI)
    reply = heidi.openai().chat.completions.create(model="tiny", messages=asks("Whom do I ask?"))

    assert reply.choices[0].message.content == "".join(PIECES)


@pytest.mark.parametrize("stream", [False, True])
def test_reasoning_is_masked_like_the_answer(alice: Person, stream: bool) -> None:
    if stream:
        events = alice.openai().chat.completions.create(model="tiny", messages=asks("Please think."), stream=True)
        deltas = [event.choices[0].delta for event in events if event.choices]
        reasoning = "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas)
        content = "".join(delta.content or "" for delta in deltas)
    else:
        message = (
            alice.openai().chat.completions.create(model="tiny", messages=asks("Please think.")).choices[0].message
        )
        reasoning, content = message.reasoning_content or "", message.content or ""  # type: ignore[attr-defined]

    assert reasoning == "Maybe [EMAIL] knows it."
    assert content == "Ask the desk downstairs."
    assert not shows(alice.wire.received, [THOUGHT_EMAIL])


def test_the_arguments_of_a_tool_call_are_masked_and_stay_json(alice: Person) -> None:
    reply = alice.openai().chat.completions.create(model="tiny", messages=asks("look up Erin"), tools=[LOOKUP])

    calls = reply.choices[0].message.tool_calls
    assert calls is not None and len(calls) == 1
    call = calls[0]
    assert call.type == "function"
    assert call.function.name == "lookup"
    assert json.loads(call.function.arguments) == {"email": "[EMAIL]"}
    assert not shows(alice.wire.received, [TOOL_EMAIL])


def test_the_arguments_of_a_streamed_tool_call_are_masked_and_stay_json(alice: Person) -> None:
    stream = alice.openai().chat.completions.create(
        model="tiny", messages=asks("look up Erin"), tools=[LOOKUP], stream=True
    )
    deltas = [call for event in stream if event.choices for call in event.choices[0].delta.tool_calls or ()]

    assert "".join(delta.function.name or "" for delta in deltas if delta.function) == "lookup"
    arguments = "".join(delta.function.arguments or "" for delta in deltas if delta.function)
    assert json.loads(arguments) == {"email": "[EMAIL]"}
    assert not shows(alice.wire.received, [TOOL_EMAIL])


@pytest.mark.parametrize("stream", [False, True])
def test_log_probabilities_do_not_tell_what_was_masked(alice: Person, stream: bool) -> None:
    reply = alice.openai().chat.completions.create(
        model="tiny", messages=asks("Whom do I ask?"), logprobs=True, top_logprobs=2, stream=stream
    )
    list(reply)

    assert not shows(alice.wire.received, HIDDEN)
    assert b'"bytes":[' not in alice.wire.received.replace(b" ", b"")


@pytest.mark.parametrize("stream", [False, True])
def test_a_plain_completion_is_masked(alice: Person, stream: bool) -> None:
    if stream:
        events = alice.openai().completions.create(model="tiny", prompt="Whom do I ask?", stream=True)
        text = "".join(event.choices[0].text for event in events if event.choices)
    else:
        text = alice.openai().completions.create(model="tiny", prompt="Whom do I ask?").choices[0].text

    assert text == MASKED
    assert not shows(alice.wire.received, HIDDEN)


@pytest.mark.parametrize("stream", [False, True])
def test_a_blocked_prompt_surfaces_once_with_the_rules_message(alice: Person, stream: bool) -> None:
    with pytest.raises(openai.PermissionDeniedError) as refused:
        alice.openai().chat.completions.create(
            model="tiny", messages=asks("Please export quickly all the customers."), stream=stream
        )

    assert refused.value.status_code == 403
    assert "Bulk export needs a ticket." in str(refused.value)
    assert alice.wire.exchange in str(refused.value)
    assert refused.value.code == "policy_violation"
    assert "customers" not in str(refused.value)
    assert len(alice.wire.requests) == 1


def test_a_denied_reply_is_not_delivered(alice: Person) -> None:
    with pytest.raises(openai.PermissionDeniedError, match="stays in the house"):
        alice.openai().chat.completions.create(model="tiny", messages=asks("Tell me a secret"))

    assert not shows(alice.wire.received, ["secret-plan", "number seven"])
    assert len(alice.wire.requests) == 1


def test_a_reply_denied_in_mid_stream_raises_in_the_client(alice: Person) -> None:
    stream = alice.openai().chat.completions.create(model="tiny", messages=asks("Tell me a secret"), stream=True)
    delivered: list[str] = []
    with pytest.raises(openai.APIError, match="stays in the house"):
        delivered += [event.choices[0].delta.content or "" for event in stream if event.choices]

    assert "".join(delivered) in "This is "
    assert not shows(alice.wire.received, ["secret-plan", "number seven"])


def test_the_models_are_listed(alice: Person) -> None:
    assert [model.id for model in alice.openai().models.list()] == ["tiny"]


def test_a_model_that_no_grant_names_is_refused(alice: Person) -> None:
    with pytest.raises(openai.PermissionDeniedError) as refused:
        alice.openai().chat.completions.create(model="huge", messages=asks("What does water do?"))

    assert 'error="insufficient_scope"' in refused.value.response.headers["www-authenticate"]
    assert refused.value.code == "not_granted"
    assert len(alice.wire.requests) == 1


def test_a_caller_without_a_grant_is_refused(person: Callable[..., Person]) -> None:
    mallory = person(MALLORY)
    with pytest.raises(openai.PermissionDeniedError):
        mallory.openai().chat.completions.create(model="tiny", messages=asks("What does water do?"))


@pytest.mark.parametrize(
    "claims",
    [{"exp": 1_700_000_000, "iat": 1_699_990_000}, {"aud": "another"}, {"iss": "http://127.0.0.1:1"}, {"exp": None}],
    ids=["expired", "for another audience", "from another issuer", "without an end"],
)
def test_a_token_that_does_not_hold_is_refused(person: Callable[..., Person], claims: dict[str, object]) -> None:
    bob = person(BOB, **claims)
    with pytest.raises(openai.AuthenticationError) as refused:
        bob.openai().chat.completions.create(model="tiny", messages=asks("What does water do?"))

    assert 'error="invalid_token"' in refused.value.response.headers["www-authenticate"]
    assert len(bob.wire.requests) == 1


def test_an_api_that_is_not_governed_is_unknown(alice: Person) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        alice.openai().post("/wheels", body={"model": "tiny"}, cast_to=object)

    assert refused.value.code == "unknown_endpoint"
    assert len(alice.wire.requests) == 1


def test_an_api_that_no_grant_covers_is_refused(alice: Person) -> None:
    with pytest.raises(openai.PermissionDeniedError) as refused:
        alice.openai().images.generate(model="tiny", prompt="a wheel")

    assert refused.value.code == "not_granted"
    assert len(alice.wire.requests) == 1


def test_a_model_server_that_is_down_is_told_once(alice: Person) -> None:
    with pytest.raises(openai.InternalServerError) as refused:
        alice.openai("nobody").chat.completions.create(model="tiny", messages=asks("What does water do?"))

    assert refused.value.status_code == 502
    assert "127.0.0.1" not in str(refused.value)
    assert len(alice.wire.requests) == 1


def test_the_model_never_sees_the_callers_token(alice: Person, gateway: Gateway, llama: LlamaServer) -> None:
    """llama.cpp wants a key of its own: the caller's would be refused, and the gateway's is not told to the caller."""
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=f"{llama.url}/v1", api_key=alice.token, max_retries=0).models.list()
    alice.openai().chat.completions.create(model="tiny", messages=asks("What does water do?"))

    assert llama.api_key is not None
    assert llama.api_key.encode() not in alice.wire.received
    assert all(llama.api_key not in str(answer.headers) for answer in alice.wire.answers)


@pytest.mark.parametrize("client", [ALICE], ids=["alice"])
def test_a_parameter_over_its_bound_is_clamped(person: Callable[..., Person], client: object) -> None:
    reply = (
        person(client)
        .openai()
        .chat.completions.create(model="tiny", messages=asks("What does water do?"), max_tokens=100_000)
    )
    assert reply.choices[0].message.content == PLAIN
