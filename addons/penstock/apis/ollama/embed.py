"""Ollama's embeddings, the newer endpoint and the older."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Final

from penstock.apis.api import Dialect, Route
from penstock.apis.calls.contents import Input, contents
from penstock.apis.calls.fields import INT, Field, Table, parameter
from penstock.apis.calls.pooling import inputs
from penstock.apis.calls.turns import Turns
from penstock.apis.calls.whole import Whole
from penstock.apis.dialects import OLLAMA
from penstock.apis.names import ollama_name
from penstock.apis.ollama.parameters import OPTIONS, SHARED, check_keep_alive, lifecycle, orders, read_parameters
from penstock.exchange import Call, JsonObject, Operation

_OWN: Final[Mapping[str, Field]] = {key: SHARED[key] for key in ("model", "options", "truncate", "keep_alive")}


class OllamaEmbed(Whole):
    """`POST /api/embed`; without text it loads the model, or with `keep_alive: 0` unloads it."""

    name = "ollama.embed"
    dialect: ClassVar[Dialect] = OLLAMA
    routes = (Route("POST", "/api/embed", Operation.EMBED),)
    table = Table({**_OWN, **inputs("input", "prompt"), "dimensions": parameter(INT, "dimensions")})
    inner = OPTIONS
    # LocalAI takes either key on either path.
    inputs: ClassVar[Mapping[str, Input]] = {"input": contents, "prompt": contents}
    needed = False
    numbers = frozenset({"embedding", "embeddings"})

    def read(self, operation: Operation, body: JsonObject) -> Call:
        body = {**body, "model": ollama_name(body.get("model"))}
        check_keep_alive(body)
        text = any(body.get(key) not in (None, "", []) for key in self.inputs)
        found = super().read(operation if text else lifecycle(body), body)
        return replace(found, unusual=found.unusual - orders(found.operation))

    def read_keys(self, turns: Turns, body: JsonObject, unknown: list[str]) -> None:
        for key, known in self.inputs.items():
            if (value := body.get(key)) is not None:
                known(turns, value, (key,))
        read_parameters(self.table, turns, body, unknown)


class OllamaEmbeddings(OllamaEmbed):
    """`POST /api/embeddings`, one `prompt`."""

    name = "ollama.embeddings"
    routes = (Route("POST", "/api/embeddings", Operation.EMBED),)
