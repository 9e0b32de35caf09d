"""The redirect as an nftables ruleset: one table of its own, replaced as a whole or not at all.

Three layers hold on their own. The nat chains bring connections to the gateway. The filter chains refuse what still
heads for a model, so that nothing is reached when the nat chains are gone or the gateway is dead. And the port where
the gateway takes redirected connections is refused to everyone who was not redirected, who would otherwise make the
gateway connect to itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from penstock.redirect.plan import Endpoint, Plan

TABLE: Final = "inet penstock"

# Creating it first makes deleting it right whether or not it is there; the kernel applies all of it or none.
REMOVE: Final = f"table {TABLE}\ndelete table {TABLE}\n"

_FAMILIES: Final = ((4, "ip", "ipv4_addr"), (6, "ip6", "ipv6_addr"))
_REFUSE: Final = "counter reject with tcp reset"


def ruleset(plan: Plan) -> str:
    """What `nft -f -` takes; applying it twice is applying it once."""
    return f"{REMOVE}table {TABLE} {{\n{'\n\n'.join(_blocks(plan))}\n}}\n"


def _blocks(plan: Plan) -> Iterator[str]:
    yield from _sets(plan)
    yield _chain("remote_to_gateway", "type nat hook prerouting priority dstnat - 10", _remote(plan))
    yield _chain("local_to_gateway", "type nat hook output priority -110", _local(plan))
    yield _chain("arriving", "type filter hook input priority filter - 10", _arriving(plan))
    yield _chain("passing", "type filter hook forward priority filter - 10", _closed(plan, _REFUSE))
    yield _chain("leaving", "type filter hook output priority filter - 10", _leaving(plan))
    yield _chain("refuse_leaving", "", _refuse_leaving(plan))


def _sets(plan: Plan) -> Iterator[str]:
    for version, _, kind in _FAMILIES:
        for name, ends in (("redirected", plan.redirected), ("closed", plan.closed)):
            if mine := _of(ends, version):
                elements = ", ".join(f"{end.ip} . {end.port}" for end in mine)
                yield (
                    f"\tset {name}{version} {{\n\t\ttype {kind} . inet_service\n\t\telements = {{ {elements} }}\n\t}}"
                )


def _chain(name: str, hook: str, rules: Iterable[str]) -> str:
    head = [f"{hook}; policy accept;"] if hook else []
    body = "".join(f"\t\t{line}\n" for line in (*head, *rules))
    return f"\tchain {name} {{\n{body}\t}}"


def _remote(plan: Plan) -> Iterator[str]:
    """Other machines, this one being on their way or being the model's."""
    arrives = f"iifname {{ {', '.join(f'"{name}"' for name in plan.interfaces)} }} " if plan.interfaces else ""
    for family, name in _matches(plan.redirected, "redirected"):
        yield f"{arrives}{family} daddr . tcp dport @{name} counter redirect to :{plan.port}"


def _local(plan: Plan) -> Iterator[str]:
    """Programs on this machine, except the gateway."""
    for family, name in _matches(plan.redirected, "redirected"):
        yield f"meta skuid != {plan.uid} {family} daddr . tcp dport @{name} counter redirect to :{plan.port}"


def _arriving(plan: Plan) -> Iterator[str]:
    yield f"tcp dport {plan.port} ct status dnat accept"
    yield f"tcp dport {plan.port} {_REFUSE}"
    if plan.own_ports:  # what comes in by loopback has passed `leaving` already
        yield f'iifname != "lo" tcp dport {_ports(plan)} {_REFUSE}'
    yield from _closed(plan, _REFUSE, before='iifname != "lo" ')


def _leaving(plan: Plan) -> Iterator[str]:
    yield f"meta skuid {plan.uid} accept"
    if plan.own_ports:
        yield f"fib daddr type local tcp dport {_ports(plan)} jump refuse_leaving"
    yield from _closed(plan, "jump refuse_leaving")


def _refuse_leaving(plan: Plan) -> Iterator[str]:
    """Only a packet of a socket has a user: what ends a closed connection has none, and no connection starts so."""
    yield f"meta skuid != {plan.uid} {_REFUSE}"
    yield f"tcp flags & (fin | syn | rst | ack) == syn {_REFUSE}"


def _closed(plan: Plan, verdict: str, *, before: str = "") -> Iterator[str]:
    for family, name in _matches(plan.closed, "closed"):
        yield f"{before}{family} daddr . tcp dport @{name} {verdict}"


def _matches(ends: Iterable[Endpoint], name: str) -> Iterator[tuple[str, str]]:
    ends = tuple(ends)
    for version, family, _ in _FAMILIES:
        if _of(ends, version):
            yield family, f"{name}{version}"


def _of(ends: Iterable[Endpoint], version: int) -> list[Endpoint]:
    return [end for end in ends if end.version == version]


def _ports(plan: Plan) -> str:
    return f"{{ {', '.join(map(str, plan.own_ports))} }}"
