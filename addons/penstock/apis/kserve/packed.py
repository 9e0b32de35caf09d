"""KServe's replies with binary tensors behind the JSON: taken apart to be read, and put together as they came.

The form is that of the requests, see `tensors`. Texts become strings; numbers stay the bytes that they are, but for a
single integer, whose digits may be a value to hide.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final

import orjson

from penstock.apis.api import Packed
from penstock.apis.kserve.tensors import FORMATS, HEADER, LENGTH, SIZE, WIDTHS, elements
from penstock.apis.replies.pieces import UnreadableError
from penstock.apis.wire.body import emit
from penstock.errors import Refusal
from penstock.exchange import Blob, Json, JsonObject

MEDIA: Final = frozenset({"application/octet-stream", "application/json"})


class PackedTensors:
    """One reply; it remembers which outputs stood behind the JSON."""

    def __init__(self) -> None:
        self._behind: set[int] = set()

    def unpack(self, media: str, body: bytes, headers: Mapping[str, str]) -> Json:
        """The document with every value where its output is: a text is a string, bytes that are none a `Blob`, and so
        are numbers, all of an output in one. None when the reply has nothing behind its JSON.

        Raises: UnreadableError when the parts do not fit exactly.
        """
        length = headers.get(HEADER)
        if length is None or media not in MEDIA:
            return None
        if not LENGTH.fullmatch(length) or not 0 < int(length) <= len(body):
            raise UnreadableError
        document: Json = orjson.loads(body[: int(length)])
        if not isinstance(document, dict):
            raise UnreadableError
        outputs, at = document.get("outputs"), int(length)
        for index, output in enumerate(outputs if isinstance(outputs, list) else []):
            size = _size(output)
            if size is not None and isinstance(output, dict):
                _fill(output, body[at : at + size], size)
                self._behind.add(index)
                at += size
        if at != len(body):
            raise UnreadableError
        return document

    def pack(self, document: Json) -> Packed:
        """The reply, with the outputs that were behind the JSON there again."""
        if not isinstance(document, dict):
            raise UnreadableError
        found, parts = document.get("outputs"), list[bytes]()
        outputs = list(found) if isinstance(found, list) else []
        for index in sorted(self._behind):
            output = outputs[index]
            if not isinstance(output, dict):
                raise UnreadableError
            raw, shape = _bytes_of(output)
            inner = output.get("parameters")
            sized: JsonObject = {**(inner if isinstance(inner, dict) else {}), SIZE: len(raw)}
            kept = {key: value for key, value in output.items() if key not in ("data", "shape", "parameters")}
            outputs[index] = {**kept, "shape": shape, "parameters": sized}
            parts.append(raw)
        head = emit({**document, "outputs": outputs} if parts else document)
        return Packed((("Inference-Header-Content-Length", str(len(head))),), b"".join((head, *parts)))


def _size(output: Json) -> int | None:
    """How many bytes of an output stand behind the JSON; None when its values are in it."""
    inner = output.get("parameters") if isinstance(output, dict) else None
    size = inner.get(SIZE) if isinstance(inner, dict) else None
    if size is None:
        return None
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise UnreadableError
    return size


def _fill(output: JsonObject, raw: bytes, size: int) -> None:
    inner = output["parameters"]
    if len(raw) != size or output.get("data") is not None or not isinstance(inner, dict):
        raise UnreadableError
    del inner[SIZE]
    if not inner:
        del output["parameters"]
    try:
        count = elements(output.get("shape"), ())
    except Refusal:
        raise UnreadableError from None
    output["data"] = _values(output.get("datatype"), raw, count)


def _values(datatype: Json, raw: bytes, count: int) -> Json:
    if datatype == "BYTES":
        return _texts(raw, count)
    if not isinstance(datatype, str) or datatype not in FORMATS or len(raw) != count * WIDTHS[datatype]:
        raise UnreadableError
    if count != 1 or datatype.startswith(("FP", "BF")):
        return Blob(raw)
    return list(struct.unpack(f"<{FORMATS[datatype]}", raw))


def _texts(raw: bytes, count: int) -> list[Json]:
    """The elements of a BYTES tensor, those that are no UTF-8 as bytes."""
    found: list[Json] = []
    at, end = 0, len(raw)
    while at < end and len(found) < count:
        start = at + 4
        at = start + int.from_bytes(raw[at:start], "little")
        if start > end or at > end:
            raise UnreadableError
        try:
            found.append(raw[start:at].decode())
        except UnicodeDecodeError:
            found.append(Blob(raw[start:at]))
    if at != end or len(found) != count:
        raise UnreadableError
    return found


def _bytes_of(output: JsonObject) -> tuple[bytes, Json]:
    """The values of an output as bytes, and its shape: that of nothing where a number became a text, which a tensor of
    numbers cannot hold."""
    data, shape = output.get("data"), output.get("shape")
    match data:
        case Blob():
            return data.data, shape
        case list() if output.get("datatype") == "BYTES":
            return b"".join(map(_element, data)), shape
        case [int() as number] if form := FORMATS.get(str(output.get("datatype"))):
            return struct.pack(f"<{form}", number), shape
        case list():
            return b"", [0]
        case _:
            raise UnreadableError


def _element(value: Json) -> bytes:
    if not isinstance(value, str):
        raise UnreadableError
    raw = value.data if isinstance(value, Blob) else value.encode()
    return len(raw).to_bytes(4, "little") + raw
