"""Inference APIs: request bytes become calls, calls become bytes again, and the text in replies is found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from penstock.apis.api import Api, Dialect, Recognised, ReplyReader, Route
from penstock.apis.body import emit, parse
from penstock.apis.dialects import OLLAMA, OPENAI, dialect_of
from penstock.apis.health import HEALTH
from penstock.apis.ollama_chat import OllamaChat
from penstock.apis.ollama_generate import OllamaGenerate
from penstock.apis.ollama_models import OLLAMA_MODELS, OllamaShow
from penstock.apis.openai_chat import OpenAiChat
from penstock.apis.openai_completions import OpenAiCompletions
from penstock.apis.openai_models import OPENAI_MODELS
from penstock.apis.target import normal_path
from penstock.apis.turns import Key, replaced
from penstock.errors import Refusal, invalid
from penstock.exchange import Call, Path

APIS: Final[tuple[Api, ...]] = (
    OpenAiChat(),
    OpenAiCompletions(),
    OPENAI_MODELS,
    OllamaChat(),
    OllamaGenerate(),
    OllamaShow(),
    OLLAMA_MODELS,
    HEALTH,
)
"""Every API that the gateway speaks. What is not here is refused as unknown."""

_BY_NAME: Final = {api.name: api for api in APIS}
_EXACT: Final = {
    (route.method, route.path): Recognised(api, route) for api in APIS for route in api.routes if route.prefix is None
}
_OPEN: Final = tuple(
    (route.method, route.prefix, Recognised(api, route))
    for api in APIS
    for route in api.routes
    if route.prefix is not None
)


def recognise(method: str, target: str) -> Recognised:
    """The API and route of a request; `target` as `normal_path` gave it.

    Raises: Refusal (`unknown_endpoint`, and `invalid_request` for a query that the route does not know).
    """
    path, mark, query = target.partition("?")
    found = _EXACT.get((method, path)) or _open(method, path)
    if found is None:
        raise Refusal("unknown_endpoint", "This gateway does not serve that endpoint.")
    if mark:
        _check_query(query, found.route)
    return found


def _open(method: str, path: str) -> Recognised | None:
    for known, prefix, found in _OPEN:
        if method == known and path.startswith(prefix) and len(path) > len(prefix):
            return found
    return None


def _check_query(query: str, route: Route) -> None:
    """A query may only hold parameters that the route knows, each once."""
    names = [part.partition("=")[0] for part in query.split("&")]
    if len(set(names)) != len(names) or not route.query.issuperset(names):
        raise invalid("This endpoint does not take that query string.")


def by_name(name: str) -> Api:
    """The API of a call (`Call.api`).

    Raises: KeyError.
    """
    return _BY_NAME[name]


def with_texts(call: Call, texts: Mapping[Path, str]) -> Call:
    """The call with texts of its turns replaced: a new body, read anew.

    Raises: KeyError when a path leads to no text; Refusal when the new body is not a call any more.
    """
    if not texts or call.body is None:
        return call
    return by_name(call.api).with_body(call, replaced(call.body, texts))


__all__ = [
    "APIS",
    "OLLAMA",
    "OPENAI",
    "Api",
    "Dialect",
    "Key",
    "Recognised",
    "ReplyReader",
    "Route",
    "by_name",
    "dialect_of",
    "emit",
    "normal_path",
    "parse",
    "recognise",
    "with_texts",
]
