"""The facade speaks as Ollama does: to Ollama's own SDK, and byte by byte."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import ollama
import pytest

from scripts.model.answers import ANSWERS, EMAIL, PLAIN, TOOL_EMAIL
from scripts.model.ollama_server import OllamaServer
from tests.e2e.people import LOOKUP, asks


@pytest.fixture
def client(facade: OllamaServer) -> ollama.Client:
    return ollama.Client(host=facade.url)


@pytest.fixture
def wire(facade: OllamaServer) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(urlsplit(facade.url).netloc, timeout=30)
    yield connection
    connection.close()


def ask(wire: http.client.HTTPConnection, method: str, path: str, body: object = b"") -> tuple[int, str, bytes]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    wire.request(method, path, data)
    answer = wire.getresponse()
    return answer.status, answer.headers.get("content-type", ""), answer.read()


def test_a_chat_and_a_stream_say_the_same(client: ollama.Client) -> None:
    whole = client.chat("tiny", asks("Whom do I ask?"))
    lines = list(client.chat("tiny", asks("Whom do I ask?"), stream=True))

    assert whole.message.content == "".join(ANSWERS[-1].pieces)
    assert [line.message.content for line in lines] == [*ANSWERS[-1].pieces, ""]
    assert [line.done for line in lines] == [False] * (len(lines) - 1) + [True]
    assert lines[-1].done_reason == "stop"
    assert lines[-1].prompt_eval_count and lines[-1].eval_count


def test_a_tool_call_comes_whole_in_one_line(client: ollama.Client) -> None:
    lines = list(client.chat("tiny", asks("look up Erin"), tools=[LOOKUP], stream=True))
    calls = [line.message.tool_calls for line in lines if line.message.tool_calls]

    assert len(calls) == 1 and len(calls[0]) == 1
    assert calls[0][0].function.arguments == {"email": TOOL_EMAIL}


def test_a_conversation_with_tool_calls_can_go_on(client: ollama.Client) -> None:
    first = client.chat("tiny", asks("look up Erin"), tools=[LOOKUP]).message
    messages = [*asks("look up Erin"), first, {"role": "tool", "tool_name": "lookup", "content": "What does water do?"}]

    assert client.chat("tiny", messages, tools=[LOOKUP]).message.content == PLAIN


def test_thinking_comes_beside_the_content(client: ollama.Client) -> None:
    lines = list(client.chat("tiny", asks("think"), stream=True, think=True))

    assert "".join(line.message.thinking or "" for line in lines) == "Maybe frank.r@example.org knows it."
    assert "".join(line.message.content or "" for line in lines) == "Ask the desk downstairs."


def test_generate_returns_its_tokens(client: ollama.Client) -> None:
    reply = client.generate("tiny", "What does water do?", system="Be brief.")
    last = list(client.generate("tiny", "What does water do?", stream=True))[-1]

    assert reply.response == PLAIN
    assert reply.context and last.context and len(reply.context) > len(last.context)


def test_options_and_formats_reach_the_model(client: ollama.Client) -> None:
    cut = client.chat("tiny", asks("Whom do I ask?"), options={"num_predict": 3})
    formed = client.chat("tiny", asks("Whom do I ask?"), format={"type": "object", "properties": {}})

    assert cut.done_reason == "length"
    assert cut.message.content == "".join(ANSWERS[-1].pieces[:3])
    assert isinstance(json.loads(formed.message.content or ""), dict)


def test_log_probabilities_hold_the_tokens(client: ollama.Client) -> None:
    reply = client.chat("tiny", asks("Whom do I ask?"), logprobs=True, top_logprobs=1)

    assert reply.logprobs is not None
    assert "".join(one.token for one in reply.logprobs).startswith("Contact alice.smith")


def test_what_exists_is_listed(client: ollama.Client) -> None:
    assert [model.model for model in client.list().models] == ["tiny:latest"]
    assert [model.model for model in client.ps().models] == ["tiny:latest"]
    assert client.show("registry.ollama.ai/library/TINY").capabilities


def test_loading_and_unloading_hide_in_an_empty_chat(client: ollama.Client) -> None:
    assert client.chat("tiny", []).done_reason == "load"
    assert client.generate("tiny", "", keep_alive=0).done_reason == "unload"


def test_errors_are_ollamas(client: ollama.Client) -> None:
    with pytest.raises(ollama.ResponseError, match="model 'other' not found") as refused:
        client.chat("other", asks("x"))
    assert refused.value.status_code == 404


def test_lines_are_go_structs_with_their_fields_in_order(wire: http.client.HTTPConnection) -> None:
    status, kind, data = ask(wire, "POST", "/api/chat", {"model": "tiny", "messages": asks("What does water do?")})
    first, *_, last = data.splitlines()

    assert (status, kind) == (200, "application/x-ndjson")
    time = rb"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,8}[1-9])?Z"
    message = rb'{"role":"assistant","content":"%b"}'
    assert re.fullmatch(
        rb'{"model":"tiny","created_at":"' + time + rb'","message":' + message % b"Water tu" + rb',"done":false}', first
    )
    numbers = rb'"total_duration":\d+,"load_duration":\d+,"prompt_eval_count":\d+,"prompt_eval_duration":\d+,'
    assert re.fullmatch(
        rb'{"model":"tiny","created_at":"' + time + rb'","message":' + message % b"" + rb',"done":true,'
        rb'"done_reason":"stop",' + numbers + rb'"eval_count":\d+,"eval_duration":\d+}',
        last,
    )


def test_headers_are_those_of_go(wire: http.client.HTTPConnection) -> None:
    wire.request("GET", "/api/version")
    answer = wire.getresponse()
    answer.read()

    assert [name for name, _ in answer.getheaders()] == ["Content-Type", "Date", "Content-Length"]
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


def test_go_reads_keys_in_any_case_takes_the_last_and_ignores_what_follows(wire: http.client.HTTPConnection) -> None:
    body = '{"model": "nobody", "MODEL": "tiny", "\u017ftream": false, "prompt": "hello", "Prompt": "water"} junk'
    status, kind, data = ask(wire, "POST", "/api/generate", body.encode())

    assert (status, kind) == (200, "application/json; charset=utf-8")
    assert json.loads(data)["response"] == PLAIN


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "answer"),
    [
        ("POST", "/api/chat", b"", 400, b'{"error":"missing request body"}'),
        ("POST", "/api/chat", b"{}", 400, b'{"error":"model is required"}'),
        ("GET", "/api/nothing", b"", 404, b"404 page not found"),
        ("GET", "/api/chat", b"", 405, b"405 method not allowed"),
        ("GET", "/", b"", 200, b"Ollama is running"),
    ],
)
def test_other_answers_are_word_for_word(
    wire: http.client.HTTPConnection, method: str, path: str, body: bytes, status: int, answer: bytes
) -> None:
    found = ask(wire, method, path, body)

    assert (found[0], found[2]) == (status, answer)


def test_a_body_that_is_no_object_is_refused(wire: http.client.HTTPConnection) -> None:
    assert ask(wire, "POST", "/api/chat", b"[]")[0] == 400
    assert ask(wire, "POST", "/api/chat", b"{")[0] == 400


def test_head_has_no_body(wire: http.client.HTTPConnection) -> None:
    assert ask(wire, "HEAD", "/api/tags")[::2] == (200, b"")


def test_the_facade_masks_nothing(client: ollama.Client) -> None:
    """Else the tests of the gateway over it would prove nothing."""
    assert EMAIL in (client.chat("tiny", asks("Whom do I ask?")).message.content or "")
