"""Gateways through both entrances, with a recording model server behind each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proxy.recording_upstream import RecordingUpstream
from tests.proxy.running_gateway import Entrance, Running, start


@pytest.fixture(scope="session")
def shared_upstream() -> Iterator[RecordingUpstream]:
    server = RecordingUpstream()
    yield server
    server.close()


@pytest.fixture
def upstream(shared_upstream: RecordingUpstream) -> RecordingUpstream:
    """The model server, which remembers nothing of the test before and answers what it always does."""
    shared_upstream.settle(0.02)
    shared_upstream.forget()
    return shared_upstream


@pytest.fixture(scope="session", params=["serve", "mitmdump"])
def shared_gateway(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, shared_upstream: RecordingUpstream
) -> Iterator[Running]:
    entrance: Entrance = request.param
    directory = tmp_path_factory.mktemp(f"gateway-{entrance}")
    running = start(directory, entrance, upstream=f"http://127.0.0.1:{shared_upstream.port}", faulty=True)
    yield running
    running.stop()


@pytest.fixture
def gateway(shared_gateway: Running, upstream: RecordingUpstream) -> Iterator[Running]:
    """A gateway through either entrance, shared by the tests of a session; the upstream's memory is empty."""
    shared_gateway.order()
    yield shared_gateway
    shared_gateway.order()
    assert shared_gateway.process.poll() is None, shared_gateway.output()


@pytest.fixture(params=["serve", "mitmdump"])
def entrance(request: pytest.FixtureRequest) -> Entrance:
    found: Entrance = request.param
    return found


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path
