"""Who is calling: a request's headers in, a `Caller` out, or a refusal that says how to do better."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from penstock.caller import Caller
from penstock.errors import ConfigurationError, Refusal, failed
from penstock.exchange import JsonObject
from penstock.identity import challenge, claims
from penstock.identity.credential import extract, quick
from penstock.identity.fetch import Fetch, admitted
from penstock.identity.groups import read_groups, reserved_prefixes
from penstock.identity.jwks import KeySource, discovery_url
from penstock.identity.keys import KeyRing
from penstock.identity.memory import Memory, digest_of
from penstock.identity.signing import SigningKey
from penstock.identity.token import Token, invalid_token, is_token, parse, verify
from penstock.policy.settings import IdentitySettings, Issuer

TICK: Final = 1.0
"""Seconds between two looks at which keys are due for renewal."""

_log = logging.getLogger("penstock.identity")


class Identity:
    """The callers of one policy. A changed policy makes a new one (`reload`), and with it every memory ends."""

    def __init__(self, settings: IdentitySettings, *, fetch: Fetch, clock: Callable[[], float] = time.time) -> None:
        """`ConfigurationError` for settings under which keys could come from anywhere.

        `fetch` stays the caller's own: `HttpFetch()`, closed after the last identity that uses it has stopped.
        """
        self._settings = settings
        self._fetch = fetch
        self._clock = clock
        self._ring = KeyRing(settings.keys)
        self._issuers = _by_name(settings.issuers)
        self._sources = {name: KeySource(issuer, self._fetch, clock) for name, issuer in self._issuers.items()}
        self._handed: set[str] = set()
        self._reserved = _reserved(settings.issuers)
        self._memory = Memory()
        self._tending: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        """Whether tokens of every issuer can be verified now."""
        return all(source.usable for source in self._sources.values())

    async def start(self) -> None:
        """Begin to fetch the issuers' keys, and keep them fresh. Waits for nothing, and never fails."""
        if self._tending is None:
            self._tending = asyncio.create_task(self._tend(), name="penstock identity")

    async def stop(self) -> None:
        """End every task that this identity began and did not hand over."""
        if self._tending is not None:
            self._tending.cancel()
            await asyncio.wait({self._tending})
            self._tending = None
        for name in self._sources.keys() - self._handed:
            await self._sources[name].stop()

    def reload(self, settings: IdentitySettings) -> Identity:
        """The identity of a changed policy, with the keys that are known already.

        Issuers whose keys come from the same place for the same algorithms hand them over; `stop` of the old one then
        leaves them alone. Nothing that was admitted before is remembered. Start the new one, then stop this one.
        """
        heir = Identity(settings, fetch=self._fetch, clock=self._clock)
        for name, issuer in heir._issuers.items():
            if name in self._sources and _origin(issuer) == _origin(self._issuers[name]):
                heir._sources[name] = self._sources[name]
                self._handed.add(name)
        return heir

    def recall(self, headers: Sequence[tuple[bytes, bytes]]) -> Caller | None:
        """The caller, if this very credential was admitted a moment ago; None means: `authenticate`."""
        credential = quick(headers)
        if credential is None:
            return None
        return self._memory.get(digest_of(credential), self._clock())

    async def authenticate(self, headers: Sequence[tuple[bytes, bytes]]) -> Caller:
        """The caller, or a `Refusal`: `no_credential`, `invalid_token`, `invalid_request` or `gateway_error`."""
        try:
            credential = extract(headers)
            digest = digest_of(credential.encode())
            known = self._memory.get(digest, self._clock())
            return known or await self._admit(credential, digest)
        except Refusal as refusal:
            raise self.challenged(refusal) from None
        except Exception as error:  # noqa: BLE001 - whoever cannot be identified is refused
            _log.error("a credential could not be judged: %s", type(error).__name__)
            raise failed() from None

    def challenged(self, refusal: Refusal) -> Refusal:
        """A refusal with the RFC 6750 challenge it needs: 401, `not_granted` and `invalid_request`."""
        return challenge.challenged(refusal, self._settings.resource)

    def metadata(self, resource: str = "") -> JsonObject:
        """The RFC 9728 document for `/.well-known/oauth-protected-resource`.

        `resource` is the gateway's base URL as the request has it, for when the policy names none.
        """
        return challenge.protected_resource(self._settings, self._settings.resource or resource)

    async def _admit(self, credential: str, digest: bytes) -> Caller:
        if is_token(credential):
            return await self._admit_token(parse(credential), digest)
        now = self._clock()
        key = self._ring.find(credential, now)
        caller = Caller("keys", key.subject, key.groups, "key", key.expires, key.id)
        self._memory.put(digest, caller, now, None, None)
        return caller

    async def _admit_token(self, token: Token, digest: bytes) -> Caller:
        issuer, source = self._issuers.get(token.issuer), self._sources.get(token.issuer)
        if issuer is None or source is None:
            raise invalid_token("The token's issuer is not accepted.")
        if token.algorithm not in issuer.algorithms:
            raise invalid_token("The token's algorithm is not accepted.")
        key = await source.find(token.kid, token.algorithm)
        now = self._clock()
        caller = self._caller(token, issuer, key, now)
        self._memory.put(digest, caller, now, source, key)
        return caller

    def _caller(self, token: Token, issuer: Issuer, key: SigningKey, now: float) -> Caller:
        verify(token, key)
        holder = claims.check(token, issuer, now)
        groups = read_groups(token.claims, issuer.groups, reserved=self._reserved[issuer.issuer])
        return Caller(issuer.id, holder.subject, groups, "oidc", holder.expires, holder.client)

    async def _tend(self) -> None:
        while True:
            for source in tuple(self._sources.values()):
                source.tend()
            await asyncio.sleep(TICK)


def _by_name(issuers: Sequence[Issuer]) -> dict[str, Issuer]:
    for issuer in issuers:
        place = issuer.jwks_uri or discovery_url(issuer.issuer)
        if not admitted(place) or (issuer.jwks_uri is None and "?" in issuer.issuer):
            raise ConfigurationError(
                f"identity.issuers: the keys of {issuer.id!r} must come from an https URL, or http on loopback"
            )
    named = {issuer.issuer: issuer for issuer in issuers}
    if len(named) != len(issuers):
        raise ConfigurationError("identity.issuers: two issuers have the same URL")
    return named


def _origin(issuer: Issuer) -> tuple[str | None, tuple[str, ...]]:
    return issuer.jwks_uri, issuer.algorithms


def _reserved(issuers: Sequence[Issuer]) -> dict[str, tuple[str, ...]]:
    prefixes = {issuer.issuer: issuer.groups.prefix if issuer.groups else "" for issuer in issuers}
    return {name: reserved_prefixes(own, prefixes.values()) for name, own in prefixes.items()}
