"""The part that says who may be a caller."""

from __future__ import annotations

import pytest

from penstock.errors import PolicyError
from penstock.policy import load
from penstock.policy.settings import GroupClaim, Issuer, MachineKey

from .conftest import BASE, NOW, Load, Problems, Write

SHA = "ab" * 32


def test_an_issuer_is_read_whole(loaded: Load) -> None:
    (issuer,) = loaded(
        """
        identity:
          issuers:
            - id: corp
              issuer: https://idp.example/realms/corp
              audiences: [penstock, api]
              algorithms: [RS256, EdDSA]
              groups: {claim: realm_access.roles, prefix: "corp:", delimiter: "; "}
              types: [at+jwt, JWT, application/at+jwt+x]
              jwks_uri: https://idp.example/keys
              leeway: 5s
              max_lifetime: 1h
              client_claim: cid
        """
    ).gateway.identity.issuers
    assert issuer == Issuer(
        id="corp",
        issuer="https://idp.example/realms/corp",
        audiences=("penstock", "api"),
        algorithms=("RS256", "EdDSA"),
        groups=GroupClaim("realm_access.roles", "; ", "corp:"),
        types=("at+jwt", "jwt", "at+jwt+x"),
        jwks_uri="https://idp.example/keys",
        leeway=5.0,
        max_lifetime=3600.0,
        client_claim="cid",
    )


def test_an_issuer_is_called_by_its_host_unless_it_has_an_id(loaded: Load) -> None:
    text = "identity: {issuers: [{issuer: 'https://idp.example/x', audiences: [a], algorithms: [ES256]}]}"
    assert loaded(text).gateway.identity.issuers == (
        Issuer("idp.example", "https://idp.example/x", ("a",), ("ES256",)),
    )


def test_issuers_and_keys_of_several_files_are_joined(loaded: Load) -> None:
    issuer = "{{id: {0}, issuer: 'https://{0}.example', audiences: [a], algorithms: [ES256]}}"
    key = f"{{id: k, sha256: '{SHA.upper()}', subject: 'svc:batch', groups: [batch], expires: 2030-01-01}}"
    identity = loaded(
        f"identity: {{issuers: [{issuer.format('one')}], resource: 'https://gate.example/'}}",
        f"identity: {{issuers: [{issuer.format('two')}], keys: [{key}]}}",
    ).gateway.identity
    assert [one.id for one in identity.issuers] == ["one", "two"]
    assert identity.keys == (MachineKey("k", SHA, "svc:batch", frozenset({"batch"}), 1893456000.0),)
    assert identity.resource == "https://gate.example/"


def test_an_expired_key_is_a_warning(loaded: Load) -> None:
    assert NOW > 1_700_000_000
    key = f"{{id: old, sha256: {SHA}, subject: s, groups: [g], expires: 2023-01-01}}"
    warnings = [str(warning) for warning in loaded(f"identity: {{keys: [{key}]}}").warnings]
    assert any(
        warning.endswith(":1:91: the machine key 'old' has expired: replace or remove it")
        or "the machine key 'old' has expired" in warning
        for warning in warnings
    )


ISSUER = "issuer: 'https://idp.example', audiences: [a], algorithms: [ES256]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"issuers: [{{id: keys, {ISSUER}}}]", "the issuer id 'keys' stands for machine keys: choose another"),
        (f"issuers: [{{id: x, {ISSUER}}}, {{id: x, {ISSUER}}}]", "issuer 'x' is here a second time"),
        (f"issuers: [{{{ISSUER}}}, {{{ISSUER}}}]", "issuer 'idp.example' is here a second time"),
        ("issuers: [{issuer: 'http://idp.example', audiences: [a], algorithms: [ES256]}]", "must be https"),
        ("issuers: [{issuer: 'https://i#x', audiences: [a], algorithms: [ES256]}]", "has a fragment"),
        ("issuers: [{issuer: 'https://i', audiences: [], algorithms: [ES256]}]", "the list is empty"),
        ("issuers: [{issuer: 'https://i', audiences: [a], algorithms: [HS256]}]", "unknown algorithm 'HS256'"),
        ("issuers: [{issuer: 'https://i', audiences: [a], algorithms: [none]}]", "unknown algorithm 'none'"),
        (f"issuers: [{{{ISSUER}, groups: {{claim: a..b}}}}]", "expected a claim path"),
        (f"issuers: [{{{ISSUER}, groups: {{claim: /a~2}}}}]", "expected a claim path"),
        (f"issuers: [{{{ISSUER}, groups: {{claim: a, delimiter: ''}}}}]", "an empty delimiter splits nothing"),
        (f"issuers: [{{{ISSUER}, types: ['a b']}}]", "expected a token type"),
        (f"issuers: [{{{ISSUER}, leeway: 1h}}]", "expected a duration (0s to 5m"),
        ("keys: [{id: k, sha256: abc, subject: s, groups: [g], expires: 2030-01-01}]", "64 hexadecimal digits"),
        (f"keys: [{{id: k, sha256: {SHA}, subject: s, groups: [g]}}]", "key 'expires' is missing"),
        (f"keys: [{{id: k, sha256: {SHA}, subject: s, groups: [], expires: 2030-01-01}}]", "the list is empty"),
        (f"keys: [{{id: k, sha256: {SHA}, subject: s, group: [g], expires: 2030-01-01}}]", "did you mean 'groups'?"),
    ],
)
def test_what_cannot_be_is_named(problems: Problems, text: str, expected: str) -> None:
    found = problems(f"identity: {{{text}}}")
    assert expected in " ".join(found)
    assert all(problem.startswith("1:") for problem in found)


def test_a_pointer_names_a_claim_with_dots_in_it(loaded: Load) -> None:
    text = f"identity: {{issuers: [{{{ISSUER}, groups: {{claim: '/https:~1~1x.example~1groups'}}}}]}}"
    assert loaded(text).gateway.identity.issuers[0].groups == GroupClaim("/https:~1~1x.example~1groups")


def test_loopback_providers_may_be_plain_http(loaded: Load) -> None:
    for host in ("127.0.0.1:9000", "localhost:9000", "[::1]:9000"):
        text = f"identity: {{issuers: [{{issuer: 'http://{host}', audiences: [a], algorithms: [ES256]}}]}}"
        assert loaded(text).gateway.identity.issuers[0].issuer == f"http://{host}"


def test_the_resource_stands_in_one_file_only(write: Write) -> None:
    text = "identity: {resource: 'https://a.example'}"
    assert load(write(BASE, text), environ={}).gateway.identity.resource == "https://a.example"
    with pytest.raises(PolicyError, match=r"c\.yaml:1:22: 'resource' stands in another file already: keep one"):
        load(write(BASE, text, text), environ={})
