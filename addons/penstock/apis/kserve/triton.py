"""Triton's generate extension: a prompt and its parameters as plain JSON, answered whole or as a stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from penstock.apis.api import Dialect, ReplyReader, Route
from penstock.apis.calls.fields import ANY, LIST, OBJECT, STRING, Field, Table, parameter, pointer
from penstock.apis.calls.generating import read_media
from penstock.apis.calls.turns import Key, Turns
from penstock.apis.kserve.errors import KSERVE
from penstock.apis.kserve.parameters import GENERATION, REQUEST
from penstock.apis.kserve.placed import Placed
from penstock.apis.kserve.reply import GeneratedReader
from penstock.apis.kserve.v2 import paths, read_settings
from penstock.apis.kserve.values import TENSOR, read_values
from penstock.apis.replies.pieces import plain_word
from penstock.errors import invalid
from penstock.exchange import Call, Json, JsonObject, Operation

_TEXTS: Final = frozenset({"text_input", "prompt", "text"})
_BODY: Final = Table(
    {
        **GENERATION,
        "id": parameter(STRING, "id", role="other"),
        "text_input": Field(STRING | LIST),
        # What KServe's text of the protocol and some models call it.
        "prompt": Field(STRING | LIST),
        "text": Field(STRING | LIST),
        "image": parameter(ANY, "image", role="image"),
        "multi_modal_data": parameter(ANY, "multi_modal_data", role="image"),
        "parameters": Field(OBJECT),
    }
)


class Generate(Placed):
    """`POST /v2/models/{model}[/versions/{version}]/generate[_stream]`.

    Any other key is an input of the model by that name, or a parameter: it is read as a prompt, and a grant must name
    it.
    """

    name = "triton.generate"
    dialect: ClassVar[Dialect] = KSERVE
    routes: ClassVar[Sequence[Route]] = [
        Route("POST", path, Operation.COMPLETE, bodies=("tensors",)) for path in paths("generate", "generate_stream")
    ]
    table = _BODY
    inner = REQUEST

    def read(self, operation: Operation, body: JsonObject) -> Call:
        # Names of inputs are the model's own, and often in capitals: to Triton, letter case makes another key.
        self.table.check({key: value for key, value in body.items() if key in self.table.names})
        inner = body.get("parameters")
        inner = inner if isinstance(inner, dict) else {}
        unknown_inside = REQUEST.check(inner)
        turns = Turns()
        for key, value in body.items():
            if value is not None and key != "parameters":
                self._key(turns, key, value)
        read_settings(turns, inner, unknown_inside)
        parameters = self.parameters(body)
        return Call(
            self.name,
            operation,
            None,
            tuple(turns.found),
            parameters,
            self.unusual(parameters),
            uninspected=tuple(sorted(turns.uninspected)),
            body=body,
        )

    def _key(self, turns: Turns, key: str, value: Json) -> None:
        spec = self.table.fields.get(key)
        if spec is None or key in _TEXTS:
            if not plain_word(key):
                turns.add("user", key, (Key(key),))
            read_values(turns, value, (key,))
        elif spec.role == "image":
            read_media(turns, value, (key,), "image")
        elif spec.role:
            turns.everything(spec.role, value, (key,))

    def parameters(self, body: JsonObject) -> dict[str, Json]:
        """Raises: Refusal for a parameter that stands in the body and in `parameters` both: models differ in which of
        them they take."""
        inner = body.get("parameters")
        inside = REQUEST.parameters(inner) if isinstance(inner, dict) else {}
        found = _BODY.parameters(body)
        for name, value in inside.items():
            if name in found:
                raise invalid(f"{pointer(('parameters', name))} stands in the body, too; leave one of them out.")
            found[name] = value
        return found

    def _write(self, body: JsonObject, name: str, value: Json) -> None:
        """Writes to where the parameter is: in the body, or inside of `parameters`."""
        inner = body.get("parameters")
        if isinstance(inner, dict) and name in REQUEST.places and name in REQUEST.parameters(inner):
            keys = [str(path[-1]) for path in REQUEST.places[name]]
            self._write_keys(body, REQUEST, keys, value)
        else:
            super()._write(body, name, value)

    def reader(self, call: Call) -> ReplyReader:
        return GeneratedReader(tensors=TENSOR in call.uninspected)
