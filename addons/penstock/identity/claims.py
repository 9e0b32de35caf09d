"""What a verified token says, checked: for whom it is, from when, until when, and that it is an access token."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from penstock.exchange import Json
from penstock.identity.token import Token, invalid_token, refusing
from penstock.policy.settings import Issuer

_LAST_SECOND: Final = 253_402_300_799
"""The end of the year 9999; later times are mistakes or attacks."""
_LONGEST_NAME: Final = 2048

# A token of a general type may be an ID token, a refresh token or a logout token: these claims give them away
# (OpenID Connect Core sections 2 and 3.3.2.11; RFC 8417 section 2.2).
_NOT_ACCESS: Final = frozenset({"nonce", "at_hash", "c_hash", "s_hash", "events"})
# What says so outright: Keycloak's `typ` claim, Amazon Cognito's `token_use`.
_KINDS: Final = {"typ": frozenset({"bearer", "jwt", "at+jwt"}), "token_use": frozenset({"access"})}
# RFC 9068 section 2.2 and RFC 8693 section 4.2; `scp`, `appid` and `cid` are Entra's and Okta's words for them.
_SCOPES: Final = ("scope", "scp")
_CLIENTS: Final = ("client_id", "azp", "appid", "cid")


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a token speaks for."""

    subject: str
    client: str
    expires: float
    """Unix seconds, the leeway included."""


@refusing
def check(token: Token, issuer: Issuer, now: float) -> Holder:
    """Check every claim that matters; `Refusal("invalid_token")` unless all of them hold at `now`."""
    if token.issuer != issuer.issuer:
        raise invalid_token("The token's issuer is not accepted.")
    _bearer(token, issuer)
    _audience(token.claims.get("aud"), issuer)
    return Holder(_subject(token.claims.get("sub")), _client(token, issuer), _expires(token, issuer, now))


def _bearer(token: Token, issuer: Issuer) -> None:
    if token.type not in issuer.types:
        raise invalid_token("The token is not of an accepted type.")
    # RFC 7800, RFC 8705, RFC 9449: bound to a key that nobody proves to hold here.
    if "cnf" in token.claims:
        raise invalid_token("The token is bound to a key and needs a proof that is not accepted here.")
    if token.type == "jwt":
        _access_token(token, issuer)


def _access_token(token: Token, issuer: Issuer) -> None:
    claims = token.claims
    for name, kinds in _KINDS.items():
        kind = claims.get(name, "")
        if name in claims and not (isinstance(kind, str) and kind.lower() in kinds):
            raise invalid_token("The token is not an access token.")
    if claims.keys() & _NOT_ACCESS:
        raise invalid_token("The token is not an access token.")
    if not any(_words(claims.get(name)) for name in _SCOPES) and not _client(token, issuer):
        raise invalid_token("The token has neither scope nor client_id: an access token is needed.")


def _words(scope: Json) -> bool:
    if isinstance(scope, list):
        return bool(scope) and all(isinstance(word, str) and word for word in scope)
    return isinstance(scope, str) and bool(scope.strip())


def _audience(audience: Json, issuer: Issuer) -> None:
    members = audience if isinstance(audience, list) else [audience]
    if not all(isinstance(member, str) for member in members):
        raise invalid_token("The token's audience is neither a string nor a list of strings.")
    if not any(member in issuer.audiences for member in members):
        raise invalid_token("The token is meant for another audience.")


def _subject(subject: Json) -> str:
    if not isinstance(subject, str) or not _nameable(subject):
        raise invalid_token("The token names no subject.")
    return subject


def _nameable(name: str) -> bool:
    """Whether a name can stand in a policy and in an audit: something visible, nothing that hides or moves text."""
    return 0 < len(name) <= _LONGEST_NAME and name.isprintable() and not name.isspace()


def _client(token: Token, issuer: Issuer) -> str:
    for name in (issuer.client_claim,) if issuer.client_claim else _CLIENTS:
        client = token.claims.get(name)
        if client is None:
            continue
        if not isinstance(client, str) or not _nameable(client):
            raise invalid_token("The token's client is not a name.")
        return client
    return ""


def _expires(token: Token, issuer: Issuer, now: float) -> float:
    if "exp" not in token.claims:
        raise invalid_token("The token never expires.")
    times = dict(_times(token))
    expires, issued = times["exp"], times.get("iat", now)
    if now >= expires + issuer.leeway:
        raise invalid_token("The token has expired.")
    if issued > now + issuer.leeway:
        raise invalid_token("The token was issued in the future.")
    if times.get("nbf", now) > now + issuer.leeway:
        raise invalid_token("The token is not valid yet.")
    if not -issuer.leeway < expires - issued <= issuer.max_lifetime:
        raise invalid_token("The token lives longer than is accepted.")
    return expires + issuer.leeway


def _times(token: Token) -> Iterator[tuple[str, float]]:
    for name in ("exp", "iat", "nbf"):
        if name not in token.claims:
            continue
        value = token.claims[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LAST_SECOND:
            raise invalid_token(f"The token's {name} is not a time.")
        yield name, float(value)
