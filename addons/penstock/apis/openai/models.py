"""The models that a server of OpenAI's API has."""

from __future__ import annotations

from typing import Final

from penstock.apis.api import Route
from penstock.apis.dialects import OPENAI
from penstock.apis.metadata import Metadata
from penstock.exchange import Operation

OPENAI_MODELS: Final = Metadata(
    "openai.models",
    OPENAI,
    (
        Route("GET", "/v1/models", Operation.LIST),
        Route("GET", "/models", Operation.LIST),
        Route("GET", "/v1/models/{model}", Operation.SHOW),
    ),
)
