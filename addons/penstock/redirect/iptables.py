"""The redirect for machines that still use iptables: the same rules, in chains of its own beside whatever is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from penstock.redirect.plan import Endpoint, Plan

type Family = Literal[4, 6]

# (table, built-in chain, our chain): where each of ours is called, first of all. In this order they are called on
# installing, so that a model is closed before anything is redirected, and in reverse they are removed.
HOOKS: Final = (
    ("filter", "INPUT", "PENSTOCK-ARRIVING"),
    ("filter", "FORWARD", "PENSTOCK-PASSING"),
    ("filter", "OUTPUT", "PENSTOCK-LEAVING"),
    ("nat", "PREROUTING", "PENSTOCK-REMOTE"),
    ("nat", "OUTPUT", "PENSTOCK-LOCAL"),
)
_REJECT: Final = "-j REJECT --reject-with tcp-reset"


def ruleset(plan: Plan, family: Family) -> str:
    """What `iptables-restore --noflush` (or ip6tables-restore) takes: it fills our chains anew, and no others."""
    return f"{_table('filter', _filter(plan, family))}{_table('nat', _nat(plan, family))}"


def _table(name: str, rules: Iterator[str]) -> str:
    chains = "".join(f":{ours} - [0:0]\n" for table, _, ours in HOOKS if table == name)
    return f"*{name}\n{chains}{''.join(f'-A {rule}\n' for rule in rules)}COMMIT\n"


def _filter(plan: Plan, family: Family) -> Iterator[str]:
    arriving, passing, leaving = (ours for table, _, ours in HOOKS if table == "filter")
    yield f"{arriving} -p tcp --dport {plan.port} -m conntrack --ctstate DNAT -j RETURN"
    yield f"{arriving} -p tcp --dport {plan.port} {_REJECT}"
    for port in plan.own_ports:  # what comes in by loopback has passed OUTPUT already
        yield f"{arriving} ! -i lo -p tcp --dport {port} {_REJECT}"
    for end in _of(plan.closed, family):
        yield f"{arriving} ! -i lo {_to(end)} {_REJECT}"
        yield f"{passing} {_to(end)} {_REJECT}"
    yield f"{leaving} -m owner --uid-owner {plan.uid} -j RETURN"
    for target in (
        *(f"-m addrtype --dst-type LOCAL -p tcp --dport {port}" for port in plan.own_ports),
        *(_to(end) for end in _of(plan.closed, family)),
    ):
        yield f"{leaving} {target} -m owner --socket-exists {_REJECT}"
        yield f"{leaving} {target} --syn {_REJECT}"


def _nat(plan: Plan, family: Family) -> Iterator[str]:
    remote, local = (ours for table, _, ours in HOOKS if table == "nat")
    for end in _of(plan.redirected, family):
        for arrives in [f"-i {name} " for name in plan.interfaces] or [""]:
            yield f"{remote} {arrives}{_to(end)} -j REDIRECT --to-ports {plan.port}"
        yield f"{local} {_to(end)} -m owner ! --uid-owner {plan.uid} -j REDIRECT --to-ports {plan.port}"


def _to(end: Endpoint) -> str:
    return f"-d {end.ip}/{end.ip.max_prefixlen} -p tcp --dport {end.port}"


def _of(ends: tuple[Endpoint, ...], family: Family) -> list[Endpoint]:
    return [end for end in ends if end.version == family]
