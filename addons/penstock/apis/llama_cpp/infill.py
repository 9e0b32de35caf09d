"""llama.cpp's infill: code between what stands before and behind it, with other files for context."""

from __future__ import annotations

from typing import ClassVar, Final

from penstock.apis.api import Dialect, ReplyReader, Route
from penstock.apis.calls.fields import Keys, Table, wrong
from penstock.apis.calls.generating import Generating
from penstock.apis.calls.turns import Turns
from penstock.apis.dialects import OPENAI
from penstock.apis.llama_cpp.completion import read_shared, with_marks
from penstock.apis.llama_cpp.parameters import INFILL
from penstock.apis.llama_cpp.reply import NativeReader
from penstock.exchange import Call, Json, JsonObject, Operation

_EXTRA: Final = Keys(("text", "filename"))


class LlamaInfill(Generating):
    """`POST /infill`; its replies are those of `/completion`."""

    name = "llama_cpp.infill"
    dialect: ClassVar[Dialect] = OPENAI
    routes = (Route("POST", "/infill", Operation.COMPLETE),)
    table = Table(INFILL)

    def adjusted(self, body: JsonObject) -> JsonObject:
        return with_marks(body)

    def texts(self, turns: Turns, body: JsonObject) -> None:
        for key in ("input_prefix", "prompt", "input_suffix"):
            given = body.get(key)
            if isinstance(given, str):
                turns.add("user", given, (key,))
            elif key != "prompt":
                raise wrong((key,), "a string")
        _extra(turns, body.get("input_extra"))
        read_shared(turns, body)

    def reader(self, call: Call) -> ReplyReader:
        wanted = call.parameters.get("n")
        return NativeReader(None if call.body is None else wanted if isinstance(wanted, int) and wanted > 0 else 1)


def _extra(turns: Turns, value: Json) -> None:
    for index, item in enumerate(value if isinstance(value, list) else []):
        for key, text in _EXTRA.only(item, ("input_extra", index)).items():
            path = ("input_extra", index, key)
            if not isinstance(text, str):
                raise wrong(path, "a string")
            turns.add("user" if key == "text" else "other", text, path)
