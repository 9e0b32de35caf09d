"""SGLang's tools that take a finished text apart: its tool calls, its reasoning. No model is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from penstock.apis.api import Route
from penstock.apis.calls.contents import Input, contents, documents
from penstock.apis.calls.fields import BOOL, STRING, Table, parameter
from penstock.apis.calls.pooling import SHARED, inputs
from penstock.apis.calls.turns import LABEL
from penstock.apis.calls.whole import Whole
from penstock.exchange import Operation


class SglangText(Whole):
    """`POST /parse_function_call` and `/separate_reasoning`: the text comes back in parts, each of them masked."""

    name = "sglang.text"
    routes = (
        Route("POST", "/parse_function_call", Operation.TOKENIZE),
        Route("POST", "/separate_reasoning", Operation.TOKENIZE),
    )
    table = Table(
        {
            "model": SHARED["model"],
            "rid": SHARED["rid"],
            **inputs("text", "tools"),
            "tool_call_parser": parameter(STRING, "tool_call_parser", role=LABEL),
            "reasoning_parser": parameter(STRING, "reasoning_parser", role=LABEL),
            "return_blocks": parameter(BOOL, "return_blocks"),
        }
    )
    inputs: ClassVar[Mapping[str, Input]] = {"text": contents, "tools": documents}
