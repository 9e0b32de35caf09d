"""TorchServe's management of models: what they are, how many workers they have, which version is the default."""

from __future__ import annotations

from typing import Final

from penstock.apis.calls.fields import BOOL, INT
from penstock.apis.orders import Order, Orders
from penstock.apis.torchserve.errors import TORCHSERVE
from penstock.exchange import Operation

_PATHS: Final = ("/models/{model}", "/models/{model}/{version}")
_WORKERS: Final = {"min_worker": INT, "max_worker": INT, "number_gpu": INT, "synchronous": BOOL, "timeout": INT}

TORCHSERVE_MODELS: Final = Orders(
    "torchserve.models",
    TORCHSERVE,
    (
        *(Order("GET", path, Operation.SHOW, query={"customized": BOOL}) for path in _PATHS),
        *(Order("PUT", path, Operation.CONFIGURE, query=_WORKERS) for path in _PATHS),
        *(Order("DELETE", path, Operation.UNLOAD, query={"synchronous": BOOL, "timeout": INT}) for path in _PATHS),
        Order("PUT", "/models/{model}/{version}/set-default", Operation.CONFIGURE),
        Order("GET", "/api-description", Operation.LIST),
        # Explains what a model takes; `POST` is the prediction.
        *(
            Order("OPTIONS", path, Operation.SHOW)
            for path in ("/predictions/{model}", "/predictions/{model}/{version}")
        ),
    ),
)
"""Registering (`POST /models?url=`) is not served: llama.cpp's router has that path, and takes no such query. `GET
/models` is OpenAI's list."""
