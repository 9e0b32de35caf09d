from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.apis.names import elsewhere, model_name, ollama_name
from penstock.errors import Refusal


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("llama3", "llama3"),
        ("LLAMA3", "llama3"),
        ("llama3:latest", "llama3"),
        ("llama3:LATEST", "llama3"),
        ("library/llama3", "llama3"),
        ("registry.ollama.ai/library/llama3:latest", "llama3"),
        ("Registry.Ollama.AI/Library/Llama3", "llama3"),
        ("registry.ollama.ai/me/llama3", "me/llama3"),
        ("me/llama3:8b", "me/llama3:8b"),
        ("qwen2.5:7b", "qwen2.5:7b"),
        ("hf.co/bartowski/Llama-3.2-1B-GGUF:Q4_K_M", "hf.co/bartowski/llama-3.2-1b-gguf:q4_k_m"),
        ("host:5000/library/llama3", "host:5000/library/llama3"),
        ("gpt-oss:120b-cloud", "gpt-oss:120b-cloud"),
    ],
)
def test_every_spelling_of_an_ollama_model_is_one_name(name: str, canonical: str) -> None:
    assert ollama_name(name) == canonical
    assert ollama_name(canonical) == canonical


@pytest.mark.parametrize(
    "name",
    [
        None,
        "",
        7,
        ["llama3"],
        " llama3",
        "llama3 ",
        "lla\u200bma3",
        "\u017flama",
        "llama3:local",
        "llama3:8b:local",
        "llama3:8b:cloud",
        "a/b/c/d",
        "https://host/a/b",
        "../../etc/passwd",
        "llama3@sha256:0",
        "-llama",
        "a" * 600,
        "llama3:",
        "/llama3",
    ],
)
def test_what_ollama_could_take_for_another_model_is_refused(name: object) -> None:
    with pytest.raises(Refusal) as caught:
        ollama_name(name)  # type: ignore[arg-type]
    assert caught.value.code == "invalid_request"
    assert "/model" in caught.value.message


@given(st.text("abcXY019._-:/", max_size=24))
def test_a_canonical_name_is_stable(name: str) -> None:
    try:
        canonical = ollama_name(name)
    except Refusal:
        return
    assert ollama_name(canonical) == canonical
    assert canonical == canonical.lower()


def test_a_name_of_another_server_stays_as_it_is() -> None:
    assert model_name("meta-llama/Llama-3.2-1B-Instruct") == "meta-llama/Llama-3.2-1B-Instruct"
    for bad in (None, "", 1, "a b", "caf\u00e9", "a\n", "a" * 513):
        with pytest.raises(Refusal):
            model_name(bad)


@pytest.mark.parametrize(
    ("name", "cloud"),
    [
        ("gpt-oss:cloud", True),
        ("gpt-oss:120b-cloud", True),
        ("gpt-oss:120b-CLOUD", True),
        ("my-cloud", False),
        ("gpt-oss:120b", False),
        ("host:5000/my-cloud", False),
        ("host:5000/x:cloud", True),
    ],
)
def test_names_that_leave_the_host_are_known(name: str, cloud: bool) -> None:
    assert elsewhere(name) is cloud
