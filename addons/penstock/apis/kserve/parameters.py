"""Parameters that models behind KServe, Triton and MLServer take, by whichever of their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from penstock.apis.calls.fields import ANY, BOOL, INT, LIST, NUMBER, STRING, Field, Table, both, largest, parameter
from penstock.apis.calls.turns import LABEL
from penstock.exchange import Json

GENERATION: Final[Mapping[str, Field]] = {
    "max_tokens": parameter(INT, "max_tokens", limit=True),
    "max_new_tokens": parameter(INT, "max_tokens", limit=True),
    # TensorRT-LLM's own name.
    "request_output_len": parameter(INT, "max_tokens", limit=True),
    "n": parameter(INT, "n", limit=True),
    "best_of": parameter(INT, "n", limit=True),
    "num_return_sequences": parameter(INT, "n", limit=True),
    "temperature": parameter(NUMBER, "temperature"),
    "top_p": parameter(NUMBER, "top_p"),
    "runtime_top_p": parameter(NUMBER, "top_p"),
    "top_k": parameter(INT, "top_k"),
    "runtime_top_k": parameter(INT, "top_k"),
    "min_p": parameter(NUMBER, "min_p"),
    "min_tokens": parameter(INT, "min_tokens"),
    "min_length": parameter(INT, "min_tokens"),
    "presence_penalty": parameter(NUMBER, "presence_penalty"),
    "frequency_penalty": parameter(NUMBER, "frequency_penalty"),
    "repetition_penalty": parameter(NUMBER, "repeat_penalty"),
    "length_penalty": parameter(NUMBER, "length_penalty"),
    "len_penalty": parameter(NUMBER, "length_penalty"),
    "seed": parameter(INT, "seed"),
    "random_seed": parameter(INT, "seed"),
    "beam_width": parameter(INT, "beam_width"),
    "end_id": parameter(INT, "end_id"),
    "pad_id": parameter(INT, "pad_id"),
    "do_sample": parameter(BOOL, "do_sample"),
    "ignore_eos": parameter(BOOL, "ignore_eos"),
    "stream": parameter(BOOL, "stream"),
    "streaming": parameter(BOOL, "stream"),
    "exclude_input_in_output": parameter(BOOL, "exclude_input_in_output"),
    "stop": parameter(STRING | LIST, "stop", role="other"),
    "stop_words": parameter(STRING | LIST, "stop", role="other"),
    "bad_words": parameter(STRING | LIST, "bad_words", role="other"),
    # vLLM's backend: limits of its own, as JSON in a string.
    "sampling_parameters": parameter(ANY, "sampling_parameters", ordinary=False, role="other"),
    "lora_name": parameter(STRING, "lora", ordinary=False, role=LABEL),
}

REQUEST: Final = Table(
    {
        **GENERATION,
        "content_type": parameter(STRING, "content_type", role=LABEL),
        "sequence_id": parameter(INT | STRING, "sequence_id", role="other"),
        "sequence_start": parameter(BOOL, "sequence_start"),
        "sequence_end": parameter(BOOL, "sequence_end"),
        "priority": parameter(INT, "priority"),
        "timeout": parameter(INT, "timeout"),
        "binary_data_output": Field(BOOL),
        "triton_enable_empty_final_response": parameter(BOOL, "triton_enable_empty_final_response"),
    },
    ("parameters",),
)
"""The object `parameters` of a request."""


def add_inner(found: dict[str, Json], value: Json) -> None:
    """Adds the parameters that stand in inputs, at any depth: a model may well take them from there. Of a limit the
    largest counts; of anything else, every value."""
    left: list[Json] = [value]
    while left:
        match left.pop():
            case list() as items:
                left += reversed(items)
            case dict() as inner:
                for key, item in inner.items():
                    spec = GENERATION.get(key)
                    if spec is None or not spec.name or item is None:
                        left.append(item)
                    elif spec.limit:
                        found[spec.name] = largest(found.get(spec.name), item)
                    else:
                        found[spec.name] = both(found[spec.name], item) if spec.name in found else item
            case _:
                pass
