"""Collects the texts of a request body as turns, each with where it stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal

from penstock.apis.replies.pieces import is_text, plain_word, rename
from penstock.exchange import Json, JsonObject, Path, Turn

type Kind = Literal["prompt", "tool_call"]

# Values that select, not say: identifiers of calls and the like. Anything else in their place is read as text.
_LABEL: Final = re.compile(r"(?!.*\d{6})[A-Za-z0-9_.:-]{0,64}")
# JSON Schema's own words, and OpenAI's; as values of `type` and `format` they are no text.
_VOCABULARY: Final = re.compile(
    r"object|string|number|integer|boolean|array|null|function|custom|json|json_object|json_schema|text|date|date-time|"
    r"time|duration|email|hostname|ipv4|ipv6|uri|uuid|regex"
)
LABEL: Final = "label"
"""A role for parameters whose strings only select: they are turns (`other`) when they do not look like it."""


class Key(str):
    """The last part of a path that leads to an object's key itself rather than to its value; never equal to that."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other  # `str` has one of its own

    def __hash__(self) -> int:
        return hash((Key, str(self)))


class Turns:
    """What a body says, and what in it nobody can read."""

    def __init__(self) -> None:
        self.found: list[Turn] = []
        self.uninspected: set[str] = set()

    def add(self, role: str, text: str, path: Path, kind: Kind = "prompt") -> None:
        if text:
            self.found.append(Turn(role, text, path, kind))

    def add_json(self, role: str, text: str, path: Path) -> None:
        """The arguments of a tool call, as JSON in a string."""
        if text:
            self.found.append(Turn(role, text, path, "tool_call", "json"))

    def label(self, text: str, path: Path, kind: Kind = "prompt") -> None:
        """A string that should be an identifier; it is text when it does not look like one."""
        if not _LABEL.fullmatch(text):
            self.found.append(Turn("other", text, path, kind))

    def everything(self, role: str, value: Json, path: Path, kind: Kind = "prompt") -> None:
        """Every string of a value that the API leaves free, every key that is more than an identifier, and every number
        that has the digits to be a card's."""
        if isinstance(value, str):
            self._free(role, value, path, kind)
        elif isinstance(value, dict):
            for key, inner in value.items():
                here = (*path, key)
                if not plain_word(key):
                    self._free(role, key, (*path, Key(key)), kind)
                if isinstance(inner, str):
                    self._free(role, inner, here, kind)
                elif inner is not None:
                    self.everything(role, inner, here, kind)
        elif isinstance(value, list):
            if value and all(item.__class__ is int for item in value):
                self.uninspected.add("token_ids")
                return
            for index, inner in enumerate(value):
                self.everything(role, inner, (*path, index), kind)
        elif isinstance(value, int) and is_text(value):
            self._free(role, str(value), path, kind)

    def _free(self, role: str, value: str, path: Path, kind: Kind) -> None:
        if role == LABEL:
            self.label(value, path, kind)
        elif value and not (path[-1] in ("type", "format") and _VOCABULARY.fullmatch(value)):
            self.found.append(Turn(role, value, path, kind))


def replaced(body: JsonObject, texts: Mapping[Path, str]) -> JsonObject:
    """A copy of the body with texts replaced; only what leads to them is copied.

    Raises: KeyError when a path does not lead to a string (or key) of the body.
    """
    copies: dict[Path, Json] = {(): dict(body)}
    # Keys last, and deep before shallow: the paths of what is below them hold the old names.
    for path in sorted(texts, key=lambda path: (isinstance(path[-1], Key), -len(path))):
        holder = _copied(copies, path[:-1])
        match holder, path[-1]:
            case dict(), Key() as key if str(key) in holder:
                rename(holder, str(key), texts[path])
            case dict(), str() as key if _is_text(holder.get(key)):
                holder[key] = texts[path]
            case list(), int() as index if 0 <= index < len(holder) and _is_text(holder[index]):
                holder[index] = texts[path]
            case _:
                raise KeyError("no text at this place of the body")
    root = copies[()]
    assert isinstance(root, dict)
    return root


def _is_text(value: Json) -> bool:
    return isinstance(value, str) or (isinstance(value, int) and is_text(value))


def _copied(copies: dict[Path, Json], path: Path) -> Json:
    """The copy of the container at a path, made (with every container above it) at its first use."""
    if path in copies:
        return copies[path]
    match _copied(copies, path[:-1]), path[-1]:
        case dict() as above, str() as key if key in above:
            above[key] = copy = _shallow(above[key])
        case list() as above, int() as index if 0 <= index < len(above):
            above[index] = copy = _shallow(above[index])
        case _:
            raise KeyError("no such place in the body")
    copies[path] = copy
    return copy


def _shallow(value: Json) -> Json:
    match value:
        case dict():
            return dict(value)
        case list():
            return list(value)
        case _:
            return value
