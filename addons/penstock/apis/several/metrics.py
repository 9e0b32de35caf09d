"""What a server measures about itself, as Prometheus reads it: one text, for every caller the same."""

from __future__ import annotations

from typing import Final

from penstock.apis.calls.fields import STRING
from penstock.apis.dialects import OPENAI
from penstock.apis.orders import Order, Orders
from penstock.exchange import Operation

METRICS: Final = Orders(
    "metrics",
    OPENAI,
    # llama.cpp's router needs to know of which model.
    (Order("GET", "/metrics", Operation.METRICS, query={"model": STRING}, model=("model",), needed=False),),
)
