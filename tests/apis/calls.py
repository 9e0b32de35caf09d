"""Short ways to make calls from bodies, for tests."""

from __future__ import annotations

import orjson

from penstock import apis
from penstock.exchange import Call, Json, JsonObject

CHAT = "/v1/chat/completions"
COMPLETIONS = "/v1/completions"
OLLAMA_CHAT = "/api/chat"
GENERATE = "/api/generate"
SHOW = "/api/show"


def call(path: str, body: JsonObject, method: str = "POST") -> Call:
    """The call that a body makes on a path, through the bytes as a client sends them."""
    api, route = apis.recognise(method, apis.normal_path(path))
    return api.call(route, path, apis.parse(orjson.dumps(body), "application/json"))


def chat(**more: Json) -> Call:
    return call(CHAT, {"model": "tiny", "messages": [{"role": "user", "content": "hi"}], **more})


def ollama(**more: Json) -> Call:
    return call(OLLAMA_CHAT, {"model": "llama3.2", "messages": [{"role": "user", "content": "hi"}], **more})


def said(made: Call) -> list[tuple[str, str]]:
    """Role and text of each turn."""
    return [(turn.role, turn.text) for turn in made.turns]
