from __future__ import annotations

import pytest

from penstock import apis
from penstock.apis.several.sagemaker import SagemakerInvocations
from penstock.errors import Refusal
from penstock.exchange import Call, JsonObject, Operation
from tests.apis.calls import call, said

HI: JsonObject = {"model": "tiny", "messages": [{"role": "user", "content": "hi"}]}
API = SagemakerInvocations()


@pytest.mark.parametrize(
    ("body", "name", "operation"),
    [
        (HI, "openai.chat", Operation.CHAT),
        ({"model": "tiny", "prompt": "hi"}, "openai.completions", Operation.COMPLETE),
        ({"inputs": "hi", "parameters": {}}, "tgi.generate", Operation.COMPLETE),
    ],
)
def test_a_body_is_a_call_of_the_api_that_has_it(body: JsonObject, name: str, operation: Operation) -> None:
    made = call("/invocations", body)
    assert (made.api, made.operation, said(made)) == (name, operation, [("user", "hi")])
    mine = API.with_parameters(made, {"max_tokens": 3})
    assert mine.parameters["max_tokens"] == 3 and API.with_body(mine, mine.body or {}).parameters == mine.parameters
    assert API.parameters(mine.body or {}) == mine.parameters
    assert type(API.reader(made)) is type(apis.by_name(name).reader(made))


@pytest.mark.parametrize("body", [{}, {**HI, "prompt": "x"}, {**HI, "inputs": "x"}, {**HI, "input": "x"}, {"x": 1}])
def test_a_body_that_two_could_take_or_none_is_refused(body: JsonObject) -> None:
    with pytest.raises(Refusal) as caught:
        call("/invocations", body)
    assert caught.value.code == "invalid_request"


def test_the_keys_decide_whatever_else_there_is() -> None:
    with pytest.raises(Refusal):
        API.call(API.routes[0], "/invocations", None)
    with pytest.raises(Refusal):
        API.call(API.routes[0], "/invocations", {**HI, "prompt": "x"})


def test_a_reply_of_unknown_kind_is_read_as_a_chat() -> None:
    assert API.reader(Call(API.name, Operation.CHAT, "tiny")).ends(b"[DONE]")
