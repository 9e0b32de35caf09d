"""Against a real OpenID provider over real HTTP: every algorithm, people and machines, rotation and outage."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import httpx
import pytest

from penstock.errors import Refusal
from penstock.identity.fetch import HttpFetch
from penstock.identity.identity import Identity
from penstock.identity.jwks import COOLDOWN, RENEW
from penstock.policy.settings import GroupClaim, IdentitySettings, Issuer
from tests.identity.mint import b64, bearer, compact, ec_key, jwk, text
from tests.servers.oidc_provider import OidcProvider

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class Shifted:
    """The real time, and what a test adds to it."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture(scope="module")
def idp() -> Iterator[OidcProvider]:
    with OidcProvider(accounts={"alice": ["staff", "data-science"], "bob": []}) as provider:
        yield provider


@pytest.fixture
async def fetch() -> AsyncIterator[HttpFetch]:
    fetch = HttpFetch(seconds=5)
    yield fetch
    await fetch.close()


@pytest.fixture
def clock() -> Shifted:
    return Shifted()


def issuer(idp: OidcProvider) -> Issuer:
    return Issuer(
        id="corp",
        issuer=idp.issuer,
        audiences=("penstock",),
        algorithms=("RS256", "PS256", "ES256", "EdDSA"),
        groups=GroupClaim("groups", prefix="corp:"),
    )


def accepting(idp: OidcProvider, **changes: object) -> IdentitySettings:
    return IdentitySettings(issuers=(replace(issuer(idp), **changes),))  # type: ignore[arg-type]


@pytest.fixture
async def identity(idp: OidcProvider, fetch: HttpFetch, clock: Shifted) -> AsyncIterator[Identity]:
    identity = Identity(accepting(idp), fetch=fetch, clock=clock)
    yield identity
    await identity.stop()


async def code(identity: Identity, token: str) -> str:
    with pytest.raises(Refusal) as refused:
        await identity.authenticate(bearer(token))
    return refused.value.code


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "EdDSA"])
async def test_a_service_is_known_by_its_client_credentials(alg: str, idp: OidcProvider, identity: Identity) -> None:
    caller = await identity.authenticate(bearer(idp.token(groups=["batch", "ml"], alg=alg, ttl=120)))
    assert (caller.id, caller.client, caller.via) == ("corp|service", "service", "oidc")
    assert caller.groups == {"corp:batch", "corp:ml"}
    assert 120 <= caller.expires - time.time() + 5 < 160


async def test_a_person_is_known_after_the_device_flow_and_the_id_token_is_no_way_in(
    idp: OidcProvider, fetch: HttpFetch
) -> None:
    tokens = idp.device_token("alice")
    # As general as an issuer can be set up: the ID token's audience and type are accepted.
    identity = Identity(accepting(idp, audiences=("penstock", "cli"), types=("at+jwt", "jwt")), fetch=fetch)
    caller = await identity.authenticate(bearer(tokens["access_token"]))
    assert (caller.id, caller.client) == ("corp|alice", "cli")
    assert caller.groups == {"corp:staff", "corp:data-science"}
    with pytest.raises(Refusal, match="neither scope nor client_id"):
        await identity.authenticate(bearer(tokens["id_token"]))


async def test_a_person_without_groups_has_none(idp: OidcProvider, identity: Identity) -> None:
    caller = await identity.authenticate(bearer(idp.device_token("bob")["access_token"]))
    assert caller.groups == frozenset()


async def test_a_token_that_is_bound_to_a_key_is_refused(idp: OidcProvider, identity: Identity) -> None:
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk(ec_key())}
    claims = {"htm": "POST", "htu": f"{idp.issuer}/token", "iat": int(time.time()), "jti": "1"}
    proof = compact(text(header), text(claims), ec_key(), "ES256")
    form = {"grant_type": "client_credentials"}
    bound = idp.ask("/token", form, auth=("service", "service-secret"), headers={"DPoP": proof})
    assert bound["token_type"] == "DPoP"
    with pytest.raises(Refusal, match="bound to a key"):
        await identity.authenticate(bearer(bound["access_token"]))


async def test_a_token_for_another_audience_is_refused(idp: OidcProvider, fetch: HttpFetch) -> None:
    identity = Identity(accepting(idp, audiences=("elsewhere",)), fetch=fetch)
    with pytest.raises(Refusal, match="another audience"):
        await identity.authenticate(bearer(idp.token()))


async def test_a_token_that_was_changed_is_refused(idp: OidcProvider, identity: Identity) -> None:
    head, body, signature = idp.token(groups=["batch"]).split(".")
    forged = b64(b64_decoded(body).replace(b"batch", b"admin"))
    with pytest.raises(Refusal, match="signature"):
        await identity.authenticate(bearer(f"{head}.{forged}.{signature}"))


def b64_decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


async def test_a_rotation_that_keeps_the_old_keys_is_not_noticed(idp: OidcProvider, identity: Identity) -> None:
    before = idp.token()
    await identity.authenticate(bearer(before))
    idp.rotate(keep=True)
    assert (await identity.authenticate(bearer(idp.token()))).subject == "service"
    assert identity.recall(bearer(before)) is not None


async def test_a_rotation_that_drops_the_old_keys_ends_their_tokens(
    idp: OidcProvider, identity: Identity, clock: Shifted
) -> None:
    before = idp.token()
    await identity.authenticate(bearer(before))
    idp.rotate()
    after = idp.token()
    assert (await identity.authenticate(bearer(after))).subject == "service"
    assert identity.recall(bearer(before)) is None
    assert await code(identity, before) == "invalid_token"


async def test_an_outage_is_not_noticed_and_its_end_brings_fresh_keys(
    idp: OidcProvider, identity: Identity, clock: Shifted
) -> None:
    first, second = idp.token(ttl=80_000), idp.token(ttl=80_000, groups=["x"])
    await identity.authenticate(bearer(first))
    with idp.outage():
        for _ in range(10):
            clock.ahead += 3600
            assert (await identity.authenticate(bearer(second))).groups == {"corp:x"}
            assert identity.ready
    idp.rotate()
    clock.ahead += COOLDOWN
    assert (await identity.authenticate(bearer(idp.token(ttl=80_000)))).subject == "service"
    assert await code(identity, first) == "invalid_token"


async def test_a_start_during_an_outage_refuses_until_the_provider_is_back(
    idp: OidcProvider, identity: Identity, clock: Shifted
) -> None:
    token = idp.token()
    with idp.outage():
        await identity.start()
        with pytest.raises(Refusal, match="identity provider is unreachable") as refused:
            await identity.authenticate(bearer(token))
        assert refused.value.status == 503
        assert "127.0.0.1" not in refused.value.message
        assert not identity.ready
    clock.ahead += COOLDOWN
    assert (await identity.authenticate(bearer(token))).subject == "service"


async def test_a_start_fetches_the_keys_before_the_first_token_comes(
    idp: OidcProvider, fetch: HttpFetch, clock: Shifted
) -> None:
    asked = []

    async def counting(url: str) -> bytes:
        asked.append(url)
        return await fetch(url)

    identity = Identity(accepting(idp), fetch=counting, clock=clock)
    await identity.start()
    while not identity.ready:
        await asyncio.sleep(0.01)
    await identity.authenticate(bearer(idp.token()))
    assert asked == [f"{idp.issuer}/.well-known/openid-configuration", f"{idp.issuer}/jwks"]
    clock.ahead += RENEW
    await identity.authenticate(bearer(idp.token(groups=["y"], ttl=3600)))
    while len(asked) < 4:
        await asyncio.sleep(0.01)
    await identity.stop()


async def test_a_provider_that_comes_back_with_other_keys_is_believed(idp: OidcProvider, identity: Identity) -> None:
    before = idp.token()
    await identity.authenticate(bearer(before))
    idp.stop()
    assert (await identity.authenticate(bearer(before))).subject == "service"
    idp.start()
    assert (await identity.authenticate(bearer(idp.token()))).subject == "service"
    assert await code(identity, before) == "invalid_token"


def test_the_provider_would_not_take_a_wrong_secret(idp: OidcProvider) -> None:
    form = {"grant_type": "client_credentials"}
    answer = httpx.post(f"{idp.issuer}/token", data=form, auth=("service", "wrong"), trust_env=False)
    assert answer.status_code == 401


def test_a_device_that_nobody_confirmed_gets_no_token(idp: OidcProvider) -> None:
    begun = idp.ask("/device/auth", {"client_id": "cli", "scope": "models"})
    form = {"grant_type": DEVICE_GRANT, "client_id": "cli", "device_code": str(begun["device_code"])}
    with pytest.raises(RuntimeError, match="authorization_pending"):
        idp.ask("/token", form)
