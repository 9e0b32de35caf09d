"""What a guardrail reads: the texts of a call or of a reply, as views that disguises fall away from.

A prompt is read turn by turn, and all the turns of a role once more in one piece (joined by nothing, and by a space),
so that what is split over parts and messages is found. Strings inside tool-call arguments are read unescaped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from penstock.detect.prefilter import Prefilter
from penstock.detect.view import fold
from penstock.exchange import Call, Json, Turn

type On = Literal["prompt", "completion", "tool_call", "parameters", "operation"]

_NOTHING: Final[frozenset[str]] = frozenset()
_TAGS: Final = {code: code - 0xE0000 for code in range(0xE0020, 0xE007F)}


@dataclass(frozen=True, slots=True)
class View:
    """One text, and which of the policy's patterns may match it."""

    text: str
    possible: frozenset[str]


@dataclass(frozen=True, slots=True)
class Subject:
    """Everything one guardrail reads at once."""

    views: tuple[View, ...]
    size: int
    """Characters, each text counted once."""
    call: Call | None = None
    """None for a reply."""
    possible: frozenset[str] = _NOTHING
    """What may match in any of the views."""


class Sieve:
    """Says which patterns may match a text: one pass, however many there are."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = tuple(dict.fromkeys(patterns))
        self._prefilter = Prefilter(self._patterns) if self._patterns else None

    def subject(self, texts: Sequence[str], size: int, call: Call | None = None) -> Subject:
        views = tuple([self._view(text) for text in spellings(texts)])
        possible = _NOTHING
        for view in views:
            if view.possible:
                possible |= view.possible
        return Subject(views, size, call, possible)

    def _view(self, text: str) -> View:
        if self._prefilter is None:
            return View(text, _NOTHING)
        found = self._prefilter.candidates(text)
        return View(text, frozenset(self._patterns[index] for index in found) if found else _NOTHING)


def spellings(texts: Iterable[str]) -> Iterable[str]:
    """Each text folded, once; a text with tag characters also as the ASCII that they stand for."""
    found: dict[str, None] = {}
    for text in texts:
        found[fold(text)] = None
        if not text.isascii() and (spoken := text.translate(_TAGS)) != text:
            found[fold(spoken)] = None
    return found


def of_call(sieve: Sieve, call: Call, on: frozenset[On]) -> Subject:
    """What of a call is read by a rule that is about these."""
    turns = [turn for turn in call.turns if turn.kind in on]
    texts = _read(turns)
    size = sum([len(turn.text) for turn in turns])
    if "parameters" in on:
        leaves = list(strings(dict(call.parameters)))
        texts = [*texts, *leaves]
        size += sum(map(len, leaves))
    return sieve.subject(texts, size, call)


def of_reply(sieve: Sieve, text: str) -> Subject:
    """A reply's text, whole; the strings in it too when it is JSON."""
    return sieve.subject([text, *_unescaped(text)], len(text))


def _read(turns: Sequence[Turn]) -> list[str]:
    if len(turns) == 1 and turns[0].form == "text":
        return [turns[0].text]
    parts: dict[tuple[str, str], list[str]] = {}
    texts: list[str] = []
    for turn in turns:
        inner = _unescaped(turn.text) if turn.form == "json" else ()
        texts += [turn.text, *inner]
        parts.setdefault((turn.kind, turn.role), []).extend(inner or (turn.text,))
    for together in parts.values():
        if len(together) > 1:
            texts += ["".join(together), " ".join(together)]
    return texts


def _unescaped(text: str) -> Sequence[str]:
    """The strings of a JSON text; none when it is no JSON, or has no escape that could hide something."""
    if "\\" not in text or text[:1].strip() not in ("{", "[", '"', ""):
        return ()
    try:
        return list(strings(json.loads(text)))
    except (ValueError, RecursionError):
        return ()


def strings(value: Json) -> Iterator[str]:
    """Every string of a value, keys too."""
    pending: list[Json] = [value]
    while pending:
        match pending.pop():
            case str() as text:
                yield text
            case list() as items:
                pending += reversed(items)
            case dict() as entries:
                for key, inner in reversed(entries.items()):
                    pending += [inner, key]
            case _:
                pass
