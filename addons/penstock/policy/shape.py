"""Shapes of values: records with named keys, lists and mappings; what reads the policy also describes it.

A `Record` is a table of `Key`s. The loader, the did-you-mean suggestions, the JSON Schema and the test of the
reference all follow the same table, so that none of them can say something else than the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Literal

from penstock.exchange import Json, JsonObject
from penstock.policy.marked import Items, Mark, Node, Scalar, Table
from penstock.policy.readers import Definitions, Reader
from penstock.policy.reading import Noun, Reading, Unread, meant, shown


class Must(Enum):
    """Stands for the default of a key that has none."""

    BE_GIVEN = "required"


REQUIRED: Final = Must.BE_GIVEN


@dataclass(frozen=True, slots=True)
class Key[T]:
    """A key of a record."""

    name: str
    reader: Reader[T]
    doc: str
    default: T | Literal[Must.BE_GIVEN] = REQUIRED
    otherwise: str = ""
    """The default in words, where the value itself says little."""


class Fields:
    """The values of one record that was read, typed by its keys."""

    __slots__ = ("_entries", "_values", "mark", "reading")

    def __init__(self, table: Table, values: Mapping[str, object], reading: Reading) -> None:
        self.mark = table.mark
        self.reading = reading
        self._entries = table.entries
        self._values = values

    def __getitem__[T](self, key: Key[T]) -> T:
        value: Any = self._values[key.name]
        return value  # type: ignore[no-any-return]

    def at(self, key: Key[Any]) -> Mark:
        """Where the key's value stands, or the record when it is left out."""
        entry = self._entries.get(key.name)
        return entry.node.mark if entry is not None else self.mark

    def given(self, key: Key[Any]) -> bool:
        return key.name in self._entries

    def wrong(self, key: Key[Any], message: str) -> Unread:
        return self.reading.wrong(self.at(key), message)


@dataclass(frozen=True, slots=True)
class Record[T]:
    """A mapping with known keys, and what it makes."""

    name: str
    """As the schema's definitions and the reference call it."""
    doc: str
    keys: tuple[Key[Any], ...]
    make: Callable[[Fields], T]
    """Called when every key could be read; may raise Unread for what is wrong between keys."""

    @property
    def reader(self) -> Reader[T]:
        return Reader(f"a mapping ({self.name})", self.read, self.schema)

    def read(self, node: Node, reading: Reading) -> T:
        return self.make(self.fields(node, reading))

    def fields(self, node: Node, reading: Reading) -> Fields:
        """The values alone; every problem of every key is noted before Unread is raised."""
        table = mapping(node, reading, self.name)
        complete = self.known(table, reading)
        values: dict[str, object] = {}
        for key in self.keys:
            entry = table.entries.get(key.name)
            if entry is None:
                complete &= key.default is not REQUIRED
                if key.default is REQUIRED:
                    reading.wrong(table.mark, f"{self.name}: key '{key.name}' is missing ({key.reader.title})")
                values[key.name] = key.default
                continue
            try:
                values[key.name] = key.reader.read(entry.node, reading)
            except Unread:
                complete = False
        if not complete:
            raise Unread(self.name)
        return Fields(table, values, reading)

    def known(self, table: Table, reading: Reading) -> bool:
        """Whether every key of the table is one of the record's; each other one is a problem."""
        names = [key.name for key in self.keys]
        strange = [name for name in table.entries if name not in names]
        for name in strange:
            reading.wrong(table.entries[name].key, f"unknown key '{name[:60]}'{meant(name, names)}")
        return not strange

    def schema(self, definitions: Definitions) -> JsonObject:
        if self.name not in definitions:
            definitions[self.name] = None  # met again while it is being made, it is only referred to
            definitions[self.name] = self.description(definitions)
        return {"$ref": f"#/$defs/{self.name}"}

    def description(self, definitions: Definitions) -> JsonObject:
        """The JSON Schema of the record itself."""
        properties: dict[str, Json] = {
            key.name: {**key.reader.schema(definitions), "description": key.doc} for key in self.keys
        }
        required: list[Json] = [key.name for key in self.keys if key.default is REQUIRED]
        schema: JsonObject = {
            "type": "object",
            "description": self.doc,
            "properties": properties,
            "additionalProperties": False,
        }
        return {**schema, "required": required} if required else schema


def mapping(node: Node, reading: Reading, expected: str) -> Table:
    """The node as a mapping."""
    if not isinstance(node, Table):
        raise reading.wrong(node.mark, f"expected a mapping ({expected}), not {shown(node)}")
    return node


def listed[T](item: Reader[T], *, empty: bool = False) -> Reader[tuple[T, ...]]:
    """A list; the same single value twice in it is a problem."""
    title = f"a list of: {item.title}"

    def read(node: Node, reading: Reading) -> tuple[T, ...]:
        if not isinstance(node, Items):
            hint = f": write [{node.text}]" if isinstance(node, Scalar) and len(node.text) < 40 else ""
            raise reading.wrong(node.mark, f"expected a list, not {shown(node)}{hint}")
        if not node.items and not empty:
            raise reading.wrong(node.mark, "the list is empty: name something or remove the key")
        values = [value for member in node.items for value in _attempt(item, member, reading)]
        complete = len(values) == len(node.items)
        if not complete or _repeats(node, reading):
            raise Unread(title)
        return tuple(values)

    def schema(definitions: Definitions) -> JsonObject:
        array: JsonObject = {"type": "array", "items": item.schema(definitions)}
        return array if empty else {**array, "minItems": 1}

    return Reader(title, read, schema)


def _attempt[T](reader: Reader[T], node: Node, reading: Reading) -> list[T]:
    try:
        return [reader.read(node, reading)]
    except Unread:
        return []


def _repeats(node: Items, reading: Reading) -> bool:
    seen: set[str] = set()
    repeats = False
    for member in node.items:
        if isinstance(member, Scalar):
            if member.text in seen:
                reading.wrong(member.mark, f"'{member.text[:60]}' is in this list twice: keep one")
                repeats = True
            seen.add(member.text)
    return repeats


def mapped[T](value: Reader[T], *, noun: Noun | None = None, names: Reader[str] | None = None) -> Reader[dict[str, T]]:
    """A mapping of names that the author chooses; with `noun`, each name is declared as one."""
    title = f"a mapping of names to: {value.title}"

    def read(node: Node, reading: Reading) -> dict[str, T]:
        table = mapping(node, reading, "name: value")
        values: dict[str, T] = {}
        for name, entry in table.entries.items():
            key = Scalar(entry.key, name, plain=False)
            named = _attempt(names, key, reading) if names is not None else [name]
            if noun is not None:
                reading.declare(noun, name, entry.key)
            for found in _attempt(value, entry.node, reading) if named else ():
                values[name] = found
        if len(values) != len(table.entries):
            raise Unread(title)
        return values

    def schema(definitions: Definitions) -> JsonObject:
        return {"type": "object", "additionalProperties": value.schema(definitions)}

    return Reader(title, read, schema)


def refused(name: str, message: str) -> Key[None]:
    """A key that people may expect, and that says why it is not there."""

    def read(node: Node, reading: Reading) -> None:
        raise reading.wrong(node.mark, message)

    return Key(name, Reader("not available", read, lambda _: {"not": {}}), f"Not available: {message}.", None, "not")


def either[S, T](word: Reader[S], other: Reader[T]) -> Reader[S | T]:
    """A single value read one way, anything else read another way."""
    title = f"{word.title}; or {other.title}"

    def read(node: Node, reading: Reading) -> S | T:
        return word.read(node, reading) if isinstance(node, Scalar) else other.read(node, reading)

    def schema(definitions: Definitions) -> JsonObject:
        return {"anyOf": [word.schema(definitions), other.schema(definitions)]}

    return Reader(title, read, schema)
