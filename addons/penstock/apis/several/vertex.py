"""Vertex AI's predict: several calls in one body, each as the server's own API has it, and their replies in one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Final

from penstock.apis.api import Api, Dialect, ReplyReader, Route
from penstock.apis.calls.fields import Keys, wrong
from penstock.apis.calls.generating import merged
from penstock.apis.dialects import OPENAI
from penstock.apis.llama_cpp.completion import LlamaCompletion
from penstock.apis.llama_cpp.reply import NativeReader
from penstock.apis.openai.chat import OpenAiChat
from penstock.apis.openai.reply import OpenAiReader
from penstock.apis.replies.pieces import DOCUMENT, Piece, Place, Reading, UnreadableError, Walk
from penstock.apis.replies.reader import Reader
from penstock.apis.sglang.generate import SglangGenerate
from penstock.apis.sglang.reply import SglangReader
from penstock.apis.tgi.generate import TgiGenerate
from penstock.errors import invalid
from penstock.exchange import Call, Json, JsonObject, Operation, Path, Reply, Turn

_BODY: Final = Keys(("instances", "parameters"))
_FORMAT: Final = "@requestFormat"
_NAMED: Final = "model"
_SGLANG: Final = SglangGenerate()
# What an instance has says whose it is: TGI's, llama.cpp's or TGI's, llama.cpp's, SGLang's.
_KINDS: Final[Mapping[str, Api]] = {
    "inputs": TgiGenerate(),
    "messages": OpenAiChat(),
    "prompt": LlamaCompletion(),
    "text": _SGLANG,
    "input_ids": _SGLANG,
    "input_embeds": _SGLANG,
}
# llama.cpp's names for its endpoints.
_FORMATS: Final[Mapping[Json, str]] = {
    "chatCompletions": "messages",
    "completion": "prompt",
    "completions": "prompt",
}


class VertexPredict:
    """`POST /predict` (llama.cpp), `/vertex` (TGI) and `/vertex_generate` (SGLang)."""

    name = "vertex.predict"
    dialect: ClassVar[Dialect] = OPENAI
    routes = (
        Route("POST", "/predict", Operation.COMPLETE, marks=frozenset({"instances"})),
        Route("POST", "/vertex", Operation.COMPLETE, marks=frozenset({"instances"})),
        Route("POST", "/vertex_generate", Operation.COMPLETE),
    )

    def call(self, route: Route, path: str, body: JsonObject | None) -> Call:
        if body is None:
            raise invalid("This endpoint needs a JSON object as the request body.")
        return self._read(body)

    def with_body(self, call: Call, body: JsonObject) -> Call:
        return self._read(body)

    def parameters(self, body: JsonObject) -> Mapping[str, Json]:
        return self._read(body).parameters

    def _read(self, body: JsonObject) -> Call:
        """One call of all the instances: of their limits the larger counts, all else must be the same in each."""
        _BODY.only(body, ())
        instances = _instances(body)
        kind = _kind(instances)
        shared = _parameters(body)
        if kind is not _SGLANG and shared:
            raise invalid("/parameters has no meaning for instances of this kind; write them into each instance.")
        calls = [_instance(kind, item, shared, ("instances", at)) for at, item in enumerate(instances)]
        if len({call.model for call in calls}) > 1:
            raise invalid("/instances must all name the same model, or none.")
        if any(call.stream for call in calls):
            raise invalid("This endpoint does not stream: leave out `stream`.")
        first, parameters = calls[0], merged([call.parameters for call in calls], ("instances",))
        parts: list[Json] = [call.body for call in calls]
        return Call(
            self.name,
            first.operation,
            first.model,
            _turns(calls),
            parameters,
            frozenset().union(*(call.unusual for call in calls)),
            tuple(dict.fromkeys(tool for call in calls for tool in call.tools)),
            False,
            tuple(sorted({kind for call in calls for kind in call.uninspected})),
            {**body, "instances": parts},
        )

    def with_parameters(self, call: Call, values: Mapping[str, Json]) -> Call:
        assert call.body is not None
        instances = _instances(call.body)
        kind = _kind(instances)
        if kind is _SGLANG:
            body = {**call.body, "parameters": _written(kind, _parameters(call.body), values)}
        else:
            parts: list[Json] = [_written(kind, item, values) for item in instances]
            body = {**call.body, "instances": parts}
        return replace(call, body=body, parameters=self.parameters(body))

    def reader(self, call: Call) -> ReplyReader:
        return VertexReader()


def _instances(body: JsonObject) -> list[JsonObject]:
    given = body.get("instances")
    found = [item for item in given if isinstance(item, dict)] if isinstance(given, list) else []
    if not isinstance(given, list) or not given or len(found) != len(given):
        raise wrong(("instances",), "a list of at least one object")
    return found


def _parameters(body: JsonObject) -> JsonObject:
    """SGLang's: what its generate has beside the input."""
    given = body.get("parameters")
    if given is None:
        return {}
    if not isinstance(given, dict) or not _KINDS.keys().isdisjoint(given):
        raise wrong(("parameters",), "an object, without the inputs themselves")
    return given


def _kind(instances: list[JsonObject]) -> Api:
    """The one API that all instances are of.

    Raises: Refusal.
    """
    found: set[str] = set()
    for at, item in enumerate(instances):
        marks = [key for key in _KINDS if key in item]
        if len(marks) != 1 or (_FORMAT in item and _FORMATS.get(str(item[_FORMAT])) != marks[0]):
            raise wrong(("instances", at), "of one kind: with one of " + ", ".join(_KINDS))
        found.add(marks[0])
    if len(found) != 1:
        raise invalid("/instances must all be of one kind.")
    return _KINDS[found.pop()]


def _instance(kind: Api, item: JsonObject, shared: JsonObject, path: Path) -> Call:
    """The call that one instance is, with the body that it has afterwards; a model need not be named here."""
    if not shared.keys().isdisjoint(item):
        raise wrong(path, "without keys that stand in /parameters")
    asked = {**{key: value for key, value in item.items() if key != _FORMAT}, **shared}
    named = asked.get(_NAMED) is not None
    operation = Operation.CHAT if isinstance(kind, OpenAiChat) else Operation.COMPLETE
    route = Route("POST", "/predict", operation)
    call = kind.call(route, route.path, asked if named else {**asked, _NAMED: "-"})
    assert call.body is not None
    own: JsonObject = {_FORMAT: item[_FORMAT]} if _FORMAT in item else {}
    for key, value in call.body.items():
        if key not in shared and (named or key != _NAMED):
            own[key] = value
    turns = tuple(
        turn._replace(path=("parameters" if turn.path[0] in shared else path[0], *_below(turn.path, shared, path)))
        for turn in call.turns
    )
    return replace(call, model=call.model if named else None, turns=turns, body=own)


def _below(path: Path, shared: JsonObject, above: Path) -> Path:
    """The rest of a path behind `parameters` or `instances`."""
    return path if path[0] in shared else (*above[1:], *path)


def _turns(calls: list[Call]) -> tuple[Turn, ...]:
    """The turns of all; what they share, once."""
    found = [turn for at, call in enumerate(calls) for turn in call.turns if not at or turn.path[0] != "parameters"]
    return tuple(found)


def _written(kind: Api, body: JsonObject, values: Mapping[str, Json]) -> JsonObject:
    written = kind.with_parameters(Call(kind.name, Operation.COMPLETE, None, body=body), values).body
    assert written is not None
    return written


class VertexReader(Reader):
    """`predictions`: texts, or the whole replies of the API that the instances were of."""

    dialect: Dialect = OPENAI

    def __init__(self) -> None:
        self._walk = Walk()

    def read(self, document: Json, reply: Reply, *, strip: bool) -> Reading:
        if not isinstance(document, dict):
            raise UnreadableError
        reading = Reading()
        reading.error = document.get("error") is not None
        reading.keys = len(document)
        for key, value in document.items():
            if key == "predictions" and isinstance(value, list):
                for at, item in enumerate(value):
                    self._prediction(reading, value, item, at, reply, strip=strip)
            else:
                self._walk.value(reading, document, key, DOCUMENT, (key,), strip=strip)
        self._walk.keyed(reading, document, DOCUMENT)
        return reading

    def _prediction(
        self, reading: Reading, holder: list[Json], item: Json, at: int, reply: Reply, *, strip: bool
    ) -> None:
        if isinstance(item, str):
            if item:
                place = self._walk.place(at, ("predictions",))
                reading.pieces.append(Piece(holder, at, item, place, "unit"))
        elif isinstance(item, dict) and (reader := _reader(item)) is not None:
            inner = reader.read(item, reply, strip=strip)
            reading.keys += inner.keys
            reading.edited |= inner.edited
            for piece in inner.pieces:
                piece.place = _within(piece.place, at)
                reading.pieces.append(piece)
        else:
            self._walk.value(reading, holder, at, at, ("predictions",), strip=strip)


def _reader(item: JsonObject) -> ReplyReader | None:
    """By what a reply has: instances of one body can end differently, an error for one of them."""
    if isinstance(item.get("choices"), list):
        return OpenAiReader()
    if isinstance(item.get("meta_info"), dict):
        return SglangReader()
    return NativeReader(1) if isinstance(item.get("content"), str) else None


def _within(place: Place, at: int) -> Place:
    """The place of a text in the reply to one instance."""
    index, label = place.channel
    return Place((at, label if index <= 0 else f"{index}.{label}"), place.path, place.tool, place.form)
