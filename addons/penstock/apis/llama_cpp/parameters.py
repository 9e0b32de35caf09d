"""The parameters of llama.cpp's own completions (`tools/server/server-schema.cpp`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from penstock.apis.calls.fields import ANY, BOOL, INT, LIST, NUMBER, OBJECT, STRING, Field, parameter, wrong
from penstock.apis.calls.turns import LABEL, Key, Turns
from penstock.apis.replies.pieces import plain_word
from penstock.exchange import Json, Path

SHARED: Final[Mapping[str, Field]] = {
    "model": Field(STRING),
    "stream": Field(BOOL),
    "stream_options": parameter(OBJECT, "stream_options", role=LABEL),
    # The server takes the first of these that is there.
    "n_predict": parameter(INT, "max_tokens", limit=True),
    "max_completion_tokens": parameter(INT, "max_tokens", limit=True),
    "max_tokens": parameter(INT, "max_tokens", limit=True),
    "n_cmpl": parameter(INT, "n", limit=True),
    "n": parameter(INT, "n", limit=True),
    "temperature": parameter(NUMBER, "temperature"),
    "dynatemp_range": parameter(NUMBER, "dynatemp_range"),
    "dynatemp_exponent": parameter(NUMBER, "dynatemp_exponent"),
    "top_k": parameter(INT, "top_k"),
    "top_p": parameter(NUMBER, "top_p"),
    "min_p": parameter(NUMBER, "min_p"),
    "top_n_sigma": parameter(NUMBER, "top_n_sigma"),
    "xtc_probability": parameter(NUMBER, "xtc_probability"),
    "xtc_threshold": parameter(NUMBER, "xtc_threshold"),
    "typical_p": parameter(NUMBER, "typical_p"),
    "adaptive_target": parameter(NUMBER, "adaptive_target"),
    "adaptive_decay": parameter(NUMBER, "adaptive_decay"),
    "repeat_last_n": parameter(INT, "repeat_last_n"),
    "repeat_penalty": parameter(NUMBER, "repeat_penalty"),
    "presence_penalty": parameter(NUMBER, "presence_penalty"),
    "frequency_penalty": parameter(NUMBER, "frequency_penalty"),
    "dry_multiplier": parameter(NUMBER, "dry_multiplier"),
    "dry_base": parameter(NUMBER, "dry_base"),
    "dry_allowed_length": parameter(INT, "dry_allowed_length"),
    "dry_penalty_last_n": parameter(INT, "dry_penalty_last_n"),
    "dry_sequence_breakers": parameter(LIST, "dry_sequence_breakers", role="other"),
    "mirostat": parameter(INT, "mirostat"),
    "mirostat_tau": parameter(NUMBER, "mirostat_tau"),
    "mirostat_eta": parameter(NUMBER, "mirostat_eta"),
    "samplers": parameter(STRING | LIST, "samplers", role=LABEL),
    "seed": parameter(INT, "seed"),
    "stop": parameter(STRING | LIST, "stop", role="other"),
    "ignore_eos": parameter(BOOL, "ignore_eos"),
    "logit_bias": parameter(LIST | OBJECT, "logit_bias"),
    "min_keep": parameter(INT, "min_keep"),
    "n_keep": parameter(INT, "n_keep"),
    "n_indent": parameter(INT, "n_indent"),
    "t_max_predict_ms": parameter(INT, "t_max_predict_ms"),
    "n_probs": parameter(INT, "logprobs"),
    "logprobs": parameter(INT, "logprobs"),
    "post_sampling_probs": parameter(BOOL, "post_sampling_probs"),
    "return_tokens": parameter(BOOL, "return_tokens"),
    "return_progress": parameter(BOOL, "return_progress"),
    "timings_per_token": parameter(BOOL, "timings_per_token"),
    "cache_prompt": parameter(BOOL, "cache_prompt"),
    # The names of fields, with slashes: longer than any other label.
    "response_fields": parameter(LIST, "response_fields", role="other"),
    # What keeps state on the server, changes who answers, or says what the answer must be.
    "grammar": parameter(STRING, "grammar", ordinary=False, role="schema"),
    "json_schema": parameter(ANY, "json_schema", ordinary=False, role="schema"),
    "lora": parameter(LIST, "lora", ordinary=False, role="other"),
    "id_slot": parameter(INT, "id_slot", ordinary=False),
    "n_cache_reuse": parameter(INT, "n_cache_reuse", ordinary=False),
    "n_discard": parameter(INT, "n_discard", ordinary=False),
    "sse_ping_interval": parameter(INT, "sse_ping_interval", ordinary=False),
    # The debug output that it turns on repeats the prompt.
    "verbose": parameter(BOOL, "verbose", ordinary=False),
}

COMPLETION: Final[Mapping[str, Field]] = {**SHARED, "prompt": Field(STRING | LIST | OBJECT)}

INFILL: Final[Mapping[str, Field]] = {
    **SHARED,
    "prompt": Field(STRING),
    "input_prefix": Field(STRING),
    "input_suffix": Field(STRING),
    "input_extra": Field(LIST),
}


def read_bias(turns: Turns, value: Json, path: Path) -> None:
    """Pairs of a token (its id, or text) and a bias, or an object of the same.

    Raises: Refusal.
    """
    match value:
        case list():
            for index, pair in enumerate(value):
                if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[1], (int, float)):
                    raise wrong((*path, index), "a token and its bias")
                if isinstance(pair[0], str):
                    turns.add("other", pair[0], (*path, index, 0))
                elif pair[0].__class__ is not int:
                    raise wrong((*path, index, 0), "a token id or a text")
        case dict():
            for key, bias in value.items():
                if not isinstance(bias, (int, float)):
                    raise wrong((*path, key), "a number or false")
                if not plain_word(key) and not (key.isdecimal() and len(key) < 8):
                    turns.add("other", key, (*path, Key(key)))
        case _:
            return
