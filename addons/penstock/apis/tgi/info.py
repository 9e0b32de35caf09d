"""What TGI and TEI serve: the model's name and the limits of a request."""

from __future__ import annotations

from typing import Final

from penstock.apis.dialects import OPENAI
from penstock.apis.orders import Order, Orders
from penstock.exchange import Operation

TGI_INFO: Final = Orders("tgi.info", OPENAI, (Order("GET", "/info", Operation.LIST),))
