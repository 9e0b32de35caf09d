"""The keys of one issuer, kept fresh: few fetches whatever the traffic, and service while the provider is away."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from typing import Final

from penstock.errors import PenstockError, Refusal
from penstock.identity.encoding import json_object
from penstock.identity.fetch import Fetch, Unreachable, admitted
from penstock.identity.signing import KeySet, SigningKey, read_keys
from penstock.identity.token import invalid_token
from penstock.policy.settings import Issuer

TTL: Final = 600.0
"""Keys older than this are renewed before they are used, if the provider answers."""

RENEW: Final = 0.8 * TTL
"""Keys older than this are renewed in the background."""

STALE: Final = 86_400.0
"""Keys older than this are used no more, even when the provider is away."""

COOLDOWN: Final = 30.0
"""Between two fetches that unknown key ids cause, and between two tries while the provider fails."""

RETRY: Final = 5.0
"""Between two tries while there are no keys at all."""

PATIENCE: Final = 5.0
"""Longest that a request waits for a renewal that others began; a stopwatch, not the clock."""

_log = logging.getLogger("penstock.identity")


class KeySource:
    """Where the keys of an issuer come from.

    At most one fetch is under way (1,000 cold requests cause one). There is no memory of unknown key ids: it would
    delay a rotation. An answer without usable keys never replaces keys that work.
    """

    def __init__(self, issuer: Issuer, fetch: Fetch, clock: Callable[[], float]) -> None:
        self.keys = KeySet()
        self._issuer = issuer
        self._fetch = fetch
        self._clock = clock
        self._flight: asyncio.Task[None] | None = None
        self._fetched = self._tried = self._asked = -math.inf
        self._failing = False

    @property
    def usable(self) -> bool:
        """Whether there are keys that may still be used."""
        return bool(self.keys.keys) and self._clock() - self._fetched < STALE

    async def find(self, kid: str | None, algorithm: str) -> SigningKey:
        """The key for a token's header; `Refusal`: `invalid_token`, or `gateway_error` when it cannot be known."""
        if not self.usable:
            await self._first()
        elif self._past(self._fetched, TTL) and not self._failing:
            await self._join(self._renew())
        else:
            self.tend()
        key = self.keys.find(kid, algorithm)
        if key is None and kid is not None:
            await self._again()
            key = self.keys.find(kid, algorithm)
        if key is None:
            raise self._unknown()
        return key

    def tend(self) -> None:
        """Begin a renewal in the background when one is due; call it often, it costs nothing."""
        if self._due():
            self._renew()

    async def stop(self) -> None:
        """End the fetch that is under way, if there is one."""
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.wait({self._flight})

    def _due(self) -> bool:
        if not self.usable:
            return self._past(self._tried, RETRY)
        if self._failing:
            return self._past(self._tried, COOLDOWN)
        return self._past(self._fetched, RENEW)

    def _past(self, since: float, seconds: float) -> bool:
        # A clock that was set back must not stop renewals: a time in the future counts as long ago.
        return not 0 <= self._clock() - since < seconds

    def _renew(self) -> asyncio.Task[None]:
        if self._flight is None or self._flight.done():
            self._tried = self._clock()
            self._flight = asyncio.create_task(self._refresh(), name=f"penstock keys of {self._issuer.id}")
        return self._flight

    async def _join(self, flight: asyncio.Task[None]) -> None:
        # Not `await flight`: a request that goes away must not end the fetch for the others.
        await asyncio.wait({flight}, timeout=PATIENCE)

    async def _first(self) -> None:
        if self._due() or (self._flight is not None and not self._flight.done()):
            await self._join(self._renew())
        if not self.usable:
            raise unreachable()

    async def _again(self) -> None:
        """Look once more for a key that the provider may have just made."""
        if self._flight is not None and not self._flight.done():
            await self._join(self._flight)
        elif self._past(self._asked, COOLDOWN) and not (self._failing and not self._past(self._tried, COOLDOWN)):
            self._asked = self._clock()
            await self._join(self._renew())

    def _unknown(self) -> Refusal:
        # While the provider is away nobody can tell a made-up key id from a new one.
        return unreachable() if self._failing else invalid_token("The token's key is not one of its issuer's.")

    async def _refresh(self) -> None:
        try:
            keys = read_keys(await self._fetch(await self._url()), self._issuer.algorithms)
            if not keys.keys:
                raise Unreachable(f"no usable key: {'; '.join(keys.skipped) or 'the set is empty'}")
        except Exception as error:  # noqa: BLE001 - whatever a provider answers, the keys at hand stay in use
            self._failing = True
            text = error.line() if isinstance(error, PenstockError) else type(error).__name__
            _log.warning("issuer %s: keys not renewed: %s", self._issuer.id, text)
        else:
            self._adopt(keys)

    def _adopt(self, keys: KeySet) -> None:
        if keys.skipped != self.keys.skipped:
            for line in keys.skipped:
                _log.warning("issuer %s: left out %s", self._issuer.id, line)
        if keys.prints != self.keys.prints or self._failing:
            _log.info("issuer %s: %d keys", self._issuer.id, len(keys.keys))
        self.keys = keys
        self._fetched = self._clock()
        self._failing = False

    async def _url(self) -> str:
        """The key set's URL, by OpenID Connect Discovery 1.0 unless the policy names it."""
        if self._issuer.jwks_uri is not None:
            return self._issuer.jwks_uri
        place = discovery_url(self._issuer.issuer)
        document = json_object(await self._fetch(place))
        # Section 4.3: the issuer must be exactly the one we asked for, or a provider could speak for another.
        if document.get("issuer") != self._issuer.issuer:
            raise Unreachable(f"{place}: is about another issuer")
        url = document.get("jwks_uri")
        if not isinstance(url, str) or not admitted(url) or (url[:6] != "https:" and place[:6] == "https:"):
            raise Unreachable(f"{place}: its jwks_uri is not an https URL")
        return url


def discovery_url(issuer: str) -> str:
    """Where an issuer describes itself (OpenID Connect Discovery 1.0 section 4.1)."""
    return issuer.removesuffix("/") + "/.well-known/openid-configuration"


def unreachable() -> Refusal:
    """The gateway cannot tell whether a token is good (503); says nothing of where it asked."""
    return Refusal("gateway_error", "The identity provider is unreachable.", headers=(("Retry-After", "5"),))
