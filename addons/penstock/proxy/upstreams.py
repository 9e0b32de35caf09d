"""Which replica of a model server serves a call: spread over callers, steady per connection, away from dead ones."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from penstock.policy.settings import Upstream, Url

# A replica that refused a connection is left alone this long, when there is another.
REST_SECONDS = 5.0


class Replicas:
    """Remembers which replicas failed lately."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failed: dict[tuple[str, int], float] = {}

    def choose(self, upstream: Upstream, key: str) -> Url:
        """A replica for a connection: the same one as long as it lives, so that its socket is used again."""
        replicas = upstream.replicas
        if len(replicas) == 1:
            return replicas[0]
        now = self._clock()
        start = zlib.crc32(key.encode())
        ordered = [replicas[(start + step) % len(replicas)] for step in range(len(replicas))]
        rested = [url for url in ordered if now - self._failed.get((url.host, url.port), -REST_SECONDS) >= REST_SECONDS]
        return (rested or ordered)[0]

    def failed(self, host: str, port: int) -> None:
        self._failed[(host, port)] = self._clock()
