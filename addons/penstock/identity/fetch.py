"""Reading a provider's documents over HTTP: short, small, and from where we asked."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import SplitResult, urlsplit

import httpx

from penstock.errors import PenstockError

type Fetch = Callable[[str], Awaitable[bytes]]
"""Reads a URL whole, or raises `Unreachable`."""

MAX_BYTES: Final = 524_288
"""Ten times the largest key set that we have seen."""

SECONDS: Final = 10.0
"""For a whole answer, redirects included."""

_REDIRECTS: Final = 3


class Unreachable(PenstockError):
    """A document could not be had; the message is for the operator's log, never for a caller."""


def admitted(url: str) -> bool:
    """Whether keys may come from a URL: https, or http on loopback; no credentials, no fragment."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment or not url.isascii() or not url.isprintable():
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _loopback(host))


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class HttpFetch:
    """A `Fetch` over httpx, with the system's trusted certificates, for one event loop."""

    def __init__(self, *, seconds: float = SECONDS, max_bytes: int = MAX_BYTES) -> None:
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._client = httpx.AsyncClient(
            verify=ssl.create_default_context(),
            headers={"accept": "application/json", "accept-encoding": "identity", "user-agent": "penstock"},
            timeout=seconds,
            # A proxy from the environment may carry https, which it cannot read; never what is plain: see `admitted`.
            mounts={"http://": None},
        )

    async def __call__(self, url: str) -> bytes:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._read(url)
        except TimeoutError:
            raise Unreachable(f"{url}: no whole answer within {self._seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise Unreachable(f"{url}: {str(error) or type(error).__name__}") from None

    async def close(self) -> None:
        await self._client.aclose()

    async def _read(self, url: str) -> bytes:
        for _ in range(_REDIRECTS):
            async with self._client.stream("GET", url) as response:
                if response.status_code not in (301, 302, 303, 307, 308):
                    return await self._body(response)
                url = _followed(url, response.headers.get("location", ""))
        raise Unreachable(f"{url}: too many redirects")

    async def _body(self, response: httpx.Response) -> bytes:
        if response.status_code != 200:
            raise Unreachable(f"{response.url}: status {response.status_code}")
        # Asked for as it is: a small compressed answer could be a very large one.
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise Unreachable(f"{response.url}: answered in an encoding that was not asked for")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > self._max_bytes:
                raise Unreachable(f"{response.url}: more than {self._max_bytes} bytes")
        return bytes(body)


def _followed(url: str, location: str) -> str:
    target = str(httpx.URL(url).join(location))
    if _origin(urlsplit(target)) != _origin(urlsplit(url)):
        raise Unreachable(f"{url}: redirects to another host")
    return target


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port
