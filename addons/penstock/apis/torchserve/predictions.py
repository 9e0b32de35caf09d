"""TorchServe's predictions: what a body says is up to the model's handler, so all of it is read, however it came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from penstock.apis.api import Dialect, ReplyReader, Route
from penstock.apis.calls.fields import ANY, Field, Table
from penstock.apis.calls.turns import Key, Turns
from penstock.apis.kserve.parameters import GENERATION, add_inner
from penstock.apis.kserve.placed import Placed
from penstock.apis.kserve.reply import AnythingReader
from penstock.apis.kserve.values import TENSOR, read_values
from penstock.apis.replies.pieces import plain_word
from penstock.apis.torchserve.errors import TORCHSERVE
from penstock.exchange import Blob, Call, Encoding, Json, JsonObject, Operation

_ENCODINGS: Final[tuple[Encoding, ...]] = ("json", "form", "raw")
_PATHS: Final = tuple(
    f"/{verb}/{{model}}{version}" for verb in ("predictions", "explanations") for version in ("", "/{version}")
)
# A workflow is named like a model, and runs several.
_WORKFLOW: Final = "/wfpredict/{model}"
# Where handlers look for what they are asked; a grant must name any other key.
_INPUTS: Final = ("data", "body", "text", "prompt", "input", "inputs", "instances", "question", "context")
_KINDS: Final = frozenset({"image", "audio", "video"})


class Predictions(Placed):
    """`POST` or `PUT /predictions/{model}[/{version}]`, explanations and workflows."""

    name = "torchserve.predictions"
    dialect: ClassVar[Dialect] = TORCHSERVE
    routes: ClassVar[Sequence[Route]] = [
        Route(method, path, Operation.INFER, bodies=_ENCODINGS)
        for method in ("POST", "PUT")
        for path in (*_PATHS, _WORKFLOW)
    ]
    table = Table({**GENERATION, **{key: Field(ANY) for key in _INPUTS}})

    def read(self, operation: Operation, body: JsonObject) -> Call:
        self.table.unknown(body, ())
        turns = Turns()
        if isinstance(body.get("data"), Blob):
            turns.uninspected.add(_kind(body))
            parameters: dict[str, Json] = {}
        else:
            for key, value in body.items():
                _read(turns, key, value)
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
        """The parameters, those that stand in the inputs among them."""
        found = super().parameters(body)
        for key in _INPUTS:
            add_inner(found, body.get(key))
        return found

    def reader(self, call: Call) -> ReplyReader:
        return PredictionReader(call.uninspected)


def _read(turns: Turns, key: str, value: Json) -> None:
    """A field, or the files under its name."""
    if not plain_word(key):
        turns.add("user", key, (Key(key),))
    for index, item in enumerate(value if isinstance(value, list) else (value,)):
        if isinstance(item, dict) and isinstance(item.get("data"), Blob):
            turns.uninspected.add(_kind(item))
            path = (key, index) if isinstance(value, list) else (key,)
            turns.label(str(item.get("filename") or ""), (*path, "filename"))
        elif not isinstance(value, list):
            read_values(turns, value, (key,))
        else:
            read_values(turns, item, (key, index))
    if isinstance(value, list) and not any(isinstance(item, (dict, str)) for item in value):
        read_values(turns, value, (key,))


def _kind(holder: JsonObject) -> str:
    """What a file is, by its media type."""
    family = str(holder.get("content_type", "")).partition("/")[0]
    return family if family in _KINDS else "file"


class PredictionReader(AnythingReader):
    """Handlers answer with JSON, with text that may be JSON without saying so, or with what a file was made into."""

    dialect: Dialect = TORCHSERVE
    plain = frozenset({"text/plain", ""})

    def __init__(self, uninspected: Sequence[str]) -> None:
        super().__init__(tensors=TENSOR in uninspected)
        families = {"file": "application/octet-stream", **{kind: f"{kind}/*" for kind in _KINDS}}
        self.opaque = frozenset(families[kind] for kind in uninspected if kind in families)
