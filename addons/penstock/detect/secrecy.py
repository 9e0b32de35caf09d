"""Which of the things that are assigned to a secret's name are secrets, and which are names, types and placeholders."""

from __future__ import annotations

import base64
import math
from collections import Counter
from itertools import pairwise
from typing import Final

import regex

from penstock.detect import checks

_STAND_IN: Final = regex.compile(
    r"(?i)your|x{4}|\*{3}|\.{3}|place-?_?holder|change-?_?me|change-?_?this|replace|redact|dummy|todo|insert|example|"
    r"sample|<[^>]*>|\$\{|\{\{|%\(|\$\(|%[A-Z_]+%|undefined|enter[_ -]|goes-?_?here|"
    r"my[_-]?(?:password|secret|token|api)|"
    r"not[_-]?set|hidden|masked|encrypted|os\.environ|process\.env|getenv|secrets?\.|vault:|^env[:.]|^\$|^@|^file:|^/|"
    r"^https?:|^#[0-9A-Fa-f]{3,8}$|^[?+]|^![A-Za-z.]+$"
)
_WORDS: Final = regex.compile(r"[A-Za-z]+(?:[_.:/ -][A-Za-z]+)*[:;.,!?]*")
"""A name, a path of names, a sentence: no secret by its look."""
_NAME: Final = regex.compile(
    r"[A-Za-z_][a-z]*(?:(?:[_./-]{1,2}|(?=[A-Z]))[A-Za-z]{2,}[0-9]{0,3}|[_-][0-9]{1,4})*[0-9]{0,2}"
)
_DATE: Final = regex.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}.*|[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{2,4}.*|[0-9.,:/ -]+")
_CALL: Final = regex.compile(r"[A-Za-z_][A-Za-z0-9_.]*[(\[].*")
_PAIR: Final = regex.compile(rb"[\x20-\x39\x3b-\x7e]+:[\x20-\x7e]+")
_HEX: Final = regex.compile("[0-9a-f-]+|[0-9A-F-]+")
_UNFILLED: Final = regex.compile(
    r"://[^@]*[:/][^@/]*(?:\$\{?|\{|%[sd(]|<|\[|\*{3})|:(?:\*+|\.{3})@|=[ ]?[{%$<*\[]\Z|://[0-9.]+:[0-9]{1,5}@"
)
"""A variable, a mark of a template, or asterisks where the password would be; an address and its port (mitmproxy)."""
_USERINFO: Final = regex.compile(r"://([^\s:@/]*):([^\s@]*)@")
_ANYONE: Final = frozenset(("user", "username", "usr", "login", "name"))
_ANYTHING: Final = frozenset(("password", "pass", "passwd", "pwd", "pw", "secret"))
_ESCORT: Final = regex.compile(r"&[A-Za-z_][A-Za-z0-9_.]{0,40}=")
"""The next field of a form."""
_LEAST: Final = 3.0
"""Bits a character, of twenty characters; less is asked of fewer."""


def entropy(value: str) -> float:
    """Shannon's, in bits a character."""
    size = len(value)
    return -sum(count / size * math.log2(count / size) for count in Counter(value).values())


def password(value: str) -> int:
    """How much of a candidate is a password: all of it or nothing.

    Six characters, not all of one kind, that are no name and no placeholder; of a form, up to the next field.
    """
    if (after := _ESCORT.search(value)) is not None:
        value = value[: after.start()]
    if (
        len(value) < 6
        or " " in value.strip()
        or value.endswith((":", ": "))
        or len(set(value)) < 4
        or _STAND_IN.search(value)
    ):
        return 0
    if _WORDS.fullmatch(value) or _DATE.fullmatch(value) or _CALL.match(value):
        return 0
    if _NAME.fullmatch(value) and ("_" in value or "." in value):
        return 0
    kinds = (any(map(str.islower, value)), any(map(str.isupper, value)), any(map(str.isdigit, value)))
    return len(value) if sum(kinds) + (not value.isalnum()) >= 2 else 0


def secret(value: str) -> int:
    """How much of a candidate is random enough for a key: digits or signs among letters, and entropy."""
    if len(value) < 8 or " " in value or value.startswith("-") or _STAND_IN.search(value) or _CALL.match(value):
        return 0
    plain = (
        _WORDS.fullmatch(value) or _NAME.fullmatch(value) or _DATE.fullmatch(value) or not any(map(str.isdigit, value))
    )
    if plain and not _mixed(value):
        return 0
    return len(value) if entropy(value) >= min(_LEAST, 2.2 + len(value) / 25) else 0


def _mixed(value: str) -> bool:
    """Random in spite of its look: capitals and small letters change too often for a name in a program."""
    pairs = [(a, b) for a, b in pairwise(value) if a.isalpha() and b.isalpha()]
    changes = sum(a.isupper() != b.isupper() for a, b in pairs)
    return len(value) >= 16 and len(pairs) >= 8 and changes >= len(pairs) * 0.38


def credential(value: str) -> int:
    """What stands in an `Authorization` header: a secret, or base64 of `user:password`."""
    if value.startswith(("AWS4-", "Credential=", "username=", "realm=")):
        return 0
    return secret(value) or (len(value) if _PAIR.fullmatch(_decoded(value)) else 0)


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        return b""


def address(value: str) -> bool:
    """A URL or a connection string up to where its host begins, with a password that is none of the usual stand-ins."""
    if _UNFILLED.search(value) or not checks.not_placeholder(value):
        return False
    given = _USERINFO.search(value)
    return given is None or not (given[1].lower() in _ANYONE and given[2].lower() in _ANYTHING)


def numbered(value: str) -> bool:
    """No placeholder: digits in it, or letters as no name has them."""
    return (any(map(str.isdigit, value)) or _mixed(value)) and len(set(value)) >= 8 and checks.not_placeholder(value)


def assorted(value: str) -> bool:
    """No placeholder; digits, capitals and small letters."""
    kinds = (str.isdigit, str.isupper, str.islower)
    return all(any(map(kind, value)) for kind in kinds) and checks.not_placeholder(value)


def cloudflare(value: str) -> bool:
    """Of its global keys all letters are hexadecimal, of its tokens not."""
    return checks.random_letters(value) if len(value) == 37 else undigested(value)


def vault(value: str) -> bool:
    """A token of the old kind is told by its letters alone, so they must be random."""
    return assorted(value) if value.startswith("s.") else checks.not_placeholder(value)


def undigested(value: str) -> bool:
    """Digits and letters of many kinds, and no digest: not all of them hexadecimal."""
    return checks.random_letters(value) and _HEX.fullmatch(value) is None
