"""The `openai` SDK: chat completions, completions, responses and embeddings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import openai
from pydantic import BaseModel
from scenes import ASKS, KEY, LOOKUP, Seen, ask, play

TOOLS: Any = [{"type": "function", "function": LOOKUP}]
RESPONSE_TOOLS: Any = [{"type": "function", "strict": False, **LOOKUP}]


class Form(BaseModel):
    person: str
    mail: str


class Chat:
    def __init__(self, urls: Mapping[str, str]) -> None:
        self.client = openai.OpenAI(base_url=f"{urls['llama']}/v1", api_key=KEY)

    def chat(self, seen: Seen) -> None:
        reply = self.client.chat.completions.create(model="tiny", messages=ask("chat"))
        seen.text(reply.choices[0].message.content)

    def stream(self, seen: Seen, scene: str = "stream") -> None:
        for event in self.client.chat.completions.create(model="tiny", messages=ask(scene), stream=True):
            if event.choices:
                seen.text(event.choices[0].delta.content)

    def tools(self, seen: Seen) -> None:
        reply = self.client.chat.completions.create(model="tiny", messages=ask("tools"), tools=TOOLS)
        for call in reply.choices[0].message.tool_calls or ():
            seen.call(call.function.name, call.function.arguments)

    def tools_streamed(self, seen: Seen) -> None:
        with self.client.chat.completions.stream(model="tiny", messages=ask("tools_streamed"), tools=TOOLS) as stream:
            for event in stream:
                if event.type == "tool_calls.function.arguments.done":
                    seen.call(event.name, event.arguments)

    def structured(self, seen: Seen) -> None:
        reply = self.client.chat.completions.parse(model="tiny", messages=ask("structured"), response_format=Form)
        seen.value = reply.choices[0].message.parsed.model_dump()

    def embeddings(self, seen: Seen) -> None:
        reply = self.client.embeddings.create(model="tiny", input=[ASKS["embeddings"], "another"])
        seen.vectors = [len(one.embedding) for one in reply.data]

    def blocked(self, seen: Seen) -> None:
        self.client.chat.completions.create(model="tiny", messages=ask("blocked"))

    def blocked_streamed(self, seen: Seen) -> None:
        self.stream(seen, "blocked_streamed")

    def denied(self, seen: Seen) -> None:
        self.stream(seen, "denied")

    def masked(self, seen: Seen) -> None:
        self.stream(seen, "masked")


class Completions:
    """The tiny model answers all raw prompts alike."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        self.client = openai.OpenAI(base_url=f"{urls['llama']}/v1", api_key=KEY)

    def blocked(self, seen: Seen) -> None:
        self.client.completions.create(model="tiny", prompt=ASKS["blocked"])

    def masked(self, seen: Seen) -> None:
        for event in self.client.completions.create(model="tiny", prompt=ASKS["masked"], stream=True):
            if event.choices:
                seen.text(event.choices[0].text)


class Responses:
    """Event by event, which is all that llama.cpp's stream has the fields for."""

    route = "llama"

    def __init__(self, urls: Mapping[str, str]) -> None:
        self.client = openai.OpenAI(base_url=f"{urls[self.route]}/v1", api_key=KEY)

    def chat(self, seen: Seen) -> None:
        seen.text(self.client.responses.create(model="tiny", input=ASKS["chat"]).output_text)

    def stream(self, seen: Seen, scene: str = "stream") -> None:
        for event in self.client.responses.create(model="tiny", input=ASKS[scene], stream=True):
            if event.type == "response.output_text.delta":
                seen.text(event.delta)

    def tools(self, seen: Seen) -> None:
        reply = self.client.responses.create(model="tiny", input=ASKS["tools"], tools=RESPONSE_TOOLS)
        self._calls(seen, reply.output)

    def tools_streamed(self, seen: Seen) -> None:
        events = self.client.responses.create(
            model="tiny", input=ASKS["tools_streamed"], tools=RESPONSE_TOOLS, stream=True
        )
        self._calls(seen, (event.item for event in events if event.type == "response.output_item.done"))

    def _calls(self, seen: Seen, output: Iterable[Any]) -> None:
        for item in output:
            if item.type == "function_call":
                seen.call(item.name, item.arguments)

    def structured(self, seen: Seen) -> None:
        reply = self.client.responses.parse(model="tiny", input=ASKS["structured"], text_format=Form)
        seen.value = reply.output_parsed.model_dump()

    def blocked(self, seen: Seen) -> None:
        self.client.responses.create(model="tiny", input=ASKS["blocked"])

    def denied(self, seen: Seen) -> None:
        self.stream(seen, "denied")

    def blocked_streamed(self, seen: Seen) -> None:
        self.stream(seen, "blocked_streamed")

    def masked(self, seen: Seen) -> None:
        self.stream(seen, "masked")


class GatheredResponses(Responses):
    """By the SDK's own accumulator, which wants every field that OpenAI's streams have."""

    route = "other"

    def stream(self, seen: Seen, scene: str = "stream") -> None:
        with self.client.responses.stream(model="tiny", input=ASKS[scene]) as stream:
            for event in stream:
                if event.type == "response.output_text.delta":
                    seen.text(event.delta)
            if stream.get_final_response().output_text != "".join(seen.pieces):
                raise ValueError("the last event says something else than the others")

    def tools_streamed(self, seen: Seen) -> None:
        with self.client.responses.stream(model="tiny", input=ASKS["tools_streamed"], tools=RESPONSE_TOOLS) as stream:
            self._calls(seen, stream.get_final_response().output)

    structured = None


play(
    {
        "openai": Chat,
        "openai completions": Completions,
        "openai responses": Responses,
        "openai responses gathered": GatheredResponses,
    }
)
