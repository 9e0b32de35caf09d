"""The Open Inference Protocol (KServe V2), as Triton, MLServer, TorchServe and OpenVINO Model Server serve it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from penstock.apis.api import Dialect, ReplyReader, Route
from penstock.apis.calls.fields import (
    LIST,
    OBJECT,
    STRING,
    UNLIMITED,
    Field,
    Keys,
    Table,
    largest,
    parameter,
    written,
    wrong,
)
from penstock.apis.calls.turns import LABEL, Key, Turns
from penstock.apis.kserve.errors import KSERVE
from penstock.apis.kserve.parameters import GENERATION, REQUEST
from penstock.apis.kserve.placed import Placed
from penstock.apis.kserve.reply import TensorReader
from penstock.apis.kserve.tensors import MAX_DIMENSIONS, SIZE
from penstock.apis.kserve.values import SHARED, TENSOR, read_values
from penstock.apis.openai.messages import items, text
from penstock.apis.replies.pieces import plain_word
from penstock.errors import invalid
from penstock.exchange import Blob, Call, Json, JsonObject, Operation, Path

MODEL: Final = "/v2/models/{model}"
VERSIONED: Final = "/v2/models/{model}/versions/{version}"
BODY: Final = Table(
    {
        "id": parameter(STRING, "id", role="other"),
        "parameters": Field(OBJECT),
        "inputs": Field(LIST),
        "outputs": Field(LIST),
    }
)

_INPUT: Final = Keys(("name", "shape", "datatype", "parameters", "data"))
_OUTPUT: Final = Keys(("name", "parameters"))
# What may stand in the parameters of an input or an output without a grant that names it.
_OF_TENSOR: Final = frozenset({"content_type", SIZE, "binary_data", "classification"})
_OF_MEMORY: Final = frozenset({"shared_memory_region", "shared_memory_byte_size", "shared_memory_offset"})


def paths(*verbs: str) -> list[str]:
    """The paths of a verb, with a version and without one."""
    return [f"{base}/{verb}" for verb in verbs for base in (MODEL, VERSIONED)]


class Infer(Placed):
    """`POST /v2/models/{model}[/versions/{version}]/infer`."""

    name = "kserve.v2.infer"
    dialect: ClassVar[Dialect] = KSERVE
    routes: ClassVar[Sequence[Route]] = [
        Route("POST", path, Operation.INFER, bodies=("tensors",)) for path in paths("infer")
    ]
    table = BODY
    inner = REQUEST

    def read(self, operation: Operation, body: JsonObject) -> Call:
        unknown = self.table.check(body)
        inner = _object(body.get("parameters"), ("parameters",))
        unknown_inside = REQUEST.check(inner)
        turns = Turns()
        content_type = inner.get("content_type")
        for index, item in enumerate(items(body.get("inputs"), ("inputs",))):
            _input(turns, item, ("inputs", index), content_type if isinstance(content_type, str) else "")
        for index, item in enumerate(items(body["outputs"], ("outputs",)) if body.get("outputs") is not None else ()):
            path: Path = ("outputs", index)
            output = _OUTPUT.only(item, path)
            _name(turns, output, path)
            _parameters(turns, output, path)
        for key, value in body.items():
            if key == "id" or key in unknown:
                turns.everything("other", value, (key,))
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
            encoding="tensors",
        )

    def parameters(self, body: JsonObject) -> dict[str, Json]:
        """The parameters, those that are inputs (TensorRT-LLM's are) among them, and what a grant must name of the
        parameters of inputs and outputs, as `inputs.NAME`."""
        found = super().parameters(body)
        for tensor in _tensors(body):
            name = tensor.get("name")
            if isinstance(name, str) and (spec := GENERATION.get(name)) is not None:
                value = _scalar(tensor.get("data"), limit=spec.limit)
                if spec.name in found and not spec.limit:
                    raise invalid(f"The parameter {spec.name} stands in the body twice; leave one of them out.")
                found[spec.name] = largest(found.get(spec.name), value) if spec.limit else value
        for kind in ("inputs", "outputs"):
            for item in items(body.get(kind) or [], (kind,)):
                inner = item.get("parameters") if isinstance(item, dict) else None
                for key, value in (inner if isinstance(inner, dict) else {}).items():
                    if key not in _OF_TENSOR and key not in _OF_MEMORY:
                        found.setdefault(f"{kind}.{key}", value)
        return found

    def _write(self, body: JsonObject, name: str, value: Json) -> None:
        inputs = [_bounded(item, name, value) for item in items(body.get("inputs"), ("inputs",))]
        inner = body.get("parameters")
        said = isinstance(inner, dict) and any(
            inner.get(key) is not None for key, spec in REQUEST.fields.items() if spec.name == name
        )
        if inputs == body["inputs"] or said:
            super()._write(body, name, value)
        body["inputs"] = inputs

    def reader(self, call: Call) -> ReplyReader:
        return TensorReader(tensors=TENSOR in call.uninspected)


def _object(value: Json, path: Path) -> JsonObject:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise wrong(path, "an object")
    return value


def _input(turns: Turns, value: Json, path: Path, content_type: str) -> None:
    item = _INPUT.only(value, path)
    _name(turns, item, path)
    _shape(item.get("shape"), (*path, "shape"))
    turns.label(text(item.get("datatype"), (*path, "datatype")), (*path, "datatype"))
    own = _parameters(turns, item, path)
    if item.get("data") is not None:
        declared = own.get("content_type")
        read_values(turns, item["data"], (*path, "data"), declared if isinstance(declared, str) else content_type)
    elif SHARED not in turns.uninspected:
        raise wrong((*path, "data"), "the values of the tensor")


def _name(turns: Turns, item: JsonObject, path: Path) -> None:
    turns.label(text(item.get("name"), (*path, "name")), (*path, "name"))


def _shape(value: Json, path: Path) -> None:
    """A shape; MLServer's clients write -1 for what they do not know.

    Raises: Refusal.
    """
    if not isinstance(value, list) or len(value) > MAX_DIMENSIONS or any(size.__class__ is not int for size in value):
        raise wrong(path, f"a list of at most {MAX_DIMENSIONS} integers")


def _parameters(turns: Turns, item: JsonObject, path: Path) -> JsonObject:
    """The parameters of an input or an output."""
    here = (*path, "parameters")
    inner = _object(item.get("parameters"), here)
    if not _OF_MEMORY.isdisjoint(inner):
        turns.uninspected.add(SHARED)
    for key, value in inner.items():
        if not plain_word(key):
            turns.add("other", key, (*here, Key(key)))
        turns.everything(LABEL if key in _OF_TENSOR else "other", value, (*here, key))
    return inner


def read_settings(turns: Turns, inner: JsonObject, unknown: Sequence[str]) -> None:
    """The strings among the parameters of the request."""
    for key, value in inner.items():
        spec = REQUEST.fields.get(key)
        role = "other" if key in unknown or spec is None else spec.role
        if not plain_word(key):
            turns.add("other", key, ("parameters", Key(key)))
        if role and value is not None:
            turns.everything(role, value, ("parameters", key))


def _tensors(body: JsonObject) -> list[JsonObject]:
    inputs = body.get("inputs")
    return [item for item in inputs if isinstance(item, dict)] if isinstance(inputs, list) else []


def _scalar(data: Json, *, limit: bool) -> Json:
    """The number in a tensor; of several the largest. One that cannot be read here is no limit at all."""
    if isinstance(data, Blob):
        return UNLIMITED if limit else None
    found: Json = data
    if isinstance(data, list):
        found = None
        for item in data:
            value = _scalar(item, limit=limit)
            found = largest(found, value) if limit else found if found is not None else value
    return found


def _bounded(item: Json, name: str, value: Json) -> Json:
    """An input that is the parameter, with the value written to it."""
    known = GENERATION.get(str(item.get("name"))) if isinstance(item, dict) else None
    if known is None or known.name != name or not isinstance(item, dict):
        return item
    if isinstance(item.get("data"), Blob):
        raise invalid(f"The input for {name} has a value that this gateway cannot bound; send it as JSON.")
    return {**item, "data": _put(item.get("data"), value, limit=known.limit)}


def _put(data: Json, value: Json, *, limit: bool) -> Json:
    if isinstance(data, list):
        return [_put(item, value, limit=limit) for item in data]
    return written(value, data, limit=limit)
