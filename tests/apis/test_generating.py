"""What is the same for every text-generation API: no text in a body goes unread, and no limit is judged by another."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from penstock import apis
from penstock.apis.calls.fields import UNLIMITED
from penstock.apis.calls.generating import merged, nothing, read_media, same
from penstock.apis.calls.turns import Turns
from penstock.errors import Refusal
from penstock.exchange import Json, JsonObject, Path
from tests.apis.calls import call

MARK = "bob{}@example.com"

BODIES: list[tuple[str, JsonObject]] = [
    (
        "/completion",
        {
            "prompt": ["?", {"prompt_string": "?"}, [1, "?"]],
            "stop": ["?"],
            "grammar": "?",
            "json_schema": {"description": "?", "?": 1},
            "lora": [{"id": "?"}],
            "samplers": ["?"],
            "response_fields": ["?"],
            "dry_sequence_breakers": ["?"],
            "logit_bias": [["?", 1]],
            "stream_options": {"x": "?"},
            "unknown": {"deep": ["?"]},
        },
    ),
    ("/completions", {"prompt": "?", "logit_bias": {"?": 1}, "stop": "?", "id_slot": 1}),
    (
        "/infill",
        {
            "input_prefix": "?",
            "input_suffix": "?",
            "prompt": "?",
            "input_extra": [{"text": "?", "filename": "?"}],
            "unknown": "?",
        },
    ),
    (
        "/generate",
        {
            "inputs": "?",
            "parameters": {
                "stop": ["?"],
                "grammar": {"type": "regex", "value": "?"},
                "adapter_id": "?",
                "unknown": "?",
            },
            "unknown": "?",
        },
    ),
    (
        "/generate",
        {
            "text": ["?"],
            "rid": ["?"],
            "image_data": ["?", {"url": "?"}],
            "lora_path": ["?"],
            "session_params": {"id": "?"},
            "custom_logit_processor": "?",
            "sampling_params": {
                "stop": "?",
                "stop_regex": ["?"],
                "json_schema": "?",
                "ebnf": "?",
                "regex": "?",
                "structural_tag": "?",
                "custom_params": {"?": "?"},
                "logit_bias": {"?": 1},
                "unknown": "?",
            },
            "unknown": ["?"],
        },
    ),
    ("/generate", {"text": ["?"], "sampling_params": [{"stop": ["?"], "regex": "?"}]}),
    (
        "/generate",
        {"prompt": "?", "image_data": {"url": "?"}, "stop": "?", "media_io_kwargs": {"x": "?"}, "unknown": "?"},
    ),
    (
        "/api/v1/generate",
        {
            "prompt": "?",
            "memory": "?",
            "images": ["?"],
            "stop_sequence": ["?"],
            "grammar": "?",
            "genkey": "?",
            "banned_tokens": ["?"],
            "banned_strings": ["?"],
            "custom_token_bans": "?",
            "dry_sequence_breakers": "?",
            "adapter": {"user_start": "?"},
            "sampler_seed": "?",
            "unknown": "?",
        },
    ),
    (
        "/edits",
        {"model": "tiny", "instruction": "?", "input": ["?"], "stop": "?", "user": "?", "metadata": {"a": "?"}},
    ),
    (
        "/vertex_generate",
        {
            "instances": [{"text": "?", "image_data": "?"}, {"text": "?", "image_data": "?"}],
            "parameters": {"sampling_params": {"stop": "?", "unknown": "?"}, "unknown": "?"},
        },
    ),
    ("/vertex", {"instances": [{"inputs": "?", "unknown": "?"}, {"inputs": "?", "unknown": "?"}]}),
]


def marked(value: Json, count: Iterator[int], path: Path = ()) -> Json:
    """The body with a value of its own in the place of each `?`; the same below each instance, as it must be."""
    match value:
        case "?":
            return MARK.format("" if "unknown" in path and "instances" in path else next(count))
        case dict():
            return {
                str(marked(key, count)) if key == "?" else key: marked(inner, count, (*path, key))
                for key, inner in value.items()
            }
        case list():
            return [marked(inner, count, (*path, at)) for at, inner in enumerate(value)]
        case _:
            return value


def texts(value: Json) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for key, inner in value.items():
                yield key
                yield from texts(inner)
        case list():
            for inner in value:
                yield from texts(inner)
        case _:
            return


@pytest.mark.parametrize(("path", "body"), BODIES, ids=lambda each: each if isinstance(each, str) else "")
def test_every_text_of_a_body_is_a_turn_and_can_be_masked(path: str, body: JsonObject) -> None:
    given = marked(body, iter(range(1000)))
    assert isinstance(given, dict)
    made = call(path, given)
    planted = {text for text in texts(given) if "@example.com" in text}
    assert planted == {turn.text for turn in made.turns if "@example.com" in turn.text}
    masked = apis.with_texts(made, {turn.path: "[EMAIL]" for turn in made.turns if "@example.com" in turn.text})
    assert not any("@example.com" in text for text in texts(masked.body))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/generate", {"prompt": "a", "max_length": 9000, "max_tokens": 1}),
        ("/generate", {"inputs": "a", "max_tokens": 1, "parameters": {"max_new_tokens": 9000}}),
        ("/generate", {"inputs": "a", "parameters": {"max_new_tokens": 9000, "max_tokens": 1}}),
        ("/generate", {"input_ids": [1], "max_tokens": 9000, "sampling_params": {"max_new_tokens": 1}}),
        ("/generate", {"inputs": "a", "best_of": 1, "parameters": {"best_of": 9000}}),
    ],
)
def test_no_limit_is_judged_by_the_name_of_another(path: str, body: JsonObject) -> None:
    with pytest.raises(Refusal) as caught:
        call(path, body)
    assert "is not where this API has that parameter" in caught.value.message


def test_of_the_parts_of_a_call_the_largest_limits_are_judged() -> None:
    assert merged([], ("x",)) == {}
    assert merged([{"max_tokens": 1, "seed": 2}, {"max_tokens": -1, "seed": 2}], ("x",)) == {
        "max_tokens": UNLIMITED,
        "seed": 2,
    }
    for other in ({"seed": 2}, {"max_tokens": 1, "seed": 3}, {"max_tokens": 1, "seed": True}):
        with pytest.raises(Refusal) as caught:
            merged([{"max_tokens": 1, "seed": 2}, other], ("x",))
        assert "/x" in caught.value.message


def test_equal_is_meant_as_json_does() -> None:
    assert same({"a": [1, None]}, {"a": [1, None]}) and not same(1, True) and not same(0, False)


@pytest.mark.parametrize("value", [None, True, 0.5, 7, -999_999])
def test_some_values_say_nothing(value: Json) -> None:
    assert nothing(value)


@pytest.mark.parametrize("value", ["", "a", 4111111111111111, [], {}])
def test_all_others_are_looked_at(value: Json) -> None:
    assert not nothing(value)


def test_names_of_files_are_not_taken_for_images() -> None:
    turns = Turns()
    read_media(turns, ["data:image/png;base64,AA==", "A" * 64, "../../etc/passwd", 7], ("image_data",), "image")
    assert [turn.path for turn in turns.found] == [("image_data", 2)] and turns.uninspected == {"image", "url"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/generate", {"text": "a", "token_ids_logprob": ["mail bob@example.com"]}),
        ("/generate", {"text": "a", "return_logprob": [{"x": [{"a b": 1}]}]}),
        ("/generate", {"text": "a", "sampling_params": {"stop_token_ids": ["hidden"]}}),
        ("/generate", {"text": "a", "sampling_params": [{"stop_token_ids": [["hidden"]]}]}),
        ("/generate", {"prompt": "a", "stop_token_ids": ["hidden"]}),
        ("/api/v1/generate", {"prompt": "a", "sampler_order": ["hidden"]}),
        ("/v1/edits", {"model": "m", "input": "a", "instruction": "b", "stream_options": {"x": "hidden"}}),
    ],
)
def test_a_parameter_of_numbers_has_no_room_for_a_text(path: str, body: JsonObject) -> None:
    with pytest.raises(Refusal) as caught:
        call(path, body)
    assert "a number or a boolean" in caught.value.message


def test_lists_of_numbers_are_what_they_are() -> None:
    made = call("/generate", {"text": "a", "top_logprobs_num": [1, 2], "sampling_params": {"stop_token_ids": [1]}})
    assert made.parameters["stop_token_ids"] == [1] and made.uninspected == ()
