"""Every endpoint of every known server is served by an API of ours, or refused on purpose; no other way is left."""

from __future__ import annotations

import pytest

from penstock import apis
from penstock.apis.catalogue import GRPC, KINDS, WEBSOCKET, Endpoint, servers, traits
from penstock.apis.coverage import UNKNOWN, outcome
from penstock.apis.wire.target import normal_path
from penstock.exchange import Operation
from penstock.policy.grants import UNINSPECTED
from tests.apis.recorded import RECORDED

ENDPOINTS = [endpoint for server in servers().values() for endpoint in server.endpoints]
LOOKING = {Operation.LIST, Operation.SHOW, Operation.HEALTH, Operation.METRICS}
CHANGING = {"models", "adapters", "runtime", "profile", "weights"}
# They change nothing, though they stand among what does.
STATUS = {
    "/is_sleeping",
    "/is_paused",
    "/is_scaling_elastic_ep",
    "/fault_tolerance/status",
    "/get_world_size",
    "/weight_info",
    "/weight_checker",
    "/weights_checker",
    "/hicache/storage-backend",
    "/get_hicache_l3_cache_layout",
    "/list_external_corpora",
    "/nodes/status",
}


def name(endpoint: Endpoint) -> str:
    return f"{endpoint.server}: {endpoint.method} {endpoint.path}"


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=name)
def test_an_endpoint_is_served_or_refused_on_purpose(endpoint: Endpoint) -> None:
    found = outcome(endpoint)
    assert found.known, f"{name(endpoint)} is neither served nor refused: add an API, or a line to apis/refused.py"
    assert len(found.apis) == len(found.operations)
    assert found.served != (found.reason is not None)


@pytest.mark.parametrize("endpoint", [each for each in ENDPOINTS if each.kind in CHANGING], ids=name)
def test_what_changes_a_server_is_no_looking(endpoint: Endpoint) -> None:
    looking = LOOKING.intersection(outcome(endpoint).operations)
    assert not looking or (endpoint.path in STATUS and endpoint.method != "DELETE")


@pytest.mark.parametrize("endpoint", [each for each in ENDPOINTS if each.kind in ("metadata", "health")], ids=name)
def test_looking_at_a_server_changes_nothing(endpoint: Endpoint) -> None:
    assert LOOKING.issuperset(outcome(endpoint).operations)


@pytest.mark.parametrize("api", apis.APIS, ids=lambda api: str(api.name))
def test_an_api_serves_an_endpoint_of_the_catalogue(api: apis.Api) -> None:
    assert any(api.name in outcome(endpoint).apis for endpoint in ENDPOINTS), (
        f"no server of the catalogue has {api.name}"
    )


@pytest.mark.parametrize("api", apis.APIS, ids=lambda api: str(api.name))
def test_an_api_says_what_it_does(api: apis.Api) -> None:
    known = traits().get(api.name)
    assert known is not None, f"add a line for {api.name} to apis/catalogue/_traits.yaml"
    assert set(known.uninspected) <= set(UNINSPECTED)
    streams = any(recorded.streamed for recorded in RECORDED if recorded.api is api)
    assert known.streams == streams, "an API streams when a recorded stream shows it"


def test_nothing_is_said_of_an_api_that_is_not_there() -> None:
    assert traits().keys() <= {api.name for api in apis.APIS}


def test_the_catalogue_does_not_shrink() -> None:
    assert len(servers()) >= 19
    assert len(ENDPOINTS) >= 749


@pytest.mark.parametrize("key", servers())
def test_a_server_is_named_with_its_source(key: str) -> None:
    server = servers()[key]
    assert server.name and server.version and server.source and server.port and server.endpoints
    assert {endpoint.kind for endpoint in server.endpoints} <= KINDS
    places = [(endpoint.method, endpoint.path) for endpoint in server.endpoints]
    assert len(set(places)) == len(places)
    for endpoint in server.endpoints:
        assert endpoint.method in {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", WEBSOCKET, GRPC}
        assert normal_path(endpoint.example()) == endpoint.example()


def test_what_nobody_knows_is_neither_served_nor_refused() -> None:
    found = outcome(Endpoint("own", "POST", "/nothing/{model}", "inference"))
    assert found == UNKNOWN and not found.known and not found.served
