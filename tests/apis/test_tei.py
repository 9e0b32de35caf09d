from __future__ import annotations

import orjson
import pytest

from penstock import apis
from penstock.apis.tei.errors import TEI
from penstock.errors import Refusal
from penstock.exchange import Json, JsonObject, Operation
from tests.apis.calls import call, said
from tests.masking.replies import reply_mask


@pytest.mark.parametrize(
    ("path", "body", "operation"),
    [
        (
            "/embed",
            {"inputs": ["a", "b"], "normalize": True, "truncate": True, "prompt_name": "query"},
            Operation.EMBED,
        ),
        ("/embed_all", {"inputs": ["a", "b"], "truncation_direction": "left"}, Operation.EMBED),
        ("/embed_sparse", {"inputs": ["a", "b"]}, Operation.EMBED),
        ("/predict", {"inputs": [["a", "b"]], "raw_scores": True}, Operation.SCORE),
        ("/similarity", {"inputs": {"source_sentence": "a", "sentences": ["b"]}, "parameters": {}}, Operation.SCORE),
    ],
)
def test_inputs_are_turns_in_every_shape(path: str, body: JsonObject, operation: Operation) -> None:
    made = call(path, body)
    assert (made.api, made.operation, made.model) == ("tei.embed", operation, None)
    assert said(made) == [("user", "a"), ("user", "b")]


def test_token_ids_need_a_grant() -> None:
    assert call("/embed", {"inputs": [[1, 2], "a"]}).uninspected == ("token_ids",)


@pytest.mark.parametrize(
    "document", [[[0.5, 1.0]], [[[0.5], [1.0]], [[2.0]]], [[{"index": 5, "value": 0.5}]], [0.5, -1], [[]], []]
)
def test_vectors_pass_as_they_are(document: Json) -> None:
    body = orjson.dumps(document)
    made = call("/embed", {"inputs": "a"})
    assert reply_mask(apis.by_name("tei.embed").reader(made)).whole(200, "application/json", body) == body


def test_errors_are_in_the_servers_own_form() -> None:
    kind, body = TEI.error(Refusal("invalid_request", "No.", 400), "X1")
    assert kind == "application/json"
    assert orjson.loads(body) == {"error": "No. (exchange X1)", "error_type": "validation"}
    assert TEI.event(Refusal("policy_violation", "No.", 403), "") == (
        b'data: {"error":"No.","error_type":"policy_violation"}\n\n'
    )
    assert apis.by_name("tei.embed").dialect is TEI
