"""What the demo runs on: identity provider, model server and gateway, all on loopback, all ended together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import openai

from scripts.model.answers import ANSWERS
from scripts.model.llama_server import start_llama
from scripts.model.tiny_gguf import write_model
from scripts.stage.gateway import Gateway, start_gateway
from scripts.stage.identity_provider import Client, IdentityProvider
from scripts.stage.policy import Place, Route, adapt
from scripts.stage.port import free_port, listens
from scripts.stage.process import ROOT

UPSTREAM: Final = "lab"
"""What the rules that ship call the model server."""
MODEL_KEY: Final = "known-to-the-gateway-alone"
ALICE: Final = Client("alice", ("data-science",))
BOB: Final = Client("bob", ("contractors",))
CAROL: Final = Client("carol", ("security",))
PEOPLE: Final = (ALICE, BOB, CAROL)


class Unusable(RuntimeError):
    """The demo cannot run like this; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """The model server that stands behind the gateway."""

    url: str
    model: str
    key: str | None
    tiny: bool
    """Whether it is the demo's own, so that what it says is known."""

    def direct(self) -> openai.OpenAI:
        """A client that goes round the gateway, to show what the model said."""
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=self.key or "none", max_retries=0, timeout=120.0)


@dataclass(frozen=True, slots=True)
class Setting:
    """All that the scenes need."""

    gateway: Gateway
    provider: IdentityProvider
    upstream: Upstream
    folder: Path

    def token(self, client: Client) -> str:
        """A fresh access token, fetched as any client would."""
        answer = httpx.post(
            self.provider.token_endpoint,
            data={"grant_type": "client_credentials"},
            auth=(client.id, client.secret),
            trust_env=False,
        )
        token: str = answer.raise_for_status().json()["access_token"]
        return token

    def caller(self, client: Client) -> openai.OpenAI:
        """What people use: the SDK, with the gateway as its base URL and a token as its API key."""
        return openai.OpenAI(base_url=f"{self.gateway.url()}/v1", api_key=self.token(client), timeout=120.0)


@contextmanager
def setting(
    folder: Path, *, upstream: str | None, port: int, data: Path, told: Callable[[str], None]
) -> Iterator[Setting]:
    """Start everything; it all ends with the block. `upstream` is a model server that is there already.

    Raises: Unusable, ProcessError.
    """
    with ExitStack() as stack:
        model = _running(upstream) if upstream else _tiny(stack, folder)
        told(f"model server   {model.url}  [dim]{'llama.cpp' if model.tiny else 'yours'}, model {model.model}[/]")
        provider = stack.enter_context(IdentityProvider(PEOPLE))
        told(f"identity       {provider.issuer}  [dim]{_people()}[/]")
        route = Route(UPSTREAM, _port(port), model.url, model.key)
        place = Place((route,), provider.issuer, data)
        rules = adapt(ROOT / "rules", folder / "rules", place)
        gateway = stack.enter_context(start_gateway("serve", rules, place, log=folder / "gateway.log"))
        told(f"gateway        {gateway.url()}  [dim]rules as they ship, audit in {data}[/]")
        yield Setting(gateway, provider, model, folder)


def _people() -> str:
    return ", ".join(f"{person.id} ({', '.join(person.groups)})" for person in PEOPLE)


def _tiny(stack: ExitStack, folder: Path) -> Upstream:
    file = write_model(folder / "tiny.gguf", ANSWERS)
    server = stack.enter_context(start_llama(file, alias="tiny", api_key=MODEL_KEY, log=folder / "llama.log"))
    return Upstream(server.url, server.alias, server.api_key, tiny=True)


def _running(url: str) -> Upstream:
    url = url.rstrip("/")
    parts = httpx.URL(url)
    if parts.scheme not in ("http", "https") or not parts.host or parts.path != "/":
        raise Unusable(f"--upstream {url}: give scheme, host and port of a model server, like http://127.0.0.1:11434")
    try:
        answer = httpx.get(f"{url}/v1/models", timeout=10.0, trust_env=False)
        models = [one["id"] for one in answer.raise_for_status().json()["data"]]
    except httpx.TransportError as error:
        raise Unusable(f"--upstream {url} cannot be reached: {error}") from None
    except (httpx.HTTPStatusError, ValueError, KeyError, TypeError):
        raise Unusable(f"--upstream {url} does not list its models at /v1/models: is it a model server?") from None
    if not models:
        raise Unusable(f"--upstream {url} has no model: pull one first")
    return Upstream(url, models[0], None, tiny=False)


def _port(wanted: int) -> int:
    """The port that was asked for; without one (0), 8080 when it is free, else any that is."""
    if wanted and listens(wanted):
        raise Unusable(f"--port {wanted} is taken by another process")
    return wanted or (free_port() if listens(8080) else 8080)
