"""llama.cpp's tools around a chat: the prompt that its template makes, and how many tokens that is."""

from __future__ import annotations

from typing import Final

from penstock.apis.api import Route
from penstock.apis.calls.whole import Borrowed
from penstock.apis.openai.chat import OpenAiChat
from penstock.exchange import Operation

LLAMA_CPP_TOOLS: Final = Borrowed(
    "llama_cpp.tools",
    OpenAiChat(),
    (
        Route("POST", "/apply-template", Operation.TOKENIZE),
        Route("POST", "/chat/completions/input_tokens", Operation.TOKENIZE),
        Route("POST", "/v1/chat/completions/input_tokens", Operation.TOKENIZE),
    ),
)
"""The prompt in the reply is text."""
