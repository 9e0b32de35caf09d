"""The gateway's part of the policy: what is read, what is filled in, and what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.errors import PolicyError
from penstock.policy import load
from penstock.policy.settings import Address, Gateway, Limits, Listen, Upstream, Url

from .conftest import BASE, NOW, Load, Problems, Write

WHOLE = """
version: 1
listen:
  - {mode: reverse, host: "::1", port: 8080, upstream: lab}
  - {mode: reverse, host: 10.0.0.1, port: 8081, upstream: other}
  - {mode: transparent, port: 8443}
data: ./audit
upstreams:
  lab:
    replicas: ["http://127.0.0.1:11434", "https://GPU-2.example/", "http://[fd00::5]:8000"]
    destinations: ["10.0.0.5:11434", "[fd00:0::5]:8000"]
    credential: {header: Authorization, value: "Bearer ${env:LAB_KEY}"}
    timeouts: {connect: 2s, first_byte: 5m, idle: 30s}
  other: {replicas: ["http://10.1.1.1:80"]}
limits: {request_body: 1MB, response_body: 2MB, header_bytes: 16KB, connections_per_client: 7}
hold: 30s
"""


def test_every_setting_is_read(write: Write) -> None:
    gateway = load(write(WHOLE), environ={"LAB_KEY": "k"}, now=NOW).gateway
    assert gateway.listen == (
        Listen("reverse", "::1", 8080, "lab"),
        Listen("reverse", "10.0.0.1", 8081, "other"),
        Listen("transparent", "", 8443),
    )
    lab = gateway.upstreams["lab"]
    assert lab.name == "lab"
    assert lab.replicas == (
        Url("http", "127.0.0.1", 11434),
        Url("https", "gpu-2.example", 443),
        Url("http", "fd00::5", 8000),
    )
    assert lab.destinations == (Address("10.0.0.5", 11434), Address("fd00::5", 8000))
    assert lab.credential is not None
    assert lab.credential.header == "authorization"
    assert lab.credential.value.reveal() == "Bearer k"
    assert (lab.connect, lab.first_byte, lab.idle) == (2.0, 300.0, 30.0)
    assert gateway.limits == Limits(1_000_000, 2_000_000, 16_000, 7)
    assert gateway.data == Path("audit")
    assert gateway.hold_seconds == 30.0
    assert str(lab.replicas[2]) == "http://[fd00::5]:8000"


def test_what_is_left_out_has_the_documented_default(write: Write) -> None:
    gateway = load(write("version: 1\n"), environ={}, now=NOW).gateway
    assert gateway == Gateway()
    upstream = load(write(BASE), environ={}, now=NOW).gateway.upstreams["lab"]
    assert upstream == Upstream("lab", (Url("http", "127.0.0.1", 11434),))


def test_a_reverse_port_stands_for_the_only_upstream(loaded: Load) -> None:
    listen = loaded("listen: [{mode: reverse, port: 9090}]").gateway.listen
    assert listen[1] == Listen("reverse", "127.0.0.1", 9090, "lab")


def test_upstreams_of_several_files_are_joined(loaded: Load) -> None:
    policy = loaded('upstreams: {east: {replicas: ["http://10.0.0.1"]}}\n')
    assert policy.gateway.upstreams["east"].replicas == (Url("http", "10.0.0.1", 80),)
    assert list(policy.gateway.upstreams) == ["lab", "east"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'upstreams: {lab: {replicas: ["http://10.0.0.1"]}}',
            "1:13: upstream 'lab' is here a second time (first at a.yaml:4): rename or remove one",
        ),
        (
            "listen: [{mode: transparent, port: 1, upstream: lab}]",
            "1:49: a transparent port has no upstream: `destinations:` of the upstreams decide",
        ),
        (
            "listen: [{mode: transparent, port: 1}]",
            "1:10: a transparent port needs destinations: no upstream has any; add them there",
        ),
        (
            "listen: [{mode: reverse, port: 8080, upstream: lab}]",
            "1:10: port 8080 is listened on twice: choose another port or address",
        ),
        (
            "listen: [{mode: reverse, host: localhost, port: 1}, {mode: reverse, host: LocalHost, port: 1}, "
            "{mode: reverse, host: 127.0.0.2, port: 1}]",
            "1:53: port 1 is listened on twice: choose another port or address",
        ),
        (
            'listen: [{mode: reverse, host: "0.0.0.0", port: 8080}]',
            "1:10: port 8080 is listened on twice: choose another port or address",
        ),
        (
            "listen: [{mode: reverse, port: 9, upstream: lap}]",
            "1:45: unknown upstream 'lap' (did you mean 'lab'?)",
        ),
        ("listen: [{mode: reversed, port: 9}]", "1:17: unknown mode 'reversed' (did you mean 'reverse'?)"),
        ("listen: [{mode: reverse, port: 99999}]", "1:32: expected a whole number, 1 to 65535, not 99999"),
        ("listen: [{mode: reverse}]", "1:10: listen: key 'port' is missing (a whole number, 1 to 65535)"),
        ("listen: []", "1:9: the list is empty: name something or remove the key"),
        ("listen: {mode: reverse}", "1:9: expected a list, not a mapping"),
        ("limits: {request_body: 1}", "1:24: the size 1 is not between 1,000 and 1,000,000,000 bytes"),
        ("limits: 5", "1:9: expected a mapping (limits), not 5"),
        ("hold: 1h", "1:7: expected a duration (1s to 10m; units ms, s, m, h, d), not the text '1h'"),
        ("data: 5", "1:7: expected text, not 5: put it in quotes"),
        ("version: 2", "1:10: expected a whole number, 1 to 1, not 2"),
        ("upstreams: {'a b': {replicas: ['http://x']}}", "1:13: expected a name (letters"),
        ("upstreams: {x: {replicas: ['http://x/v1']}}", "1:28: the URL 'http://x/v1' goes on after host and port"),
        (
            "upstreams: {x: {replicas: ['http://127.0.0.1:8080']}}",
            "1:13: upstream 'x' is the gateway itself (http://127.0.0.1:8080): name the model server's port",
        ),
        (
            "upstreams: {x: {replicas: ['http://localhost:8080']}}",
            "1:13: upstream 'x' is the gateway itself (http://localhost:8080): name the model server's port",
        ),
        (
            "upstreams: {x: {replicas: ['http://h'], destinations: ['10.0.0.1:1']}, "
            "y: {replicas: ['http://h'], destinations: ['10.0.0.1:1']}}",
            "1:72: destination 10.0.0.1:1 means upstream 'x' already: it can mean only one",
        ),
        (
            "upstreams: {x: {replicas: ['http://h'], credential: {header: host, value: x}}}",
            "1:62: the header 'host' frames the request: a credential does not go there",
        ),
        (
            "upstreams: {x: {replicas: ['http://h'], credential: {header: x-key, value: 'é'}}}",
            "1:76: a header's value is printable ASCII without spaces around it",
        ),
        (
            "upstreams: {x: {replicas: ['http://h'], credential: {header: x-key, value: '${env:NOPE}'}}}",
            "1:76: the environment variable NOPE is not set",
        ),
    ],
)
def test_what_cannot_be_is_named_with_its_place(problems: Problems, text: str, expected: str) -> None:
    found = problems(text)
    assert len(found) == 1, found
    assert found[0].startswith(expected)


def test_a_reverse_port_among_several_upstreams_must_name_one(write: Write) -> None:
    text = 'upstreams: {east: {replicas: ["http://10.0.0.1"]}}\nlisten: [{mode: reverse, port: 9090}]\n'
    with pytest.raises(PolicyError, match=r"b\.yaml:2:10: a reverse port needs an upstream"):
        load(write(BASE, text), environ={}, now=NOW)


@pytest.mark.parametrize("text", ["data: x", "limits: {request_body: 2MB}", "hold: 5s"])
def test_a_single_setting_stands_in_one_file_only(write: Write, text: str) -> None:
    name = text.partition(":")[0]
    with pytest.raises(PolicyError, match=rf"c\.yaml:1:1: '{name}' stands in b\.yaml:1 already: keep one"):
        load(write(BASE, text, text), environ={}, now=NOW)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x",
        "x:80",
        "http://",
        "http://:80",
        "http://a b",
        "http://é.example",
        "http://user@x",
        "http://x:0",
        "http://x:99999",
        "http://x:a",
        "http://300.1.1.1",
        "http://0x7f.1",
        "http://127.1",
        "http://x?y",
        "http://x#y",
        "http://[::1",
        "http://-x",
        "http://x%2e",
        "//x",
    ],
)
def test_a_url_that_could_mean_another_place_is_refused(problems: Problems, url: str) -> None:
    assert len(problems(f"upstreams: {{x: {{replicas: ['{url}']}}}}")) == 1


@pytest.mark.parametrize("text", ["10.0.0.1", "host:80", "10.0.0.1:0", "10.0.0.1:99999", "::1:80", "[::1]", "[x]:80"])
def test_a_destination_is_an_ip_address_and_port(problems: Problems, text: str) -> None:
    (found,) = problems(f"upstreams: {{x: {{replicas: ['http://h'], destinations: ['{text}']}}}}")
    assert "expected an IP address and port" in found


def test_a_problem_inside_an_upstream_brings_no_second_one(problems: Problems) -> None:
    text = "upstreams: {x: {replicas: []}}\ngrants: [{id: g, groups: [a], upstreams: [x], operations: [list]}]"
    (found,) = problems(text)
    assert found.startswith("1:27: the list is empty")
