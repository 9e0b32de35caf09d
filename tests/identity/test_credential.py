"""Exactly one credential is taken from a request, wherever its client puts it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import Refusal
from penstock.identity.credential import CARRIERS, CREDENTIAL_HEADERS, extract, quick

type Header = tuple[bytes, bytes]

# What each client library sends.
CLIENTS: dict[str, Header] = {
    "OpenAI, Ollama, Anthropic": (b"Authorization", b"Bearer k-1"),
    "HTTP/2": (b"authorization", b"Bearer k-1"),
    "another case": (b"AUTHORIZATION", b"bearer k-1"),
    "two spaces": (b"Authorization", b" BEARER  k-1 "),
    "Azure": (b"api-key", b"k-1"),
    "Anthropic before 2.0": (b"X-Api-Key", b"k-1"),
    "Gemini": (b"x-goog-api-key", b" k-1 "),
}


@pytest.mark.parametrize("client", CLIENTS)
def test_each_clients_place_is_read(client: str) -> None:
    assert extract([(b"Host", b"x"), CLIENTS[client], (b"Accept", b"*/*")]) == "k-1"


def test_the_same_credential_in_two_places_is_one() -> None:
    headers = [(b"Authorization", b"Bearer k-1"), (b"x-api-key", b"k-1"), (b"api-key", b"")]
    assert extract(headers) == "k-1"


def test_an_empty_place_beside_a_filled_one_says_nothing() -> None:
    assert extract([(b"Authorization", b"Bearer "), (b"api-key", b"k-1")]) == "k-1"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"Host", b"x"), (b"Cookie", b"token=k-1"), (b"Proxy-Authorization", b"Bearer k-1")],
        [(b"Authorization", b"")],
        [(b"Authorization", b"  ")],
        [(b"Authorization", b"Bearer")],
        [(b"Authorization", b"Bearer  ")],
        [(b"api-key", b""), (b"x-api-key", b" ")],
        [(b"Authorization", b"Basic dXNlcjpwYXNz")],
        [(b"Authorization", b"Digest username=x")],
        [(b"Authorization", b"Bearerk-1")],
        [(b"Authorization", b"k-1")],
        [(b"Authorization", b"Negotiate")],
    ],
)
def test_without_a_bearer_credential_one_is_asked_for(headers: list[Header]) -> None:
    with pytest.raises(Refusal) as refused:
        extract(headers)
    assert (refused.value.code, refused.value.status) == ("no_credential", 401)


@pytest.mark.parametrize(
    "headers",
    [
        [(b"Authorization", b"Bearer k-1"), (b"Authorization", b"Bearer k-1")],
        [(b"Authorization", b"Bearer k-1"), (b"authorization", b"")],
        [(b"api-key", b"k-1"), (b"Api-Key", b"k-2")],
        [(b"Authorization", b"Bearer k-1"), (b"x-api-key", b"k-2")],
        [(b"Authorization", b"Basic eDp5"), (b"x-api-key", b"k-1")],
        [(b"api-key", b"k-1"), (b"x-goog-api-key", b"K-1")],
        [(b"Authorization", b"Bearer k-1 k-2")],
        [(b"Authorization", b"Bearer k-1, Bearer k-2")],
        [(b"api-key", b"Bearer k-1")],
        [(b"Authorization", b"Bearer\tk-1")],
        [(b"Authorization", b"Bearer k\0")],
        [(b"Authorization", b"Bearer k\r\n x: y")],
        [(b"Authorization", b"Bearer k\x7f")],
        [(b"Authorization", "Bearer ké".encode())],
        [(b"x-api-key", b"\xff")],
        [(b"Authorization", b"Bearer k\n")],
    ],
)
def test_a_credential_that_can_be_read_in_two_ways_is_an_invalid_request(headers: list[Header]) -> None:
    with pytest.raises(Refusal) as refused:
        extract(headers)
    assert (refused.value.code, refused.value.status) == ("invalid_request", 400)
    assert "k-1" not in refused.value.message


def test_every_place_of_a_credential_is_stripped_and_so_are_cookies() -> None:
    assert CARRIERS < CREDENTIAL_HEADERS
    assert {b"cookie", b"proxy-authorization", b"authorization"} <= CREDENTIAL_HEADERS
    assert all(name == name.lower() for name in CREDENTIAL_HEADERS)


_name = st.sampled_from([b"Authorization", b"authorization", b"api-key", b"X-Api-Key", b"x-goog-api-key", b"host"])
_value = st.sampled_from(
    [b"Bearer a", b"Bearer  a", b"bearer a", b"Basic a", b"a", b" a", b"b", b"", b"a\0", b"Bearer a b"]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(_name, _value), max_size=4))
def test_the_quick_reading_never_differs_from_the_exact_one(headers: list[Header]) -> None:
    fast = quick(headers)
    if fast is None:
        return
    try:
        exact = extract(headers)
    except Refusal:
        # It is no credential that could ever have been admitted.
        assert not re.fullmatch(rb"[!-~]+", fast)
    else:
        assert fast.strip() == exact.encode()
