"""Whether what has come of a text so far can still become JSON (RFC 8259), or several documents of it (JSON lines)."""

from __future__ import annotations

from typing import Final, Literal

import regex

from penstock.masking.release import FOREVER

type Token = Literal["{", "}", "[", "]", ":", ",", "string", "scalar"]
type _State = Literal["value", "value or ]", "key", "key or }", ":", "next", "end"]

DEEPEST: Final = 512
"""Nesting beyond this is taken as broken: no reader of tool arguments goes as deep."""

# What may come in each state, and what is expected then. The state after a value depends on what it stands in.
_VALUE: Final[dict[Token, _State]] = {"{": "key or }", "[": "value or ]", "string": "next", "scalar": "next"}
_TABLE: Final[dict[_State, dict[Token, _State]]] = {
    "value": _VALUE,
    "value or ]": {**_VALUE, "]": "next"},
    "key": {"string": ":"},
    "key or }": {"string": ":", "}": "next"},
    ":": {":": "value"},
    "next": {",": "value", "}": "next", "]": "next"},
    "end": {"{": "key or }", "[": "value or ]"},
}
NUMBER: Final = regex.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
# Python's reader takes NaN and the infinities, and so do we: they bring no value along.
_SCALAR: Final = regex.compile(rf"{NUMBER.pattern}|true|false|null|NaN|-?Infinity")


class Grammar:
    """Takes tokens in; `broken` is the place of the first character that cannot be."""

    __slots__ = ("_stack", "_state", "broken")

    def __init__(self) -> None:
        self.broken = FOREVER
        self._state: _State = "value"
        self._stack: list[Token] = []

    @property
    def done(self) -> bool:
        """A document is complete; another one may follow."""
        return self._state == "end" and self.broken == FOREVER

    def breaks(self, place: int) -> None:
        """A character that cannot stand where it does."""
        self.broken = min(self.broken, place)

    def token(self, token: Token, place: int) -> None:
        """A token that begins at a place."""
        if self.broken < FOREVER:
            return
        following = _TABLE[self._state].get(token)
        if following is None or (token in "}]" and not self._closes(token)) or len(self._stack) > DEEPEST:
            self.breaks(place)
            return
        if token in "{[":
            self._stack.append(token)
        if token == ",":
            following = "key" if self._stack[-1] == "{" else "value"
        self._state = following if following != "next" or self._stack else "end"

    def _closes(self, token: Token) -> bool:
        return bool(self._stack) and self._stack.pop() + token in ("{}", "[]")


def scalar_breaks(text: str, *, ended: bool) -> int | None:
    """The index of the first character of a number or word that cannot be: its length when it ends too early."""
    if _SCALAR.fullmatch(text, partial=not ended) is not None:
        return None
    return next(at for at in range(len(text) + 1) if at == len(text) or not _may_become(text[: at + 1]))


def _may_become(text: str) -> bool:
    return _SCALAR.fullmatch(text, partial=True) is not None
