"""Tokens that must not be let in: each is refused, for the reason it was made for, and nothing else escapes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives import serialization

from penstock.errors import Refusal
from penstock.identity.identity import Identity
from tests.identity.mint import (
    CORP,
    NOW,
    OTHER,
    Clock,
    Gone,
    Provider,
    b64,
    bearer,
    claims,
    compact,
    ec_key,
    ed_key,
    head,
    jwk,
    jwks,
    provider,
    rsa_key,
    settings,
    sign,
    text,
    token,
)

# The issuer's key set: good keys, and every kind of key that must never verify anything.
KEYS = jwks(
    jwk(rsa_key(), "r1"),
    jwk(ec_key(), "e1"),
    jwk(ed_key(), "o1"),
    jwk(rsa_key("second"), "r2"),
    jwk(rsa_key("small", 1024), "small"),
    jwk(ec_key("wide", "P-384"), "e384"),
    jwk(ec_key("wide", "P-384"), "e384-labelled", alg="ES256"),
    jwk(ec_key("koblitz", "secp256k1"), "koblitz"),
    jwk(rsa_key("enc"), "enc", use="enc"),
    jwk(rsa_key("ops"), "ops", key_ops=["encrypt"]),
    jwk(rsa_key("pss"), "pss-only", alg="PS256"),
    jwk(rsa_key("twin-1"), "twin"),
    jwk(rsa_key("twin-2"), "twin"),
    jwk(rsa_key("nameless")),
    {"kty": "oct", "kid": "oct", "k": b64(b"0" * 32), "alg": "HS256"},
    {"kty": "oct", "kid": "oct-any", "k": b64(b"0" * 32)},
)

PEM = rsa_key().public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
DER = rsa_key().public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
FAR = int(NOW) + 300

WELL_FORMED = "not well formed"
COMPACT = "compact form"
ALGORITHM = "algorithm is not accepted"
KEY = "key is not one of"
SIGNATURE = "signature does not hold"
HEADER = "header has members"
AUDIENCE = "audience"
SUBJECT = "no subject"
TIME = "is not a time"
TYPE = "accepted type"
ACCESS = "access token"


class Vector(NamedTuple):
    name: str
    token: str
    why: str
    """Part of the refusal's message, so that a vector cannot pass for a reason it was not made for."""


def raw(header: bytes | str | None = None, payload: bytes | str | None = None) -> str:
    """A token of literal header and payload, well signed with the issuer's RSA key."""
    whole = [part.encode() if isinstance(part, str) else part for part in (header, payload)]
    return compact(whole[0] or text(head()), whole[1] or text(claims()), rsa_key(), "RS256")


def literal(**changes: str) -> str:
    """Claims in which some values are literal JSON text."""
    members = {name: json.dumps(value) for name, value in claims().items()} | changes
    return raw(payload="{" + ",".join(f'"{name}":{value}' for name, value in members.items()) + "}")


def resigned(good: str, part: int, new: str) -> str:
    parts = good.split(".")
    parts[part] = new
    return ".".join(parts)


def other(**changes: Any) -> str:
    """A token of the issuer that may say `typ: JWT`."""
    return token({"typ": "JWT"}, **({"iss": OTHER} | changes))


def signatures() -> Iterator[Vector]:
    for none in ("none", "None", "NONE", "nOnE"):
        unsigned = f"{b64(text(head(alg=none)))}.{b64(text(claims()))}"
        yield Vector(f"alg {none} without signature", unsigned + ".", COMPACT)
        yield Vector(f"alg {none} with a signature", unsigned + "." + b64(b"x"), ALGORITHM)
    for name, secret in {"PEM": PEM, "PEM without its last line end": PEM.rstrip(), "DER": DER}.items():
        yield Vector(f"HS256 with the RSA public key as {name}", token({"alg": "HS256"}, secret), ALGORITHM)
    yield Vector("HS256 with the modulus", token({"alg": "HS256"}, jwk(rsa_key())["n"].encode()), ALGORITHM)
    yield Vector("HS384 with the public key", token({"alg": "HS384"}, PEM), ALGORITHM)
    yield Vector("HS512 with the public key", token({"alg": "HS512"}, PEM), ALGORITHM)
    yield Vector("HS256 with an empty secret", token({"alg": "HS256"}, b""), ALGORITHM)
    yield Vector("HS256 with the set's oct key", token({"alg": "HS256", "kid": "oct"}, b"0" * 32), ALGORITHM)
    hidden = compact(text(head(kid="oct-any")), text(claims()), b"0" * 32, "HS256")
    yield Vector("an HMAC said to be RS256 by an oct key's kid", hidden, KEY)
    yield Vector("ES256 by a P-384 key", token({"alg": "ES256", "kid": "e384"}, ec_key("wide", "P-384")), KEY)
    yield Vector(
        "ES256 by a P-384 key labelled so",
        token({"alg": "ES256", "kid": "e384-labelled"}, ec_key("wide", "P-384")),
        KEY,
    )
    yield Vector("ES384, not allowed", token({"alg": "ES384", "kid": "e384"}, ec_key("wide", "P-384")), ALGORITHM)
    yield Vector("ES256 by secp256k1", token({"alg": "ES256", "kid": "koblitz"}, ec_key("koblitz", "secp256k1")), KEY)
    yield Vector("ES256K", token({"alg": "ES256K", "kid": "koblitz"}, ec_key("koblitz", "secp256k1")), ALGORITHM)
    yield Vector("RS256 by a 1024-bit key", token({"kid": "small"}, rsa_key("small", 1024)), KEY)
    yield Vector("RS256 by a stranger's key", token(key=rsa_key("stranger")), SIGNATURE)
    yield Vector("ES256 by a stranger's key", token({"alg": "ES256", "kid": "e1"}, ec_key("stranger")), SIGNATURE)
    yield Vector("EdDSA by a stranger's key", token({"alg": "EdDSA", "kid": "o1"}, ed_key("stranger")), SIGNATURE)
    yield Vector("PS256 by a stranger's key", token({"alg": "PS256"}, rsa_key("stranger")), SIGNATURE)
    yield Vector(
        "RS256 signed, PS256 said", compact(text(head(alg="PS256")), text(claims()), rsa_key(), "RS256"), SIGNATURE
    )
    yield Vector("PS256 signed, RS256 said", compact(text(head()), text(claims()), rsa_key(), "PS256"), SIGNATURE)
    yield Vector("RS512 signed, RS256 said", compact(text(head()), text(claims()), rsa_key(), "RS512"), SIGNATURE)
    yield Vector("RS384, not allowed", token({"alg": "RS384"}), ALGORITHM)
    yield Vector("alg in lower case", token({"alg": "rs256"}), ALGORITHM)
    yield Vector("alg with a space", token({"alg": "RS256 "}), ALGORITHM)
    yield Vector("alg of an encryption", token({"alg": "RSA-OAEP"}), ALGORITHM)
    yield Vector("alg dir", token({"alg": "dir"}), ALGORITHM)
    yield Vector("an empty alg", token({"alg": ""}), ALGORITHM)
    for value in (None, 256, ["RS256"], {"a": 1}, True):
        yield Vector(f"alg {value!r}", token({"alg": value}), "names no algorithm")
    yield Vector("no alg", raw(text(head(alg=Gone))), "names no algorithm")
    good = token()
    yield Vector("a flipped bit in the signature", resigned(good, 2, b64(bytes([1]) * 256)), SIGNATURE)
    yield Vector("a signature of zeros", resigned(good, 2, b64(bytes(256))), SIGNATURE)
    yield Vector("a short signature", resigned(good, 2, good.split(".")[2][:100]), SIGNATURE)
    yield Vector("the signature of another token", resigned(good, 2, token(sub="bob").split(".")[2]), SIGNATURE)
    yield Vector("another payload under the signature", resigned(good, 1, b64(text(claims(sub="root")))), SIGNATURE)
    yield Vector("another header under the signature", resigned(good, 0, b64(text(head(x5t="a")))), SIGNATURE)
    signed = ".".join(token({"alg": "ES256", "kid": "e1"}).split(".")[:2])
    yield Vector("ES256 of zeros (CVE-2022-21449)", f"{signed}.{b64(bytes(64))}", SIGNATURE)
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    yield Vector("ES256 of the group order", f"{signed}.{b64(order.to_bytes(32) * 2)}", SIGNATURE)
    yield Vector("an ES256 signature in DER", f"{signed}.{b64(ec_der(signed))}", SIGNATURE)
    signed = ".".join(token({"alg": "EdDSA", "kid": "o1"}, ed_key()).split(".")[:2])
    yield Vector("EdDSA of zeros", f"{signed}.{b64(bytes(64))}", SIGNATURE)
    mangled = sign(signed.encode(), ed_key(), "EdDSA")
    s = int.from_bytes(mangled[32:], "little") + 2**252 + 27742317777372353535851937790883648493
    yield Vector("EdDSA with S out of range", f"{signed}.{b64(mangled[:32] + s.to_bytes(32, 'little'))}", SIGNATURE)


def ec_der(signed: str) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec_key().sign(signed.encode(), ec.ECDSA(hashes.SHA256()))


def keys() -> Iterator[Vector]:
    yield Vector("an unknown kid", token({"kid": "nobody"}), KEY)
    yield Vector("the kid of an EC key", token({"kid": "e1"}), KEY)
    yield Vector("the kid of another RSA key", token({"kid": "r2"}), SIGNATURE)
    yield Vector("a kid shared by two keys", token({"kid": "twin"}, rsa_key("twin-1")), KEY)
    yield Vector("a kid shared by two keys, the other", token({"kid": "twin"}, rsa_key("twin-2")), KEY)
    yield Vector("a key for encryption", token({"kid": "enc"}, rsa_key("enc")), KEY)
    yield Vector("a key whose key_ops lack verify", token({"kid": "ops"}, rsa_key("ops")), KEY)
    yield Vector("a key declared for PS256", token({"kid": "pss-only"}, rsa_key("pss")), KEY)
    yield Vector("no kid, several keys", token({"kid": Gone}), KEY)
    yield Vector("no kid, by the key without one", token({"kid": Gone}, rsa_key("nameless")), KEY)
    for value in (None, 1, "", ["r1"], {"r1": 1}, True):
        yield Vector(f"kid {value!r}", token({"kid": value}), "key id is not a string")
    for value in ("R1", "r1 ", "r1\x00", "../../../../dev/null", "r1' OR '1'='1", "https://evil.example/k", "r\u0661"):
        yield Vector(f"kid {value!r}", token({"kid": value}), KEY)
    evil = rsa_key("evil")
    yield Vector("an embedded jwk", token({"jwk": jwk(evil)}, evil), SIGNATURE)
    yield Vector("an embedded jwk of the same kid", token({"jwk": jwk(evil, "r1")}, evil), SIGNATURE)
    yield Vector("an embedded jwk of a new kid", token({"jwk": jwk(evil, "x"), "kid": "x"}, evil), KEY)
    yield Vector("jku", token({"jku": "https://evil.example/jwks"}, evil), SIGNATURE)
    yield Vector("x5u", token({"x5u": "https://evil.example/cert"}, evil), SIGNATURE)
    yield Vector("x5c", token({"x5c": [b64(DER)]}, evil), SIGNATURE)


def shapes() -> Iterator[Vector]:
    good = token()
    a, b, c = good.split(".")
    yield Vector("two parts and a dot", f"{a}..{c}", COMPACT)
    yield Vector("no header", f".{b}.{c}", COMPACT)
    yield Vector("only dots", "..", COMPACT)
    yield Vector("standard base64", f"{a}.{b}.{c[:-2]}+/", COMPACT)
    yield Vector("padded signature", good + "==", COMPACT)
    yield Vector("padded header", f"{a}=.{b}.{c}", COMPACT)
    yield Vector("percent encoding", good.replace("e", "%65", 1), COMPACT)
    yield Vector("a comma", good + ",", COMPACT)
    yield Vector("junk in the header", f"{a}!.{b}.{c}", COMPACT)
    yield Vector("junk in the signature", f"{a}.{b}.{c}~", COMPACT)
    yield Vector("a star in the payload", f"{a}.{b[:9]}*{b[9:]}.{c}", COMPACT)
    yield Vector("trailing bits in the signature", good[:-1] + chr(ord(good[-1]) + 1), WELL_FORMED)
    yield Vector("trailing bits in the header", spelled_otherwise(0), WELL_FORMED)
    yield Vector("trailing bits in the payload", spelled_otherwise(1), WELL_FORMED)
    yield Vector("a header of impossible length", f"{a}{'A' * (1 + -len(a) % 4)}.{b}.{c}", WELL_FORMED)
    yield Vector("a signature one character too long", good + "A" * (1 + -len(c) % 4), WELL_FORMED)
    yield Vector("too long", token(pad="x" * 16_384), "too long")
    yield Vector("far too long", good + "A" * 1_000_000, "too long")
    yield Vector("a JWE", f"{a}.{b}.{c}.{a}.{b}", "not known")
    yield Vector("one part", a, "not known")
    yield Vector("four parts", f"{good}.{c}", "not known")
    yield Vector(
        "JSON serialization", json.dumps({"protected": a, "payload": b, "signature": c}, separators=(",", ":")), "known"
    )
    yield Vector("a nested token", raw(payload=good), WELL_FORMED)
    for kind in ("zip", "enc", "epk", "b64", "crit", "cty", "nonce", "x-made-up", "ALG"):
        yield Vector(f"header member {kind}", token({kind: "DEF"}), HEADER)
    yield Vector("crit with an unknown extension", token({"crit": ["exp"], "exp": FAR}), HEADER)
    yield Vector("crit, empty", token({"crit": []}), HEADER)
    yield Vector("b64 false", token({"crit": ["b64"], "b64": False}), HEADER)
    yield Vector("b64 true", token({"b64": True}), HEADER)


def spelled_otherwise(part: int) -> str:
    """A part whose bytes are the same, but whose unused last bits are not zero."""
    for pad in ("", "x", "xx"):
        made = token({"kid": "r1", "x5t": pad}, pad=pad)
        parts = made.split(".")
        if len(parts[part]) % 4:
            alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
            last = alphabet[alphabet.index(parts[part][-1]) + 1]
            parts[part] = parts[part][:-1] + last
            signed = f"{parts[0]}.{parts[1]}"
            return f"{signed}.{b64(sign(signed.encode(), rsa_key(), 'RS256'))}"
    raise AssertionError


def documents() -> Iterator[Vector]:
    deep = 10_000
    yield Vector("a header 10,000 deep", f"{b64(b'[' * 5000 + b']' * 5000)}.{b64(b'{}')}.AAAA", WELL_FORMED)
    unsigned = b64(b'{"alg":"RS256","kid":"r1","x5c":' + b"[" * deep)
    yield Vector("a header 10,000 deep, not closed", f"{unsigned}.{b64(b'{}')}.AAAA", WELL_FORMED)
    yield Vector("a payload 5,000 deep", literal(a="[" * 5000 + "]" * 5000), WELL_FORMED)
    yield Vector("a payload of 1,500 objects deep", literal(a='{"a":' * 1500 + "1" + "}" * 1500), WELL_FORMED)
    yield Vector("a payload 17 deep", literal(a="[" * 16 + "]" * 16), WELL_FORMED)
    yield Vector("a header that is a list", raw("[]"), WELL_FORMED)
    yield Vector("a header that is a string", raw('"RS256"'), WELL_FORMED)
    yield Vector("a header that is null", raw("null"), WELL_FORMED)
    yield Vector("a payload that is a list", raw(payload=text([claims()])), WELL_FORMED)
    yield Vector("a payload that is a number", raw(payload="1"), WELL_FORMED)
    yield Vector("a header that is not JSON", raw("{alg:RS256}"), WELL_FORMED)
    yield Vector("a header with a trailing comma", raw('{"alg":"RS256","kid":"r1","typ":"at+jwt",}'), WELL_FORMED)
    yield Vector("two documents", raw(payload=text(claims()) + b"{}"), WELL_FORMED)
    yield Vector("a comment", raw(payload=text(claims())[:-1] + b"/**/}"), WELL_FORMED)
    yield Vector("a NUL at the end", raw(payload=text(claims()) + b"\0"), WELL_FORMED)
    yield Vector("a byte order mark", raw(payload=b"\xef\xbb\xbf" + text(claims())), WELL_FORMED)
    yield Vector("Latin-1", raw(payload=text(claims())[:-1] + b',"n":"\xe9"}'), WELL_FORMED)
    yield Vector("UTF-16", raw(payload=json.dumps(claims()).encode("utf-16")), WELL_FORMED)
    yield Vector("overlong UTF-8", raw(payload=text(claims())[:-1] + b',"n":"\xc0\xaf"}'), WELL_FORMED)
    yield Vector("half a surrogate pair", literal(sub='"\\ud800"'), WELL_FORMED)
    yield Vector("a duplicate alg", raw('{"alg":"none","typ":"at+jwt","kid":"r1","alg":"RS256"}'), WELL_FORMED)
    yield Vector("a duplicate kid", raw('{"alg":"RS256","typ":"at+jwt","kid":"r2","kid":"r1"}'), WELL_FORMED)
    for name in ("sub", "aud", "exp", "iss"):
        doubled = text(claims())[:-1] + f',"{name}":"root"}}'.encode()
        yield Vector(f"a duplicate {name}", raw(payload=doubled), WELL_FORMED)
    escaped = text(claims())[:-1] + b',"\\u0073ub":"root"}'
    yield Vector("a duplicate sub, one of them escaped", raw(payload=escaped), WELL_FORMED)
    yield Vector("a duplicate inside a claim", literal(realm_access='{"roles":[],"roles":["admin"]}'), WELL_FORMED)
    for value in ("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "0x7fffffff", "01", "+1", ".5", "1.", "1e", "１"):
        yield Vector(f"exp {value}", literal(exp=value), WELL_FORMED)
    yield Vector("exp of 5,000 digits", literal(exp="9" * 5000), WELL_FORMED)


def times() -> Iterator[Vector]:
    for name in ("exp", "iat", "nbf"):
        for value in (
            "null",
            "true",
            "false",
            f'"{FAR}"',
            "[]",
            "{}",
            f"[{FAR}]",
            "-1",
            "1e300",
            "9" * 400,
            "253402300800",
        ):
            yield Vector(f"{name} {value[:20]}", literal(**{name: value}), TIME)
    yield Vector("no exp", token(exp=Gone), "never expires")
    yield Vector("expired", token(exp=int(NOW) - 31), "has expired")
    yield Vector("expired this second", token(exp=int(NOW) - 30), "has expired")
    yield Vector("exp 0", token(exp=0), "has expired")
    yield Vector("not before later", token(nbf=int(NOW) + 31), "not valid yet")
    yield Vector("issued later", token(iat=int(NOW) + 31), "in the future")
    yield Vector("issued in milliseconds", token(iat=int(NOW) * 10), "in the future")
    yield Vector("a lifetime over a day", token(iat=int(NOW), exp=int(NOW) + 86_401), "lives longer")
    yield Vector("exp in milliseconds", token(exp=int(NOW) * 100), "lives longer")
    yield Vector("no iat, a lifetime over a day", token(iat=Gone, exp=int(NOW) + 86_401), "lives longer")
    yield Vector("over before it was issued", token(iat=int(NOW) + 20, exp=int(NOW) - 20), "lives longer")


def names() -> Iterator[Vector]:
    for issuer in (
        CORP + "/",
        CORP.upper(),
        CORP + " ",
        "http" + CORP[5:],
        CORP[:-1],
        CORP + "\0",
        "",
        "https://evil.example",
    ):
        yield Vector(f"iss {issuer!r}", token(iss=issuer), "issuer is not accepted")
    yield Vector("iss without the other's slash", other(iss=OTHER[:-1]), "issuer is not accepted")
    for value in (None, 1, [CORP], {"a": CORP}, True, Gone):
        yield Vector(f"iss {value!r}", token(iss=value), "names no issuer")
    for audience in (None, Gone, 1, True, {"penstock": True}, {}, ["penstock", 1], ["penstock", None], [["penstock"]]):
        yield Vector(f"aud {audience!r}", token(aud=audience), AUDIENCE)
    for meant in (
        "",
        [],
        "other",
        ["other"],
        "Penstock",
        "penstock ",
        "penstock other",
        "xpenstock",
        ["pen", "stock"],
        "*",
    ):
        yield Vector(f"aud {meant!r}", token(aud=meant), AUDIENCE)
    for subject in (
        None,
        Gone,
        "",
        1,
        True,
        ["alice"],
        {"a": 1},
        " ",
        "a\nb",
        "a\x00",
        "\u202ealice",
        "x" * 2049,
        "a\u200b",
    ):
        yield Vector(f"sub {subject!r:.20}", token(sub=subject), SUBJECT)
    for client in (1, True, ["a"], "", "a\nb"):
        yield Vector(f"client_id {client!r}", token(client_id=client), "client is not a name")


def kinds() -> Iterator[Vector]:
    for typ in (
        "JWT",
        "jwt",
        "at_jwt",
        "at+jwt ",
        "at+jwtx",
        "",
        "id_token",
        "dpop+jwt",
        "secevent+jwt",
        "application/jwt",
    ):
        yield Vector(f"typ {typ!r}", token({"typ": typ}), TYPE)
    yield Vector("no typ", token({"typ": Gone}), TYPE)
    yield Vector("typ application/application/at+jwt", token({"typ": "application/application/at+jwt"}), TYPE)
    for kind in (None, 1, ["at+jwt"], "at+\u0130wt", "\uff41t+jwt"):
        yield Vector(f"typ {kind!r}", token({"typ": kind}), "not a media type")
    for proof in ({"jkt": "x"}, {"x5t#S256": "x"}, {}, None, "x"):
        yield Vector(f"cnf {proof!r}", token(cnf=proof), "bound to a key")
    for name in ("nonce", "at_hash", "c_hash", "s_hash"):
        yield Vector(f"an ID token, by its {name}", other(**{name: "x"}), ACCESS)
        yield Vector(f"an ID token, by its {name}, null", other(**{name: None}), ACCESS)
    yield Vector("a logout token", other(events={"http://schemas.openid.net/event/backchannel-logout": {}}), ACCESS)
    yield Vector("Keycloak's ID token", other(typ="ID", azp="x"), ACCESS)
    yield Vector("Keycloak's refresh token", other(typ="Refresh", scope="openid"), ACCESS)
    yield Vector("Cognito's ID token", other(token_use="id"), ACCESS)
    yield Vector("a kind that is no string", other(token_use=["access"]), ACCESS)
    yield Vector("neither scope nor client", other(client_id=Gone), ACCESS)
    for scope in ("", " ", None, 1, [], [1], [""], {"a": 1}):
        yield Vector(f"no client and scope {scope!r}", other(client_id=Gone, scope=scope), ACCESS)


def groups() -> Iterator[Vector]:
    unknown = "groups"
    for roles in (None, 1, True, {"admin": True}, ["a", 1], ["a", None], [["admin"]], ["a\nb"], ["a\0"], "a\u202eb"):
        yield Vector(f"roles {roles!r}", token(realm_access={"roles": roles}), unknown)
    for place in (None, "roles", ["roles"], 1):
        yield Vector(f"realm_access {place!r}", token(realm_access=place), unknown)
    yield Vector("overage", token(realm_access=Gone, _claim_names={"realm_access": "src1"}), unknown)
    yield Vector("overage beside some groups", token(_claim_names={"realm_access": "src1"}), unknown)
    yield Vector("overage in another shape", token(_claim_names=["realm_access"]), unknown)
    yield Vector("overage of groups", other(groups=Gone, _claim_names={"groups": "src1"}), unknown)
    yield Vector("overage by hasgroups", other(groups=Gone, hasgroups="true"), unknown)


VECTORS = [*signatures(), *keys(), *shapes(), *documents(), *times(), *names(), *kinds(), *groups()]


@pytest.fixture
def identity() -> Identity:
    return Identity(settings(), fetch=provider(KEYS), clock=Clock())


async def test_the_tokens_that_the_vectors_are_made_from_are_admitted(identity: Identity) -> None:
    for good in (token(), other(), literal(), raw(), token({"kid": "r2"}, rsa_key("second"))):
        caller = await identity.authenticate(bearer(good))
        assert caller.subject == "alice"


@pytest.mark.parametrize("vector", VECTORS, ids=[vector.name for vector in VECTORS])
async def test_a_hostile_token_is_refused(vector: Vector, identity: Identity) -> None:
    with pytest.raises(Refusal) as refused:
        await identity.authenticate(bearer(vector.token))
    refusal = refused.value
    assert (refusal.code, refusal.status) == ("invalid_token", 401)
    assert vector.why in refusal.message
    assert identity.recall(bearer(vector.token)) is None
    challenge = dict(refusal.headers)["WWW-Authenticate"]
    assert challenge.startswith('Bearer error="invalid_token"')
    assert vector.token not in challenge + refusal.message


@pytest.mark.parametrize("join", [" ", ",", ", ", "\t", "\n", "\u3002", "\0", "\x7f"])
async def test_two_tokens_in_one_header_are_refused(join: str, identity: Identity) -> None:
    with pytest.raises(Refusal) as refused:
        await identity.authenticate(bearer(token() + join + token(sub="bob")))
    assert refused.value.code in ("invalid_request", "invalid_token")


@pytest.mark.parametrize("dot", ["\u3002", "\uff0e", "\u2024", "%2e", "\u00b7"])
async def test_a_token_whose_dots_are_something_else_is_refused(dot: str, identity: Identity) -> None:
    with pytest.raises(Refusal):
        await identity.authenticate(bearer(token().replace(".", dot)))


async def test_no_hostile_token_makes_a_key_be_fetched_from_where_it_says(identity: Identity) -> None:
    fetch = identity._fetch
    assert isinstance(fetch, Provider)
    for vector in VECTORS:
        with pytest.raises(Refusal):
            await identity.authenticate(bearer(vector.token))
    assert fetch.fetched <= 4, "each issuer's set once, and once more for the first unknown key id"


def test_there_are_enough_vectors_and_no_two_are_the_same() -> None:
    assert len(VECTORS) >= 126
    assert len({vector.name for vector in VECTORS}) == len({vector.token for vector in VECTORS}) == len(VECTORS)
