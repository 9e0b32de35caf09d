"""KoboldCpp's own endpoints: what it serves, how it does, and ending what it generates."""

from __future__ import annotations

from typing import Final

from penstock.apis.calls.fields import STRING
from penstock.apis.dialects import OPENAI
from penstock.apis.orders import Order, Orders
from penstock.exchange import Operation

_LISTS: Final = (
    "/api/v1/model",
    "/api/v1/info/version",
    "/api/v1/config/max_context_length",
    "/api/v1/config/max_length",
    "/api/extra/version",
    "/api/extra/true_max_context_length",
)

KOBOLDCPP_SERVER: Final = Orders(
    "koboldcpp.server",
    OPENAI,
    (
        *(Order("GET", path, Operation.LIST) for path in _LISTS),
        Order("GET", "/api/extra/perf", Operation.METRICS),
        # Without a key it ends whatever is running, anybody's. tabbyAPI has it too.
        Order("POST", "/api/extra/abort", Operation.CONFIGURE, {"genkey": STRING}, optional=True),
    ),
)
