"""Parameters that servers of embeddings, scores, ranks and token ids have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from penstock.apis.calls.fields import ANY, BOOL, INT, LIST, OBJECT, STRING, Field, parameter
from penstock.apis.calls.turns import LABEL

INPUT: Final = Field(ANY)
"""A key of `Whole.inputs`, which reads its value itself."""

SHARED: Final[Mapping[str, Field]] = {
    "model": Field(STRING),
    "user": parameter(STRING, "user", role="other"),
    # Ids of the caller's own.
    "request_id": parameter(STRING, "request_id", role=LABEL),
    "rid": parameter(STRING | LIST, "request_id", role=LABEL),
    # What is done to the text before the model reads it.
    "add_special_tokens": parameter(BOOL, "add_special_tokens"),
    "truncate": parameter(BOOL | STRING, "truncate", role=LABEL),
    "truncation_direction": parameter(STRING, "truncation_side", role=LABEL),
    "truncation_side": parameter(STRING, "truncation_side", role=LABEL),
    "truncate_prompt_tokens": parameter(INT, "truncate_prompt_tokens"),
    "padding": parameter(STRING | BOOL, "padding", role=LABEL),
    "instruction": parameter(STRING, "instruction", role="system"),
    "instruct": parameter(STRING, "instruction", role="system"),
    "prompt_name": parameter(STRING, "prompt_name", role=LABEL),
    "input_type": parameter(STRING, "input_type", role=LABEL),
    "task": parameter(STRING, "task", role=LABEL),
    # What is done to the numbers behind it.
    "encoding_format": parameter(STRING, "encoding_format", role=LABEL),
    "embed_dtype": parameter(STRING, "embed_dtype", role=LABEL),
    "endianness": parameter(STRING, "endianness", role=LABEL),
    "dimensions": parameter(INT, "dimensions"),
    "normalize": parameter(BOOL, "normalize"),
    "embd_normalize": parameter(INT, "embd_normalize"),
    "use_activation": parameter(BOOL, "use_activation"),
    "activation": parameter(BOOL, "use_activation"),
    "softmax": parameter(BOOL, "use_activation"),
    "raw_scores": parameter(BOOL, "raw_scores"),
    "late_chunking_params": parameter(OBJECT, "late_chunking", role=LABEL),
    # What jumps the queue, keeps apart in a cache, changes the server or puts text where nobody looks for it.
    "priority": parameter(INT, "priority", ordinary=False),
    "cache_salt": parameter(STRING, "cache_salt", ordinary=False, role=LABEL),
    "lora_path": parameter(STRING | LIST, "lora", ordinary=False, role="other"),
    "backend": parameter(STRING, "backend", ordinary=False, role="other"),
    "mm_processor_kwargs": parameter(OBJECT, "mm_processor_kwargs", ordinary=False, role="other"),
    "media_io_kwargs": parameter(OBJECT, "media_io_kwargs", ordinary=False, role="other"),
    "return_pooled_hidden_states": parameter(BOOL, "return_hidden_states", ordinary=False),
    "return_prompt_token_ids": parameter(BOOL, "return_token_ids", ordinary=False),
}

TEMPLATED: Final[Mapping[str, Field]] = {
    "add_generation_prompt": parameter(BOOL, "add_generation_prompt"),
    "continue_final_message": parameter(BOOL, "continue_final_message"),
    "chat_template": parameter(STRING, "chat_template", ordinary=False, role="system"),
    "chat_template_kwargs": parameter(OBJECT, "chat_template_kwargs", ordinary=False, role="other"),
    "template_vars": parameter(OBJECT, "chat_template_kwargs", ordinary=False, role="other"),
}
"""Of servers that make one text of a conversation."""

OVERRIDES: Final[Mapping[str, Field]] = {
    "embed_override_token_id": parameter(INT, "embed_override_token_id", ordinary=False),
    "embed_overrides": Field(LIST),
}
"""SGLang: vectors in place of tokens."""


def inputs(*names: str) -> dict[str, Field]:
    """Fields for keys that `Whole.inputs` reads."""
    return dict.fromkeys(names, INPUT)
