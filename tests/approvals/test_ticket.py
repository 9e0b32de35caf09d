"""The table of states."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.approvals.digest import binding, digest
from penstock.approvals.ticket import LIVE, TABLE, Impossible, Move, State, Ticket
from tests.approvals.desk_kit import ALICE, HELD, RULE, START

TICKET = Ticket(
    "T1", RULE, ALICE, "X1", digest(HELD, RULE), binding(HELD, RULE), HELD.summary(), START, START + RULE.expires
)
RELEASING = frozenset({Move.SPEND, Move.USE})


@given(st.lists(st.sampled_from(list(Move)), max_size=12))
def test_no_sequence_of_moves_leads_from_an_end_to_a_release(moves: list[Move]) -> None:
    ticket, ended = TICKET, False
    for move in moves:
        try:
            ticket = ticket.moved(move)
        except Impossible:
            continue
        assert not ended, f"{move} led out of an end"
        ended = ticket.state not in LIVE
        if move in RELEASING:
            assert ticket.state in (State.RELEASED, State.APPROVED)


@given(st.lists(st.sampled_from(list(Move)), max_size=12))
def test_nothing_is_released_that_was_not_granted_before(moves: list[Move]) -> None:
    ticket, granted = TICKET, False
    for move in moves:
        try:
            ticket = ticket.moved(move)
        except Impossible:
            continue
        granted |= move is Move.GRANT
        assert granted or move not in RELEASING


@pytest.mark.parametrize("state", sorted(set(State) - LIVE))
@pytest.mark.parametrize("move", list(Move))
def test_nothing_leads_out_of_an_end(state: State, move: Move) -> None:
    assert (state, move) not in TABLE


def test_only_an_approved_ticket_leads_to_a_release() -> None:
    assert {state for (state, move) in TABLE if move in RELEASING} == {State.APPROVED}
    assert {state for (state, _), after in TABLE.items() if after is State.RELEASED} == {State.APPROVED}


@pytest.mark.parametrize("state", sorted(LIVE))
def test_a_denial_ends_whatever_is_live(state: State) -> None:
    assert TABLE[state, Move.DENY] is State.DENIED


def test_a_move_that_the_table_does_not_know_says_so() -> None:
    with pytest.raises(Impossible, match="a ticket that is open cannot spend"):
        TICKET.moved(Move.SPEND)


def test_an_undecided_ticket_is_due_when_it_expires() -> None:
    assert TICKET.due == START + RULE.expires
