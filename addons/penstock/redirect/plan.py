"""What a redirect does: which connections go to the gateway, and which ports only the gateway may reach."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from penstock.errors import ConfigurationError
from penstock.policy.settings import Address, Gateway, Listen, Upstream

type Ip = IPv4Address | IPv6Address

_INTERFACE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}\Z")
_MAX_UID: Final = 2**32 - 2
_EPHEMERAL: Final = 32_768
"""Where Linux begins by default (ip_local_port_range)."""


class RedirectError(ConfigurationError):
    """The redirect cannot be made, or cannot be installed here."""


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """An address and a TCP port."""

    version: int
    ip: Ip
    port: int

    def __str__(self) -> str:
        return f"[{self.ip}]:{self.port}" if self.version == 6 else f"{self.ip}:{self.port}"


@dataclass(frozen=True, slots=True)
class Plan:
    """A redirect. Every value in it is a number, an address or a checked name: nothing else reaches the ruleset."""

    port: int
    """Where the gateway takes redirected connections."""
    uid: int
    """The gateway's user: the only one that may reach a model."""
    redirected: tuple[Endpoint, ...]
    """Connections to these go to the gateway."""
    closed: tuple[Endpoint, ...]
    """These are refused to everyone but the gateway: all of `redirected`, and the replicas behind."""
    own_ports: tuple[int, ...]
    """Refused on every address of this machine: a model server here may listen on more than one."""
    interfaces: tuple[str, ...] = ()
    """Redirect only what arrives on these; empty: on any."""
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for port in (self.port, *self.own_ports, *(end.port for end in self.closed)):
            _check(0 < port < 65_536, f"{port} is not a port")
        _check(0 < self.uid <= _MAX_UID, f"{self.uid} is not a user the gateway may run as (root never is)")
        for end in (*self.redirected, *self.closed):
            _check(end.version == end.ip.version, f"{end} is of another family than it says")
        for name in self.interfaces:
            _check(bool(_INTERFACE.match(name)), f"{name!r} is not the name of a network interface")
        _check(bool(self.redirected), "there is no destination to redirect")
        _check(set(self.redirected) <= set(self.closed), "a destination would stay open")
        _check(self.port not in self.own_ports, f"port {self.port} cannot be a model's and the gateway's")


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise RedirectError(message)


def plan(
    gateway: Gateway, uid: int, *, port: int | None = None, interfaces: Sequence[str] = (), elsewhere: bool = False
) -> Plan:
    """The redirect that a policy needs. RedirectError says what it lacks.

    `port` chooses among several transparent ports, or stands for one that the policy does not have. A port that a
    model has anywhere is closed on every address of this machine too, unless `elsewhere` says that the models run on
    other machines and this one uses the same number for something else; models on loopback are here in any case.
    """
    listen = _transparent(gateway.listen, port)
    upstreams = gateway.upstreams.values()
    redirected = sorted({_endpoint(upstream, end) for upstream in upstreams for end in upstream.destinations})
    if not redirected:
        raise RedirectError(
            "no upstream has destinations, so there is nothing to redirect",
            advice="add the model server's address and port: destinations: [10.0.0.5:11434]",
        )
    closed = sorted({*redirected, *_replicas(upstreams)})
    taken = {listen.port, *(other.port for other in gateway.listen)}
    own = sorted({end.port for end in closed if not elsewhere or end.ip.is_loopback} - taken)
    for end in redirected:
        if end.port == listen.port:
            raise RedirectError(
                f"the destination {end} has the gateway's own transparent port",
                advice="give the transparent listener another port",
            )
    return Plan(
        listen.port,
        uid,
        tuple(redirected),
        tuple(closed),
        tuple(own),
        tuple(dict.fromkeys(interfaces)),
        tuple(_warnings(listen, upstreams, own)),
    )


def _transparent(listeners: Iterable[Listen], port: int | None) -> Listen:
    found = [listen for listen in listeners if listen.mode == "transparent" and port in (None, listen.port)]
    if port is not None and not found:
        return Listen("transparent", "", port)
    if len(found) != 1:
        count = "several transparent ports" if found else "no transparent port"
        raise RedirectError(
            f"the policy has {count}",
            advice="choose one with --port" if found else "add one: listen: [{mode: transparent, port: 8443}]",
        )
    return found[0]


def _endpoint(upstream: Upstream, place: Address) -> Endpoint:
    """A destination, which is an address that packets can carry."""
    try:
        ip = ipaddress.ip_address(place.host)
    except ValueError:
        raise _unfit(upstream, place, "is not an IP address") from None
    if (isinstance(ip, IPv6Address) and ip.scope_id is not None) or ip.is_link_local:
        raise _unfit(upstream, place, "is a link-local address, which has no one meaning")
    if ip.is_multicast or ip.is_unspecified or ip == IPv4Address("255.255.255.255"):
        raise _unfit(upstream, place, "is not the address of one machine")
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        raise _unfit(upstream, place, f"is the IPv4 address {ip.ipv4_mapped}: write that")
    return Endpoint(ip.version, ip, place.port)


def _unfit(upstream: Upstream, place: Address, why: str) -> RedirectError:
    return RedirectError(f"upstream '{upstream.name}': the address {place} {why}")


def _replicas(upstreams: Iterable[Upstream]) -> Iterable[Endpoint]:
    """The replicas whose address is known without asking a name server."""
    for upstream in upstreams:
        for url in upstream.replicas:
            if url.host == "localhost":
                yield Endpoint(4, IPv4Address("127.0.0.1"), url.port)
                yield Endpoint(6, IPv6Address("::1"), url.port)
            elif _is_ip(url.host):
                yield _endpoint(upstream, url.address)


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _warnings(listen: Listen, upstreams: Iterable[Upstream], own: Iterable[int]) -> Iterable[str]:
    if listen.host not in ("", "0.0.0.0", "::"):
        yield f"the gateway listens on {listen.host} only: what arrives for another address is refused"
    for port in own:
        if port >= _EPHEMERAL:
            yield (
                f"port {port} is among those that this machine gives to its own outgoing connections, which would be "
                f"refused by chance: reserve it (sysctl net.ipv4.ip_local_reserved_ports={port})"
            )
    for upstream in upstreams:
        for url in upstream.replicas:
            if url.host != "localhost" and not _is_ip(url.host):
                yield (
                    f"upstream '{upstream.name}': {url.host} is a name, so its addresses are not closed by this "
                    "ruleset: write the replica as an address"
                )
