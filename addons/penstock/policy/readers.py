"""Typed readers of single values: each turns a marked node into one typed value, or notes what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from penstock.exchange import Json, JsonObject
from penstock.policy.marked import Items, Node, Scalar
from penstock.policy.reading import Noun, Reading, meant, scalar, shown
from penstock.policy.secrets import expand
from penstock.policy.settings import Secret

type Definitions = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Reader[T]:
    """How one type of value is read, what it is called, and its JSON Schema."""

    title: str
    """What the reference and messages call it: `a duration (5s, 10m, 2h)`."""
    read: Callable[[Node, Reading], T]
    """Raises Unread, with the problem noted."""
    schema: Callable[[Definitions], JsonObject]


def worded[T](title: str, parse: Callable[[str], T | str | None], schema: JsonObject) -> Reader[T]:
    """A reader of text values. `parse` gives the value, None when the text does not fit, or raises ValueError."""

    def read(node: Node, reading: Reading) -> T:
        given = scalar(node, reading, title)
        try:
            value = parse(given.text) if given.value is not None else None
        except ValueError as error:
            raise reading.wrong(node.mark, str(error)) from None
        if value is None:
            raise reading.wrong(node.mark, f"expected {title}, not {shown(node)}")
        return value  # type: ignore[return-value]

    return Reader(title, read, lambda _: dict(schema))


# Texts


def _text(node: Node, reading: Reading) -> str:
    given = scalar(node, reading, "text")
    if not isinstance(given.value, str):
        raise reading.wrong(node.mark, f"expected text, not {shown(node)}: put it in quotes")
    if not given.text.strip():
        raise reading.wrong(node.mark, "expected text, not an empty one")
    return given.text


TEXT: Final = Reader("text", _text, lambda _: {"type": "string", "minLength": 1})


def _any_text(node: Node, reading: Reading) -> str:
    given = scalar(node, reading, "text")
    if not isinstance(given.value, str):
        raise reading.wrong(node.mark, f"expected text, not {shown(node)}: put it in quotes")
    return given.text


ANY_TEXT: Final = Reader("text, empty too", _any_text, lambda _: {"type": "string"})


def _boolean(node: Node, reading: Reading) -> bool:
    given = scalar(node, reading, "true or false")
    if not isinstance(given.value, bool):
        raise reading.wrong(node.mark, f"expected true or false, not {shown(node)}")
    return given.value


BOOLEAN: Final = Reader("true or false", _boolean, lambda _: {"type": "boolean"})

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")
_ID_TITLE: Final = "a name (letters, digits, '_', '.', '-'; at most 64)"
_ID_SCHEMA: Final[JsonObject] = {"type": "string", "pattern": r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"}


def _id(node: Node, reading: Reading) -> str:
    text = _text(node, reading)
    if not _ID.match(text):
        raise reading.wrong(node.mark, f"expected {_ID_TITLE}, not {shown(node)}")
    return text


ID: Final = Reader(_ID_TITLE, _id, lambda _: dict(_ID_SCHEMA))


def declared(noun: Noun) -> Reader[str]:
    """A name that from here on stands for a thing, once."""

    def read(node: Node, reading: Reading) -> str:
        name = _id(node, reading)
        reading.declare(noun, name, node.mark)
        return name

    return Reader(_ID_TITLE, read, lambda _: dict(_ID_SCHEMA))


def reference(noun: Noun) -> Reader[str]:
    """The name of a thing declared elsewhere in the policy."""

    def read(node: Node, reading: Reading) -> str:
        name = _text(node, reading)
        reading.refer(noun, name, node.mark)
        return name

    article = "an" if noun[0] in "aeiou" else "a"
    return Reader(f"the name of {article} {noun}", read, lambda _: {"type": "string", "minLength": 1})


def _group(node: Node, reading: Reading) -> str:
    text = _text(node, reading)
    if text != text.strip():
        raise reading.wrong(node.mark, f"group '{text}' begins or ends with a space")
    if "*" in text:
        raise reading.wrong(node.mark, f"group '{text}': groups are compared whole, '*' stands for nothing; name each")
    return text


GROUP: Final = Reader("a group, as issuers give it with their prefix", _group, lambda _: {"type": "string"})


def _person(node: Node, reading: Reading) -> str:
    text = _text(node, reading)
    issuer, bar, subject = text.partition("|")
    if not bar or not issuer or not subject or "*" in text:
        raise reading.wrong(node.mark, f"expected a caller 'issuer|subject', whole, not {shown(node)}")
    return text


PERSON: Final = Reader("a caller, `issuer|subject`", _person, lambda _: {"type": "string", "pattern": r"^[^|]+\|.+$"})


def choice[T: str](*names: T, of: str) -> Reader[T]:
    """One of a few words."""
    title = f"{of}: {', '.join(names)}" if len(names) > 1 else f"{of}: {names[0]}"

    def read(node: Node, reading: Reading) -> T:
        given = scalar(node, reading, title)
        for name in names:
            if given.text == name:
                return name
        raise reading.wrong(node.mark, f"unknown {of} '{given.text[:60]}'{meant(given.text, names)}")

    return Reader(title, read, lambda _: {"enum": list(names)})


# Numbers


def whole(low: int, high: int) -> Reader[int]:
    """A whole number from `low` to `high`."""
    title = f"a whole number, {low} to {high}"

    def read(node: Node, reading: Reading) -> int:
        value = scalar(node, reading, title).value
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise reading.wrong(node.mark, f"expected {title}, not {shown(node)}")
        return value

    return Reader(title, read, lambda _: {"type": "integer", "minimum": low, "maximum": high})


def _number(node: Node, reading: Reading) -> int | float:
    value = scalar(node, reading, "a number").value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise reading.wrong(node.mark, f"expected a number, not {shown(node)}")
    return value


NUMBER: Final[Reader[int | float]] = Reader("a number", _number, lambda _: {"type": "number"})

# Others


def _secret(node: Node, reading: Reading) -> Secret:
    return expand(_text(node, reading), node.mark, reading)


SECRET: Final = Reader(
    "a secret (`${env:NAME}`, `${file:PATH}`, `${credential:NAME}`, with text around it or not)",
    _secret,
    lambda _: {"type": "string", "minLength": 1},
)


def _json(node: Node, reading: Reading) -> Json:
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Items):
        return [_json(item, reading) for item in node.items]
    return {name: _json(entry.node, reading) for name, entry in node.entries.items()}


JSON: Final[Reader[Json]] = Reader("any value", _json, lambda _: {})
