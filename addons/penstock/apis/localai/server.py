"""LocalAI's own endpoints: the models that it installs, imports, removes, loads and stops."""

from __future__ import annotations

from typing import Final

from penstock.apis.calls.fields import LIST, OBJECT, STRING
from penstock.apis.dialects import OPENAI
from penstock.apis.orders import Order, Orders
from penstock.exchange import Operation

_LISTS: Final = (
    "/models/available",
    "/models/galleries",
    "/models/jobs",
    "/models/jobs/{id}",
    "/backend/monitor",
    "/v1/backend/monitor",
    "/system",
)
_MODEL: Final = ("model",)

LOCALAI_SERVER: Final = Orders(
    "localai.server",
    OPENAI,
    (
        Order("GET", "/readyz", Operation.HEALTH),
        Order("GET", "/healthz", Operation.HEALTH),
        *(Order("GET", path, Operation.LIST) for path in _LISTS),
        # From a gallery by its id; or from anywhere, under any name and with any settings, which a grant must allow.
        Order(
            "POST",
            "/models/apply",
            Operation.PULL,
            {
                "url": STRING,
                "config_url": STRING,
                "config_file": OBJECT,
                "files": LIST,
                "overrides": OBJECT,
                "description": STRING,
                "license": STRING,
                "icon": STRING,
                "urls": LIST,
                "tags": LIST,
            },
            unusual=("url", "config_url", "config_file", "files", "overrides", "urls"),
            model=("id",),
            others=("name",),
            needed=False,
        ),
        Order("POST", "/api/models/install/{model}", Operation.PULL),
        Order("POST", "/models/import-uri", Operation.PULL, {"uri": STRING, "preferences": OBJECT}, unusual=("uri",)),
        Order("POST", "/models/delete/{model}", Operation.DELETE),
        Order("POST", "/api/models/delete/{model}", Operation.DELETE),
        # Reads the files of every model again.
        Order("POST", "/models/reload", Operation.LOAD),
        Order("POST", "/v1/backend/load", Operation.LOAD, model=_MODEL),
        Order("POST", "/backend/load", Operation.LOAD, model=_MODEL),
        Order("POST", "/v1/backend/shutdown", Operation.UNLOAD, model=_MODEL),
        Order("POST", "/backend/shutdown", Operation.UNLOAD, model=_MODEL),
    ),
)
