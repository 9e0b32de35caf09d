"""The `ollama` SDK: chat, generate and embed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import ollama
from scenes import ASKS, FORM, KEY, LOOKUP, Seen, ask, play

TOOLS: Any = [{"type": "function", "function": LOOKUP}]


class Chat:
    def __init__(self, urls: Mapping[str, str]) -> None:
        self.client = ollama.Client(host=urls["ollama"], headers={"authorization": f"Bearer {KEY}"})

    def chat(self, seen: Seen) -> None:
        seen.text(self.client.chat("tiny", ask("chat")).message.content)

    def stream(self, seen: Seen, scene: str = "stream") -> None:
        for line in self.client.chat("tiny", ask(scene), stream=True):
            seen.text(line.message.content)

    def tools(self, seen: Seen) -> None:
        for call in self.client.chat("tiny", ask("tools"), tools=TOOLS).message.tool_calls or ():
            seen.call(call.function.name, dict(call.function.arguments))

    def tools_streamed(self, seen: Seen) -> None:
        for line in self.client.chat("tiny", ask("tools_streamed"), tools=TOOLS, stream=True):
            for call in line.message.tool_calls or ():
                seen.call(call.function.name, dict(call.function.arguments))

    def structured(self, seen: Seen) -> None:
        seen.value = json.loads(self.client.chat("tiny", ask("structured"), format=FORM).message.content or "")

    def embeddings(self, seen: Seen) -> None:
        reply = self.client.embed("tiny", [ASKS["embeddings"], "another"])
        seen.vectors = [len(one) for one in reply.embeddings]

    def blocked(self, seen: Seen) -> None:
        self.client.chat("tiny", ask("blocked"))

    def blocked_streamed(self, seen: Seen) -> None:
        self.stream(seen, "blocked_streamed")

    def denied(self, seen: Seen) -> None:
        self.stream(seen, "denied")

    def masked(self, seen: Seen) -> None:
        for line in self.client.generate("tiny", ASKS["masked"], stream=True):
            seen.text(line.response)


play({"ollama": Chat})
