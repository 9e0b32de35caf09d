"""Who asks: the authenticated caller, as policy sees it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated identity. Two callers are the same person when `id` is equal."""

    issuer: str
    """Short name of the issuer from the policy (`identity.issuers[].id`), or `keys` for machine keys."""
    subject: str
    groups: frozenset[str]
    """Already prefixed by issuer; compared whole, never by substring."""
    via: str
    """How it authenticated: `oidc` or `key`."""
    expires: float
    """Unix seconds after which this identity must not be used."""
    client: str = ""
    """The OAuth client (`client_id` or `azp`) or the key's id; empty when unknown."""

    @property
    def id(self) -> str:
        return f"{self.issuer}|{self.subject}"
