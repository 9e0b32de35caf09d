"""The JSON Schema of the policy's files, drawn from the tables that the loader reads by."""

from __future__ import annotations

from typing import Final

from penstock.exchange import Json, JsonObject
from penstock.policy.format import FILE

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema() -> JsonObject:
    """For editors: keys, types and descriptions. What holds between keys and files only the loader checks."""
    definitions: dict[str, Json] = {}
    file = FILE.description(definitions)
    return {"$schema": DRAFT, "title": "Penstock policy file", **file, "$defs": definitions}
