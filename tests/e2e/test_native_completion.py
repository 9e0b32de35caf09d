"""llama.cpp's own completions through the gateway, on the wire."""

from __future__ import annotations

import json

import pytest

from scripts.model.answers import CARD, EMAIL
from tests.e2e.people import Person, shows


def sent(**call: object) -> tuple[str, ...]:
    return ("-H", "Content-Type: application/json", "--data-binary", json.dumps({"model": "tiny", **call}))


@pytest.mark.parametrize("stream", [False, True])
def test_a_native_completion_is_masked_on_the_wire(alice: Person, stream: bool) -> None:
    answer = alice.curl("/completion", *sent(prompt="Whom do I ask?", stream=stream))

    assert answer.status == 200
    assert not shows(answer.body, [EMAIL, CARD])
    assert b'"generation_settings":null' in answer.body and b'"stop":true' in answer.body
    assert b"[EMAIL]" in answer.body


def test_an_error_of_the_server_comes_through(alice: Person) -> None:
    """This model cannot fill in."""
    answer = alice.curl("/infill", *sent(input_prefix="a", input_suffix="b"))

    assert answer.status == 501 and answer.json()["error"]["type"] == "not_supported_error"


def test_a_grammar_and_token_ids_need_a_grant(alice: Person) -> None:
    for call in ({"prompt": "x", "grammar": "root ::= x"}, {"prompt": [1, 2, 3]}):
        answer = alice.curl("/completion", *sent(**call))
        assert answer.status == 403 and answer.json()["error"]["code"] == "not_granted"
