"""KServe's first protocol, which is TensorFlow Serving's: instances in, predictions out, of any shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from penstock.apis.api import Dialect, ReplyReader, Route
from penstock.apis.calls.fields import ANY, LIST, OBJECT, STRING, Field, Table, parameter
from penstock.apis.calls.turns import LABEL, Turns
from penstock.apis.kserve.errors import KSERVE
from penstock.apis.kserve.parameters import GENERATION, add_inner
from penstock.apis.kserve.placed import Placed
from penstock.apis.kserve.reply import AnythingReader
from penstock.apis.kserve.values import TENSOR, read_values
from penstock.errors import invalid
from penstock.exchange import Call, Json, JsonObject, Operation

_INPUTS: Final = ("instances", "inputs", "examples")
_BODY: Final = Table(
    {
        "instances": Field(LIST),
        "inputs": Field(ANY),
        # TensorFlow Serving's classify and regress.
        "examples": Field(LIST),
        "context": parameter(OBJECT, "context", ordinary=False, role="user"),
        "signature_name": parameter(STRING, "signature_name", role=LABEL),
        "parameters": Field(OBJECT),
        "id": parameter(STRING, "id", role="other"),
    }
)
_SETTINGS: Final = Table(GENERATION, ("parameters",))
_PATHS: Final = ("/v1/models/{model}", "/v1/models/{model}/versions/{version}", "/v1/models/{model}/labels/{label}")
_VERBS: Final = ("predict", "explain", "classify", "regress")


class Predict(Placed):
    """`POST /v1/models/{model}[/versions/{version}|/labels/{label}]:predict`, `:explain`, `:classify`, `:regress`."""

    name = "kserve.v1.predict"
    dialect: ClassVar[Dialect] = KSERVE
    routes: ClassVar[Sequence[Route]] = [
        Route("POST", f"{path}:{verb}", Operation.INFER) for path in _PATHS for verb in _VERBS
    ]
    table = _BODY
    inner = _SETTINGS

    def read(self, operation: Operation, body: JsonObject) -> Call:
        unknown = self.table.check(body)
        if all(body.get(key) is None for key in _INPUTS):
            raise invalid("The body must have /instances or /inputs.")
        inner = body.get("parameters")
        inner = inner if isinstance(inner, dict) else {}
        _SETTINGS.check(inner)
        turns = Turns()
        for key, value in body.items():
            spec = self.table.fields.get(key)
            if value is None:
                continue
            if key in _INPUTS:
                read_values(turns, value, (key,))
            elif key == "parameters":
                turns.everything("other", value, (key,))
            elif key in unknown or spec is None or spec.role:
                turns.everything(spec.role if spec else "other", value, (key,))
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

    def parameters(self, body: JsonObject) -> dict[str, Json]:
        """The parameters, those that stand in the instances among them."""
        found = super().parameters(body)
        for key in _INPUTS:
            add_inner(found, body.get(key))
        return found

    def reader(self, call: Call) -> ReplyReader:
        return AnythingReader(tensors=TENSOR in call.uninspected)
