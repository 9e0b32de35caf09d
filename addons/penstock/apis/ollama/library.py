"""The models on an Ollama server's disk: pulled, pushed, created, copied, deleted; and the blobs they are made of."""

from __future__ import annotations

import re
from typing import Final

from penstock.apis.calls.fields import BOOL, OBJECT, STRING
from penstock.apis.calls.turns import Turns
from penstock.apis.dialects import OLLAMA
from penstock.apis.names import ollama_name
from penstock.apis.orders import Order, Orders
from penstock.errors import invalid
from penstock.exchange import Json, JsonObject, Operation

_DIGEST: Final = re.compile(r"sha256[:-][0-9a-f]{64}")
# `name` is an older word for `model`. `insecure` takes a registry's answers without TLS.
_NAMES: Final = ("model", "name")
_TRANSFER: Final = {"insecure": BOOL, "stream": BOOL}


def named(value: Json, where: str = "/model") -> str:
    """A model's name in its one spelling; in a path a blob's digest, which stands for itself.

    Raises: Refusal.
    """
    if where.startswith("/"):
        return ollama_name(value, where)
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise invalid("The path must end in a blob's digest (sha256:…).")
    return value


class Library(Orders):
    """Ollama's orders; the messages that a new model begins with are turns of their own roles."""

    def read(self, order: Order, turns: Turns, key: str, role: str, value: Json) -> None:
        if key != "messages" or not isinstance(value, list):
            super().read(order, turns, key, role, value)
            return
        for at, message in enumerate(value):
            here = ("messages", at)
            if isinstance(message, dict) and message.get("role") in ("system", "user", "assistant"):
                speaker = str(message["role"])
                for name, inner in message.items():
                    if name != "role":
                        turns.everything(speaker, inner, (*here, name))
            else:
                turns.everything(role, message, here)


def _finished(document: JsonObject) -> bool:
    return document.get("status") == "success"


OLLAMA_LIBRARY: Final = Library(
    "ollama.library",
    OLLAMA,
    (
        Order("POST", "/api/pull", Operation.PULL, _TRANSFER, unusual=("insecure",), model=_NAMES),
        Order("POST", "/api/push", Operation.PUSH, _TRANSFER, unusual=("insecure",), model=_NAMES),
        Order("DELETE", "/api/delete", Operation.DELETE, model=_NAMES),
        # A copy answers to a name that a policy may allow, whatever it was copied from: both are named.
        Order("POST", "/api/copy", Operation.COPY, model=("source",), others=("destination",)),
        Order(
            "POST",
            "/api/create",
            Operation.CREATE,
            {
                "files": OBJECT,
                "adapters": OBJECT,
                "parameters": OBJECT,
                "quantize": STRING,
                "quantization": STRING,
                "remote_host": STRING,
                "renderer": STRING,
                "parser": STRING,
                "requires": STRING,
                "info": OBJECT,
                "draft": OBJECT | STRING,
                "stream": BOOL,
                # The older form: a Modelfile, and where one is.
                "path": STRING,
            },
            texts={
                "system": "system",
                "template": "system",
                "messages": "user",
                "license": "other",
                "modelfile": "system",
            },
            unusual=("files", "adapters", "remote_host", "path", "info", "modelfile", "requires", "draft"),
            model=_NAMES,
            others=("from",),
        ),
        Order("GET", "/api/status", Operation.LIST),
        Order("GET", "/api/experimental/model-recommendations", Operation.LIST),
        Order("HEAD", "/api/blobs/{model}", Operation.SHOW),
        Order("POST", "/api/blobs/{model}", Operation.CREATE, file=True),
    ),
    naming=named,
    framing="ndjson",
    last=_finished,
)
"""A blob's model is its digest, so that a grant may allow uploads (`sha256:*`) without allowing every model."""
