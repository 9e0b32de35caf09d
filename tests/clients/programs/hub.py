"""`huggingface_hub`: its chat, which is OpenAI's, and its text generation, which is TGI's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from huggingface_hub import InferenceClient
from scenes import ASKS, FORM, KEY, LOOKUP, Seen, ask, play

TOOLS: Any = [{"type": "function", "function": LOOKUP}]
FORMAT: Any = {"type": "json_schema", "json_schema": {"name": "form", "strict": True, "schema": FORM}}


class Chat:
    def __init__(self, urls: Mapping[str, str]) -> None:
        self.client = InferenceClient(base_url=f"{urls['llama']}/v1", api_key=KEY)

    def chat(self, seen: Seen) -> None:
        seen.text(self.client.chat_completion(ask("chat"), model="tiny").choices[0].message.content)

    def stream(self, seen: Seen, scene: str = "stream") -> None:
        for event in self.client.chat_completion(ask(scene), model="tiny", stream=True):
            if event.choices:
                seen.text(event.choices[0].delta.content)

    def tools(self, seen: Seen) -> None:
        reply = self.client.chat_completion(ask("tools"), model="tiny", tools=TOOLS)
        for call in reply.choices[0].message.tool_calls or ():
            seen.call(call.function.name, call.function.arguments)

    def structured(self, seen: Seen) -> None:
        reply = self.client.chat_completion(ask("structured"), model="tiny", response_format=FORMAT)
        seen.value = json.loads(reply.choices[0].message.content or "")

    def blocked(self, seen: Seen) -> None:
        self.client.chat_completion(ask("blocked"), model="tiny")

    def blocked_streamed(self, seen: Seen) -> None:
        self.stream(seen, "blocked_streamed")

    def denied(self, seen: Seen) -> None:
        self.stream(seen, "denied")

    def masked(self, seen: Seen) -> None:
        self.stream(seen, "masked")


class Generation:
    def __init__(self, urls: Mapping[str, str]) -> None:
        self.client = InferenceClient(model=urls["other"], api_key=KEY)

    def chat(self, seen: Seen) -> None:
        seen.text(self.client.text_generation(ASKS["chat"], max_new_tokens=50))

    def stream(self, seen: Seen, scene: str = "stream") -> None:
        for piece in self.client.text_generation(ASKS[scene], stream=True):
            seen.text(piece)

    def blocked(self, seen: Seen) -> None:
        self.client.text_generation(ASKS["blocked"])

    def blocked_streamed(self, seen: Seen) -> None:
        self.stream(seen, "blocked_streamed")

    def denied(self, seen: Seen) -> None:
        self.stream(seen, "denied")

    def masked(self, seen: Seen) -> None:
        self.stream(seen, "masked")


play({"huggingface_hub": Chat, "huggingface_hub generation": Generation})
