"""`field`: a parameter of the call, or something inside it, that has a certain value."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from penstock.exchange import Json
from penstock.policy.matcher import Kind, Matcher
from penstock.policy.parameters import same
from penstock.policy.readers import JSON, Reader, worded
from penstock.policy.shape import Fields, Key, Record
from penstock.policy.subject import On, Subject


@dataclass(frozen=True, slots=True)
class FieldIs(Matcher):
    """Hits when the value at the pointer, from the parameters' root, equals this one."""

    pointer: tuple[str, ...]
    value: Json

    @property
    def reads(self) -> frozenset[On]:
        return frozenset({"parameters", "operation", "prompt"})

    def hits(self, subject: Subject) -> bool:
        assert subject.call is not None
        at: Json = dict(subject.call.parameters)
        for step in self.pointer:
            match at:
                case dict() if step in at:
                    at = at[step]
                case list() if step.isdecimal() and step.isascii() and int(step[:9]) < len(at):
                    at = at[int(step)]
                case _:
                    return False
        return same(at, self.value)


def _pointer(text: str) -> tuple[str, ...] | None:
    """RFC 6901."""
    if not re.fullmatch(r"(/([^~/]|~[01])*)+", text):
        return None
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in text[1:].split("/"))


POINTER: Final[Reader[tuple[str, ...]]] = worded(
    "a JSON Pointer (/response_format/type)", _pointer, {"type": "string", "pattern": "^/"}
)
AT: Final = Key("pointer", POINTER, "Where, from the root of the parameters, by their canonical names.")
IS: Final = Key("is", JSON, "The value it must have.")


def _field(fields: Fields) -> FieldIs:
    return FieldIs(fields[AT], fields[IS])


RECORD: Final = Record("field", "A parameter that has this value.", (AT, IS), _field)


KIND: Final = Kind(
    "field",
    "A parameter, or something inside it, that has this value; read beside prompts too.",
    "field: {pointer: /response_format/type, is: json_object}",
    RECORD.read,
    RECORD.schema,
)
