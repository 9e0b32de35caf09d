from __future__ import annotations

import pytest

from penstock import apis
from penstock.errors import Refusal
from penstock.exchange import Json, JsonObject, Operation
from tests.apis.calls import COMPLETIONS, call, said


def complete(prompt: Json, **more: Json) -> JsonObject:
    return {"model": "tiny", "prompt": prompt, **more}


def test_a_prompt_is_a_turn() -> None:
    made = call(COMPLETIONS, complete("once", suffix="end", echo=True, stop="X", logprobs=3, stream=True))
    assert made.operation == Operation.COMPLETE and made.stream
    assert said(made) == [("user", "once"), ("user", "end"), ("other", "X")]
    assert not made.unusual and made.parameters["logprobs"] == 3


def test_each_of_several_prompts_is_a_turn() -> None:
    made = call(COMPLETIONS, complete(["one", "two"]))
    assert [(turn.text, turn.path) for turn in made.turns] == [("one", ("prompt", 0)), ("two", ("prompt", 1))]


@pytest.mark.parametrize("prompt", [[1, 2, 3], [[1, 2], [3]], [0]])
def test_token_ids_are_content_that_nobody_reads(prompt: Json) -> None:
    made = call(COMPLETIONS, complete(prompt))
    assert made.uninspected == ("token_ids",) and not made.turns


@pytest.mark.parametrize(
    "prompt",
    [
        None,
        7,
        True,
        [],
        [[]],
        ["a", 1],
        [1, "a"],
        [True],
        [[1], "a"],
        [1.5],
        {"prompt_string": "a"},
        [{"prompt_string": "a"}],
    ],
)
def test_any_other_prompt_is_refused(prompt: Json) -> None:
    with pytest.raises(Refusal) as caught:
        call(COMPLETIONS, complete(prompt))
    assert "/prompt" in caught.value.message


def test_the_larger_of_n_and_best_of_is_judged_and_both_are_clamped() -> None:
    made = call(COMPLETIONS, complete("x", n=1, best_of=8))
    assert made.parameters["n"] == 8
    clamped = apis.by_name("openai.completions").with_parameters(made, {"n": 2})
    assert clamped.body is not None and (clamped.body["n"], clamped.body["best_of"]) == (1, 2)


def test_embedded_prompts_need_a_grant() -> None:
    made = call(COMPLETIONS, complete("", prompt_embeds="AAAA"))
    assert made.uninspected == ("embeddings",) and made.unusual == {"prompt_embeds"}


def test_a_masked_prompt_is_read_anew() -> None:
    made = call(COMPLETIONS, complete(["mail a@b.example", "x"], user="a@b.example"))
    masked = apis.with_texts(made, {("prompt", 0): "mail [EMAIL]", ("user",): "[EMAIL]"})
    assert masked.body is not None and masked.body["prompt"] == ["mail [EMAIL]", "x"]
    assert masked.parameters["user"] == "[EMAIL]"
