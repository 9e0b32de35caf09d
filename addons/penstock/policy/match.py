"""The `match:` of a guardrail: exactly one kind, whichever file of `kinds/` it is in."""

from __future__ import annotations

from typing import Final

from penstock.exchange import Json, JsonObject
from penstock.policy.marked import Node
from penstock.policy.matcher import Kind, Matcher
from penstock.policy.readers import Definitions, Reader
from penstock.policy.reading import Reading, meant
from penstock.policy.shape import mapping

NAME: Final = "match"


def _kinds() -> tuple[Kind, ...]:
    # Late: `any`, `all` and `not` hold matches themselves.
    from penstock.policy.kinds import KINDS

    return KINDS


def _read(node: Node, reading: Reading) -> Matcher:
    table = mapping(node, reading, "kind: value")
    kinds = {kind.name: kind for kind in _kinds()}
    strange = [name for name in table.entries if name not in kinds]
    for name in strange:
        reading.wrong(table.entries[name].key, f"unknown kind of match '{name[:60]}'{meant(name, kinds)}")
    if not strange and len(table.entries) != 1:
        raise reading.wrong(node.mark, "a match is of exactly one kind; put several under any: or all:")
    found = [kinds[name].read(entry.node, reading) for name, entry in table.entries.items() if name in kinds]
    if strange:
        raise reading.wrong(node.mark, f"a match is one of: {', '.join(kinds)}")
    return found[0]


def _schema(definitions: Definitions) -> JsonObject:
    if NAME not in definitions:
        definitions[NAME] = None  # met again inside any, all and not
        properties: dict[str, Json] = {
            kind.name: {**kind.schema(definitions), "description": kind.doc} for kind in _kinds()
        }
        definitions[NAME] = {
            "type": "object",
            "description": "A condition of exactly one kind.",
            "properties": properties,
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        }
    return {"$ref": f"#/$defs/{NAME}"}


MATCH: Final[Reader[Matcher]] = Reader("a match (one kind)", _read, _schema)
