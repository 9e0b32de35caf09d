"""LangChain's chat models and embeddings, over the SDKs of OpenAI, Anthropic and Ollama."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_anthropic import ChatAnthropic
from langchain_ollama import ChatOllama, OllamaEmbeddings
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from scenes import ASKS, FORM, KEY, LOOKUP, Seen, play

SCHEMA = {"title": "form", "description": "A person.", **FORM}
TOOLS: Any = [{"type": "function", "function": LOOKUP}]


class Langchain:
    """What is the same for every chat model: that is the point of LangChain."""

    model: Any
    vectors: Any = None

    def chat(self, seen: Seen) -> None:
        seen.text(self.model.invoke(ASKS["chat"]).text)

    def stream(self, seen: Seen, scene: str = "stream") -> None:
        for chunk in self.model.stream(ASKS[scene]):
            seen.text(chunk.text)

    def tools(self, seen: Seen) -> None:
        for call in self.model.bind_tools(TOOLS).invoke(ASKS["tools"]).tool_calls:
            seen.call(call["name"], call["args"])

    def tools_streamed(self, seen: Seen) -> None:
        whole = None
        for chunk in self.model.bind_tools(TOOLS).stream(ASKS["tools_streamed"]):
            whole = chunk if whole is None else whole + chunk
        for call in whole.tool_calls if whole else ():
            seen.call(call["name"], call["args"])

    def structured(self, seen: Seen) -> None:
        seen.value = self.model.with_structured_output(SCHEMA, method="json_schema").invoke(ASKS["structured"])

    def blocked(self, seen: Seen) -> None:
        self.model.invoke(ASKS["blocked"])

    def blocked_streamed(self, seen: Seen) -> None:
        self.stream(seen, "blocked_streamed")

    def denied(self, seen: Seen) -> None:
        self.stream(seen, "denied")

    def masked(self, seen: Seen) -> None:
        self.stream(seen, "masked")


class WithVectors(Langchain):
    def embeddings(self, seen: Seen) -> None:
        seen.vectors = [len(one) for one in self.vectors.embed_documents([ASKS["embeddings"], "another"])]


class OpenAi(WithVectors):
    def __init__(self, urls: Mapping[str, str]) -> None:
        place: Any = {"model": "tiny", "base_url": f"{urls['llama']}/v1", "api_key": KEY}
        self.model = ChatOpenAI(**place)
        # By default it sends token ids, of a tokenizer that the model does not have.
        self.vectors = OpenAIEmbeddings(**place, check_embedding_ctx_length=False)


class OpenAiResponses(Langchain):
    def __init__(self, urls: Mapping[str, str]) -> None:
        self.model = ChatOpenAI(model="tiny", base_url=f"{urls['llama']}/v1", api_key=KEY, use_responses_api=True)


class Anthropic(Langchain):
    def __init__(self, urls: Mapping[str, str]) -> None:
        self.model = ChatAnthropic(model="tiny", base_url=urls["llama"], api_key=KEY, max_tokens=200)


class Ollama(WithVectors):
    def __init__(self, urls: Mapping[str, str]) -> None:
        headers = {"headers": {"authorization": f"Bearer {KEY}"}}
        self.model = ChatOllama(model="tiny", base_url=urls["ollama"], client_kwargs=headers)
        self.vectors = OllamaEmbeddings(model="tiny", base_url=urls["ollama"], client_kwargs=headers)


play(
    {
        "langchain-openai": OpenAi,
        "langchain-openai responses": OpenAiResponses,
        "langchain-anthropic": Anthropic,
        "langchain-ollama": Ollama,
    }
)
