"""The JSON Schema says what the loader reads, because both follow the same tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from penstock.policy.format import FILE, RECORDS
from penstock.policy.kinds import KINDS
from penstock.policy.marked import Table, compose
from penstock.policy.schema import schema
from penstock.policy.shape import REQUIRED


def definitions() -> dict[str, Any]:
    found: Any = schema()["$defs"]
    return dict(found)


def test_every_record_of_the_format_is_in_the_schema_with_its_keys() -> None:
    found = definitions() | {FILE.name: schema()}
    assert {record.name for record in RECORDS} | {"match"} == found.keys()
    for record in RECORDS:
        described = found[record.name]
        assert list(described["properties"]) == [key.name for key in record.keys], record.name
        assert described.get("required", []) == [key.name for key in record.keys if key.default is REQUIRED]
        assert described["additionalProperties"] is False


def test_every_kind_of_match_is_in_the_schema() -> None:
    match = definitions()["match"]
    assert list(match["properties"]) == [kind.name for kind in KINDS]
    assert (match["minProperties"], match["maxProperties"]) == (1, 1)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_every_reference_leads_to_a_definition() -> None:
    names = definitions()
    for reference in references(schema()):
        assert reference.removeprefix("#/$defs/") in names


def test_the_schema_is_json_and_every_key_is_described() -> None:
    assert json.loads(json.dumps(schema())) == schema()
    for record in RECORDS:
        for key in record.keys:
            assert key.doc.endswith((".", "`")), (record.name, key.name)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_no_two_records_share_a_name_and_no_two_keys_of_one(record: Any) -> None:
    assert sum(other.name == record.name for other in RECORDS) == 1
    names = [key.name for key in record.keys]
    assert len(names) == len(set(names))


def fits(described: Any, value: Any, names: dict[str, Any]) -> bool:
    """A validator of just the words that our schema uses."""
    if "$ref" in described:
        return fits(names[described["$ref"].removeprefix("#/$defs/")], value, names)
    if "not" in described:
        return False
    if "anyOf" in described:
        return any(fits(one, value, names) for one in described["anyOf"])
    if "enum" in described:
        return value in described["enum"]
    types: Any = described.get("type", [])
    kinds: dict[str, Any] = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
    }
    if types and not any(isinstance(value, kinds[one]) for one in ([types] if isinstance(types, str) else types)):
        return False
    if isinstance(value, dict):
        properties, other = described.get("properties", {}), described.get("additionalProperties", True)
        if any(name not in value for name in described.get("required", [])):
            return False
        inner = [(properties.get(name, other), each) for name, each in value.items()]
        return all(one is True or (one is not False and fits(one, each, names)) for one, each in inner)
    if isinstance(value, list):
        return all(fits(described.get("items", {}), each, names) for each in value)
    return True


def test_the_rules_that_ship_fit_the_schema(shipped: dict[str, bytes]) -> None:
    from pathlib import Path

    from penstock.policy.readers import JSON
    from penstock.policy.reading import Reading

    names = definitions()
    for name, data in shipped.items():
        node = compose(name, data, [])
        assert isinstance(node, Table)
        value = JSON.read(node, Reading(Path(), {}, 0.0))
        assert fits(schema(), value, names), name
        assert isinstance(value, dict)
        assert not fits(schema(), {**value, "gruntz": []}, names)
