"""Canonical base64url and strict JSON: what tokens and key sets are made of, each read in exactly one way."""

from __future__ import annotations

import base64
import json
import math
import re
from typing import Final, NoReturn

from penstock.errors import PenstockError
from penstock.exchange import Json, JsonObject

MAX_DEPTH: Final = 16
"""Deepest nesting that is read. Python's own limit is a RecursionError, about 10,000 levels down."""

_ALPHABET: Final = re.compile(r"[A-Za-z0-9_-]*")
# RFC 4648 section 3.5: the bits that the last character leaves over must be zero, or one value has many spellings.
_LAST: Final = {2: frozenset("AQgw"), 3: frozenset("AEIMQUYcgkosw048")}
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


class Malformed(PenstockError):
    """Not the one canonical form; the message never holds the data."""


def octets(text: str) -> bytes:
    """The bytes that unpadded base64url text stands for; `Malformed` unless it is their only spelling."""
    left = len(text) % 4
    if left == 1 or not _ALPHABET.fullmatch(text) or (left and text[-1] not in _LAST[left]):
        raise Malformed("not canonical base64url")
    return base64.urlsafe_b64decode(text + "=" * (-left % 4))


def json_object(data: bytes) -> JsonObject:
    """A JSON object in UTF-8 with no duplicate member, no number outside a double, and at most `MAX_DEPTH` levels."""
    value = _json(data)
    if not isinstance(value, dict):
        raise Malformed("not a JSON object")
    return value


def _json(data: bytes) -> Json:
    try:
        text = data.decode("utf-8")
        _shallow(text)
        value: Json = _DECODER.decode(text)
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeError:
        raise Malformed("not Unicode text") from None
    except (ValueError, RecursionError):
        raise Malformed("not JSON") from None
    return value


def _shallow(text: str) -> None:
    """Refuse deep nesting before any parser sees it."""
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return
    depth = 0
    for mark in re.findall(r"[\[\]{}]", _STRING.sub("", text)):
        depth += 1 if mark in "[{" else -1
        if depth > MAX_DEPTH:
            raise Malformed("nested too deeply")


def _members(pairs: list[tuple[str, Json]]) -> JsonObject:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Malformed("duplicate member")
    return members


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise Malformed("number out of range")
    return number


def _no_constant(name: str) -> NoReturn:
    raise Malformed(f"{name} is not JSON")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_members, parse_float=_finite, parse_constant=_no_constant)
