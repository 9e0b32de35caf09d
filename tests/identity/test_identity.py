"""Requests become callers: tokens of several issuers, machine keys, and what is remembered of them."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from typing import Any

import pytest

from penstock.caller import Caller
from penstock.errors import ConfigurationError, Refusal
from penstock.identity import identity as module
from penstock.identity.identity import Identity
from penstock.identity.jwks import COOLDOWN, TTL
from penstock.policy.settings import GroupClaim, Issuer, MachineKey
from tests.identity.mint import (
    GENERAL,
    ISSUER,
    NOW,
    OTHER,
    Clock,
    Gone,
    Provider,
    bearer,
    ec_key,
    ed_key,
    jwk,
    jwks,
    provider,
    rsa_key,
    settings,
    token,
)

URL = "https://gw.example"
SECRET = "penstock_abcdefghijklmnopqrstuvwxyz0123456789"
MACHINE = MachineKey(
    "batch-7", hashlib.sha256(SECRET.encode()).hexdigest(), "svc:batch", frozenset({"batch"}), NOW + 600
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def idp() -> Provider:
    return provider()


@pytest.fixture
def identity(idp: Provider, clock: Clock) -> Identity:
    return Identity(settings(keys=(MACHINE,), resource=URL), fetch=idp, clock=clock)


async def refusal(identity: Identity, headers: list[tuple[bytes, bytes]]) -> Refusal:
    with pytest.raises(Refusal) as refused:
        await identity.authenticate(headers)
    return refused.value


ACCEPTED: dict[str, str] = {
    "RS256": token(),
    "PS256": token({"alg": "PS256"}),
    "ES256": token({"alg": "ES256", "kid": "e1"}, ec_key()),
    "EdDSA": token({"alg": "EdDSA", "kid": "o1"}, ed_key()),
    "typ in full": token({"typ": "application/AT+JWT"}),
    "no kid, one key": token({"alg": "ES256", "kid": Gone}, ec_key()),
    "a thumbprint": token({"x5t": "a", "x5t#S256": "b"}),
    "an embedded key, not used": token({"jwk": jwk(rsa_key("evil")), "jku": "https://evil.example"}),
    "audiences": token(aud=["other", "penstock"]),
}


@pytest.mark.parametrize("name", ACCEPTED)
async def test_a_good_token_makes_a_caller(name: str, identity: Identity) -> None:
    groups = frozenset({"corp:data-science", "corp:staff"})
    expected = Caller("corp", "alice", groups, "oidc", NOW + 330, "notebook")
    assert await identity.authenticate(bearer(ACCEPTED[name])) == expected
    assert identity.recall(bearer(ACCEPTED[name])) == expected


@pytest.mark.parametrize("header", [{"typ": "JWT"}, {"typ": Gone}, {"typ": "at+jwt"}])
async def test_another_issuer_may_be_more_general(header: dict[str, Any], identity: Identity) -> None:
    caller = await identity.authenticate(bearer(token(header, iss=OTHER, groups="a; b")))
    assert caller.id == "other|alice"
    assert caller.groups == {"other:a", "other:b"}


async def test_the_same_key_at_two_issuers_speaks_for_each_by_its_own_rules(identity: Identity) -> None:
    assert (await identity.authenticate(bearer(token()))).id == "corp|alice"
    assert (await identity.authenticate(bearer(token(iss=OTHER)))).id == "other|alice"
    assert "type" in (await refusal(identity, bearer(token({"typ": "JWT"})))).message


async def test_one_issuers_key_signs_nothing_for_another(clock: Clock) -> None:
    idp = provider(jwks(jwk(rsa_key("corp"), "r1")))
    identity = Identity(settings(), fetch=idp, clock=clock)
    forged = token(key=rsa_key(), iss=ISSUER.issuer)
    assert "signature" in (await refusal(identity, bearer(forged))).message
    assert (await identity.authenticate(bearer(token(iss=OTHER)))).issuer == "other"


async def test_an_issuer_cannot_name_the_groups_of_another(clock: Clock) -> None:
    plain = replace(GENERAL, groups=GroupClaim("groups"))
    identity = Identity(settings(ISSUER, plain), fetch=provider(), clock=clock)
    assert (await identity.authenticate(bearer(token(iss=OTHER, groups=["a"])))).groups == {"a"}
    refused = await refusal(identity, bearer(token(iss=OTHER, groups=["corp:admins"])))
    assert "another issuer" in refused.message


@pytest.mark.parametrize("carrier", [b"api-key", b"X-Api-Key", b"x-goog-api-key"])
async def test_a_token_may_come_where_an_api_key_would(carrier: bytes, identity: Identity) -> None:
    assert (await identity.authenticate([(carrier, token().encode())])).subject == "alice"


@pytest.mark.parametrize("carrier", [b"api-key", b"x-api-key", b"x-goog-api-key", b"authorization"])
async def test_a_machine_key_may_come_where_a_token_would(carrier: bytes, identity: Identity, idp: Provider) -> None:
    value = SECRET.encode() if carrier != b"authorization" else b"Bearer " + SECRET.encode()
    caller = await identity.authenticate([(carrier, value)])
    assert caller == Caller("keys", "svc:batch", frozenset({"batch"}), "key", NOW + 600, "batch-7")
    assert identity.recall([(carrier, value)]) == caller
    assert idp.fetched == 0


async def test_a_machine_key_that_ends_is_refused_though_it_was_just_used(identity: Identity, clock: Clock) -> None:
    clock.now = NOW + 599
    await identity.authenticate(bearer(SECRET))
    clock.now = NOW + 600
    assert identity.recall(bearer(SECRET)) is None
    assert "expired" in (await refusal(identity, bearer(SECRET))).message


async def test_a_request_without_a_credential_gets_a_bare_challenge(identity: Identity) -> None:
    refused = await refusal(identity, [(b"host", b"x")])
    assert (refused.code, refused.status) == ("no_credential", 401)
    challenge = f'Bearer resource_metadata="{URL}/.well-known/oauth-protected-resource"'
    assert dict(refused.headers) == {"WWW-Authenticate": challenge}
    assert identity.recall([(b"host", b"x")]) is None


async def test_two_credentials_get_a_400(identity: Identity) -> None:
    refused = await refusal(identity, [*bearer(token()), (b"x-api-key", SECRET.encode())])
    assert (refused.code, refused.status) == ("invalid_request", 400)
    assert 'error="invalid_request"' in dict(refused.headers)["WWW-Authenticate"]


async def test_a_known_credential_in_two_places_is_admitted_though_not_recalled(identity: Identity) -> None:
    headers = [*bearer(SECRET), (b"x-api-key", SECRET.encode())]
    caller = await identity.authenticate(headers)
    assert identity.recall(headers) is None
    assert await identity.authenticate(headers) is caller, "remembered all the same"


async def test_a_remembered_token_is_not_verified_again(identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = await identity.authenticate(bearer(token()))
    monkeypatch.setattr(module, "verify", lambda *_: pytest.fail("verified again"))
    assert await identity.authenticate(bearer(token())) is caller


async def test_an_expired_token_is_refused_though_it_was_just_used(identity: Identity, clock: Clock) -> None:
    good = token(exp=NOW + 20)
    await identity.authenticate(bearer(good))
    clock.now += 49
    assert identity.recall(bearer(good)) is not None
    clock.now += 1
    assert identity.recall(bearer(good)) is None
    assert "expired" in (await refusal(identity, bearer(good))).message


async def test_a_token_is_forgotten_when_its_key_rotates_out(identity: Identity, idp: Provider, clock: Clock) -> None:
    old, new = token(), token({"kid": "r2"}, rsa_key("second"))
    await identity.authenticate(bearer(old))
    idp.answers["https://idp.example/keys"] = jwks(jwk(rsa_key("second"), "r2"))
    assert (await identity.authenticate(bearer(new))).subject == "alice"
    assert identity.recall(bearer(old)) is None
    assert "key is not one of" in (await refusal(identity, bearer(old))).message


async def test_a_provider_that_is_away_at_the_start_is_waited_for(
    identity: Identity, idp: Provider, clock: Clock
) -> None:
    idp.away = True
    refused = await refusal(identity, bearer(token()))
    assert (refused.code, refused.status) == ("gateway_error", 503)
    assert "WWW-Authenticate" not in dict(refused.headers)
    assert not identity.ready
    assert (await identity.authenticate(bearer(SECRET))).subject == "svc:batch", "keys need no provider"
    idp.away = False
    clock.now += COOLDOWN
    assert (await identity.authenticate(bearer(token()))).subject == "alice"


async def test_a_foreign_exception_is_a_refusal_that_says_nothing(
    identity: Identity, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: object) -> str:
        raise RecursionError("what was read")

    monkeypatch.setattr(module, "extract", broken)
    refused = await refusal(identity, bearer(token()))
    assert (refused.code, refused.status) == ("gateway_error", 503)
    assert "what was read" not in refused.message + caplog.text


async def test_without_issuers_a_token_is_refused() -> None:
    identity = Identity(replace(settings(), issuers=()), fetch=provider(), clock=Clock())
    assert identity.ready
    assert (await refusal(identity, bearer(token()))).code == "invalid_token"


async def test_a_start_fetches_in_the_background_and_a_stop_ends_everything(identity: Identity, idp: Provider) -> None:
    await identity.start()
    await identity.start()
    assert idp.fetched == 0, "the start waits for nothing"
    while not identity.ready:
        await asyncio.sleep(0)
    assert idp.fetched == 2
    await identity.stop()
    await identity.stop()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_start_with_the_provider_away_succeeds_and_tries_again(
    identity: Identity, idp: Provider, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TICK", 0.0)
    idp.away = True
    await identity.start()
    while idp.fetched < 2:
        await asyncio.sleep(0)
    idp.away = False
    clock.now += TTL
    while not identity.ready:
        await asyncio.sleep(0)
    await identity.stop()


async def test_a_reload_keeps_the_keys_and_forgets_the_callers(identity: Identity, idp: Provider) -> None:
    headers = bearer(token())
    before = await identity.authenticate(headers)
    stricter = replace(ISSUER, groups=GroupClaim("realm_access.roles", prefix="new:"))
    heir = identity.reload(settings(stricter, GENERAL))
    await identity.stop()
    assert heir.recall(headers) is None
    after = await heir.authenticate(headers)
    assert before.groups == {"corp:data-science", "corp:staff"}
    assert after.groups == {"new:data-science", "new:staff"}
    assert idp.fetched == 1, "the keys were handed over"


async def test_a_reload_takes_nothing_over_from_an_issuer_that_changed(identity: Identity, idp: Provider) -> None:
    await identity.authenticate(bearer(token()))
    moved = replace(ISSUER, jwks_uri="https://new.example/keys")
    idp.answers["https://new.example/keys"] = jwks(jwk(ec_key(), "e1"))
    heir = identity.reload(settings(moved))
    assert (await refusal(heir, bearer(token()))).code == "invalid_token"
    narrowed = replace(ISSUER, algorithms=("ES256",))
    heir = identity.reload(settings(narrowed))
    assert "algorithm" in (await refusal(heir, bearer(token()))).message


async def test_the_old_identity_still_serves_what_is_in_flight_and_its_stop_spares_the_heirs_fetch(
    identity: Identity, idp: Provider
) -> None:
    gate = asyncio.Event()
    idp.pause = gate.wait
    pending = asyncio.create_task(identity.authenticate(bearer(token())))
    await asyncio.sleep(0)
    heir = identity.reload(settings())
    await identity.stop()
    gate.set()
    assert (await pending).subject == "alice"
    assert (await heir.authenticate(bearer(token()))).subject == "alice"
    assert idp.fetched == 1


def test_the_metadata_names_this_gateway_and_the_issuers(identity: Identity) -> None:
    assert identity.metadata()["resource"] == URL
    unnamed = Identity(settings(), fetch=provider())
    assert unnamed.metadata("http://localhost:8080")["resource"] == "http://localhost:8080"


def test_a_denial_of_the_policy_can_be_challenged_too(identity: Identity) -> None:
    told = identity.challenged(Refusal("not_granted", "Model x is not granted."))
    assert 'error="insufficient_scope"' in dict(told.headers)["WWW-Authenticate"]


@pytest.mark.parametrize(
    "issuer",
    [
        replace(ISSUER, jwks_uri="http://idp.example/keys"),
        replace(ISSUER, jwks_uri="ftp://idp.example/keys"),
        replace(ISSUER, jwks_uri="https://user@idp.example/keys"),
        replace(ISSUER, issuer="http://idp.example", jwks_uri=None),
        replace(ISSUER, issuer="idp.example", jwks_uri=None),
        replace(ISSUER, issuer="https://idp.example?tenant=1", jwks_uri=None),
        replace(ISSUER, issuer="https://[::1", jwks_uri=None),
    ],
)
def test_keys_from_just_anywhere_are_a_configuration_error(issuer: Issuer) -> None:
    with pytest.raises(ConfigurationError, match="'corp' must come from an https URL"):
        Identity(settings(issuer), fetch=provider())


def test_an_issuer_that_is_no_url_needs_its_keys_named() -> None:
    Identity(settings(replace(ISSUER, issuer="kubernetes/serviceaccount")), fetch=provider())


def test_two_issuers_of_one_url_are_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="same URL"):
        Identity(settings(ISSUER, replace(GENERAL, issuer=ISSUER.issuer)), fetch=provider())
