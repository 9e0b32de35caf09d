"""Replies of KServe's protocols: the text in tensors, and of the numbers those that may pass beside a mask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from penstock.apis.api import Dialect, Packed
from penstock.apis.kserve.errors import KSERVE
from penstock.apis.kserve.packed import PackedTensors
from penstock.apis.kserve.tensors import MAX_DIMENSIONS
from penstock.apis.kserve.values import ENCODED, TENSOR
from penstock.apis.metadata import read_anything
from penstock.apis.replies.pieces import DOCUMENT, Holder, Piece, Place, Reading, UnreadableError, Walk
from penstock.apis.replies.reader import Reader
from penstock.apis.wire import sse
from penstock.exchange import Blob, Json, JsonObject, Path, Reply

_HEAD: Final = ("model_name", "model_version", "id")
# Where a reply says which tensor it is of, not what is in it.
_NAMES: Final = frozenset({*_HEAD, "name", "datatype", "content_type"})
_FLOATS: Final = frozenset({float, type(None)})
_NUMBERS: Final = frozenset({float, int, bool, type(None)})
# Texts of one output with a channel each; those behind them share one.
_MANY: Final = 1000
_SHORT: Final = 6
"""Characters of a version that is a number."""


class TensorWalk(Walk):
    """Walks a reply whose lists are tensors: floats pass, and integers, which can spell text, only where the call was
    about such tensors and a grant allowed it."""

    def __init__(self, *, tensors: bool) -> None:
        super().__init__()
        self._tensors = tensors

    def value(self, reading: Reading, holder: Holder, key: str | int, index: int, path: Path, *, strip: bool) -> None:
        value: Json = holder[key]  # type: ignore[index]
        if isinstance(value, list) and (kinds := numbers(value)) is not None:
            if strip and not self.passes(value, kinds):
                holder[key] = []  # type: ignore[index]
                reading.edited = True
            elif int in kinds and not self._tensors:
                for at in range(len(value)):
                    super().value(reading, value, at, index, (*path, at), strip=False)
            return
        super().value(reading, holder, key, index, path, strip=strip)

    def object(self, reading: Reading, value: JsonObject, index: int, path: Path, *, strip: bool) -> None:
        if strip and not self._tensors and "b64" in value:
            # TensorFlow Serving's way to say bytes: a text that no mask would know.
            self.strip(reading, value, "b64")
        super().object(reading, value, index, path, strip=strip)

    def encoded(self, output: JsonObject, whole: JsonObject) -> bool:
        """Whether the texts of an output are said in a way that no mask would know; callers of MLServer may ask for it
        by the content type."""
        for holder in (output, whole):
            parameters = holder.get("parameters")
            declared = parameters.get("content_type") if isinstance(parameters, dict) else None
            if isinstance(declared, str):
                return declared in ENCODED and not self._tensors
        return False

    def passes(self, value: list[Json], kinds: frozenset[type], declared: str = "") -> bool:
        """Whether a list of numbers may stand beside a mask; `declared`: the tensor's datatype, when it has one."""
        if self._tensors or kinds <= _FLOATS:
            return True
        return declared.startswith(("FP", "BF")) or count(value) <= 1

    def names(self, reading: Reading, holder: JsonObject, key: str, value: str, path: Path) -> None:
        """A string that should only name something."""
        if len(value) > _SHORT and not self.structural(value):
            reading.pieces.append(Piece(holder, key, value, self.place(DOCUMENT, path), "unit"))


def numbers(value: list[Json]) -> frozenset[type] | None:
    """The types of the numbers in a list, at any depth; None when it holds anything else. Flat lists cost a call into C
    for each of their numbers, and no more."""
    kinds = set(map(type, value))
    if list in kinds:
        kinds.discard(list)
        for item in value:
            if isinstance(item, list):
                inner = numbers(item)
                if inner is None:
                    return None
                kinds |= inner
    return frozenset(kinds) if kinds <= _NUMBERS else None


def count(value: list[Json]) -> int:
    """How many values a list has, at any depth."""
    return sum(count(item) if isinstance(item, list) else 1 for item in value[:2]) + max(0, len(value) - 2)


def complete(reading: Reading) -> Reading:
    """The same, with nothing going on in later events but the tensors: servers say the same beside each of them."""
    for piece in reading.pieces:
        if piece.mode == "leaf":
            piece.mode = "unit"
    return reading


def _empty(reading: Reading, output: JsonObject) -> None:
    """Leaves nothing of an output's values; clients make an array of them and give it the shape."""
    output["data"], output["shape"] = [], [0]
    reading.edited = True


class TensorReader(Reader):
    """`outputs[].data` by name and position; a stream of such replies (MLServer's) goes on in each of them."""

    dialect: Dialect = KSERVE
    unterminated = True

    def __init__(self, *, tensors: bool = False) -> None:
        """`tensors`: the call had tensors that nobody could read, so its reply may have."""
        self._walk = TensorWalk(tensors=tensors)
        self._tensors = tensors
        self._packed = PackedTensors()
        self._unread = False
        self._last: JsonObject = {}
        self._again = False
        self._outputs: dict[Path, JsonObject] = {}

    def read(self, document: Json, reply: Reply, *, strip: bool) -> Reading:
        if not isinstance(document, dict):
            raise UnreadableError
        reading = Reading()
        reading.keys = len(document)
        reading.error = document.get("error") is not None
        self._again, self._last = bool(self._last), document
        for key in list(document):
            value = document[key]
            if key == "outputs" and isinstance(value, list):
                paths = [self._output(reading, output, index, strip=strip) for index, output in enumerate(value)]
                if len(set(paths)) < len(paths):
                    raise UnreadableError
            elif key in _NAMES and isinstance(value, str):
                self._walk.names(reading, document, key, value, (key,))
            else:
                self._walk.value(reading, document, key, DOCUMENT, (key,), strip=strip)
        self._walk.keyed(reading, document, DOCUMENT)
        if isinstance(name := document.get("model_name"), str):
            reply.model = name
        if self._unread:
            reply.uninspected.add(TENSOR)
        return complete(reading)

    def unpack(self, media: str, body: bytes, headers: Mapping[str, str]) -> Json:
        return self._packed.unpack(media, body, headers)

    def pack(self, document: Json) -> Packed:
        return self._packed.pack(document)

    def _output(self, reading: Reading, output: Json, index: int, *, strip: bool) -> Path:
        """Reads an output. Returns the path of its texts, which no other output of the reply may have."""
        if not isinstance(output, dict):
            raise UnreadableError
        reading.keys += len(output)
        name, datatype = output.get("name"), output.get("datatype")
        path: Path = ("outputs", name if isinstance(name, str) and self._walk.structural(name) else index)
        for key in list(output):
            value = output[key]
            if key == "data":
                self._data(reading, output, str(datatype), path, strip=strip)
            elif key in _NAMES and isinstance(value, str):
                self._walk.names(reading, output, key, value, (*path, key))
            else:
                few = key == "shape" and isinstance(value, list) and len(value) <= MAX_DIMENSIONS
                self._walk.value(reading, output, key, DOCUMENT, (*path, key), strip=strip and not few)
        self._walk.keyed(reading, output, DOCUMENT, path)
        return path

    def _data(self, reading: Reading, output: JsonObject, datatype: str, path: Path, *, strip: bool) -> None:
        value = output["data"]
        if isinstance(value, Blob):
            return self._blob(reading, output, value, datatype, strip=strip)
        if isinstance(value, str):
            output["data"] = value = [value]
        if not isinstance(value, list):
            return self._walk.value(reading, output, "data", DOCUMENT, path, strip=strip)
        kinds = numbers(value)
        if strip and kinds is None and self._walk.encoded(output, self._last):
            _empty(reading, output)
        elif kinds is None:
            texts = self._texts(reading, value, path, 0, strip=strip)
            self._outputs[path] = {**self._walk.head(output, ("name", "shape", "datatype")), "data": texts}
        elif strip and not self._walk.passes(value, kinds, datatype):
            _empty(reading, output)
        elif int in kinds:
            self._walk.value(reading, output, "data", DOCUMENT, path, strip=False)
        return None

    def _blob(self, reading: Reading, output: JsonObject, value: Blob, datatype: str, *, strip: bool) -> None:
        """The bytes of a tensor of numbers: the rule is that of numbers in JSON."""
        if datatype.startswith(("FP", "BF")) or not value.data:
            return
        if strip and not self._tensors:
            _empty(reading, output)
        else:
            self._unread = True

    def _texts(self, reading: Reading, values: list[Json], path: Path, at: int, *, strip: bool) -> int:
        """Every text of a list, however nested, each going on at its position. Returns the position behind them."""
        for index, value in enumerate(values):
            if isinstance(value, list) and numbers(value) is None:
                at = self._texts(reading, value, path, at, strip=strip)
                continue
            if at >= _MANY and self._again:
                raise UnreadableError  # what goes on there from event to event could not be told apart
            here = (*path, min(at, _MANY))
            if isinstance(value, Blob):
                self._no_text(reading, values, index, strip=strip)
            elif isinstance(value, str):
                if value:
                    reading.pieces.append(Piece(values, index, value, self._walk.place(0, here), "flow"))
            else:
                self._walk.value(reading, values, index, 0, here, strip=strip)
            at += 1
        return at

    def _no_text(self, reading: Reading, values: list[Json], index: int, *, strip: bool) -> None:
        """An element that is no UTF-8: a mask cannot know what it says."""
        if strip and not self._tensors:
            values[index] = ""
            reading.edited = True
        else:
            self._unread = True

    def carry(self, place: Place, text: str) -> bytes:
        document: JsonObject = self._walk.head(self._last, _HEAD)
        output = self._outputs.get(place.path[:-1])
        at = place.path[-1]
        if output is None or not isinstance(at, int):
            raise UnreadableError
        total = output["data"]
        assert isinstance(total, int)
        data: list[Json] = [""] * total
        data[min(at, total - 1)] = text
        return sse.encode({**document, "outputs": [{**output, "data": data}]})


class GeneratedReader(Reader):
    """`text_output`, or whatever the model calls its outputs: every string beside the model's name goes on."""

    dialect: Dialect = KSERVE
    unterminated = True

    def __init__(self, *, tensors: bool = False) -> None:
        self._walk = TensorWalk(tensors=tensors)
        self._last: JsonObject = {}

    def read(self, document: Json, reply: Reply, *, strip: bool) -> Reading:
        if not isinstance(document, dict):
            raise UnreadableError
        if document.get("error") is not None:
            return read_anything(self._walk, document, strip=strip)
        reading = Reading()
        reading.keys = len(document)
        again, self._last = bool(self._last), document
        for key in list(document):
            value = document[key]
            if key in _HEAD and isinstance(value, str):
                self._walk.names(reading, document, key, value, (key,))
            elif isinstance(value, str):
                self._flow(reading, document, key, value, (key,))
            elif isinstance(value, list) and value and set(map(type, value)) == {str}:
                if len(value) > _MANY and again:
                    raise UnreadableError
                for at, text in enumerate(value):
                    self._flow(reading, value, at, str(text), (key, min(at, _MANY)))
            else:
                self._walk.value(reading, document, key, DOCUMENT, (key,), strip=strip)
        self._walk.keyed(reading, document, DOCUMENT)
        if isinstance(name := document.get("model_name"), str):
            reply.model = name
        return complete(reading)

    def _flow(self, reading: Reading, holder: Holder, key: str | int, text: str, path: Path) -> None:
        if text:
            reading.pieces.append(Piece(holder, key, text, self._walk.place(0, path), "flow"))

    def carry(self, place: Place, text: str) -> bytes:
        document: JsonObject = self._walk.head(self._last, _HEAD)
        key, *rest = place.path
        at = rest[0] if rest else None
        said: Json = [*[""] * at, text] if isinstance(at, int) else text
        return sse.encode({**document, str(key): said})


class AnythingReader(Reader):
    """A whole reply of any shape: KServe's first protocol, TensorFlow Serving."""

    dialect: Dialect = KSERVE
    events: frozenset[str] = frozenset()
    bare = True

    def __init__(self, *, tensors: bool = False) -> None:
        self._walk = TensorWalk(tensors=tensors)

    def read(self, document: Json, reply: Reply, *, strip: bool) -> Reading:
        holder: list[Json] = [document]
        if isinstance(document, list) and numbers(document) is not None:
            reading = Reading()
            self._walk.value(reading, holder, 0, DOCUMENT, ("body",), strip=strip)
            if holder[0] is not document:
                document.clear()
            return reading
        return read_anything(self._walk, document, strip=strip)
