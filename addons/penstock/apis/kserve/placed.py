"""APIs whose model stands in the path, with or without a version."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from penstock.apis.api import Route
from penstock.apis.calls.posted import Posted
from penstock.apis.names import model_name
from penstock.errors import Refusal, invalid
from penstock.exchange import Call, Json, JsonObject

VERSION: Final = "model_version"
"""The version or label in the path: an ordinary parameter, so that a grant can say which."""
_VERSION: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Placed(Posted):
    """Base of such an API: `read` makes a call without a model, which is then given the one of the path."""

    def call(self, route: Route, path: str, body: JsonObject | None) -> Call:
        if body is None:
            raise invalid("This endpoint needs a JSON object as the request body.")
        values = route.values(path)
        version = values.get("version") or values.get("label")
        if version is not None and not _VERSION.fullmatch(version):
            raise invalid("The version in the request path is not one.")
        made = self.read(route.operation, body)
        return replace(
            made,
            model=model_name(values["model"], "the model in the path"),
            parameters={**made.parameters, VERSION: version} if version else made.parameters,
            stream=route.path.endswith("_stream"),
        )

    def with_body(self, call: Call, body: JsonObject) -> Call:
        return _same(self.read(call.operation, body), call)

    def with_parameters(self, call: Call, values: Mapping[str, Json]) -> Call:
        if values.get(VERSION, call.parameters.get(VERSION)) != call.parameters.get(VERSION):
            raise invalid("The version in the request path cannot be changed.")
        written = {name: value for name, value in values.items() if name != VERSION}
        made = self.with_body(call, super().with_parameters(call, written).body or {})
        if any(made.parameters.get(name) != value for name, value in written.items() if name in call.parameters):
            raise Refusal(
                "not_granted", "A parameter of this request is out of its bounds, and cannot be changed here."
            )
        return made


def _same(made: Call, call: Call) -> Call:
    """A call read anew from another body, of the same model."""
    version = call.parameters.get(VERSION)
    parameters = {**made.parameters, VERSION: version} if version is not None else made.parameters
    return replace(made, model=call.model, parameters=parameters, stream=call.stream, encoding=call.encoding)
