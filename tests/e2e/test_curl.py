"""The gateway from a shell: what is on the wire, byte by byte."""

from __future__ import annotations

import json

import pytest

from scripts.model.answers import CARD, EMAIL, PLAIN
from tests.e2e.people import Person, asks, shows

CHAT = "/v1/chat/completions"


def body(text: str, **more: object) -> tuple[str, ...]:
    call = {"model": "tiny", "messages": asks(text), **more}
    return ("-H", "Content-Type: application/json", "--data-binary", json.dumps(call))


def test_a_call_is_answered(alice: Person) -> None:
    answer = alice.curl(CHAT, *body("What does water do?"))

    assert answer.status == 200
    assert answer.json()["choices"][0]["message"]["content"] == PLAIN
    assert len(answer.headers["penstock-exchange"]) == 26


def test_a_stream_is_masked_on_the_wire(alice: Person) -> None:
    answer = alice.curl(CHAT, *body("Whom do I ask?", stream=True))

    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert not shows(answer.body, [EMAIL, CARD])


def test_without_a_token_the_challenge_says_where_to_get_one(alice: Person) -> None:
    answer = Person("", alice.gateway).curl(CHAT, *body("What does water do?"))

    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer resource_metadata=")
    assert answer.json()["error"]["code"] == "no_credential"
    assert answer.headers["x-should-retry"] == "false"


def test_two_differing_credentials_are_refused(alice: Person) -> None:
    assert alice.curl(CHAT, "-H", "x-api-key: another", *body("What does water do?")).status == 400


@pytest.mark.parametrize(
    "path",
    ["/v1/nothing", "/completion/x", "/v1/chat/completion"],
)
def test_an_unknown_endpoint_is_not_relayed(alice: Person, path: str) -> None:
    answer = alice.curl(path, *body("What does water do?"))

    assert answer.status == 404
    assert answer.json()["error"]["code"] == "unknown_endpoint"


@pytest.mark.parametrize("path", ["/v1/ch%61t/completions", "/v1//chat/completions", "/v1/x/../chat/completions"])
def test_a_path_that_two_servers_may_read_differently_is_refused(alice: Person, path: str) -> None:
    assert alice.curl(path, "--path-as-is", *body("What does water do?")).status in (400, 404)


@pytest.mark.parametrize(
    "data",
    [
        '{"model": "tiny", "messages": [',
        '{"model": "tiny", "messages": []} trailing',
        '{"model": "tiny", "Messages": [{"role": "user", "content": "x"}]}',
        '{"model": "tiny", "messages": [{"role": "user", "content": "x"}], "stream": "true"}',
        "[]",
        "",
    ],
    ids=["cut short", "trailing data", "another letter case", "stream as text", "no object", "empty"],
)
def test_a_body_that_cannot_be_read_one_way_is_refused(alice: Person, data: str) -> None:
    answer = alice.curl(CHAT, "-H", "Content-Type: application/json", "--data-binary", data)

    assert answer.status == 400
    assert answer.json()["error"]["code"] == "invalid_request"
    assert b"Traceback" not in answer.body


def test_utf_16_is_refused(alice: Person, tmp_path: object) -> None:
    assert hasattr(tmp_path, "joinpath")
    file = tmp_path.joinpath("body")
    file.write_bytes(json.dumps({"model": "tiny", "messages": asks("x")}).encode("utf-16"))
    answer = alice.curl(CHAT, "-H", "Content-Type: application/json", "--data-binary", f"@{file}")

    assert answer.status == 400


def test_a_compressed_body_is_refused(alice: Person) -> None:
    answer = alice.curl(CHAT, "-H", "Content-Encoding: gzip", *body("What does water do?"))

    assert answer.status == 400


def test_the_gateway_tells_that_it_lives_and_who_one_is(alice: Person) -> None:
    assert Person("", alice.gateway).curl("/.penstock/health").status == 200
    assert alice.curl("/.penstock/whoami").json()["subject"] == "alice"
    assert Person("", alice.gateway).curl("/.penstock/whoami").status == 401
