"""The parameters of Anthropic's messages, with what vLLM adds to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from penstock.apis.calls.fields import ANY, BOOL, INT, LIST, NUMBER, OBJECT, STRING, Field, parameter
from penstock.apis.calls.turns import LABEL

MESSAGES: Final[Mapping[str, Field]] = {
    "model": Field(STRING),
    "messages": Field(LIST),
    "system": Field(STRING | LIST),
    "stream": Field(BOOL),
    "max_tokens": parameter(INT, "max_tokens", limit=True),
    "temperature": parameter(NUMBER, "temperature"),
    "top_p": parameter(NUMBER, "top_p"),
    "top_k": parameter(INT, "top_k"),
    "stop_sequences": parameter(LIST, "stop", role="other"),
    "metadata": parameter(OBJECT, "metadata", role="other"),
    "thinking": parameter(OBJECT, "thinking", role=LABEL),
    "tools": parameter(LIST, "tools"),
    "tool_choice": parameter(OBJECT, "tool_choice", role=LABEL),
    "cache_control": parameter(OBJECT, "cache_control", role=LABEL),
    "service_tier": parameter(STRING, "service_tier", role=LABEL),
    "speed": parameter(STRING, "speed", role=LABEL),
    "inference_geo": parameter(STRING, "inference_geo", role=LABEL),
    "output_config": parameter(OBJECT, "output_config", role="schema"),
    "output_format": parameter(OBJECT, "output_format", role="schema"),
    # What reaches other servers or other models, keeps state, or puts text where nobody looks for it.
    "mcp_servers": parameter(LIST, "mcp_servers", ordinary=False, role="other"),
    "container": parameter(ANY, "container", ordinary=False, role="other"),
    "context_management": parameter(OBJECT, "context_management", ordinary=False, role="other"),
    "compaction": parameter(ANY, "compaction", ordinary=False, role="other"),
    "thread": parameter(ANY, "thread", ordinary=False, role="other"),
    "fallbacks": parameter(ANY, "fallbacks", ordinary=False, role="other"),
    "chat_template_kwargs": parameter(OBJECT, "chat_template_kwargs", ordinary=False, role="other"),
    "kv_transfer_params": parameter(OBJECT, "kv_transfer_params", ordinary=False, role="other"),
}
