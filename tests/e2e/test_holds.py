"""Calls that wait for somebody: approved from another terminal, denied, left waiting, asked for again."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import openai
import pytest

from scripts.model.answers import PLAIN
from scripts.stage.gateway import BIN, Gateway
from scripts.stage.identity_provider import IdentityProvider
from scripts.stage.process import environment
from tests.e2e.people import ALICE, CAROL, DAVE, Person, asks, eventually


@pytest.fixture
def aside() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def call(person: Person, note: str, *, stream: bool = False) -> str:
    client = person.openai()
    messages = asks(f"In production ({note}): what does water do?")
    if not stream:
        return client.chat.completions.create(model="tiny", messages=messages).choices[0].message.content or ""
    events = client.chat.completions.create(model="tiny", messages=messages, stream=True)
    return "".join(event.choices[0].delta.content or "" for event in events if event.choices)


def waiting(carol: Person, note: str) -> dict[str, Any]:
    """The ticket of the held call whose prompt holds the note, waited for."""

    def look() -> dict[str, Any] | None:
        for one in carol.page("GET", "/.penstock/approvals").json()["approvals"]:
            whole: dict[str, Any] = carol.page("GET", f"/.penstock/approvals/{one['id']}").json()
            if note in str(whole):
                return whole
        return None

    return eventually(look)


def decide(person: Person, ticket: str, verb: str, reason: str) -> subprocess.CompletedProcess[str]:
    """What an approver types into another terminal."""
    command = [str(BIN / "penstock"), "approvals", "--gateway", person.gateway.url(), verb, ticket, "--reason", reason]
    env = {**environment(), "PENSTOCK_TOKEN": person.token, "NO_COLOR": "1"}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=env)


@pytest.mark.parametrize("stream", [False, True])
def test_a_held_call_goes_on_when_it_is_approved(
    alice: Person, carol: Person, aside: ThreadPoolExecutor, stream: bool
) -> None:
    note = f"approve {stream}"
    held: Future[str] = aside.submit(call, alice, note, stream=stream)
    ticket = waiting(carol, note)
    assert not held.done()

    decided = decide(carol, ticket["id"], "approve", "I looked at it")
    assert decided.returncode == 0, decided.stderr
    assert held.result(30) == PLAIN
    assert len(alice.wire.requests) == 1


def test_a_held_call_that_is_denied_is_refused(alice: Person, carol: Person, aside: ThreadPoolExecutor) -> None:
    held = aside.submit(call, alice, "deny")
    decided = decide(carol, waiting(carol, "deny")["id"], "deny", "not today")
    assert decided.returncode == 0, decided.stderr

    with pytest.raises(openai.PermissionDeniedError) as refused:
        held.result(30)
    assert refused.value.code == "approval_denied"
    assert len(alice.wire.requests) == 1


def test_nobody_waits_behind_a_held_call(alice: Person, aside: ThreadPoolExecutor, carol: Person) -> None:
    held = aside.submit(call, alice, "behind")
    ticket = waiting(carol, "behind")
    reply = carol.openai().chat.completions.create(model="tiny", messages=asks("What does water do?"))

    assert reply.choices[0].message.content == PLAIN
    assert not held.done()
    decide(carol, ticket["id"], "deny", "enough")
    with pytest.raises(openai.PermissionDeniedError):
        held.result(30)


def test_a_call_that_nobody_decides_is_told_to_come_back_and_then_uses_its_grant(
    impatient: Gateway, provider: IdentityProvider
) -> None:
    alice, carol = (Person(provider.token(client.id), impatient) for client in (ALICE, CAROL))
    with pytest.raises(openai.PermissionDeniedError) as refused:
        call(alice, "later")
    assert refused.value.code == "approval_pending"
    ticket = refused.value.response.headers["penstock-approval"]
    assert len(alice.wire.requests) == 1

    assert decide(carol, ticket, "approve", "late but fine").returncode == 0
    assert call(alice, "later") == PLAIN
    with pytest.raises(openai.PermissionDeniedError) as refused:
        call(alice, "later")
    assert refused.value.code == "approval_pending"
    assert refused.value.response.headers["penstock-approval"] != ticket


def test_nobody_approves_their_own_call(
    person: Callable[..., Person], carol: Person, aside: ThreadPoolExecutor
) -> None:
    held = aside.submit(call, carol, "mine")
    ticket = waiting(carol, "mine")
    decided = decide(carol, ticket["id"], "approve", "I trust myself")

    assert decided.returncode != 0
    assert "Traceback" not in decided.stderr
    assert not held.done()
    assert decide(person(DAVE), ticket["id"], "deny", "not your own").returncode == 0
    with pytest.raises(openai.PermissionDeniedError):
        held.result(30)
