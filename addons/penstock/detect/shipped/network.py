"""Addresses of machines, and what opens them."""

from __future__ import annotations

from typing import Final

from penstock.detect import checks
from penstock.detect.value import Detector

_OCTET: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_LONG: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9])"
_WORDED: Final = (
    r"(?:version|section|clause|chapter|paragraph|annex|appendix|abschnitt|kapitel|artikel|firmware|chrome|safari|firefox"
    r"|opera|chromium|trident|nuget|dotnet|revision|版本"
    r"|(?<![a-z])(?:ver|rev|sec|rfc|rfc [0-9]{4}|oid|para|table|figure|fig|article|art|edg|opr|sdk|jdk))"
    r"s?(?:[ _](?:is|to|from|number|no|nr|of|string|code|info|update))?[^0-9A-Za-z\n]{1,6}"
)
"""What may stand right before four numbers that are no address, but a version or a place in a document."""
_PERHAPS: Final = (
    r"(?<![a-z])(?:update|updated|upgrade|upgraded|release|released|build|driver|patch|hotfix|installed|plugin|package"
    r"|edge|kernel|ios|android|oracle|pip install)(?: (?:is|to|from|number|no))?[^0-9A-Za-z\n]{1,4}"
    r"|from [0-9.]{7,15} to "
)
"""What may stand before both; it is a version when all four numbers are small."""
_IPV4: Final = (
    rf"(?:(?<![0-9A-Za-z§])|(?<= -[A-UW-Za-uw-z]))(?<![0-9]\.)(?<![ (][A-Z]\.)(?<!\.so\.)(?<!§ )(?<!(?i:{_WORDED}))"
    rf"(?:(?<!(?i:{_PERHAPS}))(?:{_OCTET}\.){{3}}{_OCTET}"
    rf"|{_LONG}(?:\.{_OCTET}){{3}}|{_OCTET}\.{_LONG}(?:\.{_OCTET}){{2}}"
    rf"|(?:{_OCTET}\.){{2}}{_LONG}\.{_OCTET}|(?:{_OCTET}\.){{3}}{_LONG})"
    r"(?![0-9A-Za-z]|\.[0-9]|-?(?i:alpha|beta|rc|snapshot|dev|final)(?![A-Za-z])"
    r"|\.(?:tar|t?gz|zip|jar|deb|rpm|dll|exe|so|msi|whl|dmg|nupkg|apk|pdf|(?:min\.)?(?:js|css))(?![0-9A-Za-z]))"
)
_IPV6: Final = (
    rf"(?<![0-9A-Za-z:.])(?:[0-9A-Fa-f]{{0,4}}:){{2,7}}(?:(?:{_OCTET}\.){{3}}{_OCTET}|[0-9A-Fa-f]{{1,4}})?"
    r"(?![0-9A-Za-z]|:[0-9A-Fa-f:]|\.[0-9])(?:%[0-9A-Za-z._-]{1,16})?"
)
NETWORK: Final = (
    Detector("ipv4", "IPV4", _IPV4, confidence=0.9, kind="network", what="IPv4 address"),
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
        confidence=0.9,
        kind="network",
        what="IPv4 or IPv6 address: both of the above in one",
        proof="it can be read as one",
    ),
    Detector(
        "mac_address",
        "MAC_ADDRESS",
        r"(?<![0-9A-Za-z])(?<![0-9A-Fa-f]{2}[:-])(?:[0-9A-Fa-f]{12}|(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}|"
        r"(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}"
        r"|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4})(?![0-9A-Za-z]|[:.-][0-9A-Fa-f])",
        check=checks.mac,
        context=(
            "mac",
            "mac address",
            "mac-adresse",
            "mac addr",
            "macaddr",
            "hwaddr",
            "hardware address",
            "physical address",
            "physikalische adresse",
            "adresse physique",
            "lladdr",
            "ether",
            "ethernet",
            "bssid",
            "bluetooth",
            "wifi",
            "wlan",
            "wi-fi",
            "nic",
            "mac地址",
            "macアドレス",
        ),
        alone=r"(?i)(?:..[:-]){5}..|(?=.*[a-f])....\.....\.....",
        confidence=0.95,
        kind="network",
        what="hardware address of a network card",
        proof="neither zero nor broadcast; a letter, written without separators",
    ),
)
