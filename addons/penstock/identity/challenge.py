"""What a refused caller is told: RFC 6750 challenges, and RFC 9728 metadata that says where tokens come from."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from penstock.errors import Refusal
from penstock.exchange import JsonObject
from penstock.policy.settings import IdentitySettings

METADATA_PATH: Final = "/.well-known/oauth-protected-resource"

# RFC 6750 section 3.1. A caller without any credential gets a bare challenge: no error, no description.
_ERRORS: Final = {
    "invalid_token": "invalid_token",
    "invalid_request": "invalid_request",
    "not_granted": "insufficient_scope",
}
_CHALLENGED: Final = frozenset({"no_credential", *_ERRORS})
# RFC 6750 section 3: the characters that error_description may have.
_UNDESCRIBED: Final = re.compile(r"[^ !#-\[\]-~]")


def challenged(refusal: Refusal, resource: str = "") -> Refusal:
    """The refusal with the `WWW-Authenticate` that RFC 6750 asks for, if it asks for one.

    `resource` is this gateway's base URL, or empty when nobody knows it.
    """
    if refusal.code not in _CHALLENGED:
        return refusal
    header = ("WWW-Authenticate", "Bearer " + ", ".join(_parameters(refusal, resource)))
    return Refusal(refusal.code, refusal.message, refusal.status, (*refusal.headers, header), refusal.advice)


def _parameters(refusal: Refusal, resource: str) -> list[str]:
    parameters = []
    if refusal.code in _ERRORS:
        description = _UNDESCRIBED.sub("'", refusal.message)
        parameters += [f'error="{_ERRORS[refusal.code]}"', f'error_description="{description}"']
    if resource:
        parameters.append(f'resource_metadata="{metadata_url(resource)}"')
    return parameters or ['realm="penstock"']


def metadata_url(resource: str) -> str:
    """Where a resource's metadata is: the well-known path goes before the resource's own (RFC 9728 section 3.1)."""
    url = urlsplit(resource)
    return f"{url.scheme}://{url.netloc}{METADATA_PATH}{url.path.rstrip('/')}"


def protected_resource(settings: IdentitySettings, resource: str) -> JsonObject:
    """The RFC 9728 document for `resource`; `Refusal("unknown_endpoint")` when that is not known."""
    if not resource:
        raise Refusal("unknown_endpoint", "This gateway publishes no resource metadata.")
    return {
        "resource": resource,
        "resource_name": "Penstock",
        "authorization_servers": [issuer.issuer for issuer in settings.issuers],
        "bearer_methods_supported": ["header"],
    }
