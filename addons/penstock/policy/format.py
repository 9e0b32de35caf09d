"""The format of a policy's files: the keys that each may hold, and every record below them."""

from __future__ import annotations

from typing import Any, Final

from penstock.policy import (
    approvals,
    detectors,
    gateway,
    grants,
    guardrails,
    identities,
    limits,
    masks,
    packs,
    parameters,
    scope,
)
from penstock.policy.kinds import field, length
from penstock.policy.readers import whole
from penstock.policy.shape import Fields, Key, Record

VERSION: Final[Key[int | None]] = Key(
    "version", whole(1, 1), "Version of the format; one file must say it.", None, "must be given"
)


FILE: Final[Record[Fields]] = Record(
    "policy",
    "A file of the policy. Every file may hold any of these keys; lists of several files are joined by file name.",
    (
        VERSION,
        gateway.LISTEN_KEY,
        gateway.DATA_KEY,
        gateway.UPSTREAMS_KEY,
        gateway.LIMITS_KEY,
        gateway.HOLD_KEY,
        identities.IDENTITY_KEY,
        grants.GRANTS_KEY,
        guardrails.GUARDRAILS_KEY,
        packs.PACKS_KEY,
        masks.MASKING_KEY,
        detectors.DETECTORS_KEY,
        approvals.APPROVALS_KEY,
    ),
    lambda fields: fields,
)

# Every record of the format, in the order of the reference.
RECORDS: Final[tuple[Record[Any], ...]] = (
    FILE,
    gateway.LISTEN,
    gateway.UPSTREAM_RECORD,
    gateway.CREDENTIAL,
    gateway.TIMEOUTS,
    gateway.LIMITS,
    identities.IDENTITY,
    identities.ISSUER,
    identities.GROUP_CLAIM,
    identities.MACHINE_KEY,
    grants.GRANT,
    parameters.BOUNDS,
    limits.QUOTA,
    guardrails.GUARDRAIL,
    scope.WHEN,
    guardrails.HOLD_FOR,
    length.RECORD,
    field.RECORD,
    packs.USE,
    masks.MASKING,
    masks.STYLE,
    masks.PARTIAL,
    masks.HASH,
    masks.TOKEN,
    detectors.OWN,
    approvals.APPROVAL,
    approvals.APPROVERS,
    approvals.REACH,
)
