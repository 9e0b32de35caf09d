"""The keys of an issuer through cold starts, floods, rotations and outages, with a clock that the test moves."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

import pytest

from penstock.errors import Refusal
from penstock.identity import jwks as module
from penstock.identity.jwks import COOLDOWN, RENEW, RETRY, STALE, TTL, KeySource, discovery_url
from tests.identity.mint import CORP, ISSUER, Clock, Provider, ec_key, jwk, jwks, rsa_key

KEYS = "https://idp.example/keys"
DISCOVERY = f"{CORP}/.well-known/openid-configuration"
FIRST = jwks(jwk(rsa_key(), "r1"))
SECOND = jwks(jwk(rsa_key(), "r1"), jwk(rsa_key("second"), "r2"))


async def settle() -> None:
    """Let every task that can run, run."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def idp() -> Provider:
    return Provider({KEYS: FIRST}, pause=lambda: asyncio.sleep(0))


@pytest.fixture
def source(idp: Provider, clock: Clock) -> KeySource:
    return KeySource(ISSUER, idp, clock)


async def refused(finding: Awaitable[object]) -> str:
    with pytest.raises(Refusal) as refusal:
        await finding
    return refusal.value.code


async def test_a_thousand_cold_requests_cause_one_fetch(source: KeySource, idp: Provider) -> None:
    keys = await asyncio.gather(*(source.find("r1", "RS256") for _ in range(1000)))
    assert {key.kid for key in keys} == {"r1"}
    assert idp.fetched == 1


async def test_a_thousand_cold_requests_while_the_provider_is_away_cause_one_fetch(
    source: KeySource, idp: Provider
) -> None:
    idp.away = True
    codes = await asyncio.gather(*(refused(source.find("r1", "RS256")) for _ in range(1000)))
    assert set(codes) == {"gateway_error"}
    assert idp.fetched == 1


async def test_a_flood_of_unknown_key_ids_causes_two_fetches_a_minute(
    source: KeySource, idp: Provider, clock: Clock
) -> None:
    await source.find("r1", "RS256")
    for number in range(20 * 600):
        clock.now += 0.05
        assert await refused(source.find(f"made-up-{number}", "RS256")) == "invalid_token"
    assert idp.fetched <= 1 + 2 * 10 + 1, "one cold, two a minute, and the ordinary renewal"


async def test_the_first_unknown_key_id_after_a_renewal_is_looked_for_at_once(
    source: KeySource, idp: Provider, clock: Clock
) -> None:
    await source.find("r1", "RS256")
    clock.now += 1
    idp.answers[KEYS] = SECOND
    assert (await source.find("r2", "RS256")).kid == "r2"
    assert idp.fetched == 2


async def test_a_flood_delays_a_rotation_by_the_cooldown_and_no_more(
    source: KeySource, idp: Provider, clock: Clock
) -> None:
    await source.find("r1", "RS256")
    assert await refused(source.find("made-up", "RS256")) == "invalid_token"
    idp.answers[KEYS] = SECOND
    assert await refused(source.find("r2", "RS256")) == "invalid_token"
    clock.now += COOLDOWN
    assert (await source.find("r2", "RS256")).kid == "r2"


async def test_a_key_that_rotates_out_is_gone_with_the_next_renewal(
    source: KeySource, idp: Provider, clock: Clock
) -> None:
    before = await source.find("r1", "RS256")
    idp.answers[KEYS] = jwks(jwk(rsa_key("second"), "r2"))
    clock.now += RENEW
    source.tend()
    await settle()
    assert before.print not in source.keys.prints
    assert await refused(source.find("r1", "RS256")) == "invalid_token"


async def test_a_renewal_runs_in_the_background_before_the_keys_are_old(
    source: KeySource, idp: Provider, clock: Clock
) -> None:
    await source.find("r1", "RS256")
    clock.now += RENEW - 1
    await source.find("r1", "RS256")
    await settle()
    assert idp.fetched == 1
    clock.now += 1
    gate = asyncio.Event()
    idp.pause = gate.wait
    await source.find("r1", "RS256")
    await settle()
    assert idp.fetched == 2, "begun, and nobody waited for it"
    gate.set()
    await settle()


async def test_keys_past_their_time_are_renewed_before_they_are_used(
    source: KeySource, idp: Provider, clock: Clock
) -> None:
    await source.find("r1", "RS256")
    idp.answers[KEYS] = jwks(jwk(rsa_key("second"), "r2"))
    clock.now += TTL
    assert await refused(source.find("r1", "RS256")) == "invalid_token"


async def test_a_renewal_that_hangs_holds_nobody_for_long(
    source: KeySource, idp: Provider, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.01)
    await source.find("r1", "RS256")
    clock.now += TTL
    idp.pause = asyncio.Event().wait
    assert (await source.find("r1", "RS256")).kid == "r1"
    await source.stop()


async def test_an_outage_of_an_hour_is_not_noticed(source: KeySource, idp: Provider, clock: Clock) -> None:
    await source.find("r1", "RS256")
    idp.away = True
    for _ in range(3600):
        clock.now += 1
        assert (await source.find("r1", "RS256")).kid == "r1"
    assert idp.fetched <= 1 + 3600 / COOLDOWN
    idp.away = False
    clock.now += COOLDOWN
    source.tend()
    await settle()
    fetched = idp.fetched
    clock.now += RENEW - 1
    source.tend()
    await settle()
    assert idp.fetched == fetched, "back to the ordinary rhythm"


async def test_an_outage_of_a_day_ends_service_and_its_end_restores_it(
    source: KeySource, idp: Provider, clock: Clock
) -> None:
    await source.find("r1", "RS256")
    idp.away = True
    clock.now += STALE - 1
    assert (await source.find("r1", "RS256")).kid == "r1"
    clock.now += 1
    assert not source.usable
    assert await refused(source.find("r1", "RS256")) == "gateway_error"
    idp.away = False
    clock.now += RETRY
    assert (await source.find("r1", "RS256")).kid == "r1"


async def test_an_unknown_key_id_during_an_outage_cannot_be_judged(
    source: KeySource, idp: Provider, clock: Clock
) -> None:
    await source.find("r1", "RS256")
    idp.away = True
    for _ in range(100):
        assert await refused(source.find("r9", "RS256")) == "gateway_error"
    assert idp.fetched == 2


async def test_a_start_with_the_provider_away_refuses_until_it_is_back(
    source: KeySource, idp: Provider, clock: Clock
) -> None:
    idp.away = True
    for _ in range(50):
        clock.now += 0.1
        assert await refused(source.find("r1", "RS256")) == "gateway_error"
    assert idp.fetched <= 2
    idp.away = False
    clock.now += RETRY
    assert (await source.find("r1", "RS256")).kid == "r1"


async def test_the_refusal_says_nothing_of_where_the_keys_are(source: KeySource, idp: Provider) -> None:
    idp.away = True
    with pytest.raises(Refusal) as refusal:
        await source.find("r1", "RS256")
    assert refusal.value.message == "The identity provider is unreachable."
    assert refusal.value.status == 503
    assert dict(refusal.value.headers) == {"Retry-After": "5"}


@pytest.mark.parametrize(
    "answer",
    [b'{"keys":[]}', b"{}", b"", b"<html>", b"[" * 10_000, jwks(jwk(ec_key(), "e", use="enc")), jwks({"kty": "oct"})],
    ids=["no keys", "no list", "nothing", "a page", "deep", "for encryption", "secret"],
)
async def test_an_answer_without_usable_keys_never_replaces_good_ones(
    answer: bytes, source: KeySource, idp: Provider, clock: Clock
) -> None:
    await source.find("r1", "RS256")
    idp.answers[KEYS] = answer
    for _ in range(5):
        clock.now += TTL
        assert (await source.find("r1", "RS256")).kid == "r1"


async def test_a_fetch_that_raises_anything_is_an_outage(source: KeySource, idp: Provider, clock: Clock) -> None:
    async def broken() -> None:
        raise RecursionError

    await source.find("r1", "RS256")
    idp.pause = broken
    clock.now += TTL
    assert (await source.find("r1", "RS256")).kid == "r1"


async def test_a_clock_that_is_set_back_does_not_stop_renewals(source: KeySource, idp: Provider, clock: Clock) -> None:
    await source.find("r1", "RS256")
    clock.now -= 1_000_000
    await source.find("r1", "RS256")
    await settle()
    assert idp.fetched == 2


async def test_a_request_that_goes_away_does_not_end_the_fetch_for_the_others(source: KeySource, idp: Provider) -> None:
    gate = asyncio.Event()
    idp.pause = gate.wait
    first, second = (asyncio.create_task(source.find("r1", "RS256")) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    gate.set()
    assert (await second).kid == "r1"
    assert idp.fetched == 1 and first.cancelled()


async def test_an_unknown_key_id_joins_the_renewal_that_is_under_way(
    source: KeySource, idp: Provider, clock: Clock
) -> None:
    await source.find("r1", "RS256")
    gate = asyncio.Event()
    idp.pause, idp.answers[KEYS] = gate.wait, SECOND
    clock.now += RENEW
    finding = asyncio.create_task(source.find("r2", "RS256"))
    await settle()
    gate.set()
    assert (await finding).kid == "r2"
    assert idp.fetched == 2


async def test_stopping_ends_the_fetch_that_is_under_way(source: KeySource, idp: Provider) -> None:
    await source.stop()
    idp.pause = asyncio.Event().wait
    source.tend()
    await settle()
    await source.stop()
    assert not [task for task in asyncio.all_tasks() if "keys of" in task.get_name()]


async def test_without_a_key_id_nothing_is_fetched_again(source: KeySource, idp: Provider) -> None:
    idp.answers[KEYS] = SECOND
    for _ in range(3):
        assert await refused(source.find(None, "RS256")) == "invalid_token"
    assert idp.fetched == 1


async def test_a_key_that_is_left_out_is_logged_once(
    source: KeySource, idp: Provider, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    idp.answers[KEYS] = jwks(jwk(rsa_key(), "r1"), jwk(rsa_key("enc"), "sealed", use="enc"))
    for _ in range(3):
        await source.find("r1", "RS256")
        clock.now += TTL
    lines = [record.getMessage() for record in caplog.records]
    assert lines == ["issuer corp: left out key 1 (kid 'sealed'): use is 'enc'"]


async def test_an_outage_is_logged_with_its_cause(
    source: KeySource, idp: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    idp.away = True
    await refused(source.find("r1", "RS256"))
    assert caplog.messages == [f"issuer corp: keys not renewed: {KEYS}: connection refused"]


# Discovery


def discovering(answer: Any, issuer: str = CORP, **more: bytes) -> tuple[KeySource, Provider]:
    document = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    idp = Provider({discovery_url(issuer): document, KEYS: FIRST, "https://new.example/keys": SECOND})
    return KeySource(replace(ISSUER, issuer=issuer, jwks_uri=None), idp, Clock()), idp


async def test_the_keys_are_found_by_discovery() -> None:
    source, idp = discovering({"issuer": CORP, "jwks_uri": KEYS})
    assert (await source.find("r1", "RS256")).kid == "r1"
    assert idp.fetched == 2


async def test_a_key_set_that_moves_is_found_where_it_went() -> None:
    source, idp = discovering({"issuer": CORP, "jwks_uri": KEYS})
    await source.find("r1", "RS256")
    idp.answers[DISCOVERY] = json.dumps({"issuer": CORP, "jwks_uri": "https://new.example/keys"}).encode()
    assert (await source.find("r2", "RS256")).kid == "r2"


@pytest.mark.parametrize(
    "answer",
    [
        {"issuer": CORP + "/", "jwks_uri": KEYS},
        {"issuer": "https://evil.example", "jwks_uri": KEYS},
        {"jwks_uri": KEYS},
        {"issuer": [CORP], "jwks_uri": KEYS},
        {"issuer": CORP},
        {"issuer": CORP, "jwks_uri": None},
        {"issuer": CORP, "jwks_uri": "http://idp.example/keys"},
        {"issuer": CORP, "jwks_uri": "http://127.0.0.1:9/keys"},
        {"issuer": CORP, "jwks_uri": "file:///etc/passwd"},
        {"issuer": CORP, "jwks_uri": "/keys"},
        {"issuer": CORP, "jwks_uri": "https://user:pass@idp.example/keys"},
        b'{"issuer":"x","issuer":"' + CORP.encode() + b'","jwks_uri":"' + KEYS.encode() + b'"}',
        b"not json",
    ],
)
async def test_a_discovery_document_that_does_not_hold_is_an_outage(answer: Any) -> None:
    source, idp = discovering(answer)
    assert await refused(source.find("r1", "RS256")) == "gateway_error"
    assert idp.fetched == 1


async def test_a_provider_on_loopback_may_speak_plain_http() -> None:
    source, idp = discovering({"issuer": "http://127.0.0.1:1", "jwks_uri": KEYS}, "http://127.0.0.1:1")
    assert (await source.find("r1", "RS256")).kid == "r1"
    assert idp.fetched == 2


def test_discovery_is_under_the_issuer() -> None:
    assert discovery_url(CORP) == DISCOVERY
    assert discovery_url("https://x.example/") == "https://x.example/.well-known/openid-configuration"
