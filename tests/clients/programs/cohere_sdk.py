"""The `cohere` SDK's second client: chat."""

from __future__ import annotations

from collections.abc import Mapping

import cohere
from scenes import KEY, Seen, ask, play


class Interrupted(Exception):
    """The end of the message told of an error."""


class Chat:
    def __init__(self, urls: Mapping[str, str]) -> None:
        self.client = cohere.ClientV2(api_key=KEY, base_url=urls["other"])

    def chat(self, seen: Seen) -> None:
        for block in self.client.chat(model="tiny", messages=ask("chat")).message.content or ():
            seen.text(block.text)

    def stream(self, seen: Seen, scene: str = "stream") -> None:
        for event in self.client.chat_stream(model="tiny", messages=ask(scene)):
            if event.type == "content-delta":
                seen.text(event.delta.message.content.text)
            # The SDK raises for nothing that comes in a stream: whoever uses it looks here.
            if event.type == "message-end" and event.delta.finish_reason == "ERROR":
                raise Interrupted(event.delta.error)

    def blocked(self, seen: Seen) -> None:
        self.client.chat(model="tiny", messages=ask("blocked"))

    def blocked_streamed(self, seen: Seen) -> None:
        self.stream(seen, "blocked_streamed")

    def denied(self, seen: Seen) -> None:
        self.stream(seen, "denied")

    def masked(self, seen: Seen) -> None:
        self.stream(seen, "masked")


play({"cohere": Chat})
