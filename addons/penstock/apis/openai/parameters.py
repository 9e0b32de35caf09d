"""The parameters that OpenAI's chat completions and completions share, with what vLLM and llama.cpp add to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from penstock.apis.calls.fields import ANY, BOOL, INT, LIST, NUMBER, OBJECT, STRING, Field, parameter
from penstock.apis.calls.turns import LABEL

SHARED: Final[Mapping[str, Field]] = {
    "model": Field(STRING),
    "stream": Field(BOOL),
    # `n_predict` is llama.cpp's own name, and wins there over the other two.
    "max_tokens": parameter(INT, "max_tokens", limit=True),
    "max_completion_tokens": parameter(INT, "max_tokens", limit=True),
    "n_predict": parameter(INT, "max_tokens", limit=True),
    "n": parameter(INT, "n", limit=True),
    "best_of": parameter(INT, "n", limit=True),
    "n_cmpl": parameter(INT, "n", limit=True),
    "temperature": parameter(NUMBER, "temperature"),
    "top_p": parameter(NUMBER, "top_p"),
    "top_k": parameter(INT, "top_k"),
    "min_p": parameter(NUMBER, "min_p"),
    "typical_p": parameter(NUMBER, "typical_p"),
    "presence_penalty": parameter(NUMBER, "presence_penalty"),
    "frequency_penalty": parameter(NUMBER, "frequency_penalty"),
    "repetition_penalty": parameter(NUMBER, "repeat_penalty"),
    "repeat_penalty": parameter(NUMBER, "repeat_penalty"),
    "min_tokens": parameter(INT, "min_tokens"),
    "seed": parameter(INT, "seed"),
    "stop": parameter(STRING | LIST, "stop", role="other"),
    "stream_options": parameter(OBJECT, "stream_options"),
    "logit_bias": parameter(OBJECT, "logit_bias"),
    "user": parameter(STRING, "user", role="other"),
    "metadata": parameter(OBJECT, "metadata", role="other"),
    "safety_identifier": parameter(STRING, "safety_identifier", role="other"),
    "prompt_cache_key": parameter(STRING, "prompt_cache_key", role="other"),
    "service_tier": parameter(STRING, "service_tier", role=LABEL),
    # What changes the server, keeps state on it, or puts text where nobody looks for it.
    "store": parameter(BOOL, "store", ordinary=False),
    "lora": parameter(ANY, "lora", ordinary=False, role="other"),
    "grammar": parameter(STRING, "grammar", ordinary=False, role="schema"),
    "json_schema": parameter(ANY, "json_schema", ordinary=False, role="schema"),
    "chat_template": parameter(STRING, "chat_template", ordinary=False, role="system"),
    "chat_template_kwargs": parameter(OBJECT, "chat_template_kwargs", ordinary=False, role="other"),
    "documents": parameter(LIST, "documents", ordinary=False, role="other"),
}

CHAT: Final[Mapping[str, Field]] = {
    **SHARED,
    "messages": Field(LIST),
    "logprobs": parameter(BOOL, "logprobs"),
    "top_logprobs": parameter(INT, "top_logprobs"),
    "tools": parameter(LIST, "tools"),
    "functions": parameter(LIST, "tools"),
    "tool_choice": parameter(STRING | OBJECT, "tool_choice", role=LABEL),
    "function_call": parameter(STRING | OBJECT, "tool_choice", role=LABEL),
    "parallel_tool_calls": parameter(BOOL, "parallel_tool_calls"),
    "response_format": parameter(OBJECT, "response_format", role="schema"),
    "prediction": parameter(OBJECT, "prediction"),
    "reasoning_effort": parameter(STRING, "reasoning_effort", role=LABEL),
    "reasoning": parameter(OBJECT, "reasoning", role=LABEL),
    "verbosity": parameter(STRING, "verbosity", role=LABEL),
    "modalities": parameter(LIST, "modalities", ordinary=False, role=LABEL),
    "audio": parameter(OBJECT, "audio", ordinary=False, role="other"),
    "web_search_options": parameter(OBJECT, "web_search_options", ordinary=False, role="other"),
}

COMPLETIONS: Final[Mapping[str, Field]] = {
    **SHARED,
    "prompt": Field(STRING | LIST),
    "suffix": parameter(STRING, "suffix", role="user"),
    "echo": parameter(BOOL, "echo"),
    "logprobs": parameter(INT, "logprobs"),
    "response_format": parameter(OBJECT, "response_format", ordinary=False, role="schema"),
    "prompt_embeds": parameter(ANY, "prompt_embeds", ordinary=False),
}
