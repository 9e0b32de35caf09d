"""What must hold between the parts of a policy, each of which is right by itself."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import replace

from penstock.policy.grants import Grant
from penstock.policy.guardrails import Guardrail
from penstock.policy.marked import Mark
from penstock.policy.masks import MaskingRule
from penstock.policy.places import is_loopback
from penstock.policy.reading import Reading
from penstock.policy.settings import Address, Gateway, Listen, Upstream


def listeners(
    found: Sequence[tuple[Listen, Mark]], upstreams: Mapping[str, Upstream], reading: Reading
) -> tuple[Listen, ...]:
    """The ports, each with its upstream; two that cannot be open at the same time are a problem."""
    made: list[Listen] = []
    for listen, mark in found:
        for other in made:
            if other.port == listen.port and (other.host == listen.host or _any(other.host) or _any(listen.host)):
                reading.wrong(mark, f"port {listen.port} is listened on twice: choose another port or address")
        if listen.mode == "reverse" and listen.upstream is None:
            names = list(reading.names("upstream"))
            if len(names) == 1:
                listen = replace(listen, upstream=names[0])
            else:
                reading.wrong(mark, "a reverse port needs an upstream: there is not exactly one; name it")
        broken = len(upstreams) < len(list(reading.names("upstream")))
        if listen.mode == "transparent" and not broken and not any(up.destinations for up in upstreams.values()):
            reading.wrong(mark, "a transparent port needs destinations: no upstream has any; add them there")
        made.append(listen)
    return tuple(made)


def _any(host: str) -> bool:
    """Whether the address stands for every address of the machine."""
    try:
        return not host or ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def check(
    gateway: Gateway,
    grants: Sequence[Grant],
    guardrails: Sequence[Guardrail],
    masking: Sequence[MaskingRule],
    reading: Reading,
) -> None:
    """Note what does not fit together, and warn of what has no effect."""
    _loops(gateway, reading)
    _destinations(gateway, reading)
    if not reading.names("approval"):
        for mark in reading.unnamed_holds:
            reading.wrong(mark, "hold: there is no approval rule that could release it; add one under approvals:")
    everywhere = Mark(str(reading.directory), 0, 0)
    if not gateway.upstreams:
        reading.warn(everywhere, "no upstreams: nothing can be reached")
    if not grants:
        reading.warn(everywhere, "no grants: every call is refused")
    if not gateway.identity.issuers and not gateway.identity.keys:
        reading.warn(everywhere, "no issuers and no machine keys: nobody can be a caller")
    if not any("completion" in rule.on for rule in masking):
        reading.warn(everywhere, "no masking of completions: replies pass as they are")
    if grants and not any(rail.mode == "enforce" for rail in guardrails):
        reading.warn(everywhere, "no guardrail in force: prompts pass as they are")


def _loops(gateway: Gateway, reading: Reading) -> None:
    for upstream in gateway.upstreams.values():
        for url in upstream.replicas:
            if any(_meets(listen, url.address) for listen in gateway.listen):
                message = f"upstream '{upstream.name}' is the gateway itself ({url}): name the model server's port"
                reading.wrong(reading.place("upstream", upstream.name), message)


def _meets(listen: Listen, address: Address) -> bool:
    """Whether a connection to this address would come to this port of ours."""
    if listen.port != address.port:
        return False
    return listen.host == address.host or (
        is_loopback(address.host) and (_any(listen.host) or is_loopback(listen.host))
    )


def _destinations(gateway: Gateway, reading: Reading) -> None:
    owners: dict[Address, str] = {}
    for upstream in gateway.upstreams.values():
        for address in upstream.destinations:
            owner = owners.setdefault(address, upstream.name)
            if owner != upstream.name:
                message = f"destination {address} means upstream '{owner}' already: it can mean only one"
                reading.wrong(reading.place("upstream", upstream.name), message)
