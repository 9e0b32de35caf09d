"""From the policy's settings to a redirect, or to what it lacks."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.policy.settings import Address, Gateway, Listen, Upstream, Url
from penstock.redirect.plan import RedirectError, plan

TRANSPARENT = Listen("transparent", "", 8443)


def gateway(
    *destinations: str, replicas: tuple[str, ...] = ("10.0.0.5:11434",), listen: tuple[Listen, ...] = (TRANSPARENT,)
) -> Gateway:
    upstream = Upstream(
        "lab",
        tuple(Url("http", *_split(replica)) for replica in replicas),
        tuple(Address(*_split(destination)) for destination in destinations),
    )
    return Gateway(listen=listen, upstreams=MappingProxyType({"lab": upstream}))


def _split(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def shown(ends: object) -> list[str]:
    assert isinstance(ends, tuple)
    return [str(end) for end in ends]


def test_destinations_are_redirected_and_closed() -> None:
    made = plan(gateway("10.0.0.5:11434", "[fd00::5]:11434"), 991)
    assert shown(made.redirected) == shown(made.closed) == ["10.0.0.5:11434", "[fd00::5]:11434"]
    assert (made.port, made.uid, made.own_ports, made.warnings) == (8443, 991, (11434,), ())


def test_replicas_are_closed_too() -> None:
    made = plan(gateway("10.0.0.5:11434", replicas=("127.0.0.1:8000", "[fd00::9]:8001")), 991)
    assert shown(made.closed) == ["10.0.0.5:11434", "127.0.0.1:8000", "[fd00::9]:8001"]
    assert made.own_ports == (8000, 8001, 11434)


def test_localhost_is_both_loopback_addresses() -> None:
    made = plan(gateway("10.0.0.5:11434", replicas=("localhost:8000",)), 991)
    assert {"127.0.0.1:8000", "[::1]:8000"} <= set(shown(made.closed))


def test_models_elsewhere_leave_the_ports_of_this_machine() -> None:
    assert plan(gateway("10.0.0.5:443"), 991, elsewhere=True).own_ports == ()


def test_a_model_on_loopback_is_here_all_the_same() -> None:
    made = plan(gateway("10.0.0.5:443", replicas=("127.0.0.1:8000",)), 991, elsewhere=True)
    assert made.own_ports == (8000,)


def test_the_gateways_own_ports_are_never_closed() -> None:
    reverse = Listen("reverse", "10.0.0.1", 8000, "lab")
    made = plan(gateway("10.0.0.5:8000", listen=(TRANSPARENT, reverse)), 991)
    assert 8000 not in made.own_ports and "10.0.0.5:8000" in shown(made.closed)


@pytest.mark.parametrize(
    ("destination", "why"),
    [
        ("model.example:80", "is not an IP address"),
        ("10.0.0.5;}:80", "is not an IP address"),
        ("fe80::1:80", "link-local"),
        ("fe80::1%eth0:80", "link-local"),
        ("fd00::1%eth0:80", "link-local"),
        ("169.254.1.1:80", "link-local"),
        ("0.0.0.0:80", "not the address of one machine"),
        (":::80", "not the address of one machine"),
        ("224.0.0.1:80", "not the address of one machine"),
        ("ff02::1:80", "not the address of one machine"),
        ("255.255.255.255:80", "not the address of one machine"),
        ("::ffff:10.0.0.5:80", "is the IPv4 address 10.0.0.5: write that"),
    ],
)
def test_addresses_that_are_none_are_refused(destination: str, why: str) -> None:
    with pytest.raises(RedirectError, match="upstream 'lab': the address .*" + why):
        plan(gateway(destination), 991)


def test_an_unfit_replica_is_refused_too() -> None:
    with pytest.raises(RedirectError, match="not the address of one machine"):
        plan(gateway("10.0.0.5:80", replicas=("0.0.0.0:80",)), 991)


def test_a_policy_without_destinations_has_nothing_to_redirect() -> None:
    with pytest.raises(RedirectError, match="nothing to redirect") as refused:
        plan(gateway(), 991)
    assert "destinations: [" in refused.value.advice


def test_a_policy_without_a_transparent_port_needs_one() -> None:
    with pytest.raises(RedirectError, match="no transparent port") as refused:
        plan(gateway("10.0.0.5:80", listen=()), 991)
    assert "mode: transparent" in refused.value.advice
    assert plan(gateway("10.0.0.5:80", listen=()), 991, port=9000).port == 9000


def test_of_several_transparent_ports_one_is_chosen() -> None:
    both = (TRANSPARENT, replace(TRANSPARENT, port=9443))
    with pytest.raises(RedirectError, match="several") as refused:
        plan(gateway("10.0.0.5:80", listen=both), 991)
    assert "--port" in refused.value.advice
    assert plan(gateway("10.0.0.5:80", listen=both), 991, port=9443).port == 9443


def test_a_destination_cannot_have_the_transparent_port() -> None:
    with pytest.raises(RedirectError, match="own transparent port"):
        plan(gateway("10.0.0.5:8443"), 991)


@pytest.mark.parametrize("uid", [0, -1, 2**32 - 1, 2**40])
def test_a_user_that_is_none_or_root_is_refused(uid: int) -> None:
    with pytest.raises(RedirectError, match="is not a user"):
        plan(gateway("10.0.0.5:80"), uid)


@pytest.mark.parametrize("port", [0, -1, 65_536])
def test_a_port_that_is_none_is_refused(port: int) -> None:
    with pytest.raises(RedirectError, match="is not a port"):
        plan(gateway("10.0.0.5:80", listen=()), 991, port=port)
    with pytest.raises(RedirectError, match="is not a port"):
        plan(gateway(f"10.0.0.5:{port}"), 991)


@pytest.mark.parametrize("name", ['eth0"; flush ruleset; #', "", "a" * 16, "eth 0", "é", "-i", "eth0\n", "a/b"])
def test_an_interface_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(RedirectError, match="is not the name of a network interface"):
        plan(gateway("10.0.0.5:80"), 991, interfaces=[name])


@given(st.text(max_size=20))
def test_no_interface_name_brings_anything_into_the_ruleset(name: str) -> None:
    try:
        made = plan(gateway("10.0.0.5:80"), 991, interfaces=[name])
    except RedirectError:
        return
    assert made.interfaces == (name,) and name.isascii()
    assert not set(name) & set("\"'{};#\\$@ \n\t/")


def test_interfaces_are_named_once() -> None:
    assert plan(gateway("10.0.0.5:80"), 991, interfaces=["eth0", "br-1.20", "eth0"]).interfaces == ("eth0", "br-1.20")


def test_a_name_that_cannot_be_closed_is_a_warning() -> None:
    (warning,) = plan(gateway("10.0.0.5:80", replicas=("gpu.example:80",)), 991).warnings
    assert "gpu.example is a name" in warning


def test_a_gateway_that_listens_on_one_address_is_a_warning() -> None:
    (warning,) = plan(gateway("10.0.0.5:80", listen=(replace(TRANSPARENT, host="127.0.0.1"),)), 991).warnings
    assert "listens on 127.0.0.1 only" in warning


def test_a_port_of_outgoing_connections_is_a_warning() -> None:
    (warning,) = plan(gateway("10.0.0.5:50000"), 991).warnings
    assert "ip_local_reserved_ports=50000" in warning


@pytest.mark.parametrize(
    "change",
    [{"redirected": ()}, {"closed": ()}, {"own_ports": (8443,)}],
)
def test_a_redirect_that_leaves_something_open_cannot_be_made(change: dict[str, tuple[int, ...]]) -> None:
    made = plan(gateway("10.0.0.5:80"), 991)
    with pytest.raises(RedirectError):
        replace(made, **change)  # type: ignore[arg-type]


def test_an_endpoint_knows_its_family() -> None:
    made = plan(gateway("10.0.0.5:80"), 991)
    wrong = (replace(made.redirected[0], version=6),)
    with pytest.raises(RedirectError, match="another family"):
        replace(made, redirected=wrong, closed=wrong)
