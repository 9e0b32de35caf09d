"""KServe's JSON with binary tensors behind it: texts become JSON, what cannot be read stays the bytes that it is.

The extension is part of the Open Inference Protocol as Triton has it: the header `Inference-Header-Content-Length` says
how many bytes of the body are JSON; the tensors follow in the order of `inputs`, each as long as its
`parameters.binary_data_size` says, little-endian, row by row. An element of a BYTES tensor has its length before it, as
four bytes.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping
from typing import Final

from penstock.apis.calls.fields import pointer, wrong
from penstock.apis.wire.body import MAX_NODES, check_type, emit, parse
from penstock.apis.wire.codec import Emitted
from penstock.errors import invalid
from penstock.exchange import Blob, Json, JsonObject, Path

HEADER: Final = "inference-header-content-length"
SIZE: Final = "binary_data_size"
MAX_DIMENSIONS: Final = 16
FEW: Final = 64
"""Numbers that a tensor may have to be written as JSON: limits and the like, which a policy reads."""

_JSON: Final = "application/json"
_BYTES: Final = "application/octet-stream"
LENGTH: Final = re.compile(r"0|[1-9][0-9]{0,11}")
# Datatype -> how `struct` spells it; nothing for those that JSON cannot say (Triton refuses them there).
FORMATS: Final[Mapping[str, str]] = {
    "BOOL": "B",
    "INT8": "b",
    "INT16": "h",
    "INT32": "i",
    "INT64": "q",
    "UINT8": "B",
    "UINT16": "H",
    "UINT32": "I",
    "UINT64": "Q",
    "FP32": "f",
    "FP64": "d",
    "FP16": "",
    "BF16": "",
}
WIDTHS: Final = {name: struct.calcsize(f"<{form}") if form else 2 for name, form in FORMATS.items()}


class TensorCodec:
    """A body of JSON alone, or with tensors behind it. What is forwarded has tensors behind it only where nobody could
    read them: numbers, and BYTES that are no UTF-8."""

    media: frozenset[str] = frozenset()

    def read(self, content: bytes, content_type: str | None, headers: Mapping[str, str]) -> JsonObject:
        if content_type is not None and content_type.strip().lower() != _BYTES:
            check_type(content_type)
        head, rest = _split(content, headers.get(HEADER))
        return _joined(parse(head, _JSON), rest)

    def emit(self, body: JsonObject) -> Emitted:
        blobs: list[bytes] = []
        inputs = body.get("inputs")
        if isinstance(inputs, list):
            body = {**body, "inputs": [_parted(item, blobs) for item in inputs]}
        head = emit(body)
        if not blobs:
            return Emitted(_JSON, (), head)
        return Emitted(_BYTES, (("Inference-Header-Content-Length", str(len(head))),), head + b"".join(blobs))


def _split(content: bytes, length: str | None) -> tuple[bytes, bytes]:
    if length is None:
        return content, b""
    if not LENGTH.fullmatch(length) or not 0 < int(length) <= len(content):
        # Zero means to Triton that the body is one tensor without any JSON: nobody could tell what it is.
        raise invalid("The header Inference-Header-Content-Length must be the length of the JSON in the body.")
    return content[: int(length)], content[int(length) :]


def _joined(body: JsonObject, rest: bytes) -> JsonObject:
    """The body with the tensors where their inputs are.

    Raises: Refusal when they do not fit exactly.
    """
    inputs, at = body.get("inputs"), 0
    if isinstance(inputs, list):
        found: list[Json] = []
        for index, item in enumerate(inputs):
            path: Path = ("inputs", index)
            size = _size(item, path)
            if size is not None and isinstance(item, dict):
                item = _filled(item, rest[at : at + size], size, path)
                at += size
            found.append(item)
        body = {**body, "inputs": found}
    if at != len(rest):
        raise invalid("The body has bytes that belong to none of its inputs.")
    return body


def _size(item: Json, path: Path) -> int | None:
    """How many bytes of an input stand behind the JSON; None when its values are in it."""
    parameters = item.get("parameters") if isinstance(item, dict) else None
    size = parameters.get(SIZE) if isinstance(parameters, dict) else None
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 0):
        raise wrong((*path, "parameters", SIZE), "a number of bytes")
    return size if isinstance(size, int) else None


def _filled(item: JsonObject, raw: bytes, size: int, path: Path) -> JsonObject:
    if len(raw) != size:
        raise invalid(f"The body ends before the tensor of {pointer(path)} does.")
    if item.get("data") is not None:
        raise invalid(f"{pointer(path)} has its values twice.")
    parameters = item["parameters"]
    assert isinstance(parameters, dict)
    left = {key: value for key, value in parameters.items() if key != SIZE}
    kept = {key: value for key, value in item.items() if key not in ("data", "parameters")}
    more: JsonObject = {"parameters": left} if left else {}
    return {**kept, **more, "data": _values(item, raw, path)}


def _values(item: JsonObject, raw: bytes, path: Path) -> Json:
    """The values of a tensor, or its bytes when JSON cannot say them."""
    count = elements(item.get("shape"), (*path, "shape"))
    datatype = item.get("datatype")
    if datatype == "BYTES":
        texts = _texts(raw, count, path)
        return Blob(raw) if texts is None else texts
    if not isinstance(datatype, str) or datatype not in FORMATS:
        raise wrong((*path, "datatype"), "one that the Open Inference Protocol has")
    if len(raw) != count * WIDTHS[datatype]:
        raise invalid(f"The tensor of {pointer(path)} does not have the length of its shape.")
    return _numbers(datatype, raw, count)


def elements(shape: Json, path: Path) -> int:
    """How many values a shape has room for.

    Raises: Refusal for what is no shape.
    """
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS:
        raise wrong(path, f"a list of at most {MAX_DIMENSIONS} integers")
    sizes = [size for size in shape if isinstance(size, int) and not isinstance(size, bool) and 0 <= size < 2**40]
    if len(sizes) != len(shape):
        raise wrong(path, "a list of integers, none below zero")
    return math.prod(sizes)


def _texts(raw: bytes, count: int, path: Path) -> list[Json] | None:
    """The elements of a BYTES tensor; None when one is no text.

    Raises: Refusal when lengths and shape do not fit.
    """
    if count > MAX_NODES:
        raise invalid(f"The tensor of {pointer(path)} has more than {MAX_NODES} elements.")
    found: list[Json] | None = []
    at, end = 0, len(raw)
    for _ in range(count):
        start = at + 4
        at = start + int.from_bytes(raw[at:start], "little")
        if start > end or at > end:
            raise invalid(f"An element of {pointer(path)} ends behind its tensor.")
        if found is not None:
            try:
                found.append(raw[start:at].decode())
            except UnicodeDecodeError:
                found = None
    if at != end:
        raise invalid(f"The tensor of {pointer(path)} does not have the length of its shape.")
    return found


def _numbers(datatype: str, raw: bytes, count: int) -> Json:
    form = FORMATS[datatype]
    if not form or count > FEW:
        return Blob(raw)
    values = struct.unpack(f"<{count}{form}", raw)
    if datatype == "BOOL":
        return Blob(raw) if max(values, default=0) > 1 else [bool(value) for value in values]
    return list(values) if all(map(math.isfinite, values)) else Blob(raw)


def _parted(item: Json, blobs: list[bytes]) -> Json:
    """An input as it stands in the JSON, its bytes put aside."""
    if not isinstance(item, dict) or not isinstance(data := item.get("data"), Blob):
        return item
    blobs.append(data.data)
    parameters = item.get("parameters")
    inner: JsonObject = {**(parameters if isinstance(parameters, dict) else {}), SIZE: len(data.data)}
    return {**{key: value for key, value in item.items() if key != "data"}, "parameters": inner}
