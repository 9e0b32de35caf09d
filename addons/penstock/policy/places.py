"""Readers of places on a network: URLs, addresses, listeners' hosts and header names."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from penstock.policy.readers import Reader, worded
from penstock.policy.settings import Address, Url

_HOST: Final = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\Z"
)
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}\Z")
# Headers that say how a request is framed or where it goes; none of them is a place for a credential.
_FRAMING: Final = frozenset(
    [
        "host",
        "content-length",
        "content-type",
        "content-encoding",
        "transfer-encoding",
        "connection",
        "upgrade",
        "te",
        "trailer",
        "expect",
    ]
)


def _host(text: str) -> str | None:
    """A name in lower case, or an IP literal in its one spelling; None when it is neither."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        lowered = text.lower()
        # What is made of digits and dots only would be an address, read differently by different programs.
        return lowered if _HOST.match(lowered) and not re.fullmatch(r"[0-9.]+|.*\.[0-9]+", lowered) else None


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _split(text: str) -> tuple[SplitResult, str, int | None]:
    """The URL's parts, its host and its port. Raises ValueError, in words for people."""
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(f"the URL '{text[:60]}' holds a character that URLs do not have")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(f"the URL '{text[:60]}' has a bad host or port") from None
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"expected a URL that begins with http:// or https://, not '{text[:60]}'")
    host = _host(parts.hostname or "")
    if host is None or port == 0 or "@" in parts.netloc or "%" in parts.netloc:
        raise ValueError(f"the URL '{text[:60]}' has a bad host or port")
    return parts, host, port


def _replica(text: str) -> Url:
    parts, host, port = _split(text)
    if parts.path.strip("/") or parts.query or parts.fragment or "?" in text or "#" in text:
        raise ValueError(f"the URL '{text[:60]}' goes on after host and port: write {parts.scheme}://{parts.netloc}")
    if parts.scheme == "https":
        return Url("https", host, port or 443)
    return Url("http", host, port or 80)


REPLICA: Final[Reader[Url]] = worded(
    "a URL without a path (http://10.0.0.5:11434)", _replica, {"type": "string", "pattern": "^https?://[^/?#]+/?$"}
)


def _secure(text: str) -> str:
    parts, host, _ = _split(text)
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError(f"the URL '{text[:60]}' must be https (http is for loopback only)")
    if parts.fragment or "#" in text:
        raise ValueError(f"the URL '{text[:60]}' has a fragment: remove '#' and what follows")
    return text


SECURE_URL: Final[Reader[str]] = worded(
    "a URL (https; http on loopback only)", _secure, {"type": "string", "pattern": "^https?://"}
)


def _destination(text: str) -> Address | None:
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        return None
    if not colon or not re.fullmatch(r"[1-9][0-9]{0,4}", port) or int(port) > 65_535:
        return None
    try:
        return Address(str(ipaddress.ip_address(host)), int(port))
    except ValueError:
        return None


DESTINATION: Final[Reader[Address]] = worded(
    "an IP address and port (10.0.0.5:11434, [fd00::5]:11434)", _destination, {"type": "string"}
)
LISTEN_HOST: Final[Reader[str]] = worded("an IP address or host name", _host, {"type": "string"})


def _header(text: str) -> str | None:
    lowered = text.lower()
    if lowered in _FRAMING:
        raise ValueError(f"the header '{text}' frames the request: a credential does not go there")
    return lowered if _TOKEN.match(text) else None


HEADER: Final[Reader[str]] = worded("a header name", _header, {"type": "string"})
