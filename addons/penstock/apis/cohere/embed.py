"""Cohere's embed, version 2, as Cohere and vLLM serve it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar, Final

from penstock.apis.api import Dialect, ReplyReader, Route
from penstock.apis.calls.fields import INT, LIST, STRING, Field, Keys, Table, parameter, wrong
from penstock.apis.calls.generating import no_other_name, read_table
from penstock.apis.calls.posted import Posted
from penstock.apis.calls.turns import LABEL, Turns
from penstock.apis.cohere.errors import COHERE
from penstock.apis.cohere.messages import read_content
from penstock.apis.names import model_name
from penstock.apis.openai.messages import items, text
from penstock.apis.replies.pieces import Reading, UnreadableError, is_text
from penstock.apis.replies.typed import MESSAGE, TypedReader
from penstock.exchange import Call, Json, JsonObject, Operation, Reply

PARAMETERS: Final[Mapping[str, Field]] = {
    "model": Field(STRING),
    "texts": Field(LIST),
    "inputs": Field(LIST),
    "images": Field(LIST),
    "input_type": parameter(STRING, "input_type", role=LABEL),
    "embedding_types": parameter(LIST, "embedding_types", role=LABEL),
    "output_dimension": parameter(INT, "dimensions"),
    "truncate": parameter(STRING, "truncate", role=LABEL),
    "max_tokens": parameter(INT, "truncate_at"),
    "priority": parameter(INT, "priority", ordinary=False),
}
_INPUT: Final = Keys(("content",))
_PACKED: Final = re.compile(r"[A-Za-z0-9+/]*={0,2}")


class CohereEmbed(Posted):
    """`POST /v2/embed` (https://docs.cohere.com/reference/embed)."""

    name = "cohere.embed"
    dialect: ClassVar[Dialect] = COHERE
    routes = (Route("POST", "/v2/embed", Operation.EMBED),)
    table = Table(PARAMETERS)

    def read(self, operation: Operation, body: JsonObject) -> Call:
        unknown = self.table.check(body)
        no_other_name(self.table, None, unknown)
        turns = Turns()
        for index, said in enumerate(items(body.get("texts") or [], ("texts",))):
            turns.add("user", text(said, ("texts", index)), ("texts", index))
        for index, part in enumerate(items(body.get("inputs") or [], ("inputs",))):
            path = ("inputs", index)
            read_content(turns, "user", _INPUT.only(part, path).get("content"), (*path, "content"))
        for index, url in enumerate(items(body.get("images") or [], ("images",))):
            _picture(turns, text(url, ("images", index)), index)
        if not turns.found and not turns.uninspected:
            raise wrong(("texts",), "a list of at least one text")
        read_table(self.table, turns, body, unknown)
        parameters = self.parameters(body)
        return Call(
            self.name,
            operation,
            model_name(body.get("model")),
            tuple(turns.found),
            parameters,
            self.unusual(parameters),
            uninspected=tuple(sorted(turns.uninspected)),
            body=body,
        )

    def reader(self, call: Call) -> ReplyReader:
        return CohereEmbedReader()


def _picture(turns: Turns, url: str, index: int) -> None:
    turns.uninspected.add("image")
    if not url.startswith("data:"):
        turns.uninspected.add("url")
        turns.add("other", url, ("images", index))


class CohereEmbedReader(TypedReader):
    """`embeddings` by type are what was asked for, and numbers or packed ones alone; `texts` says the input again."""

    dialect: Dialect = COHERE
    events: frozenset[str] = frozenset()
    structure = frozenset({"response_type"})
    counts = frozenset({"meta"})

    def read(self, document: Json, reply: Reply, *, strip: bool) -> Reading:
        if not isinstance(document, dict):
            raise UnreadableError
        reading = Reading()
        embeddings = document.get("embeddings")
        if isinstance(embeddings, dict):
            reading.keys += len(embeddings)
        vectors = list(embeddings.values()) if isinstance(embeddings, dict) else [embeddings]
        if not all(map(_vectors, vectors)):
            raise UnreadableError
        _note(document.get("meta"), reply)
        self.rest(reading, document, ("embeddings",), MESSAGE, strip=strip)
        return reading


def _vectors(value: Json) -> bool:
    """Whether a value is a list of vectors, each a list of numbers or a packed string of them."""
    if value is None:
        return True
    return isinstance(value, list) and all(
        all(item.__class__ in (int, float) and not is_text(item) for item in vector)
        if isinstance(vector, list)
        else isinstance(vector, str) and _PACKED.fullmatch(vector) is not None
        for vector in value
    )


def _note(meta: Json, reply: Reply) -> None:
    units = meta.get("billed_units") if isinstance(meta, dict) else None
    if isinstance(units, dict) and isinstance(count := units.get("input_tokens"), (int, float)):
        reply.prompt_tokens = int(count)
