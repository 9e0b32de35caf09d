"""llama.cpp's own endpoints: properties, adapters, slots, and the models of its router."""

from __future__ import annotations

from typing import Final

import orjson

from penstock.apis.calls.fields import BOOL, OBJECT, STRING
from penstock.apis.calls.turns import Turns
from penstock.apis.dialects import OPENAI
from penstock.apis.orders import Order, Orders, file_of
from penstock.apis.wire.body import loads
from penstock.errors import invalid
from penstock.exchange import Blob, JsonObject, Operation

_MODEL: Final = ("model",)
_ADAPTERS: Final = "/lora-adapters"


class LlamaServer(Orders):
    """llama.cpp's orders; the scales of adapters are a list, which no other request is."""

    def opened(self, order: Order, turns: Turns, body: JsonObject) -> JsonObject:
        return {"content_type": "application/json", "data": Blob(orjson.dumps(_scales(file_of(body))))}


def _scales(data: Blob) -> list[JsonObject]:
    """What `POST /lora-adapters` takes: for each adapter its number and how much of it applies.

    Raises: Refusal for anything else.
    """
    found = loads(data.data)
    wanted = invalid('The body must be a list of {"id": number, "scale": number}.')
    if not isinstance(found, list) or len(found) > 1000:
        raise wanted
    scales: list[JsonObject] = []
    for each in found:
        if not isinstance(each, dict) or each.keys() != {"id", "scale"}:
            raise wanted
        number, scale = each["id"], each["scale"]
        if number.__class__ is not int or scale.__class__ not in (int, float):
            raise wanted
        scales.append({"id": number, "scale": scale})
    return scales


LLAMA_SERVER: Final = LlamaServer(
    "llama_cpp.server",
    OPENAI,
    (
        # Its router needs to know of which model. tabbyAPI has /props too.
        Order(
            "GET",
            "/props",
            Operation.SHOW,
            query={"model": STRING, "autoload": BOOL},
            unusual=("autoload",),
            model=_MODEL,
            needed=False,
        ),
        Order("POST", "/props", Operation.CONFIGURE),
        Order("GET", _ADAPTERS, Operation.LIST, query={"model": STRING}, model=_MODEL, needed=False),
        # For everybody, unless a call has scales of its own.
        Order("POST", _ADAPTERS, Operation.ADAPT, file=True),
        # A slot's cache is made of the prompts of whoever used it last; what one caller saves, all may restore.
        Order(
            "POST",
            "/slots/{id}",
            Operation.CONFIGURE,
            {"filename": STRING, "model": STRING},
            query={"action": STRING},
            unusual=("filename",),
            optional=True,
        ),
        # Acts on a running completion, by its id: anybody's.
        Order(
            "POST",
            "/v1/chat/completions/control",
            Operation.CONFIGURE,
            {"id": STRING, "action": STRING},
            unusual=("id",),
            model=_MODEL,
            needed=False,
        ),
        # The router's: what is downloaded, loaded, unloaded, removed; and the events of it.
        Order("POST", "/models", Operation.PULL, model=_MODEL),
        Order("POST", "/models/load", Operation.LOAD, {"extra_args": OBJECT}, unusual=("extra_args",), model=_MODEL),
        Order("POST", "/models/unload", Operation.UNLOAD, model=_MODEL),
        Order("DELETE", "/models", Operation.DELETE, query={"model": STRING}, model=_MODEL),
        Order("GET", "/models/sse", Operation.LIST),
    ),
)
