"""`litellm`, which speaks each API with a client of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import litellm
from scenes import ASKS, FORM, KEY, LOOKUP, Seen, ask, play

litellm.suppress_debug_info = True
TOOLS: Any = [{"type": "function", "function": LOOKUP}]
JSON = {"content-type": "application/json"}
FORMAT: Any = {"type": "json_schema", "json_schema": {"name": "form", "strict": True, "schema": FORM}}


class Litellm:
    def __init__(self, urls: Mapping[str, str], *, model: str, route: str, path: str = "", **more: Any) -> None:
        self.ask: Callable[..., Any] = partial(
            litellm.completion, model=model, api_base=urls[route] + path, api_key=KEY, max_tokens=200, **more
        )

    def chat(self, seen: Seen) -> None:
        seen.text(self.ask(messages=ask("chat")).choices[0].message.content)

    def stream(self, seen: Seen, scene: str = "stream") -> None:
        for event in self.ask(messages=ask(scene), stream=True):
            if event.choices:
                seen.text(event.choices[0].delta.content)

    def tools(self, seen: Seen) -> None:
        self._calls(seen, self.ask(messages=ask("tools"), tools=TOOLS))

    def tools_streamed(self, seen: Seen) -> None:
        messages = ask("tools_streamed")
        events = list(self.ask(messages=messages, tools=TOOLS, stream=True))
        self._calls(seen, litellm.stream_chunk_builder(events, messages=messages))

    def _calls(self, seen: Seen, reply: Any) -> None:
        for call in reply.choices[0].message.tool_calls or ():
            seen.call(call.function.name, call.function.arguments)

    def structured(self, seen: Seen) -> None:
        reply = self.ask(messages=ask("structured"), response_format=FORMAT)
        seen.value = json.loads(reply.choices[0].message.content)

    def blocked(self, seen: Seen) -> None:
        self.ask(messages=ask("blocked"))

    def blocked_streamed(self, seen: Seen) -> None:
        self.stream(seen, "blocked_streamed")

    def denied(self, seen: Seen) -> None:
        self.stream(seen, "denied")

    def masked(self, seen: Seen) -> None:
        self.stream(seen, "masked")


class WithVectors(Litellm):
    def __init__(self, urls: Mapping[str, str], *, vectors: str, route: str, path: str = "", **more: Any) -> None:
        super().__init__(urls, route=route, path=path, **more)
        self.embed: Callable[..., Any] = partial(
            litellm.embedding, model=vectors, api_base=urls[route] + path, api_key=KEY
        )

    def embeddings(self, seen: Seen) -> None:
        reply = self.embed(input=[ASKS["embeddings"], "another"])
        seen.vectors = [len(one["embedding"]) for one in reply.data]


class Anthropic(Litellm):
    # It asks for a form by a tool that must be called, of which the tiny model knows nothing.
    structured = None


play(
    {
        "litellm openai": partial(WithVectors, model="openai/tiny", vectors="openai/tiny", route="llama", path="/v1"),
        "litellm anthropic": partial(Anthropic, model="anthropic/tiny", route="llama"),
        # It sends JSON without saying so.
        "litellm ollama": partial(Litellm, model="ollama_chat/tiny", route="ollama", extra_headers=JSON),
    }
)
