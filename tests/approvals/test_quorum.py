"""Who may decide, and who is counted."""

from __future__ import annotations

from dataclasses import replace

from penstock.approvals.quorum import approvers, may, met, own, person
from penstock.approvals.ticket import Decision, Vote
from penstock.caller import Caller
from tests.approvals.desk_kit import ALICE, EVE, OTTO, SAM, START, TESS, TWO, someone
from tests.approvals.test_ticket import TICKET

PAIR = replace(TICKET, rule=TWO)


def yes(by: Caller) -> Vote:
    return Vote(by, Decision.APPROVE, "", START)


def test_an_approver_may_approve_and_deny() -> None:
    assert may(TICKET, SAM) == {Decision.APPROVE, Decision.DENY}


def test_the_break_glass_group_may_only_break_the_glass() -> None:
    assert may(TICKET, OTTO) == {Decision.BREAK_GLASS}


def test_strangers_may_nothing() -> None:
    assert may(TICKET, EVE) == frozenset()


def test_groups_are_compared_whole() -> None:
    assert may(TICKET, someone("mallory", "corp:security-interns", "security", "corp:")) == frozenset()


def test_who_asks_may_nothing_with_any_group() -> None:
    admin = replace(ALICE, groups=frozenset({"corp:security", "corp:oncall"}))
    assert own(TICKET, admin) and may(TICKET, admin) == frozenset()


def test_who_asks_may_nothing_through_another_provider() -> None:
    elsewhere = someone("Alice ", "corp:security", "corp:oncall", issuer="partner")
    assert own(TICKET, elsewhere) and may(TICKET, elsewhere) == frozenset()


def test_a_person_is_the_subject_whoever_vouches_for_it() -> None:
    assert person(someone("ALICE", issuer="partner")) == person(ALICE)


def test_one_person_in_two_groups_counts_once() -> None:
    one = replace(PAIR, votes=(yes(replace(TESS, groups=frozenset({"corp:security"}))),))
    assert not met(one, yes(replace(TESS, groups=frozenset({"corp:leads"}))))


def test_one_person_with_two_providers_counts_once() -> None:
    one = replace(PAIR, votes=(yes(SAM),))
    assert not met(one, yes(replace(SAM, issuer="partner")))


def test_two_people_meet_a_quorum_of_two() -> None:
    assert not met(PAIR, yes(SAM))
    assert met(replace(PAIR, votes=(yes(SAM),)), yes(TESS))


def test_more_than_the_quorum_meets_it_too() -> None:
    crowd = replace(PAIR, votes=(yes(SAM), yes(TESS)))
    assert met(crowd, yes(someone("uma", "corp:security")))


def test_a_quorum_below_one_still_takes_one_person() -> None:
    nobody = replace(TICKET, rule=replace(TICKET.rule, quorum=0))
    assert met(nobody, yes(SAM))
    assert not approvers(nobody.votes)


def test_a_denial_is_no_approval() -> None:
    assert approvers((Vote(SAM, Decision.DENY, "", START),)) == frozenset()
