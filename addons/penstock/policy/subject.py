"""What a guardrail reads: the texts of a call or of a reply, as views that disguises fall away from.

A prompt is read turn by turn, and all the turns of a role once more in one piece (joined by nothing, and by a space),
so that what is split over parts and messages is found. Strings inside tool-call arguments are read unescaped. What is
spelled in a code (`%69gnore`, base64, ...) is read decoded too, and rules that look for a phrase read the text with
other disguises taken off as well (`policy.speech`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from penstock.detect.needed import Wordbook, needed
from penstock.detect.prefilter import AS_IT_IS, Prefilter, coarsened
from penstock.detect.view import fold
from penstock.exchange import Call, Json, Turn
from penstock.policy.codes import SIGN, decodings
from penstock.policy.speech import SIGNS, Undisguised, coarse, disguised, disguises, loosened, readings

type On = Literal["prompt", "completion", "tool_call", "parameters", "operation"]

_NOTHING: Final[frozenset[str]] = frozenset()
_TAG: Final = re.compile("[\U000e0020-\U000e007e]")
_SPOKEN: Final = {code: code - 0xE0000 for code in range(0xE0020, 0xE007F)}


@dataclass(frozen=True, slots=True)
class View:
    """One text, and which of the policy's patterns may match it."""

    text: str
    possible: frozenset[str]


@dataclass(frozen=True, slots=True)
class Speech:
    """One text with a disguise taken off, and which of the policy's patterns may match it."""

    reading: Undisguised
    possible: frozenset[str]


@dataclass(frozen=True, slots=True)
class Subject:
    """Everything one guardrail reads at once."""

    views: tuple[View, ...]
    """None when no pattern may match any text."""
    size: int
    """Characters, each text counted once."""
    call: Call | None = None
    """None for a reply."""
    possible: frozenset[str] = _NOTHING
    """What may match in any of the views and speeches."""
    speech: tuple[Speech, ...] = ()


class Sieve:
    """Says which patterns may match a text: one pass, however many there are.

    The prefilter knows no anchors or lookarounds, so what may match a text may match every text that it is part of:
    one pass over texts in which all others are contained tells whether anything can be found at all.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = _Patterns({pattern: pattern for pattern in patterns})
        loose = {pattern: loosened(pattern) for pattern in self._patterns.names}
        phrases = {pattern: each for pattern, each in loose.items() if each is not None}
        self._phrases = _Patterns({pattern: pattern for pattern in phrases})
        self._loose = _Patterns(phrases)
        self._hidden = Wordbook([(each, each) for each in self._phrases.names if needed(each)], disguises)
        hidden = [each for pattern in self._phrases.others for each in disguised(pattern)]
        every = [coarsened(pattern, AS_IT_IS) for pattern in self._patterns.others]
        self._other = Prefilter(also=(*every, SIGN, *(SIGNS if phrases else ()), *hidden))

    def subject(self, texts: Texts, call: Call | None = None) -> Subject:
        plain = "\n".join(texts.covering)
        if plain.isascii() and not self._anything(plain):  # the end, for most calls
            return Subject((), texts.size, call)
        covering = spellings(texts.covering)
        speech = self._speech(covering)
        if not self._patterns.possible("\n".join(covering)):
            return Subject((), texts.size, call, _union(speech), speech)
        views = tuple(View(text, self._patterns.possible(text)) for text in spellings(texts.all))
        return Subject(views, texts.size, call, _union(views) | _union(speech), speech)

    def _anything(self, text: str) -> bool:
        """Whether any pattern may match anything that a text of ASCII says in any way; no pattern is run for that."""
        if self._patterns.words.candidates(text):
            return True
        if self._hidden and any(map(self._hidden.candidates, coarse(text))):
            return True
        return bool(self._other.candidates(text))

    def _speech(self, texts: Iterable[str]) -> tuple[Speech, ...]:
        if not self._phrases.names:
            return ()
        every = [reading for text in texts for reading in readings(text)]
        plain = self._phrases.possible("\n".join(each.text for each in every if not each.run_on))
        loose = self._loose.possible("\n".join(each.text for each in every if each.run_on))
        return tuple(
            Speech(each, loose if each.run_on else plain) for each in every if (loose if each.run_on else plain)
        )


class _Patterns:
    """Patterns by the names that rules know them by, ready to be asked for all at once."""

    def __init__(self, patterns: Mapping[str, str]) -> None:
        self.names = tuple(patterns)
        self.words = Wordbook([(name, pattern) for name, pattern in patterns.items() if needed(pattern)])
        """Of most, which words they need: quickly told of any text, where RE2 makes a new state at every turn."""
        others = {name: pattern for name, pattern in patterns.items() if not needed(pattern)}
        self.others = tuple(others)
        self._prefilter = Prefilter(also=[coarsened(each, AS_IT_IS) for each in others.values()]) if others else None

    def possible(self, text: str) -> frozenset[str]:
        """The names of those that may match a text."""
        if not text:
            return _NOTHING
        found = self.words.candidates(text)
        if self._prefilter is None or not (others := self._prefilter.candidates(text)):
            return found
        return found.union(self.others[index] for index in others)


def _union(parts: Iterable[View | Speech]) -> frozenset[str]:
    return _NOTHING.union(*(part.possible for part in parts))


class Texts(NamedTuple):
    """The texts that a rule reads."""

    all: Sequence[str]
    covering: Sequence[str]
    """Some of them, which contain all the others."""
    size: int
    """Characters, each text counted once, and none for being read together with others."""


def spellings(texts: Iterable[str]) -> Sequence[str]:
    """Each text folded, once; what tag characters stand for, and what codes in it say, as well."""
    found: dict[str, None] = {}
    for text in texts:
        folded = fold(text)
        found[folded] = None
        if folded != text and _TAG.search(text):
            found[fold(text.translate(_SPOKEN))] = None
        for decoded in decodings(text):
            found[fold(decoded)] = None
    return tuple(found)


def of_call(sieve: Sieve, call: Call, on: frozenset[On]) -> Subject:
    """What of a call is read by a rule that is about these."""
    texts = _turns([turn for turn in call.turns if turn.kind in on])
    if "parameters" in on and call.parameters:
        leaves = list(strings(dict(call.parameters)))
        size = texts.size + sum(map(len, leaves))
        texts = Texts([*texts.all, *leaves], [*texts.covering, *leaves], size)
    return sieve.subject(texts, call)


def of_reply(sieve: Sieve, text: str) -> Subject:
    """A reply's text, whole; the strings in it too when it is JSON."""
    texts = [text, *_unescaped(text)]
    return sieve.subject(Texts(texts, texts, len(text)))


def _turns(turns: Sequence[Turn]) -> Texts:
    """Every turn, and the turns of each role in one piece."""
    parts: dict[tuple[str, str], list[str]] = {}
    texts: list[str] = []
    covering: list[str] = []
    size = 0
    for turn in turns:
        size += len(turn.text)
        texts.append(turn.text)
        together = parts.setdefault((turn.kind, turn.role), [])
        if turn.form == "json" and (inner := _unescaped(turn.text)):
            covering.append(turn.text)
            texts += inner
            together += inner
        else:
            together.append(turn.text)
    for together in parts.values():
        joined = ["".join(together), " ".join(together)] if len(together) > 1 else together
        covering += joined
        texts += joined
    return Texts(texts, covering, size)


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
