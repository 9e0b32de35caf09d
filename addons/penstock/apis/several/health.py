"""Whether a server is up: what load balancers and clients ask of vLLM, llama.cpp, SGLang and others."""

from __future__ import annotations

from typing import Final

from penstock.apis.api import Route
from penstock.apis.dialects import OPENAI
from penstock.apis.metadata import Metadata
from penstock.exchange import Operation

HEALTH: Final = Metadata(
    "health",
    OPENAI,
    tuple(Route("GET", path, Operation.HEALTH) for path in ("/health", "/v1/health", "/ping", "/version")),
)
