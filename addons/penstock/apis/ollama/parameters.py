"""The parameters of Ollama's chat and generate, and what an order to load or unload a model looks like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from penstock.apis.calls.fields import BOOL, INT, LIST, NUMBER, OBJECT, STRING, Field, Table, parameter, pointer, wrong
from penstock.apis.calls.turns import LABEL, Turns
from penstock.errors import invalid
from penstock.exchange import Json, JsonObject, Operation

SHARED: Final[Mapping[str, Field]] = {
    "model": Field(STRING),
    "stream": Field(BOOL),
    "options": Field(OBJECT),
    "format": parameter(STRING | OBJECT, "response_format", role="schema"),
    "think": parameter(BOOL | STRING, "think", role=LABEL),
    "truncate": parameter(BOOL, "truncate"),
    "shift": parameter(BOOL, "shift"),
    "logprobs": parameter(BOOL, "logprobs"),
    "top_logprobs": parameter(INT, "top_logprobs"),
    # How long the model stays loaded after the call, for everybody.
    "keep_alive": parameter(STRING | NUMBER, "keep_alive", ordinary=False),
    "_debug_render_only": parameter(BOOL, "_debug_render_only", ordinary=False),
}

CHAT: Final[Mapping[str, Field]] = {
    **SHARED,
    "messages": Field(LIST),
    "tools": parameter(LIST, "tools"),
}

GENERATE: Final[Mapping[str, Field]] = {
    **SHARED,
    "prompt": Field(STRING),
    "suffix": parameter(STRING, "suffix", role="user"),
    "system": Field(STRING),
    "template": parameter(STRING, "template", ordinary=False, role="system"),
    "raw": parameter(BOOL, "raw", ordinary=False),
    "context": Field(LIST),
    "images": Field(LIST),
}

OPTIONS: Final = Table(
    {
        "num_predict": parameter(INT, "max_tokens", limit=True),
        "temperature": parameter(NUMBER, "temperature"),
        "top_p": parameter(NUMBER, "top_p"),
        "top_k": parameter(INT, "top_k"),
        "min_p": parameter(NUMBER, "min_p"),
        "typical_p": parameter(NUMBER, "typical_p"),
        "tfs_z": parameter(NUMBER, "tfs_z"),
        "seed": parameter(INT, "seed"),
        "stop": parameter(LIST, "stop", role="other"),
        "repeat_last_n": parameter(INT, "repeat_last_n"),
        "repeat_penalty": parameter(NUMBER, "repeat_penalty"),
        "presence_penalty": parameter(NUMBER, "presence_penalty"),
        "frequency_penalty": parameter(NUMBER, "frequency_penalty"),
        "penalize_newline": parameter(BOOL, "penalize_newline"),
        "mirostat": parameter(INT, "mirostat"),
        "mirostat_eta": parameter(NUMBER, "mirostat_eta"),
        "mirostat_tau": parameter(NUMBER, "mirostat_tau"),
        "num_keep": parameter(INT, "num_keep"),
        # Another value than the loaded model's makes Ollama load it again, for everybody.
        "num_ctx": parameter(INT, "num_ctx", ordinary=False),
        "num_batch": parameter(INT, "num_batch", ordinary=False),
        "num_gpu": parameter(INT, "num_gpu", ordinary=False),
        "main_gpu": parameter(INT, "main_gpu", ordinary=False),
        "num_thread": parameter(INT, "num_thread", ordinary=False),
        "use_mmap": parameter(BOOL, "use_mmap", ordinary=False),
        "use_mlock": parameter(BOOL, "use_mlock", ordinary=False),
        "numa": parameter(BOOL, "numa", ordinary=False),
        "low_vram": parameter(BOOL, "low_vram", ordinary=False),
        "draft_num_predict": parameter(INT, "draft_num_predict", ordinary=False),
    },
    at=("options",),
)


def read_parameters(table: Table, turns: Turns, body: JsonObject, unknown: list[str]) -> None:
    """Makes turns of the strings in parameters, options and unknown keys.

    Raises: Refusal for options of wrong types or spellings.
    """
    for key, value in body.items():
        spec = table.fields.get(key)
        if spec is not None and spec.role and value is not None:
            turns.everything(spec.role, value, (key,))
    for key in unknown:
        turns.everything("other", body[key], (key,))
    options = body.get("options")
    if not isinstance(options, dict):
        return
    OPTIONS.check(options)
    for index, item in enumerate(_list(options.get("stop"))):
        if not isinstance(item, str):
            raise wrong(("options", "stop", index), "a string")
    turns.everything("other", options, ("options",))


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def read_images(turns: Turns, value: Json, path: tuple[str | int, ...]) -> None:
    """Images are base64 strings that nobody can read here."""
    if value is None:
        return
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise wrong(path, "a list of base64 strings")
    if value:
        turns.uninspected.add("image")


def lifecycle(body: JsonObject) -> Operation:
    """What a call without a prompt is: an order to load the model, or to unload it."""
    return Operation.UNLOAD if _is_zero(body.get("keep_alive")) else Operation.LOAD


def orders(operation: Operation) -> frozenset[str]:
    """Parameters that an order cannot do without: granting the operation grants them."""
    return frozenset({"keep_alive"} if operation in (Operation.LOAD, Operation.UNLOAD) else ())


_DURATION: Final = re.compile(
    r"[+-]?(?:(?:[0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})(?:ns|us|µs|μs|ms|s|m|h))+|[+-]?0"
)
_TERM: Final = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_NANOSECONDS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}


def _is_zero(value: Json) -> bool:
    """Whether Ollama makes zero of a `keep_alive`: seconds, or a Go duration, cut to whole nanoseconds."""
    match value:
        case int() | float():
            return abs(value) < 1e-9
        case str():
            if not _DURATION.fullmatch(value):
                raise invalid(f"{pointer(('keep_alive',))} must be a duration (5m, 1h30m) or seconds.")
            terms = _TERM.findall(value)
            return sum(int(Decimal(number) * _NANOSECONDS[unit]) for number, unit in terms) == 0
        case _:
            return False


def check_keep_alive(body: JsonObject) -> None:
    """Refuses a `keep_alive` that Go's parser might read otherwise."""
    _is_zero(body.get("keep_alive"))
