"""The approvers' endpoints."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.approvals.http import MAX_BODY, MAX_REASON, ROOT, Answer, Headers, answer
from penstock.approvals.ticket import State
from penstock.caller import Caller
from tests.approvals.desk_kit import ALICE, EVE, HELD, HOURLY, OTTO, RULE, SAM, TESS, TWO, Bench

JSON: Headers = ((b"content-type", b"application/json"),)
ONE = f"{ROOT}/T1"
YES = b'{"decision": "approve", "reason": "fine"}'


@pytest.fixture
def held(bench: Bench) -> Bench:
    bench.desk.open(HELD, TWO)
    return bench


def get(bench: Bench, path: str, by: Caller) -> Answer:
    return answer(bench.desk, "GET", path, (), b"", by)


def post(bench: Bench, by: Caller, body: bytes = YES, headers: Headers = JSON, path: str = ONE) -> Answer:
    return answer(bench.desk, "POST", path, headers, body, by)


def read(got: Answer, status: int = 200) -> Any:
    assert got.status == status, got.body
    return json.loads(got.body)


def code(got: Answer, status: int) -> str:
    error: dict[str, str] = read(got, status)["error"]
    assert error["message"]
    return error["code"]


def state(bench: Bench) -> State:
    ticket = bench.desk.ticket("T1", SAM)
    assert ticket is not None
    return ticket.state


# Reading


def test_an_approver_sees_what_he_may_decide(held: Bench) -> None:
    (shown,) = read(get(held, ROOT, SAM))["approvals"]
    assert shown["id"] == "T1" and shown["state"] == "open"
    assert shown["caller"] == {"issuer": "corp", "subject": "alice", "groups": ["corp:data-science"], "client": ""}
    assert shown["rules"] == ["bulk-export"] and shown["model"] == "llama3.2" and shown["operation"] == "chat"
    assert shown["may"] == ["approve", "deny"] and shown["own"] is False
    assert (shown["needed"], shown["count"], shown["waiting"]) == (2, 0, 1)
    assert shown["prompt"] == HELD.prompt


def test_who_asks_sees_his_own_but_not_who_voted(held: Bench) -> None:
    held.desk.approve("T1", SAM, "fine by me")
    (shown,) = read(get(held, ROOT, ALICE))["approvals"]
    assert shown["own"] is True and shown["may"] == [] and shown["count"] == 1
    assert b"sam" not in get(held, ONE, ALICE).body and b"fine by me" not in get(held, ONE, ALICE).body


def test_the_oncall_sees_that_he_can_break_the_glass(held: Bench) -> None:
    assert read(get(held, ONE, OTTO))["may"] == ["break_glass"]


def test_a_stranger_sees_nothing_and_cannot_tell_a_ticket_from_none(held: Bench) -> None:
    assert read(get(held, ROOT, EVE)) == {"approvals": []}
    assert get(held, ONE, EVE) == get(held, f"{ROOT}/T9", EVE)
    assert code(get(held, ONE, EVE), 404) == "not_found"
    assert post(held, EVE) == post(held, EVE, path=f"{ROOT}/T9")


def test_a_list_has_the_beginning_of_a_prompt_and_the_ticket_all_of_it(bench: Bench) -> None:
    bench.desk.open(replace(HELD, prompt="x" * 5000), RULE)
    (shown,) = read(get(bench, ROOT, SAM))["approvals"]
    assert len(shown["prompt"]) == 200 and shown["prompt_length"] == 5000
    assert len(read(get(bench, ONE, SAM))["prompt"]) == 5000


def test_a_prompt_with_a_lone_surrogate_can_be_read(bench: Bench) -> None:
    bench.desk.open(replace(HELD, prompt="\ud800!"), RULE)
    assert read(get(bench, ONE, SAM))["prompt"] == "\ud800!"


def test_a_ticket_that_is_over_can_still_be_shown_but_is_not_listed(held: Bench) -> None:
    held.desk.deny("T1", SAM, "no")
    assert read(get(held, ROOT, SAM)) == {"approvals": []}
    shown = read(get(held, ONE, SAM))
    assert shown["state"] == "denied" and shown["prompt"] == "" and shown["may"] == []
    assert shown["votes"][0]["by"] == {"issuer": "corp", "subject": "sam"} and shown["votes"][0]["reason"] == "no"


def test_a_grant_in_force_can_only_be_denied(bench: Bench) -> None:
    bench.desk.open(HELD, HOURLY)
    bench.desk.approve("T1", SAM)
    shown = read(get(bench, ONE, TESS))
    assert shown["state"] == "approved" and shown["may"] == ["deny"]
    assert shown["grant"] == {"for": 3600.0, "scope": ["caller", "rule"]}


def test_answers_are_never_kept_or_guessed_at(held: Bench) -> None:
    for got in (get(held, ROOT, SAM), get(held, ONE, EVE), post(held, SAM)):
        headers = dict(got.headers)
        assert headers["Content-Type"] == "application/json"
        assert headers["Cache-Control"] == "no-store" and headers["X-Content-Type-Options"] == "nosniff"


# Deciding


def test_two_approvals_release(held: Bench) -> None:
    assert read(post(held, SAM))["count"] == 1
    assert read(post(held, TESS))["state"] == "approved"


def test_a_denial_is_taken(held: Bench) -> None:
    assert read(post(held, SAM, b'{"decision":"deny"}'))["state"] == "denied"


def test_the_glass_is_broken(held: Bench) -> None:
    shown = read(post(held, OTTO, b'{"decision":"break_glass","reason":"fire"}'))
    assert shown["state"] == "approved" and shown["votes"][0]["decision"] == "break_glass"


@pytest.mark.parametrize("headers", [JSON, ()])
def test_a_get_decides_nothing(held: Bench, headers: Headers) -> None:
    assert answer(held.desk, "GET", ONE, headers, YES, SAM).status == 200
    assert state(held) is State.OPEN and held.journal.events == ["opened"]


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "get"])
@pytest.mark.parametrize("path", [ROOT, ONE])
def test_other_methods_are_refused(held: Bench, method: str, path: str) -> None:
    got = answer(held.desk, method, path, JSON, YES, SAM)
    assert got.status == 405 and dict(got.headers)["Allow"].startswith("GET")
    assert state(held) is State.OPEN


def test_the_list_takes_no_post(held: Bench) -> None:
    assert dict(post(held, SAM, path=ROOT).headers)["Allow"] == "GET"


@pytest.mark.parametrize(
    "path", [ROOT + "/", ONE + "/", f"{ROOT}/T1/x", f"{ROOT}/%541", "/.penstock/approvalsT1", f"{ROOT}/é"]
)
def test_other_paths_are_unknown(held: Bench, path: str) -> None:
    assert post(held, SAM, path=path).status == get(held, path, SAM).status == 404


@pytest.mark.parametrize(
    ("by", "status", "expected"),
    [(ALICE, 403, "own_request"), (EVE, 404, "not_found"), (OTTO, 403, "not_an_approver")],
)
def test_those_who_may_not_approve_are_told_why(held: Bench, by: Caller, status: int, expected: str) -> None:
    assert code(post(held, by), status) == expected
    assert state(held) is State.OPEN


def test_deciding_twice_is_a_conflict(held: Bench) -> None:
    post(held, SAM)
    assert code(post(held, SAM), 409) == "already_approved_by_you"
    post(held, TESS)
    assert code(post(held, TESS), 409) == "already_decided"


def test_a_missing_reason_is_told(bench: Bench) -> None:
    bench.desk.open(HELD, replace(RULE, reason_required=True))
    assert code(post(bench, SAM, b'{"decision":"approve"}'), 400) == "reason_required"


def test_an_expired_token_is_told(held: Bench) -> None:
    assert code(post(held, replace(SAM, expires=held.clock.now)), 401) == "token_expired"


def test_a_decision_that_cannot_be_recorded_is_not_taken(held: Bench) -> None:
    held.journal.full = True
    assert code(post(held, SAM), 503) == "gateway_error"
    assert state(held) is State.OPEN


# What a decision looks like

SHAPES = {
    "empty": b"",
    "not JSON": b"approve",
    "not UTF-8": b'{"decision": "approve", "reason": "\xff"}',
    "a list": b'["approve"]',
    "no decision": b'{"reason": "x"}',
    "an unknown member": b'{"decision": "approve", "force": true}',
    "a member twice": b'{"decision": "deny", "decision": "approve"}',
    "an unknown decision": b'{"decision": "Approve"}',
    "a number": b'{"decision": 1}',
    "a list for a decision": b'{"decision": ["approve"]}',
    "a reason that is no text": b'{"decision": "approve", "reason": 1}',
    "no reason": b'{"decision": "approve", "reason": null}',
    "a long reason": b'{"decision": "approve", "reason": "%s"}' % (b"x" * (MAX_REASON + 1)),
    "an escape sequence": b'{"decision": "approve", "reason": "\\u001b[2J"}',
    "text turned round": b'{"decision": "approve", "reason": "\\u202e"}',
    "a lone surrogate": b'{"decision": "approve", "reason": "\\ud800"}',
    "NaN": b'{"decision": "approve", "reason": NaN}',
    "trailing data": b'{"decision": "approve"} {}',
    "deep nesting": b"[" * 16_000,
    "a byte order mark": b'\xef\xbb\xbf{"decision": "approve"}',
}


@pytest.mark.parametrize("shape", SHAPES)
def test_anything_but_a_plain_decision_is_refused(held: Bench, shape: str) -> None:
    assert code(post(held, SAM, SHAPES[shape]), 400) == "invalid_request"
    assert state(held) is State.OPEN


def test_a_reason_may_have_lines(held: Bench) -> None:
    assert (
        read(post(held, SAM, b'{"decision": "approve", "reason": "one\\ntwo \\u00e9"}'))["votes"][0]["reason"]
        == "one\ntwo é"
    )


def test_a_body_that_is_too_large_is_refused(held: Bench) -> None:
    assert post(held, SAM, YES + b" " * MAX_BODY).status == 413


@given(st.binary(max_size=60))
def test_no_bytes_decide_by_accident(body: bytes) -> None:
    bench = Bench()
    bench.desk.open(HELD, TWO)
    assert post(bench, SAM, body).status in (400, 413)


# From a web page


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ((b"Content-Type", b"text/plain"),),
        ((b"Content-Type", b"application/x-www-form-urlencoded"),),
        ((b"Content-Type", b"application/jsonp"),),
        ((b"Content-Type", b"application/json"), (b"content-type", b"text/plain")),
    ],
)
def test_a_decision_that_a_form_could_send_is_refused(held: Bench, headers: Headers) -> None:
    assert post(held, SAM, headers=headers).status == 415
    assert state(held) is State.OPEN


def test_a_charset_is_no_harm(held: Bench) -> None:
    assert post(held, SAM, headers=((b"Content-Type", b"Application/JSON; charset=utf-8"),)).status == 200


@pytest.mark.parametrize(
    "extra",
    [
        (b"Origin", b"https://evil.example"),
        (b"origin", b"null"),
        (b"Sec-Fetch-Site", b"cross-site"),
        (b"Sec-Fetch-Site", b"same-site"),
    ],
)
def test_a_decision_from_elsewhere_is_refused(held: Bench, extra: tuple[bytes, bytes]) -> None:
    assert code(post(held, SAM, headers=(*JSON, extra)), 403) == "foreign_origin"
    assert state(held) is State.OPEN


def test_a_page_that_is_named_may_decide(held: Bench) -> None:
    headers = (*JSON, (b"Origin", b"https://desk.example"), (b"Sec-Fetch-Site", b"same-site"))
    got = answer(held.desk, "POST", ONE, headers, YES, SAM, origins=frozenset({"https://desk.example"}))
    assert got.status == 200
    other = (*JSON, (b"Origin", b"https://desk.example.evil.example"))
    assert answer(held.desk, "POST", ONE, other, YES, TESS, origins=frozenset({"https://desk.example"})).status == 403
