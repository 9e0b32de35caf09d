"""What an approval is bound to: a digest of the caller and of exactly what will be sent to the model."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from penstock.approvals.ticket import Summary
from penstock.caller import Caller
from penstock.policy.settings import ApprovalRule

# Told apart from every other hash of the project, and to be counted up when a field is added.
_REQUEST: Final = b"penstock approval of a request v1"
_SCOPE: Final = b"penstock approval of a scope v1"
_NAME: Final = 256


@dataclass(frozen=True, slots=True)
class Held:
    """A request that a rule holds, as it would be forwarded."""

    exchange: str
    caller: Caller
    method: str
    upstream: str
    path: str
    """The normalised path, with the query when there is one."""
    operation: str
    model: str | None
    body: bytes
    """Exactly the bytes that will be sent: masked, clamped and emitted again."""
    policy: str
    """Hash of the policy that holds it: an approval under another policy is none."""
    rules: tuple[str, ...]
    """Ids of the rules that hold it."""
    message: str = ""
    prompt: str = ""
    """What approvers read: every text of the request, "role: text" a line."""

    def summary(self) -> Summary:
        """What approvers see; a name of absurd length is cut there, never in the digest."""
        return Summary(
            self.method,
            self.upstream,
            _cut(self.path),
            self.operation,
            None if self.model is None else _cut(self.model),
            self.rules,
            self.message,
            self.prompt,
        )


def _cut(name: str) -> str:
    return name if len(name) <= _NAME else f"{name[:_NAME]}…"


def digest(held: Held, rule: ApprovalRule) -> str:
    """SHA-256 (hexadecimal) over who asks and what would be sent; no two different requests share it.

    Each field is written with its length before it, so that no text can run over into its neighbour.
    """
    return _hash(
        _REQUEST,
        held.caller.issuer,
        held.caller.subject,
        held.method,
        held.upstream,
        held.path,
        held.model,
        held.body,
        held.policy,
        rule.id,
    )


def binding(held: Held, rule: ApprovalRule) -> str:
    """What a grant serves: this very request, or with `grant_for` whatever shares the rule's scope.

    A scope always holds the caller, the approval rule and the policy: a grant for a time is never one for other people.
    """
    if rule.grant_for is None:
        return digest(held, rule)
    rules = sorted(held.rules) if "rule" in rule.grant_scope else []
    return _hash(_SCOPE, held.caller.issuer, held.caller.subject, held.policy, rule.id, *rules)


def _hash(*fields: str | bytes | None) -> str:
    sha = hashlib.sha256()
    for value in fields:
        if value is None:
            sha.update(b"-")
            continue
        data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
        sha.update(b"%d:" % len(data))
        sha.update(data)
    return sha.hexdigest()
