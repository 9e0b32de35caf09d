"""Fields of JSON that are masked whatever they hold, named by JSON Pointer globs (`/customer/ssn`, `/**/password`)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import regex

from penstock.masking.finding import Action

LONGEST: Final = 4096
"""Characters of a pointer; a place that is deeper than this is masked, whatever it is called."""
_REMEMBERED: Final = 1024
_MOST_DEEP: Final = 2
DETECTOR: Final = "field"
"""What a field is counted as, where values are by their detector."""


class FieldError(ValueError):
    """A pointer that means nothing; the message says why."""


@dataclass(frozen=True, slots=True)
class FieldRule:
    """What is done about the values of some fields, and all that is below them."""

    id: str
    pointers: tuple[str, ...]
    """`*` in a segment stands for any text, `?` for a character, a segment `**` for any number of segments. Letters
    match in either case: what must not be seen is not seen as `Password` either."""
    replace: Callable[[str], str] | None = None
    """The value -> what stands in its place; None: the label in brackets."""
    text: str = ""
    """What stands in its place, whatever it is; empty: the label of the field."""


class Field:
    """One pointer of a rule, compiled; as a rule of its own to what releases text."""

    __slots__ = ("action", "detector", "id", "index", "kind", "label", "matches", "own", "rank", "replace", "token")

    def __init__(self, rule: FieldRule, pointer: str, index: int) -> None:
        self.id: Final = rule.id
        self.detector: Final = DETECTOR
        self.action: Final[Action] = "mask"
        self.kind: Final = label(pointer)
        self.label: Final = rule.text or f"[{self.kind}]"
        self.replace: Final = rule.replace
        self.own: Final = rule.replace is not None
        self.token: Final = False
        self.index: Final = index
        self.rank: Final = index
        self.matches: Final = compiled(pointer).fullmatch

    def shown(self, value: str) -> str:
        """What stands in the place of a value."""
        return self.replace(value) if self.replace is not None else self.label


def label(pointer: str) -> str:
    """`[PASSWORD]` for `/**/password`; `[FIELD]` when the last segment is not a plain word."""
    last = pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
    word = regex.sub(r"[^A-Za-z0-9]+", "_", last).strip("_").upper()
    return word if word and "*" not in last and "?" not in last else "FIELD"


def compiled(pointer: str) -> regex.Pattern[str]:
    """The places that a pointer names, and all below them.

    Raises: FieldError.
    """
    if not pointer.startswith("/") or pointer == "/":
        raise FieldError("a pointer starts with a slash and names a field: /customer/ssn")
    segments = pointer[1:].split("/")
    if segments.count("**") > _MOST_DEEP:
        raise FieldError(f"more than {_MOST_DEEP} segments ** in one pointer")
    if set(segments) <= {"*", "**"}:
        raise FieldError("the pointer names every field there can be")
    if any(regex.search(r"~(?![01])", segment) or ("**" in segment and segment != "**") for segment in segments):
        raise FieldError("~ is written ~0, / is written ~1, and ** stands alone between slashes")
    made = "".join("(?:/[^/]*)*" if segment == "**" else "/" + _segment(segment) for segment in segments)
    return regex.compile(f"(?is){made}(?:/.*)?")


def _segment(segment: str) -> str:
    return "".join({"*": "[^/]*", "?": "[^/]"}.get(character) or regex.escape(character) for character in segment)


class Fields:
    """All fields of a mask."""

    def __init__(self, rules: Sequence[FieldRule], first: int = 0) -> None:
        """`first`: the index of the first one; rules of other kinds stand before them."""
        pairs = [(rule, pointer) for rule in rules for pointer in rule.pointers]
        self._fields = tuple(Field(rule, pointer, first + at) for at, (rule, pointer) in enumerate(pairs))
        self._known: dict[str, Field | None] = {}

    def __bool__(self) -> bool:
        return bool(self._fields)

    def find(self, pointer: str) -> Field | None:
        """The first field that a place belongs to."""
        if len(pointer) > LONGEST:
            return self._fields[0]
        if pointer not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[pointer] = next((field for field in self._fields if field.matches(pointer)), None)
        return self._known[pointer]


class Whereabouts:
    """Where in a JSON document a reader is: it is told of every token, in order."""

    __slots__ = ("_open", "_path")

    def __init__(self) -> None:
        self._path: list[str | int] = []
        """For each container that is open: its key or index at hand."""
        self._open: list[str] = []

    @property
    def pointer(self) -> str:
        """The JSON Pointer of the value at hand."""
        return "".join(f"/{_escaped(part) if isinstance(part, str) else part}" for part in self._path)

    @property
    def wants_key(self) -> bool:
        """Whether a string that stands here is a key: in an object, before the colon."""
        return bool(self._open) and self._open[-1] == "{"

    def key(self, raw: str) -> None:
        """A key, as it is written between its quotes."""
        try:
            name = json.loads(f'"{raw}"')
        except ValueError:
            name = raw
        self._path[-1] = str(name)

    def structure(self, token: str) -> None:
        match token:
            case "{" | "[":
                self._open.append(token)
                self._path.append("" if token == "{" else 0)
            case ":" if self._open:
                self._open[-1] = ":"
            case "," if self._open:
                last = self._path[-1]
                if isinstance(last, int):
                    self._path[-1] = last + 1
                else:
                    self._open[-1] = "{"
            case "}" | "]" if self._open:
                self._open.pop()
                self._path.pop()


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")
