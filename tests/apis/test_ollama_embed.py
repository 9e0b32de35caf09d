from __future__ import annotations

import orjson
import pytest

from penstock import apis
from penstock.errors import Refusal
from penstock.exchange import Json, JsonObject, Operation
from tests.apis.calls import call, said
from tests.masking.replies import reply_mask

EMBED, OLDER = "/api/embed", "/api/embeddings"


def test_texts_are_turns_and_the_model_has_one_name() -> None:
    made = call(EMBED, {"model": "Library/Llama3.2:latest", "input": ["a", "b"], "truncate": True, "dimensions": 5})
    assert (made.api, made.operation, made.model) == ("ollama.embed", Operation.EMBED, "llama3.2")
    assert said(made) == [("user", "a"), ("user", "b")] and not made.unusual
    assert made.body is not None and made.body["model"] == "llama3.2"


def test_the_older_endpoint_has_one_prompt() -> None:
    made = call(OLDER, {"model": "m", "prompt": "a"})
    assert (made.api, made.operation) == ("ollama.embeddings", Operation.EMBED) and said(made) == [("user", "a")]


def test_either_key_is_read_on_either_path() -> None:
    for path in (EMBED, OLDER):
        assert said(call(path, {"model": "m", "prompt": "a", "input": "b"})) == [("user", "b"), ("user", "a")]


@pytest.mark.parametrize(
    ("body", "operation"),
    [
        ({}, Operation.LOAD),
        ({"input": ""}, Operation.LOAD),
        ({"input": []}, Operation.LOAD),
        ({"input": None, "keep_alive": "5m"}, Operation.LOAD),
        ({"input": "", "keep_alive": 0}, Operation.UNLOAD),
        ({"keep_alive": "0s"}, Operation.UNLOAD),
    ],
)
def test_an_embedding_of_nothing_is_an_order(body: dict[str, Json], operation: Operation) -> None:
    made = call(EMBED, {"model": "m", **body})
    assert made.operation == operation and not made.unusual


def test_what_keeps_a_model_loaded_or_reloads_it_needs_a_grant() -> None:
    made = call(EMBED, {"model": "m", "input": "a", "keep_alive": "1h", "options": {"num_ctx": 5, "stop": ["s"]}})
    assert made.operation == Operation.EMBED and made.unusual == {"keep_alive", "num_ctx"}
    assert said(made) == [("user", "a"), ("other", "s")]


@pytest.mark.parametrize(
    "body",
    [
        {"input": "a"},
        {"model": "m", "input": "a", "Input": "b"},
        {"model": "m", "keep_alive": "x"},
        {"model": "m", "input": 5},
    ],
)
def test_what_has_no_sense_is_refused(body: JsonObject) -> None:
    with pytest.raises(Refusal):
        call(EMBED, body)


def test_masked_texts_are_read_anew() -> None:
    made = call(EMBED, {"model": "m", "input": ["mail a@b.example"]})
    masked = apis.with_texts(made, {("input", 0): "mail [EMAIL]"})
    assert masked.operation == Operation.EMBED and said(masked) == [("user", "mail [EMAIL]")]


def test_vectors_pass_as_they_are() -> None:
    body = orjson.dumps({"model": "m", "embeddings": [[0.5, 1], [2, 3]], "total_duration": 14143917})
    made = call(EMBED, {"model": "m", "input": "a"})
    mask = reply_mask(apis.by_name(made.api).reader(made))
    assert mask.whole(200, "application/json", body) == body and mask.reply.model == "m"
