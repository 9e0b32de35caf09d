"""Decisions: questions about a text that are answered by the probabilities of the answers, without a word written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from penstock.apis.api import Route
from penstock.apis.calls.contents import Input, contents, documents, media
from penstock.apis.calls.fields import BOOL, INT, NUMBER, OBJECT, STRING, Table, parameter
from penstock.apis.calls.pooling import SHARED, inputs
from penstock.apis.calls.whole import Whole
from penstock.exchange import Operation

_INPUTS: Final[Mapping[str, Input]] = {
    "input": contents,
    "state": documents,
    "questions": documents,
    "instructions": contents,
    "images": media("image"),
    "audio": media("audio"),
    "videos": media("video"),
}


class Decisions(Whole):
    """`POST /v1/decisions` (`input`, a list of questions) and `/v1/systemone` (`state`, questions by name), of vLLM,
    SGLang, llama.cpp and transformers. Answers hold what the caller named: options, levels, names of questions."""

    name = "decisions"
    routes = (Route("POST", "/v1/decisions", Operation.SCORE), Route("POST", "/v1/systemone", Operation.SCORE))
    table = Table(
        {
            **{
                key: SHARED[key] for key in ("model", "request_id", "priority", "cache_salt", "return_prompt_token_ids")
            },
            **inputs(*_INPUTS),
            "temperature": parameter(NUMBER, "temperature"),
            "joint": parameter(BOOL, "joint"),
            "prompt_format_version": parameter(INT, "prompt_format_version"),
            "safety_identifier": parameter(STRING, "safety_identifier", role="other"),
            "chat_template_kwargs": parameter(OBJECT, "chat_template_kwargs", ordinary=False, role="other"),
        }
    )
    inputs: ClassVar[Mapping[str, Input]] = _INPUTS
