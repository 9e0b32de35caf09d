"""Groups are read at one place, whole, and refused when they are not known exactly."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.errors import Refusal
from penstock.identity.groups import path_steps, read_groups, reserved_prefixes
from penstock.policy.settings import GroupClaim

# Provider -> its token, where the groups are, and what they are.
PROVIDERS: dict[str, tuple[dict[str, Any], GroupClaim, set[str]]] = {
    "Keycloak realm roles": (
        {"realm_access": {"roles": ["offline_access", "staff"]}},
        GroupClaim("realm_access.roles", prefix="kc:"),
        {"kc:offline_access", "kc:staff"},
    ),
    "Keycloak client roles": (
        {"resource_access": {"gate.way": {"roles": ["user"]}}},
        GroupClaim("/resource_access/gate.way/roles"),
        {"user"},
    ),
    "Keycloak group paths": ({"groups": ["/eng/ml", "/eng"]}, GroupClaim("groups"), {"/eng/ml", "/eng"}),
    "Entra": (
        {"groups": ["0f5e-1", "0f5e-2"]},
        GroupClaim("groups", prefix="entra:"),
        {"entra:0f5e-1", "entra:0f5e-2"},
    ),
    "Auth0": ({"https://corp.example/groups": ["a"]}, GroupClaim("/https:~1~1corp.example~1groups"), {"a"}),
    "LemonLDAP": ({"groups": "admins; users;ops ; "}, GroupClaim("groups", delimiter=";"), {"admins", "users", "ops"}),
    "GitHub": ({"repository": "corp/app"}, GroupClaim("repository", prefix="repo:"), {"repo:corp/app"}),
    "Kubernetes": ({"sub": "system:serviceaccount:ml:job"}, GroupClaim("sub"), {"system:serviceaccount:ml:job"}),
    "a tilde in the name": ({"a~b": ["x"]}, GroupClaim("/a~0b"), {"x"}),
    "none": ({"sub": "alice"}, GroupClaim("groups"), set()),
    "an empty list": ({"groups": []}, GroupClaim("groups"), set()),
    "an empty string": ({"groups": ""}, GroupClaim("groups"), set()),
    "empty names": ({"groups": ["", "a"]}, GroupClaim("groups", prefix="p:"), {"p:a"}),
    "part of the way": ({"realm_access": {}}, GroupClaim("realm_access.roles"), set()),
    "overage of something else": (
        {"groups": ["a"], "_claim_names": {"photos": "src1"}, "_claim_sources": {}},
        GroupClaim("groups"),
        {"a"},
    ),
}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_groups_of_each_provider_are_read(provider: str) -> None:
    claims, claim, groups = PROVIDERS[provider]
    assert read_groups(claims, claim) == groups


def test_without_a_claim_there_are_no_groups() -> None:
    assert read_groups({"groups": ["a"]}, None) == frozenset()


def test_a_list_is_never_split_and_never_trimmed() -> None:
    groups = read_groups({"groups": ["a;b", " c "]}, GroupClaim("groups", delimiter=";"))
    assert groups == {"a;b", " c "}


@pytest.mark.parametrize(
    "claims",
    [
        {"groups": None},
        {"groups": 1},
        {"groups": True},
        {"groups": {"a": True}},
        {"groups": ["a", None]},
        {"groups": ["a", ["b"]]},
        {"groups": ["a\n"]},
        {"groups": "a\tb"},
        {"groups": ["a"], "_claim_names": {"groups": "src1"}},
        {"_claim_names": {"groups": "src1"}},
        {"_claim_names": "groups"},
        {"_claim_names": None},
        {"hasgroups": True},
        {"hasgroups": False},
    ],
)
def test_groups_that_cannot_be_known_refuse_the_token(claims: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        read_groups(claims, GroupClaim("groups"))
    assert refused.value.code == "invalid_token"


@pytest.mark.parametrize("claims", [{"a": "x"}, {"a": ["b"]}, {"a": None}, {"a": {"b": 1}}])
def test_a_path_through_something_else_refuses_the_token(claims: dict[str, Any]) -> None:
    with pytest.raises(Refusal, match="not where they should be"):
        read_groups(claims, GroupClaim("a.b.c"))


def test_one_issuer_does_not_speak_for_another() -> None:
    claim = GroupClaim("groups")
    assert read_groups({"groups": ["a"]}, claim, reserved=["corp:"]) == {"a"}
    with pytest.raises(Refusal, match="another issuer"):
        read_groups({"groups": ["a", "corp:admins"]}, claim, reserved=["corp:"])


def test_prefixes_are_reserved_unless_they_were_nested_on_purpose() -> None:
    assert reserved_prefixes("", ["", "corp:", "lab:"]) == ("corp:", "lab:")
    assert reserved_prefixes("corp:", ["corp:", "lab:", ""]) == ("lab:",)
    assert reserved_prefixes("corp:eu:", ["corp:"]) == ()
    assert reserved_prefixes("corp:", ["corp:eu:"]) == ("corp:eu:",)


def test_a_path_is_dotted_or_a_pointer() -> None:
    assert path_steps("realm_access.roles") == ("realm_access", "roles")
    assert path_steps("/https:~1~1x~1groups") == ("https://x/groups",)
    assert path_steps("/a/b.c/d~01") == ("a", "b.c", "d~1")
