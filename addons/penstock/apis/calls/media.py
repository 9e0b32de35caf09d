"""APIs that take or make speech, images and video: forms and JSON alike, the texts read, the files named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar, Final

import orjson

from penstock.apis.api import Dialect
from penstock.apis.calls.fields import BOOL, INT, LIST, NUMBER, OBJECT, STRING, Field, Table, Types, parameter, wrong
from penstock.apis.calls.posted import Posted
from penstock.apis.calls.turns import LABEL, Turns
from penstock.apis.dialects import OPENAI
from penstock.apis.names import model_name
from penstock.apis.wire.forms import Fields
from penstock.errors import invalid
from penstock.exchange import Blob, Call, Json, JsonObject, Operation, Path, Turn

UPLOAD: Final = Field(OBJECT)
"""A file, which a form has once."""
UPLOADS: Final = Field(OBJECT | LIST)
"""A file, or several of one name: none of them is read in any case."""
REFERENCE: Final = Field(OBJECT | STRING)
"""A file of a form; in JSON its bytes in base64, a data URL, or a place where the server fetches it."""
REFERENCES: Final = Field(OBJECT | STRING | LIST)

CHOICE: Final = parameter(STRING, "", role=LABEL)
"""A string that selects one of a few (a format, a size)."""

SIZES: Final[Mapping[str, Field]] = {
    "n": parameter(INT, "n", limit=True),
    "size": parameter(STRING, "size", role=LABEL),
    "width": parameter(INT, "width"),
    "height": parameter(INT, "height"),
    "steps": parameter(INT, "steps"),
    "num_inference_steps": parameter(INT, "steps"),
    "seed": parameter(INT, "seed"),
    "cfg_scale": parameter(NUMBER, "guidance"),
    "guidance_scale": parameter(NUMBER, "guidance"),
    "prompt": Field(STRING | LIST, role="user"),
    "negative_prompt": Field(STRING | LIST, role="user"),
    "response_format": parameter(STRING, "response_format", role=LABEL),
    "user": parameter(STRING, "user", role="other"),
    # Xinference's way to set anything at all: JSON in a string.
    "kwargs": parameter(STRING, "kwargs", ordinary=False),
}
"""What APIs that make images and video have in common."""

_SHORTEST: Final = 64
_DATA_URL: Final = re.compile(r"data:[\w/+.;=-]{0,100};base64,[A-Za-z0-9+/_-]*={0,2}")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,2})?")
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_BOOLEANS: Final = {"true": True, "false": False}
_FILE: Final = frozenset({"filename", "content_type", "data"})


class Media(Posted):
    """Base of such an API. A file is content that nobody can read here, whatever it claims to be; its name is text."""

    dialect: ClassVar[Dialect] = OPENAI
    uploads: ClassVar[Mapping[str, str]] = {}
    """Keys that hold content nobody can read -> what it is, as grants name it."""
    answer: ClassVar[str] = ""
    """What the reply is made of, when nobody can read that either."""
    model_key: ClassVar[str] = "model"
    needs_model: ClassVar[bool] = True
    """False where a server has one model and no name for it: such calls name none."""

    def read(self, operation: Operation, body: JsonObject) -> Call:
        body = typed(self.table, body) if isinstance(body, Fields) else body
        unknown = self.table.check(body)
        turns = Turns()
        if self.answer:
            turns.uninspected.add(self.answer)
        for key, value in body.items():
            self._field(turns, key, value, known=key not in unknown)
        parameters = self.parameters(body)
        model = body.get(self.model_key)
        return Call(
            self.name,
            operation,
            model_name(model, f"/{self.model_key}") if self.needs_model or model is not None else None,
            tuple(turns.found),
            parameters,
            self.unusual(parameters),
            (),
            self.streams(body),
            tuple(sorted(turns.uninspected)),
            body,
        )

    def streams(self, body: JsonObject) -> bool:
        return body.get("stream") is True

    def _field(self, turns: Turns, key: str, value: Json, *, known: bool) -> None:
        if value is None:
            return
        spec = self.table.fields.get(key)
        if key in self.uploads:
            content(turns, value, (key,), self.uploads[key])
        elif key == "kwargs" and isinstance(value, str):
            turns.found.append(Turn("other", value, (key,), "prompt", "json"))
        elif spec is None or not known:
            unknown(turns, value, (key,))
        elif spec.role:
            turns.everything(spec.role, value, (key,))

    def parameters(self, body: JsonObject) -> dict[str, Json]:
        """As ever; a file that no field of the API is for goes by its digest."""
        found = super().parameters(body)
        return {name: value["data"] if is_file(value) else value for name, value in found.items()}  # type: ignore[call-overload, index]


def typed(table: Table, body: JsonObject) -> JsonObject:
    """The fields of a form with numbers and booleans as such, where the API has them.

    They are written again in one way, so that no server reads them otherwise than they were judged.

    Raises: Refusal for a text that is no number or boolean, and for one that is there more than once under a name
        without `[]`: servers differ in which they take.
    """
    made: JsonObject = {}
    for key, value in body.items():
        spec = table.fields.get(key)
        if isinstance(value, list) and isinstance(value[0], str) and not key.endswith("[]"):
            raise invalid(f"The form field {key} is there more than once.")
        made[key] = _typed(key, value, spec.types) if spec is not None and isinstance(value, str) else value
    return made


def _typed(key: str, text: str, types: Types) -> Json:
    if str in types:
        return text
    if list in types:
        return [text]
    if bool in types and text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    if int in types and (_INTEGER if float not in types else _NUMBER).fullmatch(text):
        number: Json = orjson.loads(text)
        return number
    raise wrong((key,), "a boolean" if types == BOOL else "a number" if int in types else "a file")


def is_file(value: Json) -> bool:
    """Whether a value is a file of a form."""
    return isinstance(value, dict) and isinstance(value.get("data"), Blob)


def content(turns: Turns, value: Json, path: Path, kind: str) -> None:
    """Notes content that nobody can read: a file, base64 or a data URL; or text that leads the server to it.

    Raises: Refusal for anything else.
    """
    match value:
        case list():
            for index, item in enumerate(value):
                content(turns, item, (*path, index), kind)
        case dict() if is_file(value) and value.keys() == _FILE:
            turns.uninspected.add(kind)
            turns.everything("other", value["filename"], (*path, "filename"))
        case str() if opaque(value) or not value:
            turns.uninspected.add(kind)
        case str():
            turns.uninspected |= {kind, "url"}
            turns.add("other", value, path)
        case _:
            raise wrong(path, "a file, or a string that holds or names one")


def unknown(turns: Turns, value: Json, path: Path) -> None:
    """A field that the API does not know: text, or a file."""
    items = value if isinstance(value, list) else [value]
    if any(map(is_file, items)):
        content(turns, value, path, "file")
    else:
        turns.everything("other", value, path)


def opaque(text: str) -> bool:
    """Whether a string is bytes in base64, as such or as a data URL. Short ones and numbers are read as text."""
    if text.startswith("data:"):
        return _DATA_URL.fullmatch(text) is not None
    return len(text) >= _SHORTEST and not text.isdigit() and _BASE64.fullmatch(text) is not None
