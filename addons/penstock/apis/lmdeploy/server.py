"""LMDeploy's own endpoints, and its proxy's: sleep, models for Anthropic's clients, nodes, the end."""

from __future__ import annotations

from typing import Final

from penstock.apis.calls.fields import OBJECT, STRING
from penstock.apis.dialects import OPENAI
from penstock.apis.orders import Order, Orders
from penstock.exchange import Operation

_NODE: Final = {"url": STRING, "status": OBJECT}

LMDEPLOY_SERVER: Final = Orders(
    "lmdeploy.server",
    OPENAI,
    (
        Order("GET", "/anthropic/v1/models", Operation.LIST),
        Order("POST", "/wakeup", Operation.LOAD, query={"tags": STRING}),
        Order("GET", "/nodes/status", Operation.LIST),
        Order("POST", "/nodes/remove", Operation.CONFIGURE, _NODE),
        # These end processes; the first and the last of them by GET.
        Order("GET", "/terminate", Operation.CONFIGURE),
        Order("POST", "/nodes/terminate", Operation.CONFIGURE, _NODE),
        Order("GET", "/nodes/terminate_all", Operation.CONFIGURE),
    ),
)
