from __future__ import annotations

from collections import defaultdict

import pytest

from penstock import apis
from penstock.apis.api import Route
from penstock.apis.metadata import Metadata
from penstock.apis.recognise import _check_query
from penstock.errors import Refusal
from penstock.exchange import Operation
from tests.apis.calls import call
from tests.apis.recorded import RECORDED

SERVED = [
    ("POST", "/v1/chat/completions", "openai.chat", Operation.CHAT),
    ("POST", "/chat/completions", "openai.chat", Operation.CHAT),
    ("POST", "/v1/completions", "openai.completions", Operation.COMPLETE),
    ("GET", "/v1/models", "openai.models", Operation.LIST),
    ("GET", "/models", "openai.models", Operation.LIST),
    ("GET", "/v1/models/org/name", "openai.models", Operation.SHOW),
    ("POST", "/api/chat", "ollama.chat", Operation.CHAT),
    ("POST", "/api/generate", "ollama.generate", Operation.COMPLETE),
    ("POST", "/api/show", "ollama.show", Operation.SHOW),
    ("GET", "/api/tags", "ollama.models", Operation.LIST),
    ("HEAD", "/api/tags", "ollama.models", Operation.LIST),
    ("GET", "/api/ps", "ollama.models", Operation.LIST),
    ("GET", "/api/version", "ollama.models", Operation.HEALTH),
    ("GET", "/", "ollama.models", Operation.HEALTH),
    ("HEAD", "/", "ollama.models", Operation.HEALTH),
    ("GET", "/health", "health", Operation.HEALTH),
    ("GET", "/v1/health", "health", Operation.HEALTH),
    ("GET", "/ping", "health", Operation.HEALTH),
    ("GET", "/version", "health", Operation.HEALTH),
]


@pytest.mark.parametrize(("method", "path", "name", "operation"), SERVED)
def test_an_endpoint_is_served_by_its_api(method: str, path: str, name: str, operation: Operation) -> None:
    api, route = apis.recognise(method, path)
    assert api.name == name and route.operation == operation and api is apis.by_name(name)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/v1/chat/completions"),
        ("post", "/v1/chat/completions"),
        ("POST", "/v1/chat/completions/"),
        ("POST", "/V1/chat/completions"),
        ("GET", "/completion"),
        ("POST", "/completion/x"),
        ("GET", "/v1/models/"),
        ("GET", "/api/pull"),
        ("POST", "/v2/models/m"),
        ("GET", "/v1"),
    ],
)
def test_every_other_endpoint_is_unknown(method: str, path: str) -> None:
    with pytest.raises(Refusal) as caught:
        apis.recognise(method, path)
    assert caught.value.code == "unknown_endpoint" and caught.value.status == 404


@pytest.mark.parametrize("query", ["reload=1", "conv_id=x", "api-version=1", "a=1&a=1", "="])
def test_a_query_string_is_refused_where_no_route_knows_it(query: str) -> None:
    with pytest.raises(Refusal) as caught:
        apis.recognise("GET", f"/v1/models?{query}")
    assert caught.value.code == "invalid_request"


def test_a_route_may_know_query_parameters_each_once() -> None:
    route = Route("GET", "/x", Operation.LIST, frozenset({"beta"}))
    _check_query("beta=true", route)
    for query in ("beta=true&beta=false", "beta=true&other=1", "beta=true;beta=false"):
        with pytest.raises(Refusal):
            _check_query(query, route)


@pytest.mark.parametrize("api", apis.APIS, ids=lambda api: str(api.name))
def test_every_api_has_recorded_vectors(api: apis.Api) -> None:
    assert any(recorded.api is api for recorded in RECORDED)


def test_no_two_apis_share_a_name() -> None:
    assert len({api.name for api in apis.APIS}) == len(apis.APIS)


def test_apis_that_share_a_route_are_told_apart_by_what_only_one_of_them_claims() -> None:
    claims: defaultdict[tuple[str, str], list[frozenset[str]]] = defaultdict(list)
    for api in apis.APIS:
        for route in api.routes:
            claims[route.method, route.path].append(route.marks)
    for place, marks in claims.items():
        assert sum(not each for each in marks) <= 1, f"{place}: two APIs take what no other claims"
        every = [key for each in marks for key in each]
        assert len(every) == len(set(every)), f"{place}: two APIs claim the same key"


def test_apis_that_share_a_route_take_bodies_of_the_same_encodings() -> None:
    """Which encoding a body is in, is settled before anybody knows whose it is."""
    taken: defaultdict[tuple[str, str], set[tuple[str, ...]]] = defaultdict(set)
    for api in apis.APIS:
        for route in api.routes:
            taken[route.method, route.path].add(route.encodings)
    assert all(len(each) == 1 for each in taken.values())


@pytest.mark.parametrize(("method", "path"), [("POST", "/tools"), ("GET", "/slots"), ("GET", "/v1/stream")])
def test_what_nobody_should_get_is_refused_with_a_reason(method: str, path: str) -> None:
    with pytest.raises(Refusal) as caught:
        apis.recognise(method, path)
    assert caught.value.code == "not_served" and caught.value.status == 403 and ": " in caught.value.message


def test_the_dialect_of_an_unknown_path_is_openais_outside_api() -> None:
    assert apis.dialect_of("/v1/unknown") is apis.OPENAI
    assert apis.dialect_of("/apis") is apis.OPENAI
    assert apis.dialect_of("") is apis.OPENAI
    assert apis.dialect_of("/api/unknown") is apis.OLLAMA
    assert apis.dialect_of("/api") is apis.OLLAMA


def test_the_model_in_a_path_is_judged_decoded() -> None:
    api, route = apis.recognise("GET", "/v1/models/llama3%3Alatest")
    assert api.call(route, "/v1/models/llama3%3Alatest", None).model == "llama3:latest"
    with pytest.raises(Refusal):
        api.call(route, "/v1/models/a%20b", None)


def test_an_endpoint_without_a_body_takes_none() -> None:
    api, route = apis.recognise("GET", "/v1/models")
    made = api.call(route, "/v1/models", None)
    assert made.operation == Operation.LIST and made.model is None and made.body is None
    with pytest.raises(Refusal):
        api.call(route, "/v1/models", {})
    with pytest.raises(Refusal):
        api.with_body(made, {})
    assert api.with_parameters(made, {"max_tokens": 1}) is made
    assert api.parameters({}) == {}
    assert not route.has_body and apis.with_texts(made, {("x",): "y"}) is made


def test_an_endpoint_with_a_body_needs_one() -> None:
    api, route = apis.recognise("POST", "/v1/chat/completions")
    assert route.has_body
    with pytest.raises(Refusal) as caught:
        api.call(route, route.path, None)
    assert "JSON object" in caught.value.message


def test_health_asks_for_nothing() -> None:
    api, route = apis.recognise("GET", "/health")
    assert isinstance(api, Metadata)
    assert api.call(route, "/health", None).operation == Operation.HEALTH


def test_texts_are_replaced_where_they_stand_and_nothing_else_changes() -> None:
    made = call(
        "/v1/chat/completions",
        {"model": "m", "messages": [{"role": "user", "content": "mail a@b.example"}, {"role": "user", "content": "x"}]},
    )
    masked = apis.with_texts(made, {made.turns[0].path: "mail [EMAIL]"})
    assert masked.body is not None and made.body is not None
    assert masked.body["messages"] == [{"role": "user", "content": "mail [EMAIL]"}, {"role": "user", "content": "x"}]
    assert [turn.text for turn in masked.turns] == ["mail [EMAIL]", "x"]
    assert made.turns[0].text == "mail a@b.example" and made.body["messages"] != masked.body["messages"]
    assert apis.with_texts(made, {}) is made


def test_a_text_that_is_not_there_is_an_error() -> None:
    made = call("/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": "x"}]})
    for path in (("messages", 0, "name"), ("messages", 7, "content"), ("nothing", 0), ("messages", 0)):
        with pytest.raises(KeyError):
            apis.with_texts(made, {path: "y"})
