"""SageMaker's one endpoint for everything: what a body asks, only its keys tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from penstock.apis.api import Api, Dialect, ReplyReader, Route
from penstock.apis.dialects import OPENAI
from penstock.apis.openai.chat import OpenAiChat
from penstock.apis.openai.completions import OpenAiCompletions
from penstock.apis.tgi.generate import TgiGenerate
from penstock.errors import invalid
from penstock.exchange import Call, Json, JsonObject, Operation

_PATH: Final = "/invocations"
_CHAT: Final = OpenAiChat()
# vLLM, SGLang and TGI try one API after the other and take the first that fits.
_ASKED: Final[Mapping[str, tuple[Api, Operation]]] = {
    "messages": (_CHAT, Operation.CHAT),
    "prompt": (OpenAiCompletions(), Operation.COMPLETE),
    "inputs": (TgiGenerate(), Operation.COMPLETE),
}


class SagemakerInvocations:
    """`POST /invocations`: the call is one of the API whose body it is, and named so."""

    name = "sagemaker.invocations"
    dialect: ClassVar[Dialect] = OPENAI
    routes = (Route("POST", _PATH, Operation.CHAT, marks=frozenset(_ASKED)),)
    _by_name: ClassVar[Mapping[str, Api]] = {api.name: api for api, _ in _ASKED.values()}

    def call(self, route: Route, path: str, body: JsonObject | None) -> Call:
        """The call of the one API that has the body.

        Raises: Refusal also for a body that two could take: which of them does, depends on the server.
        """
        keys = [key for key in _ASKED if body is not None and key in body]
        if len(keys) != 1:
            raise invalid("The body must have one of /messages, /prompt and /inputs, which says what it asks.")
        api, operation = _ASKED[keys[0]]
        return api.call(Route("POST", _PATH, operation), path, body)

    def _api(self, call: Call) -> Api:
        return self._by_name.get(call.api, _CHAT)

    def parameters(self, body: JsonObject) -> Mapping[str, Json]:
        return self.call(self.routes[0], _PATH, body).parameters

    def with_parameters(self, call: Call, values: Mapping[str, Json]) -> Call:
        return self._api(call).with_parameters(call, values)

    def with_body(self, call: Call, body: JsonObject) -> Call:
        return self._api(call).with_body(call, body)

    def reader(self, call: Call) -> ReplyReader:
        return self._api(call).reader(call)
