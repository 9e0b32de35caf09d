"""llama.cpp's own completions, older than its OpenAI-shaped ones and with more to them."""

from __future__ import annotations

from typing import ClassVar, Final

from penstock.apis.api import Dialect, ReplyReader, Route
from penstock.apis.calls.fields import Keys, Table, wrong
from penstock.apis.calls.generating import Generating
from penstock.apis.calls.turns import Turns
from penstock.apis.dialects import OPENAI
from penstock.apis.llama_cpp.parameters import COMPLETION, read_bias
from penstock.apis.llama_cpp.reply import NativeReader
from penstock.apis.openai.messages import strings
from penstock.exchange import Call, Json, JsonObject, Operation, Path

_MEDIA_PROMPT: Final = Keys(("prompt_string", "multimodal_data"))
_MARKS: Final = ("stop", "index")


class LlamaCompletion(Generating):
    """`POST /completion` and `/completions` (not `/v1/completions`, which is OpenAI's)."""

    name = "llama_cpp.completion"
    dialect: ClassVar[Dialect] = OPENAI
    routes = (
        Route("POST", "/completion", Operation.COMPLETE),
        Route("POST", "/completions", Operation.COMPLETE),
    )
    table = Table(COMPLETION)

    def adjusted(self, body: JsonObject) -> JsonObject:
        return with_marks(body)

    def texts(self, turns: Turns, body: JsonObject) -> None:
        read_prompts(turns, body.get("prompt"))
        read_shared(turns, body)

    def reader(self, call: Call) -> ReplyReader:
        return NativeReader(None if call.body is None else count(call.body.get("prompt")) * _copies(call))


def _copies(call: Call) -> int:
    """How many completions each prompt gets."""
    wanted = call.parameters.get("n")
    return wanted if isinstance(wanted, int) and wanted > 0 else 1


def read_shared(turns: Turns, body: JsonObject) -> None:
    """What needs more than a role in the parameters."""
    strings(body.get("stop"), ("stop",))
    strings(body.get("response_fields"), ("response_fields",))
    read_bias(turns, body.get("logit_bias"), ("logit_bias",))


def with_marks(body: JsonObject) -> JsonObject:
    """The body, asking for the fields of a streamed reply that tell which text ends, and that it does."""
    wanted = body.get("response_fields")
    if body.get("stream") is not True or not isinstance(wanted, list) or not wanted:
        return body
    missing = [mark for mark in _MARKS if mark not in wanted]
    return {**body, "response_fields": [*wanted, *missing]} if missing else body


def read_prompts(turns: Turns, value: Json) -> None:
    """A prompt, or a list of prompts.

    Raises: Refusal.
    """
    path: Path = ("prompt",)
    if isinstance(value, list) and value and count(value) == len(value) and not _one(value):
        for index, item in enumerate(value):
            _prompt(turns, item, (*path, index))
    else:
        _prompt(turns, value, path)


def _prompt(turns: Turns, value: Json, path: Path) -> None:
    """A string, an object with media, or token ids with or without strings between them."""
    match value:
        case str():
            turns.add("user", value, path)
        case dict():
            _MEDIA_PROMPT.only(value, path)
            given = value.get("prompt_string")
            if not isinstance(given, str):
                raise wrong((*path, "prompt_string"), "a string")
            turns.add("user", given, (*path, "prompt_string"))
            _media(turns, value.get("multimodal_data"), (*path, "multimodal_data"))
        case [_, *_]:
            for index, item in enumerate(value):
                if isinstance(item, str):
                    turns.add("user", item, (*path, index))
                elif item.__class__ is int:
                    turns.uninspected.add("token_ids")
                else:
                    raise wrong((*path, index), "a token id or a string")
        case _:
            raise wrong(path, "a string, token ids, an object with `prompt_string`, or a list of these")


def _media(turns: Turns, value: Json, path: Path) -> None:
    """Images or sounds in base64: which of them, only the server's model can tell."""
    if value is None:
        return
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise wrong(path, "a list of base64 strings")
    if value:
        turns.uninspected |= {"image", "audio"}


def count(value: Json) -> int:
    """How many prompts there are in `prompt`."""
    return len(value) if isinstance(value, list) and not _one(value) else 1


def _one(value: list[Json]) -> bool:
    """Whether a list is one prompt: all token ids, or token ids and strings mixed."""
    return all(isinstance(item, (int, str)) for item in value) and any(isinstance(item, int) for item in value)
