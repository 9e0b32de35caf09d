"""Reversible tokens: what a prompt rule took out before the model saw it, and how it is put back in the reply.

A value becomes a token such as `[EMAIL_1]`, the same one wherever it stands in the prompt. What the model says about
the token is delivered with the value in its place, to the caller who sent it and to nobody else: a vault lives as long
as its exchange, and no token means anything in another.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

from penstock.masking.finding import Form

_OPEN: Final = "["


class Vault:
    """The values of one prompt, by the tokens that stand for them."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """`texts`: of the prompt. What looks like a token in them is none, and stays what it is in the reply."""
        self._texts = [text for text in texts if _OPEN in text]
        self._tokens: dict[tuple[str, str], str] = {}
        self._counts: dict[str, int] = {}
        self.values: dict[str, str] = {}
        """Token -> value."""

    def __bool__(self) -> bool:
        return bool(self.values)

    def token(self, label: str, value: str) -> str:
        """What stands for a value of a detector with this label."""
        known = self._tokens.get((label, value))
        if known is None:
            known = self._tokens[label, value] = self._new(label)
            self.values[known] = value
        return known

    def _new(self, label: str) -> str:
        while True:
            count = self._counts[label] = self._counts.get(label, 0) + 1
            token = f"[{label}_{count}]"
            if not any(token in text for text in self._texts):
                return token


class Restore:
    """Puts values back into one text, as it arrives. What may still become a token is held back, and nothing else."""

    __slots__ = ("_held", "_json", "_longest", "_values")

    def __init__(self, vault: Vault, form: Form = "text") -> None:
        self._values = vault.values
        self._longest = max(map(len, vault.values), default=0)
        self._json = form == "json"
        self._held = ""

    def feed(self, text: str) -> str:
        """More of the text; returns what is certain of it."""
        if not self._held and _OPEN not in text:
            return text
        return self._certain(self._held + text, last=False)

    def flush(self) -> str:
        """The end of the text: what was held is no token."""
        held, self._held = self._held, ""
        return held

    def whole(self, text: str) -> str:
        return self._certain(text, last=True) if _OPEN in text else text

    def _certain(self, text: str, *, last: bool) -> str:
        pieces: list[str] = []
        at = 0
        self._held = ""
        while (start := text.find(_OPEN, at)) >= 0:
            pieces.append(text[at:start])
            end = text.find("]", start, start + self._longest)
            token = text[start : end + 1] if end >= 0 else text[start:]
            if end >= 0 and token in self._values:
                pieces.append(self._spelled(self._values[token]))
                at = end + 1
            elif end < 0 and not last and any(known.startswith(token) for known in self._values):
                self._held = token
                return "".join(pieces)
            else:
                pieces.append(_OPEN)
                at = start + 1
        pieces.append(text[at:])
        return "".join(pieces)

    def _spelled(self, value: str) -> str:
        """A value as it stands in a string of JSON, where a token stands too."""
        return json.dumps(value, ensure_ascii=False)[1:-1] if self._json else value
