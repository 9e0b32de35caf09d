from __future__ import annotations

import pytest

from penstock import apis
from penstock.errors import Refusal
from penstock.exchange import JsonObject, Operation
from tests.apis.calls import call, said


@pytest.mark.parametrize("path", ["/v1/edits", "/edits"])
def test_instruction_and_inputs_are_turns(path: str) -> None:
    made = call(path, {"model": "tiny", "instruction": "shorten", "input": ["a", "b"], "max_completion_tokens": 5})
    assert made.api == "localai.edits" and made.operation == Operation.COMPLETE and made.model == "tiny"
    assert said(made) == [("user", "shorten"), ("user", "a"), ("user", "b")]
    assert made.body is not None and made.body["max_tokens"] == 5
    assert apis.by_name(made.api).reader(made).ends(b"[DONE]")


def test_an_instruction_may_stand_alone() -> None:
    assert said(call("/edits", {"model": "tiny", "instruction": "write", "stop": "X"}))[0] == ("user", "write")


@pytest.mark.parametrize(
    "body",
    [
        {"instruction": "x"},
        {"model": "tiny"},
        {"model": "tiny", "instruction": ["x"]},
        {"model": "tiny", "instruction": "x", "input": [1]},
        {"model": "tiny", "instruction": "x", "input": []},
        {"model": "tiny", "instruction": "x", "stop": [1]},
    ],
)
def test_any_other_body_is_refused(body: JsonObject) -> None:
    with pytest.raises(Refusal):
        call("/v1/edits", body)
