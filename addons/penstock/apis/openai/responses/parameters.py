"""The parameters of the Responses API, with what vLLM and llama.cpp add to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from penstock.apis.calls.fields import BOOL, INT, LIST, OBJECT, STRING, Field, parameter
from penstock.apis.calls.turns import LABEL
from penstock.apis.openai.parameters import SHARED

RESPONSES: Final[Mapping[str, Field]] = {
    "input": Field(STRING | LIST),
    "instructions": Field(STRING, role="system"),
    # Before the other names of the same bound: it is the one that a bound of the policy is written to.
    "max_output_tokens": parameter(INT, "max_tokens", limit=True),
    **SHARED,
    "max_tool_calls": parameter(INT, "max_tool_calls"),
    "tools": parameter(LIST, "tools"),
    "tool_choice": parameter(STRING | OBJECT, "tool_choice", role=LABEL),
    "parallel_tool_calls": parameter(BOOL, "parallel_tool_calls"),
    "text": parameter(OBJECT, "response_format"),
    "reasoning": parameter(OBJECT, "reasoning", role=LABEL),
    "include": parameter(LIST, "include", role=LABEL),
    "truncation": parameter(STRING, "truncation", role=LABEL),
    "top_logprobs": parameter(INT, "top_logprobs"),
    "prompt_cache_retention": parameter(STRING, "prompt_cache_retention", role=LABEL),
    # What goes on from, or leaves behind, something on the server that nobody reads here.
    "background": parameter(BOOL, "background", ordinary=False),
    "previous_response_id": parameter(STRING, "previous_response_id", ordinary=False, role=LABEL),
    "conversation": parameter(STRING | OBJECT, "conversation", ordinary=False, role=LABEL),
    "prompt": parameter(OBJECT, "prompt", ordinary=False, role="user"),
    "context_management": parameter(LIST, "context_management", ordinary=False, role=LABEL),
}

KEPT: Final = ("previous_response_id", "conversation", "prompt")
"""Keys that stand for texts which the server keeps."""
STATE: Final = ("store", "background")
"""Switches that leave something on the server; off, they ask for nothing."""
