"""Multipart forms (RFC 7578) and bodies of plain bytes: read in exactly one way or refused, and written anew."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import unquote

import orjson

from penstock.apis.wire.codec import Emitted
from penstock.errors import invalid
from penstock.exchange import Blob, Json, JsonObject

MAX_PARTS: Final = 128
MAX_HEAD: Final = 2048
"""Bytes of one part's headers."""
MAX_NAME: Final = 255
"""Characters of a file's name."""

_FORM: Final = "multipart/form-data"
_CRLF: Final = b"\r\n"
_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,./:=?-]{1,70}")
_HEADER: Final = re.compile(r"([A-Za-z-]+):[ \t]*([^\x00-\x1f\x7f]*?)[ \t]*")
_PARAMETER: Final = re.compile(r";[ \t]*([a-z]+\*?)=(?:\"([^\"\\]*)\"|([A-Za-z0-9_.'%-]+))")
_FIELD: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}(?:\[[A-Za-z0-9_.-]{0,100}\])*")
_MEDIA: Final = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,60}")
_PLAIN: Final = "text/plain"
# Transfer encodings that change nothing. Readers differ in whether they undo the others.
_IDENTITY: Final = frozenset({"7bit", "8bit", "binary"})


class Fields(dict[str, Json]):
    """A body that came as a form: numbers and booleans are still texts (see `typed` in `media`)."""


class Part(NamedTuple):
    """One field as it stands in a form."""

    name: str
    filename: str | None
    """None for a field that is no file."""
    content_type: str
    """Media type alone, lower case; empty when the part does not say."""
    content: bytes


class FormCodec:
    """`multipart/form-data`: fields are texts (lists of them where a name stands more than once), files are objects
    `{"filename", "content_type", "data"}`.

    One spelling is read: nothing before the first boundary or behind the last, lines that end in CRLF, no folded or
    unknown headers, names in quotes without escapes, UTF-8. All that a second reader could take for something else is
    refused; what is forwarded has a boundary of our own, the fields that were judged, and no other header.
    """

    media = frozenset({_FORM})

    def read(self, content: bytes, content_type: str | None, headers: Mapping[str, str]) -> JsonObject:
        body = Fields()
        for part in parts(content, boundary_of(content_type)):
            value = _value(part)
            if part.name not in body:
                body[part.name] = value
                continue
            known = body[part.name]
            values = known if isinstance(known, list) else [known]
            if isinstance(values[0], dict) != isinstance(value, dict):
                raise invalid(f"The form field {part.name} is a text in one place and a file in another.")
            body[part.name] = [*values, value]
        return body

    def emit(self, body: JsonObject) -> Emitted:
        """The form of a body. Numbers and booleans are written as JSON has them, null is no field at all.

        Raises: Refusal for a value that is no field, and for names that cannot be written in quotes.
        """
        fields = [(name, item) for name, value in body.items() for item in _items(value)]
        encoded = [_encoded(name, value) for name, value in fields]
        boundary = _own_boundary(encoded)
        mark = b"--" + boundary
        content = b"".join([mark + _CRLF + head + _CRLF + _CRLF + data + _CRLF for head, data, _ in encoded])
        return Emitted(f"{_FORM}; boundary={boundary.decode()}", (), content + mark + b"--" + _CRLF)


class RawCodec:
    """Bytes that nobody can read here: `{"content_type", "data"}`."""

    media: frozenset[str] = frozenset()

    def read(self, content: bytes, content_type: str | None, headers: Mapping[str, str]) -> JsonObject:
        if content_type is None or not content:
            raise invalid("This endpoint needs a request body and a Content-Type.")
        return {"content_type": media_type(content_type), "data": Blob(content)}

    def emit(self, body: JsonObject) -> Emitted:
        data = body.get("data")
        if not isinstance(data, Blob):
            raise invalid("The request body is not one of plain bytes.")
        return Emitted(str(body["content_type"]), (), data.data)


def boundary_of(content_type: str | None) -> bytes:
    """The boundary that a Content-Type names.

    Raises: Refusal when it is not a form's, or names no boundary or more than one.
    """
    media, _, rest = (content_type or "").partition(";")
    if media.strip().lower() != _FORM:
        raise invalid("The request body must be a form: send the header `Content-Type: multipart/form-data`.")
    found: dict[str, str] = {}
    for parameter in rest.split(";"):
        name, mark, value = parameter.strip().partition("=")
        if not mark or name.lower() in found:
            raise invalid("The Content-Type of the form must have one boundary.")
        found[name.lower()] = value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
    boundary = found.pop("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise invalid("The Content-Type of the form must have one boundary, without spaces.")
    if found and {name: value.lower() for name, value in found.items()} != {"charset": "utf-8"}:
        raise invalid("The Content-Type of the form has a parameter that is not understood.")
    return boundary.encode()


def parts(content: bytes, boundary: bytes) -> list[Part]:
    """The parts of a form, in order.

    Raises: Refusal (`invalid_request`).
    """
    mark = b"--" + boundary
    if not content.startswith(mark):
        raise invalid("The form does not begin with its boundary.")
    pieces = content[len(mark) :].split(_CRLF + mark, MAX_PARTS + 1)
    if len(pieces) > MAX_PARTS + 1:
        raise invalid(f"The form has more than {MAX_PARTS} parts.")
    if pieces[-1] not in (b"--", b"--\r\n"):
        raise invalid("The form does not end with its boundary.")
    if not all(piece.startswith(_CRLF) for piece in pieces[:-1]):
        raise invalid("A boundary of the form is not on a line of its own.")
    return [_part(piece[len(_CRLF) :], at) for at, piece in enumerate(pieces[:-1])]


def _part(piece: bytes, at: int) -> Part:
    head, mark, content = piece.partition(_CRLF + _CRLF)
    if not mark or len(head) > MAX_HEAD:
        raise _bad(at, "has no headers, or too long ones")
    headers = _headers(head, at)
    parameters = _disposition(headers.pop("content-disposition", ""), at)
    name, filename = parameters.get("name", ""), parameters.get("filename")
    if not _FIELD.fullmatch(name) or name == "_charset_":
        raise _bad(at, "needs a name of letters, digits, `_`, `.`, `-` and `[]`")
    if filename is not None and not _is_filename(filename):
        raise _bad(at, "has a file name with a quote, a slash, a backslash or a character that is not printable")
    if headers.pop("content-transfer-encoding", "binary").lower() not in _IDENTITY:
        raise _bad(at, "has a transfer encoding")
    if headers.pop("content-length", str(len(content))) != str(len(content)):
        raise _bad(at, "has a length that is not its own")
    kind = headers.pop("content-type", None)
    if headers:
        raise _bad(at, "has a header that is not understood")
    if filename is None and kind is not None and not _is_plain(kind):
        raise _bad(at, "is a text of another type than UTF-8 `text/plain`")
    return Part(name, filename, media_type(kind) if kind is not None else "", content)


def _headers(head: bytes, at: int) -> dict[str, str]:
    try:
        lines = head.decode("utf-8").split("\r\n")
    except UnicodeDecodeError:
        raise _bad(at, "has headers that are not UTF-8") from None
    found: dict[str, str] = {}
    for line in lines:
        header = _HEADER.fullmatch(line)
        if header is None:
            raise _bad(at, "has a header that is folded, or holds a control character")
        if header[1].lower() in found:
            raise _bad(at, "has a header twice")
        found[header[1].lower()] = header[2]
    return found


def _disposition(value: str, at: int) -> dict[str, str]:
    """The parameters of a Content-Disposition: `name`, and `filename` for a file.

    `filename*` (RFC 5987) may only repeat `filename`, as .NET does: readers differ in which one they take.
    """
    kind, semicolon, _ = value.partition(";")
    rest = value[len(kind) :]
    found: dict[str, str] = {}
    if kind.strip().lower() != "form-data" or not semicolon:
        raise _bad(at, "needs the header `Content-Disposition: form-data` with a name")
    while rest:
        parameter = _PARAMETER.match(rest)
        if parameter is None or parameter[1] in found or parameter[1] not in ("name", "filename", "filename*"):
            raise _bad(at, "has a Content-Disposition that is not understood")
        found[parameter[1]] = parameter[2] if parameter[2] is not None else parameter[3]
        rest = rest[parameter.end() :]
    if (extended := found.pop("filename*", None)) is not None:
        charset, _, encoded = extended.partition("''")
        if charset.lower() != "utf-8" or unquote(encoded) != found.get("filename"):
            raise _bad(at, "has two file names (`filename*` beside `filename`)")
    return found


def _is_filename(name: str) -> bool:
    """Whether a file's name is a name alone, which every reader reads alike and which leads to no other place."""
    return 0 < len(name) <= MAX_NAME and name.isprintable() and not set('"/\\') & set(name) and name not in (".", "..")


def _is_plain(kind: str) -> bool:
    media, _, parameter = kind.partition(";")
    return media.strip().lower() == _PLAIN and parameter.strip().lower().replace('"', "") in ("", "charset=utf-8")


def media_type(value: str) -> str:
    """A media type without its parameters.

    Raises: Refusal for what is none, and for bodies that hold further bodies.
    """
    media = value.partition(";")[0].strip().lower()
    if not _MEDIA.fullmatch(media) or media.startswith(("multipart/", "message/")):
        raise invalid("A media type of the request body is not one that can be passed on.")
    return media


def _value(part: Part) -> Json:
    if part.filename is not None:
        return {"filename": part.filename, "content_type": part.content_type, "data": Blob(part.content)}
    try:
        text = part.content.decode("utf-8")
    except UnicodeDecodeError:
        raise invalid(f"The form field {part.name} is not UTF-8.") from None
    if "\0" in text:
        raise invalid(f"The form field {part.name} holds a NUL character.")
    return text


def _bad(at: int, what: str) -> Exception:
    return invalid(f"Part {at + 1} of the form {what}.")


# Writing


def _items(value: Json) -> list[Json]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _encoded(name: str, value: Json) -> tuple[bytes, bytes, bytes]:
    """Headers and content of one part, and what identifies the content: itself, or the digest that a file has."""
    if not _FIELD.fullmatch(name):
        raise invalid("A field's name cannot be written in a form.")
    disposition = f'Content-Disposition: form-data; name="{name}"'
    match value:
        case {"filename": str() as filename, "content_type": str() as kind, "data": Blob() as data}:
            if not _is_filename(filename):
                raise invalid("A file's name cannot be written in a form.")
            head = f'{disposition}; filename="{filename}"' + (f"\r\nContent-Type: {kind}" if kind else "")
            return head.encode(), data.data, data.encode()
        case str():
            return disposition.encode(), (text := value.encode()), text
        case bool() | int() | float():
            return disposition.encode(), (text := orjson.dumps(value)), text
        case _:
            raise invalid(f"The value of {name} cannot be written as a field of a form.")


def _own_boundary(encoded: list[tuple[bytes, bytes, bytes]]) -> bytes:
    """The same boundary for the same parts. It stands in none of them: it is their digest."""
    digest = hashlib.sha256()
    for head, data, identity in encoded:
        digest.update(b"%d,%d:" % (len(head), len(data)) + head + identity)
    return b"penstock-" + digest.hexdigest()[:40].encode()
