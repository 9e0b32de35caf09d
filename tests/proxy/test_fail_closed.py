"""Whatever fails, wherever it fails: nothing that was not judged arrives at the model, nothing unmasked at the caller."""

from __future__ import annotations

import pytest

from tests.proxy.raw_client import chat, request
from tests.proxy.recording_upstream import MARKER, RecordingUpstream
from tests.proxy.running_gateway import Running

ERRORS = ["Exception", "AddonHalt", "CancelledError", "RecursionError", "SystemExit", "KeyboardInterrupt"]
BEFORE = ["client_connected", "next_layer", "requestheaders", "request", "server_connect", "server_connected"]


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("hook", BEFORE)
def test_a_hook_that_raises_before_the_model_is_reached_forwards_nothing(
    gateway: Running, upstream: RecordingUpstream, hook: str, error: str
) -> None:
    gateway.order(hook=hook, error=error)
    answer = gateway.ask(request(chat()))
    upstream.settle()
    assert upstream.received == []
    assert answer.status in (0, 502, 503)
    assert MARKER not in answer.text


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("hook", ["requestheaders", "request", "server_connect"])
def test_an_async_hook_that_raises_forwards_nothing(
    gateway: Running, upstream: RecordingUpstream, hook: str, error: str
) -> None:
    gateway.order(hook=hook, error=error, **{"async": True})
    answer = gateway.ask(request(chat()))
    upstream.settle()
    assert upstream.received == []
    assert answer.status in (0, 502, 503)


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("hook", ["responseheaders", "response"])
def test_a_hook_that_raises_after_the_model_answered_delivers_nothing_of_it(
    gateway: Running, upstream: RecordingUpstream, hook: str, error: str
) -> None:
    gateway.order(hook=hook, error=error)
    answer = gateway.ask(request(chat()))
    assert len(upstream.received) == 1
    assert MARKER not in answer.text
    assert answer.status in (0, 502, 503)


@pytest.mark.parametrize("error", ERRORS)
def test_a_hook_that_raises_before_a_stream_begins_delivers_nothing_of_it(
    gateway: Running, upstream: RecordingUpstream, error: str
) -> None:
    gateway.order(hook="responseheaders", error=error)
    answer = gateway.ask(request(chat(stream=True)))
    assert "MODEL" not in answer.text
    assert answer.status in (0, 502, 503)


@pytest.mark.parametrize("what", ["content", "path", "host", "header", "stream"])
def test_a_request_that_was_changed_after_it_was_cleared_is_refused(
    gateway: Running, upstream: RecordingUpstream, what: str
) -> None:
    gateway.order(hook="request", tamper=what)
    answer = gateway.ask(request(chat()))
    upstream.settle()
    assert upstream.received == []
    assert answer.status == 503


def test_a_denial_cannot_be_undone_by_a_script_that_removes_the_answer(
    gateway: Running, upstream: RecordingUpstream
) -> None:
    gateway.order(hook="request", tamper="clear_response")
    answer = gateway.ask(request(chat("forbidden")))
    upstream.settle()
    assert upstream.received == []
    assert answer.status in (403, 503)


@pytest.mark.parametrize("hook", ["error", "client_disconnected", "server_disconnected"])
def test_a_hook_that_raises_when_all_is_over_does_not_disturb_the_next_call(
    gateway: Running, upstream: RecordingUpstream, hook: str
) -> None:
    gateway.order(hook=hook, error="Exception")
    first = gateway.ask(request(chat()))
    second = gateway.ask(request(chat()))
    assert (first.status, second.status) == (200, 200)
    assert len(upstream.received) == 2
