"""What servers' own text-generation APIs have in common: texts, tables of parameters, and most often no model."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Final

import orjson

from penstock.apis.calls.fields import Table, largest, pointer, wrong
from penstock.apis.calls.posted import Posted
from penstock.apis.calls.turns import Key, Turns
from penstock.apis.names import model_name
from penstock.apis.replies.pieces import is_text, plain_word
from penstock.errors import invalid
from penstock.exchange import Call, Json, JsonObject, Operation, Path

# Base64 of anything that is worth sending; what is shorter may as well be the name of a file on the server.
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{64,}={0,2}")

_READ: Final = frozenset({"logit_bias"})
"""Parameters whose values every API reads itself."""
LIMITS: Final = frozenset({"max_tokens", "n"})
"""Parameters that bound what a call costs: several of one name are judged by the largest."""


class Generating(Posted):
    """Base of an API that completes texts: subclasses say where the texts are."""

    @abstractmethod
    def texts(self, turns: Turns, body: JsonObject) -> None:
        """Makes turns of what the tables leave to the API itself.

        Raises: Refusal.
        """

    def adjusted(self, body: JsonObject) -> JsonObject:
        """The body as it is judged and forwarded."""
        return body

    def streams(self, body: JsonObject) -> bool:
        return body.get("stream") is True

    def read(self, operation: Operation, body: JsonObject) -> Call:
        unknown = self.table.check(body)
        no_other_name(self.table, self.inner, unknown)
        body = self.adjusted(body)
        turns = Turns()
        self.texts(turns, body)
        unread(self.table, body)
        read_table(self.table, turns, body, unknown)
        self.read_inner(turns, body)
        parameters = self.parameters(body)
        return Call(
            self.name,
            operation,
            model_name(body["model"]) if body.get("model") is not None else None,
            tuple(turns.found),
            parameters,
            self.unusual(parameters),
            (),
            self.streams(body),
            tuple(sorted(turns.uninspected)),
            body,
        )

    def read_inner(self, turns: Turns, body: JsonObject) -> None:
        """Checks the inner table and makes turns of the strings in it."""
        if self.inner is not None and isinstance(inner := body.get(str(self.inner.at[0])), dict):
            read_object(self.inner, turns, inner, self.inner.at)


def no_other_name(table: Table, inner: Table | None, unknown: list[str]) -> None:
    """Refuses unknown keys that are called like a parameter: they would be judged in place of the one that counts."""
    for key in unknown:
        if key in table.places or (inner is not None and (key in inner.places or key in inner.fields)):
            raise invalid(f"{pointer((*table.at, key))} is not where this API has that parameter.")


def read_object(table: Table, turns: Turns, value: JsonObject, at: Path) -> None:
    """An object that holds parameters, one level down.

    Raises: Refusal.
    """
    unknown = table.check(value)
    no_other_name(table, None, unknown)
    unread(table, value, at)
    read_table(table, turns, value, unknown, at)


def read_table(table: Table, turns: Turns, value: JsonObject, unknown: list[str], at: Path = ()) -> None:
    """Makes turns of the strings in parameters that have a role, and in unknown keys."""
    for key, inner in value.items():
        spec = table.fields.get(key)
        if spec is not None and spec.role and inner is not None:
            turns.everything(spec.role, inner, (*at, key))
    for key in unknown:
        turns.everything("other", value[key], (*at, key))


def unread(table: Table, value: JsonObject, at: Path = ()) -> None:
    """Refuses a text where parameters of numbers and switches are, which make no turns.

    Raises: Refusal.
    """
    for key, inner in value.items():
        spec = table.fields.get(key)
        if spec is not None and spec.name and not spec.role and key not in _READ:
            _no_texts(inner, (*at, key))


def _no_texts(value: Json, path: Path) -> None:
    match value:
        case list():
            for index, item in enumerate(value):
                if isinstance(item, str):
                    raise wrong((*path, index), "a number or a boolean")
                _no_texts(item, (*path, index))
        case dict():
            for key, item in value.items():
                if isinstance(item, str) or not plain_word(key):
                    raise wrong((*path, key), "a number or a boolean with a plain name")
                _no_texts(item, (*path, key))
        case _:
            return


def merged(parts: Sequence[Mapping[str, Json]], path: Path) -> dict[str, Json]:
    """The parameters of the parts of one call: of limits the largest; everything else must be the same in each.

    Raises: Refusal.
    """
    first = parts[0] if parts else {}
    out = dict(first)
    for part in parts:
        alike = all(name in LIMITS or same(first.get(name), value) for name, value in part.items())
        if not alike or part.keys() != first.keys():
            raise invalid(f"The items of {pointer(path)} must have the same parameters, but for the values of limits.")
        out |= {name: largest(out[name], part[name]) for name in LIMITS & part.keys()}
    return out


def same(one: Json, other: Json) -> bool:
    """Equal as JSON is: `1` is not `true`."""
    return orjson.dumps(one) == orjson.dumps(other)


def read_texts(turns: Turns, value: Json, path: Path) -> None:
    """A text, or a list of texts.

    Raises: Refusal.
    """
    match value:
        case str():
            turns.add("user", value, path)
        case [_, *_] if all(isinstance(item, str) for item in value):
            for index, item in enumerate(value):
                turns.add("user", str(item), (*path, index))
        case _:
            raise wrong(path, "a string or a list of strings")


def read_ids(turns: Turns, value: Json, path: Path) -> None:
    """Token ids, or a list of lists of them: a text that nobody can read here.

    Raises: Refusal.
    """
    match value:
        case [_, *_] if ids(value) or all(isinstance(item, list) and item and ids(item) for item in value):
            turns.uninspected.add("token_ids")
        case _:
            raise wrong(path, "a list of token ids, or a list of such lists")


def ids(value: list[Json]) -> bool:
    return all(item.__class__ is int for item in value)


def read_media(turns: Turns, value: Json, path: Path, kind: str) -> None:
    """Images, sounds or films, at any depth, as base64, `data:` URLs, or names of what the server is to fetch."""
    match value:
        case str():
            turns.uninspected.add(kind)
            if not value.startswith("data:") and not _BASE64.fullmatch(value):
                turns.uninspected.add("url")
                turns.add("other", value, path)
        case list():
            for index, item in enumerate(value):
                read_media(turns, item, (*path, index), kind)
        case dict():
            turns.uninspected.add(kind)
            for key, item in value.items():
                if not plain_word(key):
                    turns.add("other", key, (*path, Key(key)))
                read_media(turns, item, (*path, key), kind)
        case _:
            return


def nothing(value: Json) -> bool:
    """Whether a value of a reply can say nothing: null, true or false, or a number without many digits."""
    kind = value.__class__
    if kind is int or kind is float:
        return not is_text(value)  # type: ignore[arg-type]
    return value is None or kind is bool
