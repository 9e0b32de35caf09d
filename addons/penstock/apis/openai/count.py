"""How many tokens a request of the Responses API would be."""

from __future__ import annotations

from typing import Final

from penstock.apis.api import Route
from penstock.apis.calls.whole import Borrowed
from penstock.apis.openai.responses.api import OpenAiResponses
from penstock.exchange import Operation

RESPONSES_COUNT: Final = Borrowed(
    "openai.responses_count",
    OpenAiResponses(),
    (
        Route("POST", "/v1/responses/input_tokens", Operation.TOKENIZE),
        Route("POST", "/responses/input_tokens", Operation.TOKENIZE),
    ),
)
"""`{"input_tokens": 21, "object": "response.input_tokens"}`, of OpenAI and llama.cpp."""
