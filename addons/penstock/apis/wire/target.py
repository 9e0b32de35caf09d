"""Request targets: one spelling of each path, or a refusal, so that no two parsers can see two routes."""

from __future__ import annotations

import re
from typing import Final

from penstock.errors import invalid

LONGEST: Final = 2048

# RFC 3986 pchar without `%` (which is looked at apart), `/` between segments.
_PATH: Final = re.compile(r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)+")
_PLAIN: Final = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~:@-]*)+|/")
_QUERY: Final = re.compile(r"(?:[A-Za-z0-9._~!$'()*+,;:@/?&=-]|%[0-9A-Fa-f]{2})+")
_ENCODED: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
# Encoded, they become a separator, a dot segment, a second round of decoding or a control character somewhere.
_NEVER: Final = frozenset("/\\%?#") | {chr(code) for code in (*range(32), 127)}


def normal_path(target: bytes | str) -> str:
    """The target in its only accepted spelling: an absolute path, with `?query` behind it when there is one.

    Escapes of characters that need none (`%61`), of slashes, backslashes, `%` and control characters, dot segments,
    empty segments, backslashes, fragments, non-ASCII and whole URLs are refused rather than repaired: model servers
    differ in what they make of them. Hexadecimal digits of the escapes that remain become upper case.

    Raises: Refusal (`invalid_request`).
    """
    text = _ascii(target)
    path, mark, query = text.partition("?")
    if _PLAIN.fullmatch(path):
        normal = path
    else:
        normal = _checked(path)
    if not mark:
        return normal
    if not _QUERY.fullmatch(query):
        raise invalid("The query string of the request target is not a valid one.")
    return f"{normal}?{query}"


def unescape(segment: str) -> str:
    """A path segment that `normal_path` let through, decoded.

    Raises: Refusal when the escapes are not UTF-8.
    """
    if "%" not in segment:
        return segment
    raw = _ENCODED.sub(lambda found: chr(int(found[1], 16)), segment).encode("latin-1")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise invalid("The escapes in the request path are not UTF-8.") from None


def _ascii(target: bytes | str) -> str:
    try:
        text = target.decode("ascii") if isinstance(target, bytes) else target
    except UnicodeDecodeError:
        raise invalid("The request target must be ASCII.") from None
    if not text.isascii():
        raise invalid("The request target must be ASCII.")
    if len(text) > LONGEST:
        raise invalid("The request target is too long.")
    if not text.startswith("/"):
        raise invalid("The request target must be a path that starts with a slash.")
    return text


def _checked(path: str) -> str:
    if not _PATH.fullmatch(path):
        raise invalid("The request path holds a character that does not belong there.")
    if "//" in path:
        raise invalid("The request path has an empty segment (two slashes in a row).")
    for found in _ENCODED.finditer(path):
        character = chr(int(found[1], 16))
        if character in _UNRESERVED or character in _NEVER:
            raise invalid(f"The request path escapes what must not be escaped ({found[0]}).")
    if any(segment.partition(";")[0] in (".", "..") for segment in path.split("/")):
        raise invalid("The request path has a dot segment.")
    return _ENCODED.sub(lambda found: found[0].upper(), path)
