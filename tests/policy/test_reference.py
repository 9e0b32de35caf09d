"""REFERENCE.md says what the loader reads: every record, key, type and default."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock import policy
from penstock.detect.detector import DETECTORS
from penstock.exchange import Operation
from penstock.policy import cases, format, packs
from penstock.policy.kinds import KINDS
from penstock.policy.shape import REQUIRED, Key, Record

REFERENCE = Path(policy.__file__).with_name("REFERENCE.md").read_text(encoding="utf-8")
RECORDS: tuple[Record[Any], ...] = (*format.RECORDS, *packs.RECORDS, *cases.RECORDS)


def row(key: Key[Any]) -> str:
    """The line of the reference about a key; a test that fails shows the line to put there."""
    default = "**required**" if key.default is REQUIRED else key.otherwise or str(key.default)
    cells = (f"`{key.name}`", key.reader.title, default, key.doc)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def section(name: str) -> str:
    assert f"\n### {name}\n" in REFERENCE, name
    return REFERENCE.split(f"\n### {name}\n")[1].split("\n### ")[0].split("\n## ")[0]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_every_key_stands_in_its_section_with_type_and_default(record: Record[Any]) -> None:
    found = [line for line in section(record.name).splitlines() if line.startswith("| `")]
    assert found == [row(key) for key in record.keys]


def test_no_section_is_about_something_that_is_gone() -> None:
    names = {line.removeprefix("### ") for line in REFERENCE.splitlines() if line.startswith("### ")}
    assert names == {record.name for record in RECORDS} | {"match"}


def test_every_kind_of_match_is_there_with_its_example() -> None:
    text = section("match")
    for kind in KINDS:
        assert f"| `{kind.name}` | {kind.doc} | `{kind.example}` |".replace("\\", "\\") in text


def test_every_built_in_detector_and_operation_is_named() -> None:
    for known in DETECTORS:
        assert f"`{known.name}`" in REFERENCE
    for operation in Operation:
        assert operation.value in section("grant")
