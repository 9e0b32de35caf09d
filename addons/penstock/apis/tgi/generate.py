"""Text Generation Inference's own API: whole, streamed, and at the root as Hugging Face's hosted one has it."""

from __future__ import annotations

import re
from typing import ClassVar, Final

from penstock.apis.api import Dialect, ReplyReader, Route
from penstock.apis.calls.fields import BOOL, INT, LIST, NUMBER, OBJECT, STRING, Field, Table, parameter, wrong
from penstock.apis.calls.generating import Generating
from penstock.apis.calls.turns import LABEL, Turns
from penstock.apis.openai.messages import strings
from penstock.apis.tei.errors import TEI
from penstock.apis.tgi.reply import TgiReader
from penstock.exchange import Call, JsonObject, Operation

# Models with eyes have images in the middle of the text, in Markdown; the server fetches those that are elsewhere.
_IMAGE: Final = re.compile(r"!\[[^\]]*\]\(\s*(data:)?")

MARKS: Final = frozenset({"inputs"})

_PARAMETERS: Final = Table(
    {
        "max_new_tokens": parameter(INT, "max_tokens", limit=True),
        "best_of": parameter(INT, "n", limit=True),
        "temperature": parameter(NUMBER, "temperature"),
        "repetition_penalty": parameter(NUMBER, "repeat_penalty"),
        "frequency_penalty": parameter(NUMBER, "frequency_penalty"),
        "top_k": parameter(INT, "top_k"),
        "top_p": parameter(NUMBER, "top_p"),
        "typical_p": parameter(NUMBER, "typical_p"),
        "do_sample": parameter(BOOL, "do_sample"),
        "seed": parameter(INT, "seed"),
        "stop": parameter(LIST, "stop", role="other"),
        "truncate": parameter(INT, "truncate"),
        "watermark": parameter(BOOL, "watermark"),
        "return_full_text": parameter(BOOL, "return_full_text"),
        "details": parameter(BOOL, "details"),
        "decoder_input_details": parameter(BOOL, "decoder_input_details"),
        "top_n_tokens": parameter(INT, "top_n_tokens"),
        "grammar": parameter(OBJECT, "grammar", ordinary=False, role="schema"),
        # Another adapter is another model.
        "adapter_id": parameter(STRING, "adapter_id", ordinary=False, role=LABEL),
    },
    at=("parameters",),
)


class TgiGenerate(Generating):
    """`POST /generate`, and `POST /`, where `stream` chooses how the reply comes."""

    name = "tgi.generate"
    dialect: ClassVar[Dialect] = TEI
    routes: ClassVar[tuple[Route, ...]] = (
        Route("POST", "/generate", Operation.COMPLETE, marks=MARKS),
        Route("POST", "/", Operation.COMPLETE, marks=MARKS),
    )
    table = Table({"model": Field(STRING), "inputs": Field(STRING), "parameters": Field(OBJECT), "stream": Field(BOOL)})
    inner = _PARAMETERS

    def texts(self, turns: Turns, body: JsonObject) -> None:
        given = body.get("inputs")
        if not isinstance(given, str):
            raise wrong(("inputs",), "a string")
        turns.add("user", given, ("inputs",))
        for found in _IMAGE.finditer(given):
            turns.uninspected |= {"image"} if found[1] else {"image", "url"}
        if isinstance(parameters := body.get("parameters"), dict):
            strings(parameters.get("stop"), ("parameters", "stop"))

    def reader(self, call: Call) -> ReplyReader:
        given = call.body.get("inputs") if call.body is not None else None
        return TgiReader(given if isinstance(given, str) else "")


class TgiGenerateStream(TgiGenerate):
    """`POST /generate_stream`."""

    name = "tgi.generate_stream"
    routes = (Route("POST", "/generate_stream", Operation.COMPLETE),)

    def streams(self, body: JsonObject) -> bool:
        return True
