"""Access tokens of every ordinary shape are accepted, at the edges of their lives too."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import Refusal
from penstock.identity.claims import Holder, check
from penstock.identity.token import Token
from penstock.policy.settings import Issuer
from tests.identity.mint import CORP, GENERAL, ISSUER, NOW, OTHER, Gone, claims


def read(kind: str = "at+jwt", **changes: Any) -> Token:
    body = claims(**changes)
    return Token("", b"", "RS256", "r1", kind, body["iss"], body)


def holder(issuer: Issuer = ISSUER, kind: str = "at+jwt", **changes: Any) -> Holder:
    return check(read(kind, **changes), issuer, NOW)


def test_a_good_token_speaks_for_its_subject_and_client() -> None:
    assert holder() == Holder("alice", "notebook", NOW + 300 + 30)


@pytest.mark.parametrize("audience", ["penstock", "penstock-eu", ["penstock"], ["other", "penstock"], ["penstock"] * 2])
def test_one_of_the_audiences_is_enough(audience: Any) -> None:
    assert holder(aud=audience).subject == "alice"


@pytest.mark.parametrize(
    "subject",
    [
        "a",
        "alice@corp.example",
        "CN=Alice Doe, OU=R&D",
        "system:serviceaccount:ns:sa",
        "spiffe://x/y",
        "Ünal",
        "林",
        "a" * 2048,
    ],
)
def test_a_subject_may_be_any_visible_name(subject: str) -> None:
    assert holder(sub=subject).subject == subject


@pytest.mark.parametrize(
    ("changes", "client"),
    [
        ({"client_id": "a", "azp": "b"}, "a"),
        ({"client_id": Gone, "azp": "b"}, "b"),
        ({"client_id": None, "azp": "b"}, "b"),
        ({"client_id": Gone, "appid": "c"}, "c"),
        ({"client_id": Gone, "cid": "d"}, "d"),
        ({"client_id": Gone}, ""),
    ],
)
def test_the_client_is_the_first_claim_that_names_one(changes: dict[str, Any], client: str) -> None:
    assert holder(**changes).client == client


def test_the_policy_may_say_which_claim_names_the_client() -> None:
    issuer = replace(GENERAL, client_claim="repository")
    assert holder(issuer, "jwt", iss=OTHER, client_id=Gone, repository="corp/app").client == "corp/app"
    with pytest.raises(Refusal, match="neither scope nor client_id"):
        holder(issuer, "jwt", iss=OTHER, client_id="x")


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": int(NOW) - 29},
        {"exp": NOW + 0.5},
        {"iat": int(NOW) + 30},
        {"iat": Gone},
        {"iat": Gone, "exp": int(NOW) + 86_400},
        {"nbf": int(NOW) + 30},
        {"nbf": 0},
        {"iat": int(NOW), "exp": int(NOW) + 86_400},
        {"iat": int(NOW) - 86_000, "exp": int(NOW) + 400},
    ],
)
def test_times_are_accepted_up_to_the_leeway_and_the_longest_life(changes: dict[str, Any]) -> None:
    assert holder(**changes).expires > NOW


def test_the_leeway_and_the_longest_life_are_the_issuers_own() -> None:
    strict = replace(ISSUER, leeway=0.0, max_lifetime=60.0)
    assert holder(strict, iat=int(NOW), exp=int(NOW) + 60).expires == NOW + 60
    outside: list[dict[str, Any]] = [{"iat": NOW, "exp": NOW + 61}, {"exp": NOW}, {"iat": NOW + 1}]
    for changes in outside:
        with pytest.raises(Refusal):
            holder(strict, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"client_id": Gone, "azp": "x"},
        {"client_id": Gone, "scope": "read write"},
        {"client_id": Gone, "scp": "read"},
        {"client_id": Gone, "scp": ["read", "write"]},
        {"typ": "Bearer", "sid": "1", "acr": "1", "auth_time": int(NOW)},
        {"token_use": "access", "scope": "x"},
        {"typ": "JWT"},
    ],
)
def test_a_token_of_a_general_type_is_accepted_when_it_is_an_access_token(changes: dict[str, Any]) -> None:
    assert holder(GENERAL, "jwt", iss=OTHER, **changes).subject == "alice"


def test_an_access_token_by_its_type_needs_no_further_sign() -> None:
    assert holder(GENERAL, iss=OTHER, client_id=Gone, nonce="x").client == ""


def test_the_issuer_must_be_the_one_whose_keys_were_used() -> None:
    with pytest.raises(Refusal, match="issuer is not accepted"):
        holder(GENERAL, iss=CORP)


_times = st.none() | st.booleans() | st.text(max_size=3) | st.integers() | st.floats()


@settings(max_examples=300, deadline=None)
@given(st.fixed_dictionaries({}, optional={"exp": _times, "iat": _times, "nbf": _times}))
def test_whatever_the_times_a_token_is_refused_or_lives_now(times: dict[str, Any]) -> None:
    try:
        expires = holder(**{"exp": Gone} | times).expires
    except Refusal:
        return
    assert NOW < expires <= NOW + 86_400 + 60
