"""JSON that is masked as it arrives, in fragments of any kind, and stays JSON if it was.

Tool-call arguments are JSON text within a string. Masking them as plain text would miss what is spelled in escapes and
could break what the caller's parser reads. So each string in them, keys too, is a text of its own, read through its
escapes (`masking.escapes`), and what replaces a value in it is escaped as it must be there. A number in which something
is found becomes a string as a whole. The text before a string is context for it (`{"ssn": "123456789"}`).

Beside that, the raw text is scanned as plain text all along. While it is JSON, what is found there does not count: it
is in a string, where it is found anyway, or goes across several. From the first character on that JSON cannot have
there, it does: what is found in the raw text and reaches that place is masked too. So a text that is no JSON is masked
as any text is, and one that stops being JSON has leaked nothing by then: what could still become part of a value in the
raw text is held back as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import regex

from penstock.detect.view import fold, view
from penstock.masking.documents import Documents, Unescaped, unescaped
from penstock.masking.escapes import escape
from penstock.masking.fields import Field, Whereabouts
from penstock.masking.grammar import NUMBER, Grammar, Token, scalar_breaks
from penstock.masking.levels import Level, Told
from penstock.masking.release import FOREVER, Found, Release
from penstock.masking.rule import REACH
from penstock.masking.ruleset import RuleSet
from penstock.masking.spelled import Piece
from penstock.masking.stream import Scan
from penstock.masking.text import MaskStream
from penstock.masking.vault import Vault

_LONGEST: Final = 1024
"""Characters of a number that may be held; a longer one is taken as broken (few parsers read it)."""
_PLAIN: Final = regex.compile(r"[^\"\\\x00-\x1f]*")
_BARE: Final = regex.compile(r"[^\s{}\[\]:,\"]+")
_STRUCTURE: Final[dict[str, Token]] = {"{": "{", "}": "}", "[": "[", "]": "]", ":": ":", ",": ","}
_BLANK: Final = frozenset(" \t\n\r")
_ESCAPES: Final = frozenset('"\\/bfnrt')
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_LETTER: Final = 5
"""The letter of an escape is still to come; below that: so many digits are."""


class JsonStream(MaskStream):
    """JSON text, whatever it turns out to be."""

    __slots__ = (
        "_bare",
        "_before",
        "_documents",
        "_escape",
        "_field",
        "_fields",
        "_grammar",
        "_hidden",
        "_key",
        "_limit",
        "_nested",
        "_raw",
        "_rules",
        "_scalar",
        "_string",
        "_value",
        "_where",
        "_whole",
    )

    def __init__(self, rules: RuleSet, *, whole: bool = False, vault: Vault | None = None) -> None:
        super().__init__(vault)
        self._rules = rules
        self._whole = whole
        self._grammar = Grammar()
        self._raw = Scan(rules, self._release, whole=whole, accept=self._counts)
        self._string: Level | None = None
        """The string that is open."""
        self._escape = 0
        """What is still to come of an escape in it."""
        self._scalar = ""
        """A number or word that may go on; all of it is held."""
        self._bare: Told | None = None
        """What looked like one, and is none: text."""
        self._limit = 0
        """Up to where the string or the bare text is settled."""
        self._before = ""
        """The end of what stands before it: its context."""
        self._fields = rules.fields if rules.fields else None
        self._where = Whereabouts()
        self._key: str | None = None
        """What has come of a key, while one is open and fields are looked for."""
        self._field: Field | None = None
        """The field that the open string is the value of."""
        self._value = ""
        """Of that, as it is written, when what replaces it depends on it."""
        self._hidden: Found | None = None
        """The value of a field, from its first character on."""
        self._nested: Unescaped | None = None
        """The open string, read for documents that are written into it."""
        self._documents: Documents | None = None
        """What follows the first character that is no JSON, read for documents in it."""

    def feed(self, chunk: str) -> str:
        release = self._release
        if release.stopped is not None:
            return ""
        place = release.size
        release.held += chunk
        at = 0
        while at < len(chunk):
            at = self._outside(chunk, at, place) if self._string is None else self._inside(chunk, at, place)
        seen = view(chunk)
        limit = self._raw.feed(seen.text, place, len(chunk), seen.start, seen.end)
        return release.upto(min(limit, self._settled(), self._looked(chunk, place)))

    def flush(self) -> str:
        release = self._release
        if release.stopped is not None:
            return ""
        self._end_scalar(release.size)
        if self._string is not None:
            self._string.close(release.size)
            self._end_string(release.size)
        if self._documents is not None:
            self._documents.close(release.size)
        self._raw.close(release.size)
        return release.upto(FOREVER)

    def _looked(self, chunk: str, place: int) -> int:
        """Look for fields where the grammar does not lead to any. Returns up to where that is settled."""
        size = place + len(chunk)
        if self._fields is None:
            return size
        if self._grammar.broken < FOREVER:
            self._documents = self._documents or Documents(self._fields, self._release)
            start = max(self._grammar.broken, place)
            self._documents.read(chunk[start - place :], start)
        settled = self._documents.settled(size) if self._documents is not None else size
        return min(settled, self._nested.settled(size) if self._nested is not None else size)

    def _counts(self, found: Found) -> bool:
        """Whether something that is found in the raw text is to be masked."""
        return found.mark[1] >= self._grammar.broken

    def _settled(self) -> int:
        if self._string is not None or self._bare is not None:
            return self._limit
        return self._release.size - len(self._scalar)

    def _remember(self, text: str) -> None:
        self._before = (self._before + text)[-REACH:]

    def _scan(self, place: int, spell: Callable[[str], str] | None = None) -> Scan:
        return Scan(self._rules, self._release, place, fold(self._before), spell, whole=self._whole)

    def _inside(self, chunk: str, at: int, place: int) -> int:
        """Take in what belongs to the string. Returns where to go on: behind its closing quote, or at the end."""
        end = at
        while end < len(chunk):
            if self._escape and self._escapes(chunk[end], place + end):
                end += 1
                continue
            plain = _PLAIN.match(chunk, end)
            end = plain.end() if plain else end
            if end == len(chunk) or chunk[end] == '"':
                break
            if chunk[end] == "\\":
                self._escape = _LETTER
            else:
                self._grammar.breaks(place + end)  # a control character
            end += 1
        assert self._string is not None
        if end > at:
            settled = self._string.feed(Piece(chunk[at:end], place + at, end - at))
            self._limit = settled if self._said(chunk[at:end], place + at) else self._limit
        if end < len(chunk):
            self._string.close(place + end)
            self._end_string(place + end)
            self._string = None
            end += 1
        self._remember(chunk[at:end])
        return end

    def _said(self, text: str, place: int) -> bool:
        """Part of a string. Returns whether it may go out as far as it is settled."""
        if self._key is not None:
            self._key += text
        if self._nested is not None:
            for at, character in enumerate(text, place):
                self._nested.feed(character, at, at + 1)
        if self._field is None:
            return True
        if self._field.own:
            self._value += text
            return False  # what stands in its place depends on all of it
        if self._hidden is None:
            self._hidden = self._release.add(Found(self._field, place, FOREVER, "", escape))
        return True

    def _end_string(self, place: int) -> None:
        """A string ends at a place."""
        if self._nested is not None:
            self._nested.close(place)
            self._nested = None
        if self._key is not None:
            self._where.key(self._key)
            self._key = None
        if self._hidden is not None:
            self._release.ended(self._hidden, place)
            self._hidden = None
        elif self._field is not None and self._value:
            start = place - len(self._value)
            shown = escape(self._field.shown(unescaped(self._value)))
            self._release.add(Found(self._field, start, place, "", shown=shown))
        self._field = None
        self._value = ""

    def _find_field(self) -> Field | None:
        """The field whose value stands here, if it is to be masked."""
        if self._fields is None or self._grammar.broken < FOREVER:
            return None
        return self._fields.find(self._where.pointer)

    def _escapes(self, character: str, place: int) -> bool:
        """Whether a character goes on with the escape."""
        wanted, self._escape = self._escape, 0
        if wanted == _LETTER and character == "u":
            self._escape = _LETTER - 1
        elif wanted < _LETTER and character in _HEX:
            self._escape = wanted - 1
        elif wanted < _LETTER or character not in _ESCAPES:
            self._grammar.breaks(place)
            return False
        return True

    def _outside(self, chunk: str, at: int, place: int) -> int:
        """Take in what stands between strings. Returns where to go on."""
        character = chunk[at]
        if (bare := _BARE.match(chunk, at)) is not None:
            self._go_on(bare[0], place + at)
            return bare.end()
        self._end_scalar(place + at)
        self._remember(character)
        if character == '"':
            self._grammar.token("string", place + at)
            if self._fields is not None and self._where.wants_key:
                self._key = ""
            else:
                self._field = self._find_field()
                if self._fields is not None and self._field is None and self._grammar.broken == FOREVER:
                    self._nested = Unescaped(Documents(self._fields, self._release, 1, escape))
            self._string = Level.of_string(self._scan(place + at + 1, escape))
            self._limit = place + at + 1
        elif character in _STRUCTURE:
            self._grammar.token(_STRUCTURE[character], place + at)
            if self._fields is not None:
                self._where.structure(character)
        elif character not in _BLANK:
            self._grammar.breaks(place + at)  # a space that JSON does not know
        return at + 1

    def _go_on(self, text: str, place: int) -> None:
        """More of a number or word."""
        if self._bare is None:
            start = place - len(self._scalar)
            if not self._scalar:
                self._grammar.token("scalar", start)
            self._scalar += text
            wrong = scalar_breaks(self._scalar, ended=False)
            if wrong is None and len(self._scalar) > _LONGEST:
                wrong = _LONGEST
            if wrong is not None:
                self._no_scalar(start, wrong)
        else:
            self._read_bare(text, place)

    def _no_scalar(self, start: int, wrong: int) -> None:
        """What was taken for a number or word is text; the character at `wrong` shows it."""
        self._grammar.breaks(start + wrong)
        self._bare = Told(self._scan(start))
        self._read_bare(self._scalar, start)
        self._scalar = ""

    def _read_bare(self, text: str, place: int) -> None:
        assert self._bare is not None
        self._limit = self._bare.feed(Piece(text, place, len(text)))
        self._remember(text)

    def _end_scalar(self, place: int) -> None:
        """A number or word, if there is one, ends at a place."""
        scalar, start = self._scalar, place - len(self._scalar)
        if scalar and (wrong := scalar_breaks(scalar, ended=True)) is not None:
            self._no_scalar(start, wrong)
        elif scalar:
            if scalar != "null" and (field := self._find_field()) is not None:
                shown = f'"{escape(field.shown(scalar))}"'
                self._release.add(Found(field, start, place, "", shown=shown))
            elif NUMBER.fullmatch(scalar):
                self._number(scalar, start)
            self._remember(scalar)
        if self._bare is not None:
            self._bare.close(place)
            self._bare = None
        self._scalar = ""

    def _number(self, number: str, place: int) -> None:
        """A number in which something is found becomes a string, as a whole."""
        if not self._rules.possible(number):
            return
        inner = Release()
        inner.held = number
        scan = Scan(self._rules, inner, before=fold(self._before), whole=True)
        scan.feed(number, 0, len(number))
        scan.close(len(number))
        every = inner.queued()
        masked = f'"{escape(inner.upto(FOREVER))}"'
        for found in every:
            mark = (place + found.start, place + found.end)
            self._release.add(Found(found.rule, place, place + len(number), "", mark=mark, shown=masked))
