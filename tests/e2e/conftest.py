"""The whole way, for real: SDKs and curl, the gateway by each of its entrances, llama.cpp and Ollama's API over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

import pytest

from scripts.model.llama_server import LlamaServer
from scripts.model.ollama_server import OllamaServer
from scripts.stage.gateway import ENTRANCES, Entrance, Gateway, start_gateway
from scripts.stage.identity_provider import IdentityProvider
from scripts.stage.policy import Place, Route, adapt
from scripts.stage.port import free_port
from tests.e2e.people import ALICE, BOB, CAROL, DAVE, HEIDI, MALLORY, Audit, Person

RULES: Final = Path(__file__).with_name("rules")


@pytest.fixture(scope="session")
def provider() -> Iterator[IdentityProvider]:
    with IdentityProvider([ALICE, BOB, CAROL, DAVE, HEIDI, MALLORY]) as running:
        yield running


@pytest.fixture(
    scope="session", params=[pytest.param(name, marks=pytest.mark.xdist_group(f"e2e-{name}")) for name in ENTRANCES]
)
def entrance(request: pytest.FixtureRequest) -> Entrance:
    """Every test that has a gateway runs once with each."""
    chosen: Entrance = request.param
    return chosen


type Start = Callable[[int], AbstractContextManager[Gateway]]


@pytest.fixture(scope="session")
def start(
    entrance: Entrance, llama: LlamaServer, facade: OllamaServer, provider: IdentityProvider, folder: Path
) -> Start:
    """Starts a gateway that holds calls for so many seconds: routes to llama.cpp, to Ollama's API, and to nobody."""

    @contextmanager
    def begin(hold_seconds: int) -> Iterator[Gateway]:
        home = folder / f"{entrance}-{hold_seconds}"
        home.mkdir()
        routes = (
            Route("llama", free_port(), llama.url, llama.api_key),
            Route("ollama", free_port(), facade.url),
            Route("nobody", free_port(), f"http://127.0.0.1:{free_port()}"),
        )
        place = Place(routes, provider.issuer, home / "data", hold_seconds)
        rules = adapt(RULES, home / "rules", place)
        with start_gateway(entrance, rules, place, log=home / "gateway.log") as running:
            yield running

    return begin


@pytest.fixture(scope="session")
def gateway(start: Start) -> Iterator[Gateway]:
    """The gateway."""
    with start(60) as running:
        yield running


@pytest.fixture(scope="session")
def impatient(start: Start) -> Iterator[Gateway]:
    """One that holds a call for hardly any time."""
    with start(1) as running:
        yield running


@pytest.fixture
def person(gateway: Gateway, provider: IdentityProvider) -> Callable[..., Person]:
    """Makes a caller: `person(ALICE)`, with claims changed by keyword."""
    return lambda client, **claims: Person(provider.token(client.id, **claims), gateway)


@pytest.fixture
def alice(person: Callable[..., Person]) -> Person:
    return person(ALICE)


@pytest.fixture
def carol(person: Callable[..., Person]) -> Person:
    return person(CAROL)


@pytest.fixture
def audit(gateway: Gateway) -> Audit:
    return Audit(gateway.data / "audit.duckdb")
