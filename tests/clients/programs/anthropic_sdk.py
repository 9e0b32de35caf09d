"""The `anthropic` SDK, with its key in either header."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anthropic
from pydantic import BaseModel
from scenes import KEY, LOOKUP, Seen, ask, play

COMMON: Any = {"model": "tiny", "max_tokens": 200}
TOOLS: Any = [
    {"name": LOOKUP["name"], "description": LOOKUP["description"], "input_schema": LOOKUP["parameters"]},
]


class Form(BaseModel):
    person: str
    mail: str


class Messages:
    def __init__(self, urls: Mapping[str, str]) -> None:
        self.client = anthropic.Anthropic(base_url=urls["llama"], api_key=KEY)
        self.bearer = anthropic.Anthropic(base_url=urls["llama"], auth_token=KEY)

    def chat(self, seen: Seen) -> None:
        for block in self.bearer.messages.create(**COMMON, messages=ask("chat")).content:
            seen.text(block.text)

    def stream(self, seen: Seen, scene: str = "stream") -> None:
        with self.client.messages.stream(**COMMON, messages=ask(scene)) as stream:
            for piece in stream.text_stream:
                seen.text(piece)

    def tools(self, seen: Seen) -> None:
        self._calls(seen, self.client.messages.create(**COMMON, messages=ask("tools"), tools=TOOLS))

    def tools_streamed(self, seen: Seen) -> None:
        with self.client.messages.stream(**COMMON, messages=ask("tools_streamed"), tools=TOOLS) as stream:
            self._calls(seen, stream.get_final_message())

    def _calls(self, seen: Seen, message: anthropic.types.Message) -> None:
        for block in message.content:
            if block.type == "tool_use":
                seen.call(block.name, block.input)

    def structured(self, seen: Seen) -> None:
        reply = self.client.messages.parse(**COMMON, messages=ask("structured"), output_format=Form)
        seen.value = reply.parsed_output.model_dump()

    def blocked(self, seen: Seen) -> None:
        self.client.messages.create(**COMMON, messages=ask("blocked"))

    def blocked_streamed(self, seen: Seen) -> None:
        self.stream(seen, "blocked_streamed")

    def denied(self, seen: Seen) -> None:
        self.stream(seen, "denied")

    def masked(self, seen: Seen) -> None:
        self.stream(seen, "masked")


play({"anthropic": Messages})
