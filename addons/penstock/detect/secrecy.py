"""Which of the things that are assigned to a secret's name are secrets, and which are names, types and placeholders."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from typing import Final

import regex

_STAND_IN: Final = regex.compile(
    r"(?i)your|x{4}|\*{3}|\.{3}|place-?_?holder|change-?_?me|change-?_?this|replace|redact|dummy|todo|insert|example|"
    r"sample|<[^>]*>|\$\{|\{\{|%\(|\$\(|%[A-Z_]+%|undefined|enter[_ -]|goes-?_?here|"
    r"my[_-]?(?:password|secret|token|api)|"
    r"not[_-]?set|hidden|masked|encrypted|os\.environ|process\.env|getenv|secrets?\.|vault:|^env[:.]|^\$|^@|^file:|^/|"
    r"^https?:|^#[0-9A-Fa-f]{3,8}$"
)
_WORDS: Final = regex.compile(r"[A-Za-z]+(?:[_.:/ -][A-Za-z]+)*[:;.,!?]*")
"""A name, a path of names, a sentence: no secret by its look."""
_NAME: Final = regex.compile(
    r"[A-Za-z_][a-z]*(?:(?:[_.-]{1,2}|(?=[A-Z]))[A-Za-z]{2,}[0-9]{0,3}|[_-][0-9]{1,4})*[0-9]{0,2}"
)
_DATE: Final = regex.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}.*|[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{2,4}.*|[0-9.,:/ -]+")
_CALL: Final = regex.compile(r"[A-Za-z_][A-Za-z0-9_.]*[(\[].*")
_LEAST: Final = 3.0
"""Bits a character, of twenty characters; less is asked of fewer."""


def entropy(value: str) -> float:
    """Shannon's, in bits a character."""
    size = len(value)
    return -sum(count / size * math.log2(count / size) for count in Counter(value).values())


def password(value: str) -> int:
    """How much of a candidate is a password: all of it or nothing.

    Six characters, not all of one kind, that are no name and no placeholder.
    """
    if len(value) < 6 or " " in value.strip() or len(set(value)) < 4 or _STAND_IN.search(value):
        return 0
    if _WORDS.fullmatch(value) or _DATE.fullmatch(value) or _CALL.match(value):
        return 0
    if _NAME.fullmatch(value) and ("_" in value or "." in value):
        return 0
    kinds = (any(map(str.islower, value)), any(map(str.isupper, value)), any(map(str.isdigit, value)))
    return len(value) if sum(kinds) + (not value.isalnum()) >= 2 else 0


def secret(value: str) -> int:
    """How much of a candidate is random enough for a key: digits or signs among letters, and entropy."""
    if len(value) < 8 or " " in value or _STAND_IN.search(value) or _WORDS.fullmatch(value) or _CALL.match(value):
        return 0
    plain = _NAME.fullmatch(value) or _DATE.fullmatch(value) or not any(map(str.isdigit, value))
    if plain and not _mixed(value):
        return 0
    return len(value) if entropy(value) >= min(_LEAST, 2.2 + len(value) / 25) else 0


def _mixed(value: str) -> bool:
    """Without digits, yet random: capitals and small letters change too often for a name in a program."""
    value = value.rstrip("=")
    changes = sum(a.isupper() != b.isupper() for a, b in pairwise(value))
    return len(value) >= 16 and value.isalpha() and changes >= len(value) * 0.38
