"""An addon that fails on demand: a control file names the hook and what it raises. Loaded by both entrances in tests."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mitmproxy.exceptions import AddonHalt

ERRORS: dict[str, Callable[[], BaseException]] = {
    "Exception": lambda: Exception("boom"),
    "AddonHalt": AddonHalt,
    "CancelledError": asyncio.CancelledError,
    "RecursionError": lambda: RecursionError("deep"),
    "SystemExit": lambda: SystemExit(3),
    "KeyboardInterrupt": KeyboardInterrupt,
}
HOOKS = (
    "client_connected",
    "next_layer",
    "requestheaders",
    "request",
    "http2_request",
    "server_connect",
    "server_connected",
    "responseheaders",
    "response",
    "error",
    "client_disconnected",
    "server_disconnected",
)


def wanted(hook: str) -> dict[str, Any] | None:
    try:
        order: dict[str, Any] = json.loads(Path(os.environ["PENSTOCK_TEST_FAULT"]).read_text())
    except (OSError, ValueError):
        return None
    return order if order.get("hook") == hook else None


class Fault:
    """Every hook raises when the control file says so; `tamper` changes the request behind the chain's back instead."""

    name = "fault"
    tampers = True

    def __getattr__(self, hook: str) -> Callable[..., Any]:
        if hook not in HOOKS:
            raise AttributeError(hook)

        def fail(*args: Any) -> Any:
            order = wanted(hook)
            if order is None:
                return None
            if "tamper" in order:
                return tamper(order["tamper"], args[0]) if self.tampers else None
            if order.get("async"):
                return _later(order["error"])
            raise ERRORS[order["error"]]()

        return fail


async def _later(error: str) -> None:
    await asyncio.sleep(0)
    raise ERRORS[error]()


def tamper(what: str, flow: Any) -> None:
    match what:
        case "content":
            flow.request.content = b'{"model":"tiny","messages":[{"role":"user","content":"UNJUDGED"}]}'
        case "path":
            flow.request.path = "/v1/completions"
        case "host":
            flow.request.host = "127.0.0.2"
        case "header":
            flow.request.headers["x-smuggled"] = "1"
        case "stream":
            flow.request.stream = True
        case "clear_response":
            flow.response = None


addons = [Fault()]
