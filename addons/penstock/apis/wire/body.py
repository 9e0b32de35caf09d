"""Strict JSON bodies: read in exactly one way or refused, and re-emitted from what was read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final

import orjson

from penstock.errors import invalid
from penstock.exchange import Json, JsonObject

MAX_DEPTH: Final = 64
MAX_NODES: Final = 200_000
"""Values in one document. A chat of a thousand messages has some 10,000; a prompt of 128k token ids has 128k."""

type Container = JsonObject | list[Json]

_JSON_TYPE: Final = "application/json"
# The cheap count in `repeats_key` looks for `":`; these spell it differently.
SPACED_KEY: Final = re.compile(rb'"[ \t\r\n]+:')
_ESCAPED_KEY: Final = re.compile(rb"\\u00(?:22|3[aA])")


def parse(body: bytes, content_type: str | None) -> JsonObject:
    """The object in a request body.

    UTF-8 only (RFC 8259), no byte order mark, no data behind it, no NaN, no lone surrogates, no key twice in an
    object, at most `MAX_DEPTH` deep and `MAX_NODES` values.

    Raises: Refusal (`invalid_request`) for everything else.
    """
    check_type(content_type)
    document = loads(body)
    if not isinstance(document, dict):
        raise invalid("The request body must be a JSON object.")
    check_size(body, document)
    if repeats_key(body, document):
        raise invalid("A key stands twice in one object of the request body.")
    return document


def emit(body: Json) -> bytes:
    """Compact UTF-8 JSON; what is forwarded."""
    return orjson.dumps(body)


def emit_line(document: Json) -> bytes:
    """The same as one line for every reader: many (httpx's `iter_lines` is one) end a line at these characters too."""
    line = orjson.dumps(document)
    if not line.isascii():
        for mark, escape in _LINE_MARKS:
            line = line.replace(mark, escape)
    return line


# Outside of strings JSON has no such characters, and the controls among them are always escaped.
_LINE_MARKS: Final = tuple((mark.encode(), f"\\u{ord(mark):04x}".encode()) for mark in "\u0085\u2028\u2029")


def check_type(content_type: str | None) -> None:
    """Refuses what a model server might read as something other than UTF-8 JSON."""
    if content_type is None:
        return  # clients of Ollama send none; what is forwarded says `application/json`
    media, _, rest = content_type.partition(";")
    if media.strip().lower() != _JSON_TYPE:
        raise invalid("The request body must be JSON: send the header `Content-Type: application/json`.")
    for parameter in rest.split(";") if rest else ():
        name, _, value = parameter.partition("=")
        if parameter.strip() and (name.strip().lower(), value.strip(' "').lower()) != ("charset", "utf-8"):
            raise invalid("The request body must be UTF-8 JSON: `application/json`, at most with `charset=utf-8`.")


def loads(body: bytes) -> Json:
    if not body:
        raise invalid("The request body is empty; a JSON object is needed.")
    try:
        document: Json = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise invalid(f"The request body is not strict UTF-8 JSON (near character {error.pos}).") from None
    return document


def check_size(body: bytes, document: Json) -> None:
    """Refuses documents that cost more to read than they may.

    The raw bytes bound both figures from above (brackets in strings only add, and a value is a byte at least), so
    ordinary bodies are never walked.
    """
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and depth(document) > MAX_DEPTH:
        raise invalid(f"The request body is nested deeper than {MAX_DEPTH} levels.")
    if len(body) > MAX_NODES and nodes(document) > MAX_NODES:
        raise invalid(f"The request body holds more than {MAX_NODES} values.")


def depth(document: Json) -> int:
    """Levels of containers, level by level (no recursion)."""
    levels = 0
    level = _containers([document])
    while level:
        levels += 1
        level = [inner for value in level for inner in _containers(_values(value))]
    return levels


def nodes(document: Json) -> int:
    """Values of every kind."""
    count, level = 1, _containers([document])
    while level:
        count += sum(map(len, level))
        level = [inner for value in level for inner in _containers(_values(value))]
    return count


def keys(document: Json) -> int:
    """Keys of all objects in a document."""
    count, level = 0, _containers([document])
    while level:
        count += sum(len(value) for value in level if value.__class__ is dict)
        level = [inner for value in level for inner in _containers(_values(value))]
    return count


def _values(container: Container) -> Iterable[Json]:
    return container.values() if isinstance(container, dict) else container


def _containers(values: Iterable[Json]) -> list[Container]:
    return [value for value in values if isinstance(value, (dict, list))]


def repeats_key(body: bytes, document: Json) -> bool:
    """Whether an object of `body` has a key twice (orjson keeps the last and says nothing).

    What re-emits to the same bytes cannot have lost a key. Else each key shows as `":` in the raw bytes, and so does
    each quote before a colon inside a string; the re-emission has the same number of them unless a key was dropped.
    Bodies that spell either differently are read again, by the slow parser that sees every pair.
    """
    emitted = orjson.dumps(document)
    if emitted == body:
        return False
    if SPACED_KEY.search(body) is None and (b"\\u00" not in body or _ESCAPED_KEY.search(body) is None):
        return body.count(b'":') != emitted.count(b'":')
    try:
        json.loads(body, object_pairs_hook=_unique)
    except _TwiceError:
        return True
    return False


class _TwiceError(Exception):
    """A key stands twice."""


def _unique(pairs: list[tuple[str, Json]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise _TwiceError
