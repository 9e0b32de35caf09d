"""The models that an Ollama server has, what they are, and whether it is up."""

from __future__ import annotations

from typing import ClassVar, Final

from penstock.apis.api import Dialect, Route
from penstock.apis.calls.fields import BOOL, OBJECT, STRING, Field, Table, parameter
from penstock.apis.calls.posted import Posted
from penstock.apis.calls.turns import Turns
from penstock.apis.dialects import OLLAMA
from penstock.apis.metadata import Metadata, MetadataReader
from penstock.apis.names import ollama_name
from penstock.errors import invalid
from penstock.exchange import Call, JsonObject, Operation

OLLAMA_MODELS: Final = Metadata(
    "ollama.models",
    OLLAMA,
    (
        Route("GET", "/api/tags", Operation.LIST),
        Route("HEAD", "/api/tags", Operation.LIST),
        Route("GET", "/api/ps", Operation.LIST),
        Route("GET", "/api/version", Operation.HEALTH),
        Route("HEAD", "/api/version", Operation.HEALTH),
        # The CLI asks this before anything else.
        Route("GET", "/", Operation.HEALTH),
        Route("HEAD", "/", Operation.HEALTH),
    ),
)

_SHOW: Final = Table(
    {
        "model": Field(STRING),
        # Deprecated, read by Ollama when `model` is empty.
        "name": Field(STRING),
        # Whole vocabularies, hundreds of thousands of strings.
        "verbose": parameter(BOOL, "verbose", ordinary=False),
        "system": parameter(STRING, "system", ordinary=False, role="system"),
        "template": parameter(STRING, "template", ordinary=False, role="system"),
        "options": parameter(OBJECT, "options", ordinary=False, role="other"),
    }
)


class OllamaShow(Posted):
    """`POST /api/show`: a model's licence, template, system prompt and figures."""

    name = "ollama.show"
    dialect: ClassVar[Dialect] = OLLAMA
    routes = (Route("POST", "/api/show", Operation.SHOW),)
    table = _SHOW

    def read(self, operation: Operation, body: JsonObject) -> Call:
        unknown = self.table.check(body)
        model = self._model(body)
        body = {**{key: value for key, value in body.items() if key != "name"}, "model": model}
        turns = Turns()
        for key, value in body.items():
            if key != "model":
                turns.everything("other" if key in unknown else self.table.fields[key].role or "other", value, (key,))
        parameters = self.parameters(body)
        return Call(
            self.name,
            operation,
            model,
            tuple(turns.found),
            parameters,
            self.unusual(parameters),
            uninspected=tuple(sorted(turns.uninspected)),
            body=body,
        )

    def _model(self, body: JsonObject) -> str:
        """The one model that is asked about, by whichever key."""
        names = {ollama_name(body[key], f"/{key}") for key in ("model", "name") if body.get(key)}
        if len(names) > 1:
            raise invalid("/model and /name name two models.")
        return names.pop() if names else ollama_name(None)

    def reader(self, call: Call) -> MetadataReader:
        return MetadataReader(OLLAMA)
