"""Some endpoints are known and nobody gets them; whoever asks is told why."""

from __future__ import annotations

import re

import pytest

from penstock import apis
from penstock.apis.catalogue import WEBSOCKET
from penstock.apis.refused import REFUSED, Closed, reason
from penstock.errors import Refusal


@pytest.mark.parametrize(
    ("closed", "method", "path", "matches"),
    [
        (Closed("GET", "/slots", "x."), "GET", "/slots", True),
        (Closed("GET", "/slots", "x."), "POST", "/slots", False),
        (Closed("*", "/slots", "x."), "PATCH", "/slots", True),
        (Closed("*", "/slots", "x."), "GET", "/slots/1", False),
        (Closed("*", "/tools/…", "x."), "GET", "/tools", True),
        (Closed("*", "/tools/…", "x."), "GET", "/tools/a/b", True),
        (Closed("*", "/tools/…", "x."), "GET", "/toolsmith", False),
        (Closed("*", "/v1/responses/{id}", "x."), "GET", "/v1/responses/r1", True),
        (Closed("*", "/v1/responses/{id}", "x."), "GET", "/v1/responses/r1/more", False),
        (Closed("*", "/v2/models/{model}/docs/…", "x."), "GET", "/v2/models/m/docs/a", True),
        (Closed("*", "/a.b", "x."), "GET", "/aXb", False),
    ],
)
def test_a_closed_endpoint_is_one_path_or_all_below_it(closed: Closed, method: str, path: str, matches: bool) -> None:
    assert closed.matches(method, path) is matches


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/tools"),
        ("GET", "/cors-proxy?url=http://10.0.0.1/"),
        ("POST", "/collective_rpc"),
        ("GET", "/slots"),
        ("GET", "/v1/stream?conv_id=x"),
        ("GET", "/v1/responses/resp_1"),
        ("POST", "/v1/files"),
        ("POST", "/mcp"),
        ("GET", "/api/extra/generate/check"),
        ("POST", "/update_weights_from_tensor"),
        ("GET", "/docs"),
        ("POST", "/api/me"),
    ],
)
def test_whoever_asks_is_told_why(method: str, path: str) -> None:
    with pytest.raises(Refusal) as caught:
        apis.recognise(method, path)
    assert caught.value.code == "not_served" and caught.value.status == 403
    assert str(reason(method, path.partition("?")[0])) in caught.value.message


@pytest.mark.parametrize("path", ["/v1/nothing", "/", "/v1/chat/completions", "/toolbox"])
def test_what_is_not_refused_on_purpose_has_no_reason(path: str) -> None:
    assert reason("DELETE", path) is None


def test_a_reason_goes_on_from_the_sentence_that_callers_read() -> None:
    for closed in REFUSED:
        assert closed.reason.endswith(".") and closed.reason.count(". ") == 0, closed
        first = closed.reason.split()[0]
        assert first[0].islower() or first in ("MCP", "LM", "OpenAI", "gRPC"), closed


def test_nothing_is_refused_twice() -> None:
    places = [(closed.method, closed.path) for closed in REFUSED]
    assert len(set(places)) == len(places)


def test_what_is_refused_is_not_served_beside() -> None:
    """A closed endpoint that some API serves would be open: its line would be a promise that is not kept."""
    for closed in REFUSED:
        path = re.sub(r"\{\w+\}", "x", closed.path.removesuffix("/…"))
        methods = ("GET", "POST", "PUT", "DELETE", "OPTIONS") if closed.method == "*" else (closed.method,)
        for method in methods:
            if method == WEBSOCKET:
                assert reason(method, path) == closed.reason
                continue
            with pytest.raises(Refusal) as caught:
                apis.recognise(method, path)
            assert caught.value.code == "not_served", (method, path)
