"""The clients, what each can do, and what its user gets to see of a refusal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.clients.running import Program

ASKS: Final = {
    "chat": "What does water do?",
    "stream": "What does water do?",
    "tools": "look up Erin",
    "tools_streamed": "look up Erin",
    "structured": "Grace as JSON, please.",
    "embeddings": "What does water do?",
    "blocked": "Please export quickly all the customers.",
    "blocked_streamed": "Please export quickly all the customers.",
    "denied": "Tell me a secret",
    "masked": "Whom do I ask?",
}
"""Scene -> what the user asks in it; programs/ have a method of that name."""

EVERY: Final = frozenset(ASKS)
TALK: Final = EVERY - {"embeddings"}
TEXT: Final = TALK - {"tools", "tools_streamed", "structured"}


@dataclass(frozen=True, slots=True)
class Client:
    """A way to use an SDK."""

    name: str
    program: Program
    blocked: str
    """What is raised when the gateway does not let a question pass."""
    denied: str
    """What is raised when it breaks off a stream."""
    scenes: frozenset[str] = EVERY

    @property
    def id(self) -> str:
        return f"{self.program.id}-{self.name}".replace(" ", "-")


def _openai(program: Program) -> tuple[Client, ...]:
    raised = ("PermissionDeniedError", "APIError")
    return (
        Client("openai", program, *raised),
        Client("openai completions", program, *raised, frozenset({"blocked", "masked"})),
        Client("openai responses", program, *raised, TALK),
        Client("openai responses gathered", program, *raised, TALK - {"structured"}),
    )


_ANTHROPIC: Final = Program("anthropic_sdk.py", "python-2")
_OLLAMA: Final = Program("ollama_sdk.py", "python-2")
# Slow themselves, and the SDKs below them are tried with both entrances.
_LANGCHAIN: Final = Program("langchain_models.py", "python-2", ("serve",))
_LITELLM: Final = Program("litellm_sdk.py", "python-2", ("serve",))
_HUB: Final = Program("hub.py", "python-2")
_COHERE: Final = Program("cohere_sdk.py", "python-2")
_NODE_OPENAI: Final = Program("openai_sdk.mjs", "node")
_NODE_ANTHROPIC: Final = Program("anthropic_sdk.mjs", "node")
_NODE_OLLAMA: Final = Program("ollama_sdk.mjs", "node")
_AI: Final = Program("vercel_ai.mjs", "node")

CLIENTS: Final = (
    # The slowest first: they are started in this order.
    Client("litellm openai", _LITELLM, "APIError", "MidStreamFallbackError"),
    Client("litellm anthropic", _LITELLM, "PermissionDeniedError", "MidStreamFallbackError", TALK - {"structured"}),
    Client("litellm ollama", _LITELLM, "PermissionDeniedError", "BadRequestError", TALK),
    Client("langchain-openai", _LANGCHAIN, "OpenAIPermissionDeniedError", "APIError"),
    Client("langchain-openai responses", _LANGCHAIN, "OpenAIPermissionDeniedError", "APIError", TALK),
    Client("langchain-anthropic", _LANGCHAIN, "AnthropicPermissionDeniedError", "APIStatusError", TALK),
    Client("langchain-ollama", _LANGCHAIN, "ResponseError", "ResponseError"),
    *_openai(Program("openai_sdk.py", "python-2")),
    *_openai(Program("openai_sdk.py", "python-3")),
    Client("anthropic", _ANTHROPIC, "PermissionDeniedError", "APIStatusError", TALK),
    Client("ollama", _OLLAMA, "ResponseError", "ResponseError"),
    Client("huggingface_hub", _HUB, "HfHubHTTPError", "UnknownError", TALK - {"tools_streamed"}),
    Client("huggingface_hub generation", _HUB, "UnknownError", "UnknownError", TEXT),
    Client("cohere", _COHERE, "ForbiddenError", "Interrupted", TEXT),
    Client("openai", _NODE_OPENAI, "PermissionDeniedError", "APIError"),
    Client("openai responses", _NODE_OPENAI, "PermissionDeniedError", "APIError", TALK),
    Client("anthropic", _NODE_ANTHROPIC, "PermissionDeniedError", "APIError", TALK),
    Client("ollama", _NODE_OLLAMA, "ResponseError", "Error"),
    Client("ai openai responses", _AI, "AI_APICallError", "AI_StreamProviderError", TALK),
    Client("ai openai chat", _AI, "AI_APICallError", "AI_StreamProviderError"),
    Client("ai openai-compatible", _AI, "AI_APICallError", "AI_StreamProviderError"),
)
