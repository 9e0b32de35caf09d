"""The tiny model: what is told to it beforehand is what a real llama.cpp says, token by token."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from scripts.model.answers import ANSWERS, CARD, EMAIL, THOUGHT_EMAIL, TOOL_EMAIL
from scripts.model.llama_server import LlamaServer
from scripts.model.tiny_gguf import Answer, answer, write_model
from scripts.stage.process import Child, ProcessError, python


@pytest.fixture
def client(llama: LlamaServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{llama.url}/v1", api_key=llama.api_key, max_retries=0) as made:
        yield made


def said(client: openai.OpenAI, text: str, temperature: float) -> list[str]:
    stream = client.chat.completions.create(
        model="tiny", messages=[{"role": "user", "content": text}], temperature=temperature, stream=True
    )
    return [event.choices[0].delta.content for event in stream if event.choices and event.choices[0].delta.content]


@pytest.mark.parametrize("temperature", [0.0, 1.0, 5.0])
def test_each_piece_is_one_token_whatever_the_sampler(client: openai.OpenAI, temperature: float) -> None:
    assert said(client, "Whom do I ask?", temperature) == list(ANSWERS[-1].pieces)
    assert said(client, "What does water do?", temperature) == list(ANSWERS[0].pieces)


def test_it_thinks_and_calls_tools_as_llama_cpp_understands_them(client: openai.OpenAI) -> None:
    thought = client.chat.completions.create(model="tiny", messages=[{"role": "user", "content": "think"}])
    assert THOUGHT_EMAIL in str(getattr(thought.choices[0].message, "reasoning_content", ""))

    called = client.chat.completions.create(
        model="tiny",
        messages=[{"role": "user", "content": "look up"}],
        tools=[
            {
                "type": "function",
                "function": {
                    "name": "lookup",
                    "parameters": {"type": "object", "properties": {"email": {"type": "string"}}},
                },
            }
        ],
    )
    assert called.choices[0].finish_reason == "tool_calls"
    assert TOOL_EMAIL in str(called.choices[0].message.tool_calls)


def test_the_values_of_the_answers_are_cut_in_their_middle() -> None:
    for value in (EMAIL, CARD, THOUGHT_EMAIL, TOOL_EMAIL):
        assert any(value in one.text for one in ANSWERS)
        assert not any(value in piece for one in ANSWERS for piece in one.pieces)


def test_a_server_with_a_key_wants_it(llama: LlamaServer) -> None:
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=f"{llama.url}/v1", api_key="another", max_retries=0).chat.completions.create(
            model="tiny", messages=[{"role": "user", "content": "hello"}]
        )


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ((answer("one|two|one"),), "no two may be alike"),
        ((answer("one||two"),), "no piece is empty"),
        ((answer("one", cue="x"),), "has no cue"),
        ((answer("one"), answer("two")), "has no cue"),
        ((), "at least one piece"),
    ],
)
def test_what_cannot_be_said_is_not_written(tmp_path: Path, answers: tuple[Answer, ...], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        write_model(tmp_path / "x.gguf", answers)
    assert not (tmp_path / "x.gguf").exists()


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "no.gguf").write_bytes(b"this is no model")
    child = Child("llama.cpp", python("scripts.model.llama_server", str(tmp_path / "no.gguf")), log=tmp_path / "log")
    with pytest.raises(ProcessError, match=r"(?s)ended with status .* before it was ready.*no\.gguf"):
        child.wait_until(lambda: None, seconds=60)
