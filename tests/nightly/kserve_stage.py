"""A gateway in front of a KServe server, and who calls it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from scripts.model.answers import CARD, EMAIL
from scripts.stage.gateway import Gateway, start_gateway
from scripts.stage.identity_provider import Client, IdentityProvider
from scripts.stage.policy import Place, Route, install
from scripts.stage.port import free_port

ALICE: Final = Client("alice", ("data-science",))
OLGA: Final = Client("olga", ("operators",))
ANSWER: Final = f"Ask {EMAIL}, card {CARD}."

_MODELS: Final = ["echo", "teller"]
RULES: Final[dict[str, Any]] = {
    "access.yaml": {
        "grants": [
            {
                "id": "everybody",
                "groups": ["corp:data-science"],
                "upstreams": ["*"],
                "operations": ["infer", "complete", "list", "show", "health"],
                "models": list(_MODELS),
                "parameters": {"max_tokens": {"max": 256}},
            },
            {
                "id": "operators",
                "groups": ["corp:operators"],
                "upstreams": ["*"],
                "operations": ["infer", "list", "health", "load", "unload"],
                "models": list(_MODELS),
                "uninspected": ["tensor"],
            },
        ]
    },
    "guardrails.yaml": {
        "guardrails": [
            {
                "id": "bulk-export",
                "on": ["prompt"],
                "match": {"pattern": "(?i)export all customers"},
                "action": "deny",
                "message": "Bulk export needs a ticket.",
            }
        ]
    },
    "masking.yaml": {
        "masking": [
            {"id": "contact-data", "on": ["completion"], "detect": ["email", "credit_card"], "with": "label"},
            {"id": "asked", "on": ["prompt"], "detect": ["email"], "with": "label"},
        ]
    },
}


@dataclass(frozen=True, slots=True)
class Stage:
    """A gateway under way."""

    gateway: Gateway
    provider: IdentityProvider
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def token(self, client: Client = ALICE) -> str:
        return self.provider.token(client.id)

    def call(self, method: str, path: str, body: Any = None, client: Client = ALICE) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token(client)}"}
        url = self.gateway.url() + path
        return httpx.request(method, url, headers=headers, json=body, timeout=60.0, trust_env=False)

    def triton(self, python: Path, *orders: Any, client: Client = ALICE) -> list[Any]:
        """What Triton's own client answers to each order."""
        script = Path(__file__).with_name("triton_client.py")
        address = self.gateway.url().removeprefix("http://")
        ran = subprocess.run(
            [str(python), str(script), address, self.token(client)],
            input="".join(json.dumps(order) + "\n" for order in orders),
            capture_output=True,
            text=True,
            timeout=120,
            env={"PYTHONPATH": ""},
        )
        assert ran.returncode == 0, ran.stderr
        return [json.loads(line) for line in ran.stdout.splitlines()]


@contextmanager
def stage(folder: Path, upstream: str) -> Iterator[Stage]:
    """A gateway in front of a server."""
    with IdentityProvider([ALICE, OLGA]) as provider:
        place = Place((Route("models", free_port(), upstream),), provider.issuer, folder / "data")
        rules = install(folder / "rules", place, RULES)
        with start_gateway("serve", rules, place, log=folder / "gateway.log") as gateway:
            yield Stage(gateway, provider)
