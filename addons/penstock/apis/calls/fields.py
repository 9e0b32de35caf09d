"""The keys of a request body, declared: which are known, of which type, and which are parameters by what name."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from penstock.errors import Refusal, invalid
from penstock.exchange import Json, JsonObject, Path

type Types = frozenset[type]

BOOL: Final[Types] = frozenset({bool})
INT: Final[Types] = frozenset({int})
NUMBER: Final[Types] = frozenset({int, float})
STRING: Final[Types] = frozenset({str})
LIST: Final[Types] = frozenset({list})
OBJECT: Final[Types] = frozenset({dict})
ANY: Final[Types] = frozenset({bool, int, float, str, list, dict})

UNLIMITED: Final = 2**31 - 1
"""What a negative `max_tokens` is judged as: llama.cpp and Ollama take it for no limit at all."""

_SHOWN: Final = 64


@dataclass(frozen=True, slots=True)
class Field:
    """A key that an API knows."""

    types: Types
    """Accepted types of the value; null always means absent."""
    name: str = ""
    """Canonical name of the parameter; empty when it is none (model, messages, stream)."""
    ordinary: bool = True
    """False: a grant must name it (it reconfigures the server, keeps state there, or hides what is asked)."""
    role: str = ""
    """Role of the turns that every string inside makes; empty when the API reads the value itself."""
    limit: bool = False
    """Several keys of this name are judged by the largest, and a negative number is no limit."""


def parameter(types: Types, name: str, *, ordinary: bool = True, role: str = "", limit: bool = False) -> Field:
    return Field(types, name, ordinary, role, limit)


class Keys:
    """The known keys of one kind of object. No two of them may look alike when folded."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = frozenset(names)
        self.folded = frozenset(map(fold, self.names))
        assert len(self.names) == len(self.folded), "known keys that differ in case only"

    def unknown(self, value: JsonObject, path: Path) -> list[str]:
        """The keys of an object that are not known here.

        Raises: Refusal when a server that ignores case could take one of them for a known key, or for another one of
            the same object (Go's encoding/json folds `MODEL`, `ſtream` and the Kelvin sign).
        """
        if value.keys() <= self.names:
            return []
        seen: set[str] = set()
        unknown: list[str] = []
        for key in value:
            folded = fold(key)
            if folded in seen:
                raise invalid(f"{pointer((*path, key))} stands there twice, but for the case of its letters.")
            seen.add(folded)
            if key not in self.names:
                if folded in self.folded:
                    raise invalid(f"{pointer((*path, key))} is a known key in another spelling.")
                unknown.append(key)
        return unknown

    def only(self, value: Json, path: Path) -> JsonObject:
        """The value, as an object with known keys alone.

        Raises: Refusal.
        """
        if not isinstance(value, dict):
            raise wrong(path, "an object")
        if value.keys() <= self.names:
            return value
        raise invalid(f"{pointer((*path, self.unknown(value, path)[0]))} is not a key that this API has.")


class Table(Keys):
    """The fields of an object that holds parameters."""

    def __init__(self, fields: Mapping[str, Field], at: Path = ()) -> None:
        super().__init__(fields)
        self.fields = fields
        self.at = at
        self.places: dict[str, tuple[Path, ...]] = {}
        for key, spec in fields.items():
            if spec.name:
                self.places[spec.name] = (*self.places.get(spec.name, ()), (*at, key))
        usual = {spec.name for spec in fields.values() if spec.name and spec.ordinary}
        self.ordinary = frozenset(usual - {spec.name for spec in fields.values() if not spec.ordinary})

    def check(self, body: JsonObject) -> list[str]:
        """The keys that are not known; the others have values of their types.

        Raises: Refusal.
        """
        fields = self.fields
        for key, value in body.items():
            spec = fields.get(key)
            if spec is not None and value is not None and value.__class__ not in spec.types:
                raise wrong((*self.at, key), " or ".join(sorted(_KINDS[kind] for kind in spec.types)))
        unknown = self.unknown(body, self.at)
        for key in unknown:
            if key in self.places:
                # Judged under that name, it would stand in for what the server reads.
                known = " or ".join(pointer(path) for path in self.places[key])
                raise invalid(f"{pointer((*self.at, key))} is not where this API has that parameter, but {known}.")
        return unknown

    def parameters(self, body: JsonObject) -> dict[str, Json]:
        """Canonical name -> value for what is present (an empty list is not: clients send `tools: []`).

        Unknown keys go under their own name, with dots for the path. Two keys of one name that disagree are judged
        together, as a list of both: which of them a server takes, only the server knows.
        """
        found: dict[str, Json] = {}
        for key, value in body.items():
            spec = self.fields.get(key)
            if value is None or value == []:
                continue
            if spec is None:
                found[".".join((*map(str, self.at), key))] = value
            elif spec.name:
                known = found.get(spec.name)
                found[spec.name] = (
                    largest(known, value) if spec.limit else value if known is None else both(known, value)
                )
        return found


def both(known: Json, value: Json) -> Json:
    """Two values of one parameter: the one that they are, or a list in which nothing of either is missing."""
    if known == value and known.__class__ is value.__class__:
        return known
    one, other = (item if isinstance(item, list) else [item] for item in (known, value))
    return [*one, *other]


def largest(known: Json, value: Json) -> Json:
    """The larger of two limits, a negative one being none at all."""
    limit = UNLIMITED if isinstance(value, (int, float)) and value < 0 else value
    if isinstance(known, (int, float)) and isinstance(limit, (int, float)):
        return max(known, limit)
    return limit


def written(value: Json, present: Json, *, limit: bool) -> Json:
    """What to write over a present value: a limit only ever comes down."""
    if limit and isinstance(present, (int, float)) and isinstance(value, (int, float)) and 0 <= present <= value:
        return present
    return value


def fold(key: str) -> str:
    """A key as the most forgiving parser sees it: compatibility forms and case are gone."""
    if key.isascii():
        return key.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", key).casefold()).casefold()


_KINDS: Final = {
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
}


def wrong(path: Path, wanted: str) -> Refusal:
    """A value of another type than the API has there."""
    return invalid(f"{pointer(path)} must be {wanted}.")


def pointer(path: Path) -> str:
    """A JSON Pointer (RFC 6901) to name a place by; keys that are long or strange are not repeated."""
    return "".join(f"/{_token(part)}" for part in path) or "The body"


def _token(part: str | int) -> str:
    if isinstance(part, int):
        return str(part)
    if len(part) > _SHOWN or not part.isprintable():
        return "…"
    return part.replace("~", "~0").replace("/", "~1")
