"""What a caller is told who is not released."""

from __future__ import annotations

from dataclasses import replace

import pytest

from penstock.approvals.outcome import Denied, Expired, Pending, Spent, refusal
from penstock.approvals.ticket import Decision, Vote
from tests.approvals.desk_kit import SAM, START, TWO
from tests.approvals.test_ticket import TICKET

PAIR = replace(TICKET, rule=TWO, votes=(Vote(SAM, Decision.APPROVE, "looks fine", START),))
ENDS = [Pending(PAIR), Denied(PAIR), Spent(PAIR), *(Expired(PAIR, what) for what in ("request", "grant", "caller"))]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: type(end).__name__)
def test_every_refusal_is_a_403_with_the_ticket_and_nothing_of_the_approvers(end: Pending) -> None:
    answer = refusal(end)
    assert answer.status == 403
    assert ("Penstock-Approval", "T1") in answer.headers
    assert answer.message.startswith("Bulk export needs a ticket. ")
    assert "sam " not in answer.message and "fine" not in answer.message and "customers" not in answer.message


def test_a_pending_approval_says_how_to_go_on() -> None:
    answer = refusal(Pending(PAIR))
    assert answer.code == "approval_pending"
    assert answer.message.endswith("Approval T1 is pending (1 of 2); send the same request again to wait for it.")


def test_a_pending_approval_has_a_link_when_the_gateway_knows_its_name() -> None:
    assert (
        "see https://gate.example/.penstock/approvals/T1;"
        in refusal(Pending(PAIR), base="https://gate.example/").message
    )


@pytest.mark.parametrize("end", ENDS[1:], ids=lambda end: type(end).__name__)
def test_everything_else_is_a_denial(end: Denied) -> None:
    assert refusal(end).code == "approval_denied"


def test_a_rule_without_a_message_leaves_the_rest() -> None:
    silent = replace(PAIR, summary=replace(PAIR.summary, message=""))
    assert refusal(Denied(silent)).message == "Approval T1 was denied."
