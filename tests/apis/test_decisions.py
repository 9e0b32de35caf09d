from __future__ import annotations

import orjson
import pytest

from penstock import apis
from penstock.errors import Refusal
from penstock.exchange import Json, JsonObject, Operation
from tests.apis.calls import call, said
from tests.masking.replies import reply_mask

QUESTION: Json = {"type": "choice", "instructions": "i", "choices": [{"value": "v", "description": "d"}]}


def test_the_input_and_every_word_of_the_questions_are_turns() -> None:
    made = call("/v1/decisions", {"model": "m", "input": [{"role": "user", "content": "a"}], "questions": [QUESTION]})
    assert (made.api, made.operation, made.model) == ("decisions", Operation.SCORE, "m")
    assert [text for _, text in said(made)] == ["a", "choice", "i", "v", "d"] and not made.unusual


def test_the_older_form_has_a_state_and_questions_by_name() -> None:
    body: JsonObject = {
        "state": {"message": "a", "order": {"id": 4111111111111111}},
        "questions": {"who is it": {"type": "choice", "criteria": {"bob": "b"}}},
        "instructions": "c",
        "images": ["http://x/i.png"],
        "chat_template_kwargs": {"k": "e"},
    }
    made = call("/v1/systemone", body)
    words = [text for _, text in said(made)]
    assert words == ["a", "4111111111111111", "who is it", "choice", "b", "c", "http://x/i.png", "e"]
    assert made.uninspected == ("image", "url") and made.unusual == {"chat_template_kwargs"}


def test_a_question_about_nothing_is_refused() -> None:
    with pytest.raises(Refusal):
        call("/v1/decisions", {"model": "m"})


def test_answers_are_text_with_their_keys() -> None:
    made = call("/v1/systemone", {"state": "a", "questions": {}})
    reply: JsonObject = {"answers": {"q": {"choice": "bob@example.org", "probabilities": {"bob@example.org": 0.9}}}}
    out = reply_mask(apis.by_name("decisions").reader(made)).whole(200, "application/json", orjson.dumps(reply))
    assert orjson.loads(out) == {"answers": {"q": {"choice": "[EMAIL]", "probabilities": {"[EMAIL]": 0.9}}}}
