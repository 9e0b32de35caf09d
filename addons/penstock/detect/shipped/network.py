"""Addresses of machines, and what opens them."""

from __future__ import annotations

from typing import Final

from penstock.detect import checks
from penstock.detect.value import Detector

_OCTET: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4: Final = rf"(?<![0-9A-Za-z])(?<![0-9]\.)(?:{_OCTET}\.){{3}}{_OCTET}(?![0-9A-Za-z]|\.[0-9])"
_IPV6: Final = (
    rf"(?<![0-9A-Za-z:.])(?:[0-9A-Fa-f]{{0,4}}:){{2,7}}(?:(?:{_OCTET}\.){{3}}{_OCTET}|[0-9A-Fa-f]{{1,4}})?"
    r"(?![0-9A-Za-z]|:[0-9A-Fa-f:]|\.[0-9])(?:%[0-9A-Za-z._-]{1,16})?"
)
_VERSIONS: Final = (
    "version", "ver", "release", "build", "firmware", "driver", "revision", "chrome", "safari", "firefox", "edg",
    "edge", "opr", "opera", "chromium", "headlesschrome", "trident", "assembly", "section", "sec", "rfc", "clause",
    "chapter",
    "update", "upgrade", "upgraded", "fileversion", "productversion", "oid",
)  # fmt: skip

NETWORK: Final = (
    Detector("ipv4", "IPV4", _IPV4, against=_VERSIONS, confidence=0.9, kind="network", what="IPv4 address"),
    Detector(
        "ipv6",
        "IPV6",
        _IPV6,
        check=checks.ipv6,
        confidence=0.95,
        kind="network",
        what="IPv6 address",
        proof="it can be read as one",
    ),
    Detector(
        "ip",
        "IP",
        f"{_IPV4}|{_IPV6}",
        check=checks.ip,
        against=_VERSIONS,
        confidence=0.9,
        kind="network",
        what="IPv4 or IPv6 address: both of the above in one",
        proof="it can be read as one",
    ),
    Detector(
        "mac_address",
        "MAC_ADDRESS",
        r"(?<![0-9A-Za-z])(?<![0-9A-Fa-f]{2}[:-])(?:(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}|"
        r"(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}"
        r"|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4})(?![0-9A-Za-z]|[:.-][0-9A-Fa-f])",
        check=checks.mac,
        confidence=0.95,
        kind="network",
        what="hardware address of a network card",
        proof="neither zero nor broadcast",
    ),
)
