"""Clients as people run them, through the gateway by each of its entrances, to llama.cpp and Ollama's API over it.

Every program runs once, whatever is tested of it, and those that are tested run side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from scripts.model.answers import ANSWERS
from scripts.model.llama_server import start_llama
from scripts.model.ollama_server import start_ollama
from scripts.model.tiny_gguf import write_model
from scripts.stage.gateway import ENTRANCES, Entrance, Gateway, start_gateway
from scripts.stage.identity_provider import Client as Caller
from scripts.stage.identity_provider import IdentityProvider
from scripts.stage.policy import Place, Route, adapt
from scripts.stage.port import free_port
from tests.clients.clients import ASKS, CLIENTS, Client
from tests.clients.other_servers import OtherServers
from tests.clients.running import Program, Run, Scene, Seen, Stage

RULES: Final = Path(__file__).with_name("rules")
MODEL_KEY: Final = "the-model-servers-own-key"


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The model servers, the gateway by each entrance, and a caller for each program."""
    home = tmp_path_factory.mktemp("clients")
    callers = [Caller(program, ("programs",)) for program in dict.fromkeys(client.program.id for client in CLIENTS)]
    with ExitStack() as stack:
        provider = stack.enter_context(IdentityProvider(callers))
        model = write_model(home / "tiny.gguf", ANSWERS)
        llama = stack.enter_context(start_llama(model, api_key=MODEL_KEY, embed=True, log=home / "llama.log"))
        ollama = stack.enter_context(start_ollama(llama, log=home / "ollama.log"))
        other = stack.enter_context(OtherServers())
        gateways: dict[Entrance, Gateway] = {}
        for entrance in ENTRANCES:
            routes = (
                Route("llama", free_port(), llama.url, llama.api_key),
                Route("ollama", free_port(), ollama.url),
                Route("other", free_port(), other.url),
            )
            place = Place(routes, provider.issuer, home / entrance / "data")
            rules = adapt(RULES, home / entrance / "rules", place)
            gateways[entrance] = stack.enter_context(
                start_gateway(entrance, rules, place, log=home / f"{entrance}.log")
            )
        yield Stage(gateways, provider, ASKS, home)


@pytest.fixture(scope="session")
def look(request: pytest.FixtureRequest, stage: Stage) -> Iterator[Callable[[Program], dict[Scene, Seen]]]:
    """`look(program)` is what its users saw, scene by scene."""
    seen: dict[Program, dict[Scene, Seen]] = {}
    with ExitStack() as stack:
        runs = {
            program: stack.enter_context(Run(program, stage.setting(program), stage.folder))
            for program in _asked_for(request.session)
        }

        def look(program: Program) -> dict[Scene, Seen]:
            if program not in seen:
                seen[program] = runs[program].seen()
            return seen[program]

        yield look


def _asked_for(session: pytest.Session) -> list[Program]:
    """The programs that the selected tests are about, in the order of their list."""
    named: set[object] = set()
    for item in session.items:
        callspec = getattr(item, "callspec", None)
        named |= set(callspec.params.values()) if callspec and item.path.parent == Path(__file__).parent else set()
    wanted = {one.program if isinstance(one, Client) else one for one in named}
    return [program for program in dict.fromkeys(client.program for client in CLIENTS) if program in wanted]
