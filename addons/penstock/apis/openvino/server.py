"""OpenVINO Model Server's own endpoints: its models, and reading their configuration again."""

from __future__ import annotations

from typing import Final

from penstock.apis.dialects import OPENAI
from penstock.apis.orders import Order, Orders
from penstock.exchange import Operation

OPENVINO_SERVER: Final = Orders(
    "openvino.server",
    OPENAI,
    (
        Order("GET", "/v3/models", Operation.LIST),
        Order("GET", "/v3/v1/models", Operation.LIST),
        Order("GET", "/v3/models/{model}", Operation.SHOW),
        Order("GET", "/v1/config", Operation.SHOW),
        # Loads and unloads models as its file on disk says now.
        Order("POST", "/v1/config/reload", Operation.LOAD),
    ),
)
