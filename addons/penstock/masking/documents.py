"""JSON documents within a text, for masks by field: in prose, behind fences, and written into strings of JSON.

A document begins at a brace or bracket, and is one as long as the grammar says so. The fields in it are masked as they
come, whatever becomes of the document later: each character is judged by what stands before it alone, so a text that
comes in pieces is read as a whole one is. Where a document turns out to be none, the search goes on from there.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Final

import regex

from penstock.masking.escapes import escape
from penstock.masking.fields import LONGEST, Field, Fields, Whereabouts
from penstock.masking.grammar import Grammar, scalar_breaks
from penstock.masking.release import FOREVER, Found, Release

DEEPEST: Final = 2
"""Documents in strings of documents: so many levels are read below the first."""
_LONGEST: Final = 1024
_BEGINS: Final = regex.compile(r"[{\[]")
_BLANK: Final = frozenset(" \t\n\r")
_STRUCTURE: Final = frozenset("{}[]:,")
_SHORT: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_HEX: Final = frozenset("0123456789abcdefABCDEF")

type Spell = Callable[[str], str]


def _as_is(text: str) -> str:
    return text


class Documents:
    """Takes a text in, character by character; each stands at some places of what is released."""

    __slots__ = (
        "_depth",
        "_field",
        "_fields",
        "_grammar",
        "_hidden",
        "_inner",
        "_key",
        "_release",
        "_scalar",
        "_spell",
        "_start",
        "_string",
        "_value",
        "_where",
        "_wrote",
    )

    def __init__(self, fields: Fields, release: Release, depth: int = 0, spell: Spell = _as_is) -> None:
        """`spell`: how a text is written where this one stands."""
        self._fields = fields
        self._release = release
        self._depth = depth
        self._spell = spell
        self._grammar: Grammar | None = None
        """Of the document at hand."""
        self._where = Whereabouts()
        self._string = False
        self._wrote = ""
        """The beginning of an escape in the string."""
        self._key: str | None = None
        self._field: Field | None = None
        self._hidden: Found | None = None
        self._value: list[str] = []
        self._scalar = ""
        self._start = 0
        """Where the value or scalar at hand begins."""
        self._inner: Unescaped | None = None

    def read(self, text: str, place: int) -> None:
        """Take in a text that stands at a place as it is."""
        at = 0
        while at < len(text):
            if self._grammar is None:
                if (begins := _BEGINS.search(text, at)) is None:
                    return
                at = begins.start()
            self.feed(text[at], place + at, place + at + 1)
            at += 1

    def feed(self, character: str, start: int, end: int) -> None:
        if self._grammar is None:
            if character not in "{[":
                return
            self._grammar, self._where = Grammar(), Whereabouts()
        if self._string:
            self._inside(character, start, end)
        elif character == '"' or character in _BLANK or character in _STRUCTURE:
            self._end_scalar(start)
            self._between(character, start, end)
        else:
            self._go_on(character, start, end)

    def close(self, place: int) -> None:
        """The text ends at a place."""
        if self._grammar is None:
            return
        if self._string:
            self._end_string(place)
        else:
            self._end_scalar(place)

    def settled(self, size: int) -> int:
        """Up to where nothing more will be found, of so many characters that have come."""
        if self._value or self._scalar:
            return self._start
        return self._inner.settled(size) if self._inner is not None else size

    def _between(self, character: str, start: int, end: int) -> None:
        """A character that stands between values; the grammar may have ended with what came before it."""
        if self._grammar is None:
            self.feed(character, start, end)
            return
        if character in _BLANK:
            return
        self._grammar.token("string" if character == '"' else character, start)  # type: ignore[arg-type]
        if self._grammar.broken < FOREVER:
            self._leave()
            self.feed(character, start, end)
        elif character == '"':
            self._open()
        else:
            self._where.structure(character)
            if self._grammar.done:
                self._leave()

    def _leave(self) -> None:
        self._grammar = None
        self._scalar = ""

    def _open(self) -> None:
        self._string, self._wrote = True, ""
        self._key = "" if self._where.wants_key else None
        self._field = None if self._key is not None else self._fields.find(self._where.pointer)
        if self._key is None and self._field is None and self._depth < DEEPEST:
            spell = partial(_within, self._spell)
            self._inner = Unescaped(Documents(self._fields, self._release, self._depth + 1, spell))

    def _inside(self, character: str, start: int, end: int) -> None:
        if character == '"' and self._wrote != "\\":
            self._end_string(start)
            return
        self._wrote = "\\" if character == "\\" and self._wrote != "\\" else ""
        if self._key is not None:
            if len(self._key) <= LONGEST:  # a longer one is masked, whatever it is called
                self._key += character
        elif self._inner is not None:
            self._inner.feed(character, start, end)
        elif self._field is not None and self._field.own:
            if not self._value:
                self._start = start
            self._value.append(character)
        elif self._field is not None and self._hidden is None:
            spell = partial(_within, self._spell)
            self._hidden = self._release.add(Found(self._field, start, FOREVER, "", spell))

    def _end_string(self, place: int) -> None:
        if self._key is not None:
            self._where.key(self._key)
        if self._inner is not None:
            self._inner.close(place)
        if self._hidden is not None:
            self._release.ended(self._hidden, place)
        if self._field is not None and self._value:
            shown = _within(self._spell, self._field.shown(unescaped("".join(self._value))))
            self._release.add(Found(self._field, self._start, place, "", shown=shown))
        self._string, self._key, self._field, self._hidden, self._inner = False, None, None, None, None
        self._value = []

    def _go_on(self, character: str, start: int, end: int) -> None:
        """More of a number or word."""
        assert self._grammar is not None
        if not self._scalar:
            self._start = start
            self._grammar.token("scalar", start)
        self._scalar += character
        if (
            self._grammar.broken < FOREVER
            or scalar_breaks(self._scalar, ended=False) is not None
            or len(self._scalar) > _LONGEST
        ):
            self._leave()

    def _end_scalar(self, place: int) -> None:
        scalar, self._scalar = self._scalar, ""
        if not scalar:
            return
        if scalar_breaks(scalar, ended=True) is not None:
            self._leave()
        elif scalar != "null" and (field := self._fields.find(self._where.pointer)) is not None:
            shown = self._spell(f'"{escape(field.shown(scalar))}"')
            self._release.add(Found(field, self._start, place, "", shown=shown))


class Unescaped:
    """What a string of JSON says, character by character, to a reader of the documents in it."""

    __slots__ = ("_at", "_inner", "_wrote")

    def __init__(self, inner: Documents) -> None:
        self._inner = inner
        self._wrote = ""
        """An escape that is not complete, from its backslash on."""
        self._at = 0
        """Where it began."""

    def feed(self, character: str, start: int, end: int) -> None:
        if not self._wrote:
            if character == "\\":
                self._wrote, self._at = character, start
            else:
                self._inner.feed(character, start, end)
            return
        self._wrote += character
        if self._wrote[1] != "u":
            self._say(_SHORT.get(character, character), end)
        elif len(self._wrote) > 2 and character not in _HEX:
            self._say(character, end)
        elif len(self._wrote) == 6:
            self._say(chr(int(self._wrote[2:], 16)), end)

    def close(self, place: int) -> None:
        self._inner.close(place)

    def settled(self, size: int) -> int:
        return min(self._at if self._wrote else size, self._inner.settled(size))

    def _say(self, character: str, end: int) -> None:
        self._wrote = ""
        self._inner.feed(character, self._at, end)


def _within(spell: Spell, text: str) -> str:
    """A text as it is written in a string that stands where `spell` is for."""
    return spell(escape(text))


def unescaped(raw: str) -> str:
    """What the inside of a JSON string says; what is none stands for itself."""
    try:
        return str(json.loads(f'"{raw}"', strict=False))
    except ValueError:
        return raw
