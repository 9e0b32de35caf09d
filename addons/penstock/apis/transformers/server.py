"""`transformers serve`: loading a model with its progress, and forgetting all that are loaded."""

from __future__ import annotations

from typing import Final

from penstock.apis.dialects import OPENAI
from penstock.apis.orders import Order, Orders
from penstock.exchange import Operation

TRANSFORMERS_SERVER: Final = Orders(
    "transformers.server",
    OPENAI,
    (
        # A name of the hub, or a path on the server.
        Order("POST", "/load_model", Operation.LOAD, model=("model",)),
        Order("POST", "/reset", Operation.UNLOAD),
        Order("OPTIONS", "/v1/models", Operation.LIST),
    ),
)
