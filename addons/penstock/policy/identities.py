"""The part of the policy that says who may be a caller: issuers of tokens, and machine keys."""

from __future__ import annotations

import re
from typing import Final, get_args
from urllib.parse import urlsplit

from penstock.policy.amounts import TIMESTAMP, duration
from penstock.policy.places import SECURE_URL
from penstock.policy.readers import ANY_TEXT, GROUP, TEXT, Reader, choice, declared, worded
from penstock.policy.settings import Algorithm, GroupClaim, Issuer, MachineKey
from penstock.policy.shape import Fields, Key, Record, listed

_ALGORITHMS: Final[Reader[str]] = choice(*get_args(Algorithm.__value__), of="algorithm")


def _claim_path(text: str) -> str | None:
    """A dotted path, or a JSON Pointer (RFC 6901)."""
    if text.startswith("/"):
        return text if re.fullmatch(r"(/([^~]|~[01])+)+", text) else None
    return text if text and all(text.split(".")) else None


_CLAIM: Final[Reader[str]] = worded("a claim path (a.b.c, or a JSON Pointer /a/b~1c)", _claim_path, {"type": "string"})


def _type(text: str) -> str | None:
    lowered = text.lower().removeprefix("application/")
    return lowered if re.fullmatch(r"[a-z0-9.+-]{1,64}", lowered) else None


_TYPE: Final[Reader[str]] = worded("a token type (at+jwt, JWT)", _type, {"type": "string"})

# groups of an issuer

CLAIM: Final = Key("claim", _CLAIM, "Where the groups are in the token.")
DELIMITER: Final[Key[str | None]] = Key("delimiter", ANY_TEXT, "Splits a claim that is one string.", None, "a list")
PREFIX: Final = Key("prefix", ANY_TEXT, "Put before each group, to keep issuers apart.", "", "nothing")


def _group_claim(fields: Fields) -> GroupClaim:
    if fields[DELIMITER] == "":
        raise fields.wrong(DELIMITER, "an empty delimiter splits nothing: name the character between two groups")
    return GroupClaim(fields[CLAIM], fields[DELIMITER], fields[PREFIX])


GROUP_CLAIM: Final = Record("group_claim", "Where a token's groups are.", (CLAIM, DELIMITER, PREFIX), _group_claim)

# issuers

ISSUER_ID: Final[Key[str | None]] = Key(
    "id", declared("issuer"), "Short name: the first part of a caller's id.", None, "the host of the URL"
)
ISSUER_URL: Final = Key("issuer", SECURE_URL, "The exact `iss` of its tokens.")
AUDIENCES: Final = Key("audiences", listed(TEXT), "Accepted `aud` values: this gateway's names at the issuer.")
ALGORITHMS: Final = Key("algorithms", listed(_ALGORITHMS), "Accepted signature algorithms.")
GROUPS_CLAIM: Final[Key[GroupClaim | None]] = Key(
    "groups", GROUP_CLAIM.reader, "Where the caller's groups are.", None, "no groups"
)
TYPES: Final = Key(
    "types",
    listed(_TYPE),
    "Accepted `typ` headers. With `JWT`, scope or client_id is required.",
    ("at+jwt",),
    "[at+jwt]",
)
JWKS_URI: Final[Key[str | None]] = Key("jwks_uri", SECURE_URL, "Where its keys are.", None, "found by discovery")
LEEWAY: Final = Key("leeway", duration("0s", "5m"), "Tolerated difference of clocks.", 30.0, "30s")
MAX_LIFETIME: Final = Key("max_lifetime", duration("1m", "31d"), "Tokens that live longer are refused.", 86_400.0, "1d")
CLIENT_CLAIM: Final[Key[str | None]] = Key(
    "client_claim", TEXT, "The claim that names the client.", None, "client_id, else azp"
)


def _issuer(fields: Fields) -> Issuer:
    name = fields[ISSUER_ID]
    if name is None:
        name = urlsplit(fields[ISSUER_URL]).hostname or ""
        fields.reading.declare("issuer", name, fields.at(ISSUER_URL))
    if name == "keys":
        raise fields.wrong(ISSUER_ID, "the issuer id 'keys' stands for machine keys: choose another")
    return Issuer(
        id=name,
        issuer=fields[ISSUER_URL],
        audiences=fields[AUDIENCES],
        algorithms=fields[ALGORITHMS],
        groups=fields[GROUPS_CLAIM],
        types=fields[TYPES],
        jwks_uri=fields[JWKS_URI],
        leeway=fields[LEEWAY],
        max_lifetime=fields[MAX_LIFETIME],
        client_claim=fields[CLIENT_CLAIM],
    )


ISSUER: Final = Record(
    "issuer",
    "An OpenID provider whose access tokens are accepted.",
    (
        ISSUER_ID,
        ISSUER_URL,
        AUDIENCES,
        ALGORITHMS,
        GROUPS_CLAIM,
        TYPES,
        JWKS_URI,
        LEEWAY,
        MAX_LIFETIME,
        CLIENT_CLAIM,
    ),
    _issuer,
)

# machine keys


def _sha256(text: str) -> str | None:
    return text.lower() if re.fullmatch(r"[0-9A-Fa-f]{64}", text) else None


KEY_ID: Final = Key("id", declared("key"), "Name of the key, for the audit.")
SHA256: Final[Key[str]] = Key(
    "sha256",
    worded("64 hexadecimal digits", _sha256, {"type": "string", "pattern": "^[0-9A-Fa-f]{64}$"}),
    'SHA-256 of the key: `printf %s "$KEY" | sha256sum`.',
)
SUBJECT: Final = Key("subject", TEXT, "Whom the key stands for: `svc:batch`.")
KEY_GROUPS: Final = Key("groups", listed(GROUP), "Groups of the key, as grants name them.")
EXPIRES: Final = Key("expires", TIMESTAMP, "Refused from then on.")


def _machine_key(fields: Fields) -> MachineKey:
    if fields[EXPIRES] <= fields.reading.now:
        fields.reading.warn(fields.at(EXPIRES), f"the machine key '{fields[KEY_ID]}' has expired: replace or remove it")
    return MachineKey(fields[KEY_ID], fields[SHA256], fields[SUBJECT], frozenset(fields[KEY_GROUPS]), fields[EXPIRES])


MACHINE_KEY: Final = Record(
    "machine_key",
    "A key of a machine: only a hash of it is kept, and it expires.",
    (KEY_ID, SHA256, SUBJECT, KEY_GROUPS, EXPIRES),
    _machine_key,
)

# identity

ISSUERS: Final = Key("issuers", listed(ISSUER.reader), "Providers whose tokens are accepted.", (), "none")
KEYS: Final = Key("keys", listed(MACHINE_KEY.reader), "Machine keys.", (), "none")
RESOURCE: Final[Key[str | None]] = Key(
    "resource", SECURE_URL, "This gateway's own URL, for clients that look for its provider.", None, "from the request"
)


def _identity(fields: Fields) -> Fields:
    return fields


IDENTITY: Final = Record("identity", "Who may be a caller at all.", (ISSUERS, KEYS, RESOURCE), _identity)
IDENTITY_KEY: Final[Key[Fields | None]] = Key(
    "identity", IDENTITY.reader, "Who may be a caller at all.", None, "nobody"
)
