"""One spelling of what a policy says, whatever its comments and layout, to be hashed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from penstock.detect.value import Detector
from penstock.exchange import Json
from penstock.policy.settings import Secret


def fingerprint(value: object) -> str:
    """SHA-256 of the canonical form: 64 hexadecimal digits."""
    text = json.dumps(canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def canonical(value: Any) -> Json:
    """A JSON value that is equal exactly when the two say the same.

    Of a dataclass its name and the fields that count in comparisons; of a secret what it refers to, never its value;
    of a detector its name (what a policy's own detector looks for stands in the policy beside it).
    """
    match value:
        case None | bool() | int() | float():
            return value
        case Enum():
            return canonical(value.value)
        case str():
            return str(value)
        case Secret():
            return {"secret": value.source}
        case Detector():
            return {"detector": value.name}
        case Path():
            return str(value)
        case Mapping():
            return {str(key): canonical(inner) for key, inner in value.items()}
        case tuple() | list():
            return [canonical(inner) for inner in value]
        case frozenset():
            return sorted((canonical(inner) for inner in value), key=lambda inner: json.dumps(inner, sort_keys=True))
        case _ if is_dataclass(value):
            kept = {part.name: canonical(getattr(value, part.name)) for part in fields(value) if part.compare}
            return {"is": type(value).__name__, **kept}
        case _:
            raise TypeError(f"no canonical form of {type(value).__name__}")
