"""What a text says that is written in a code: `%69gnore`, `&#105;gnore`, `\\x69gnore`, base64 and hexadecimal."""

from __future__ import annotations

import base64
import binascii
import html
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

import re2
import regex

_DEEPEST: Final = 3
"""Codes within codes."""
_MOST: Final = 64
"""Blobs of one text that are looked into."""
_LARGEST: Final = 100_000
"""Characters of a blob that are looked into: a model reads no more of it."""
_LEAST_TEXT: Final = 0.9
"""Of what a blob decodes to, this much must be text that can be seen."""

_CODED: Final = re2.compile(
    rb"%[0-9A-Fa-f]{2}|&#|&[A-Za-z]{2,31};|\\[xuU0-3]|[0-9A-Za-z+/_-]{16}|(?:[0-9A-Fa-f]{2}[ :]?){8}"
)
SIGN: Final = _CODED.pattern
"""Without this in it, a text of ASCII has no codes."""
_ESCAPE: Final = regex.compile(
    r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|u\{(0{0,16}[0-9A-Fa-f]{1,6})\}|U([0-9A-Fa-f]{8})|([0-3][0-7]{2}))",
    regex.VERSION0,
)
_PAIR: Final = regex.compile("[\ud800-\udbff][\udc00-\udfff]", regex.VERSION0)
_BASE64: Final = regex.compile(
    r"(?<![0-9A-Za-z+/_-])[0-9A-Za-z+/_-]{16,}+(?:\r?\n[0-9A-Za-z+/_-]{4,}+)*+", regex.VERSION0
)
_HEX: Final = regex.compile(r"(?<![0-9A-Fa-f])(?:0x)?(?:[0-9A-Fa-f]{2}[ :]?){8,}+(?![0-9A-Fa-f])", regex.VERSION0)


def decodings(text: str) -> Iterator[str]:
    """The text with escapes of every kind read, and what blobs in it decode to; nothing for a text without codes."""
    pending = [(text, _DEEPEST)]
    while pending:
        known, depth = pending.pop()
        if not depth or _CODED.search(known.encode("ascii", "ignore")) is None:
            continue
        found = [*_blobs(known)]
        if (read := _unescaped(known)) != known:
            found.append(read)
        yield from found
        pending += [(each, depth - 1) for each in found]


def _unescaped(text: str) -> str:
    if "&" in text:
        text = html.unescape(text)
    if "%" in text:
        text = unquote(text, errors="replace")
    if "\\" in text:
        text = _PAIR.sub(
            lambda pair: pair[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le"), _ESCAPE.sub(_read, text)
        )
    return text


def _read(escape: regex.Match[str]) -> str:
    octal = escape[5]
    code = int(octal, 8) if octal else int(next(filter(None, escape.groups())), 16)
    return chr(code) if code <= 0x10FFFF else escape[0]


def _blobs(text: str) -> Iterator[str]:
    """What the blobs of a text say, as far as that is text."""
    for pattern, decode in ((_BASE64, _from_base64), (_HEX, _from_hex)):
        for count, blob in enumerate(pattern.finditer(text)):
            if count == _MOST:
                break
            if (read := _text(decode(blob[0][:_LARGEST]))) is not None:
                yield read


def _from_base64(blob: str) -> bytes:
    packed = "".join(blob.split()).translate(_URL_SAFE)
    return base64.b64decode(packed[: len(packed) // 4 * 4] + _padded(packed[len(packed) // 4 * 4 :]))


_URL_SAFE: Final = str.maketrans("-_", "+/")


def _padded(rest: str) -> str:
    return rest.ljust(4, "=") if len(rest) > 1 else ""


def _from_hex(blob: str) -> bytes:
    return binascii.unhexlify(blob.removeprefix("0x").translate({ord(" "): None, ord(":"): None}))


def _text(data: bytes) -> str | None:
    """Bytes as text, if they are that."""
    if data[1:2] == b"\0":
        data = data.replace(b"\0", b"")  # UTF-16, as PowerShell has it
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        if error.start < len(data) - 3:
            return None
        text = data[: error.start].decode()
    seen = sum(map(str.isprintable, text)) + text.count("\n") + text.count("\t") + text.count("\r")
    return text if text and seen >= _LEAST_TEXT * len(text) else None
