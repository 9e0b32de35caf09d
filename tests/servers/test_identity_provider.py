"""The demo's identity provider does what the gateway relies on in a real one."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest
from jose import jwt

from scripts.stage.identity_provider import Client, IdentityProvider

ALICE = Client("alice", ("data-science", "staff"))


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    with IdentityProvider([ALICE]) as running:
        yield running


def grant(provider: IdentityProvider, secret: str, **form: str) -> httpx.Response:
    data = {"grant_type": "client_credentials", **form}
    return httpx.post(provider.token_endpoint, data=data, auth=("alice", secret), trust_env=False)


def test_a_client_with_its_secret_gets_an_access_token(provider: IdentityProvider) -> None:
    about = httpx.get(f"{provider.issuer}/.well-known/openid-configuration", trust_env=False).json()
    keys = httpx.get(about["jwks_uri"], trust_env=False).json()["keys"]
    token = grant(provider, ALICE.secret).json()["access_token"]
    claims = jwt.decode(token, keys[0], algorithms=["ES256"], audience="penstock", issuer=about["issuer"])

    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"
    assert jwt.get_unverified_header(token)["kid"] == keys[0]["kid"]
    assert claims["sub"] == "alice" and claims["groups"] == ["data-science", "staff"]
    assert time.time() < claims["exp"] <= time.time() + 3600


def test_a_secret_may_be_in_the_form(provider: IdentityProvider) -> None:
    form = {"grant_type": "client_credentials", "client_id": "alice", "client_secret": ALICE.secret}
    assert httpx.post(provider.token_endpoint, data=form, trust_env=False).status_code == 200


def test_another_secret_or_grant_is_refused(provider: IdentityProvider) -> None:
    assert grant(provider, "guess").json() == {"error": "invalid_client"}
    assert grant(provider, ALICE.secret, grant_type="password").json() == {"error": "unsupported_grant_type"}


def test_after_a_rotation_only_the_new_key_is_published(provider: IdentityProvider) -> None:
    old = provider.key.id
    provider.rotate()
    keys = httpx.get(f"{provider.issuer}/jwks", trust_env=False).json()["keys"]

    assert [key["kid"] for key in keys] == [provider.key.id] != [old]


def test_claims_can_be_changed_and_left_out(provider: IdentityProvider) -> None:
    claims = jwt.get_unverified_claims(provider.token("alice", aud="another", exp=None))

    assert claims["aud"] == "another" and "exp" not in claims


def test_secrets_stay_out_of_repr() -> None:
    assert ALICE.secret not in repr(ALICE)
