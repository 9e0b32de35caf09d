"""JSON as Go's encoding/json writes and reads it: the bytes, and the leniencies that a gateway has to expect."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

type Fields = Mapping[str, Fields | None]
"""A Go struct: its JSON field names, each with the struct in it (or in the list there), or None."""

_ESCAPES: Final = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as it was written, duplicates included."""


def marshal(value: object) -> bytes:
    """Compact JSON in UTF-8 with `<`, `>`, `&` and the two line separators escaped, as json.Marshal does."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.translate(_ESCAPES).encode("utf-8", "replace")


def decode(data: bytes, fields: Fields) -> dict[str, Any]:
    """One object from the start of `data`, as json.Decoder reads it into a struct.

    What follows the object is not read, keys match in any letter case (`ſtream` is `stream` too), the last one wins,
    unknown keys are dropped, invalid UTF-8 becomes U+FFFD. EOFError for no data, ValueError for anything but an
    object.
    """
    text = data.decode("utf-8", "replace").lstrip(" \t\r\n")
    if not text:
        raise EOFError("EOF")
    value, _ = json.JSONDecoder(object_pairs_hook=_Pairs).raw_decode(text)
    if not isinstance(value, _Pairs):
        raise ValueError("json: cannot unmarshal into Go value")
    return _struct(value, fields)


def _struct(pairs: _Pairs, fields: Fields) -> dict[str, Any]:
    names = {name.casefold(): name for name in fields}
    found: dict[str, Any] = {}
    for key, value in pairs:
        if name := names.get(key.casefold()):
            found[name] = _value(value, fields[name])
    return found


def _value(value: Any, fields: Fields | None) -> Any:
    if isinstance(value, _Pairs):
        return {key: _value(item, None) for key, item in value} if fields is None else _struct(value, fields)
    if isinstance(value, list):
        return [_value(item, fields) for item in value]
    return value
