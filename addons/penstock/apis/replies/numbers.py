"""Replies that are numbers: vectors, scores and token ids pass as they are; everything else in them is text."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from operator import itemgetter
from typing import Final

from penstock.apis.api import Dialect
from penstock.apis.metadata import read_anything
from penstock.apis.replies.pieces import LARGE, STRIPPED, Holder, Piece, Reading, Walk, is_text, plain_word
from penstock.apis.replies.reader import Reader
from penstock.exchange import Json, JsonObject, Path, Reply

# At least 12 floats: anything shorter is looked at as the text that it may be.
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]{64,}={0,2}")
_NONE: Final[frozenset[str]] = frozenset()
_NUMBERS: Final = frozenset({int, float, bool})


class NumbersReader(Reader):
    """Reads a reply that comes whole; a stream it does not know."""

    events: frozenset[str] = frozenset()

    def __init__(
        self,
        dialect: Dialect,
        numbers: frozenset[str],
        spelled: frozenset[str] = _NONE,
        *,
        base64: bool = False,
        opaque: bool = False,
    ) -> None:
        """`numbers`: keys whose numbers pass. `spelled`: keys that are emptied beside a mask, and no text without one;
        `""` is the reply as a list.
        `base64`: the call asked for vectors in that form. `opaque`: for vectors as nothing but bytes."""
        self.dialect = dialect
        self.opaque = frozenset({"application/octet-stream"}) if opaque else _NONE
        self._spelled = "" in spelled
        self._walk = _NumbersWalk(numbers, spelled, base64=base64)

    def read(self, document: Json, reply: Reply, *, strip: bool) -> Reading:
        reading = Reading()
        holder: list[Json] = [document]
        if isinstance(document, list) and self._walk.passes(reading, holder, 0, (), strip=strip):
            return reading
        if isinstance(document, list) and self._spelled:
            return self._emptied(document, strip=strip)
        if isinstance(document, dict):
            _note(document, reply)
        return read_anything(self._walk, document, strip=strip)

    def _emptied(self, document: list[Json], *, strip: bool) -> Reading:
        """A reply of nothing but the strings of tokens."""
        reading = Reading()
        if strip and document:
            document.clear()
            reading.edited = True
        return reading


class _NumbersWalk(Walk):
    """Walks a reply past its numbers."""

    def __init__(self, numbers: frozenset[str], spelled: frozenset[str], *, base64: bool) -> None:
        super().__init__()
        self._numbers = numbers
        self._spelled = spelled
        self._stripped = (STRIPPED | spelled) - numbers
        self._base64 = base64

    def value(self, reading: Reading, holder: Holder, key: str | int, index: int, path: Path, *, strip: bool) -> None:
        if self.passes(reading, holder, key, path, strip=strip):
            return
        value: Json = holder[key]  # type: ignore[index]
        if isinstance(value, str):
            self.string(reading, holder, key, value, index, path, known=_frame(path))
        else:
            super().value(reading, holder, key, index, path, strip=strip)

    def passes(self, reading: Reading, holder: Holder, key: str | int, path: Path, *, strip: bool) -> bool:
        """Whether a value is one of the answer's numbers; the keys in it are counted then."""
        value: Json = holder[key]  # type: ignore[index]
        if isinstance(value, list):
            if _name(path) not in self._numbers:
                return False
            return numeric(value) or self._rows(reading, value, strip=strip)
        if isinstance(value, str):
            return self._base64 and _name(path) in self._numbers and _BASE64.fullmatch(value) is not None
        return False

    def object(self, reading: Reading, value: JsonObject, index: int, path: Path, *, strip: bool) -> None:
        reading.keys += len(value)
        for key in list(value):
            if key in self._stripped and (strip or key in self._spelled):
                if strip:
                    self.strip(reading, value, key)
                continue
            self.value(reading, value, key, index, (*path, key), strip=strip)
            if not plain_word(key):
                reading.pieces.append(Piece(value, key, key, self.place(index, path or (key,)), "key"))

    def _rows(self, reading: Reading, rows: list[Json], *, strip: bool) -> bool:
        """Objects that are all alike and hold nothing but numbers, and texts that are emptied: sparse vectors, scores,
        tokens. Thousands of them are read at once."""
        if not rows or set(map(type, rows)) != {dict}:
            return False
        found: Sequence[JsonObject] = rows  # type: ignore[assignment]
        names: frozenset[str] = frozenset().union(*found)
        count = sum(map(len, found))
        if count != len(names) * len(found) or not all(map(plain_word, names)):
            return False
        spelled = names & self._spelled
        if not all(self._column(name, list(map(itemgetter(name), found))) for name in names - spelled):
            return False
        if strip:
            for row in found:
                for name in spelled:
                    self.strip(reading, row, name)
        reading.keys += count
        return True

    def _column(self, name: str, values: list[Json]) -> bool:
        """Whether rows hold nothing but numbers under a name; lists of them only where they are the answer."""
        return numeric(values) and (name in self._numbers or not any(isinstance(value, list) for value in values))


def numeric(value: list[Json]) -> bool:
    """Whether a list is nothing but numbers and nulls, at any depth; no integer among them has the digits of a card.

    One call into C for a plain vector: a reply has hundreds of thousands of numbers.
    """
    try:
        squares = math.sumprod(value, value)  # type: ignore[arg-type]
    except TypeError:
        return all(item is None or item.__class__ in _NUMBERS or _numeric_list(item) for item in value) and not any(
            isinstance(item, int) and is_text(item) for item in value
        )
    return squares < LARGE * LARGE or not any(isinstance(item, int) and is_text(item) for item in value)


def _numeric_list(value: Json) -> bool:
    return isinstance(value, list) and numeric(value)


def _frame(path: Path) -> bool:
    """Whether a place is in the frame of a reply, where servers put what things are: at its top, or in one answer."""
    return len(path) == 1 or (len(path) == 3 and path[0] in ("data", "results"))


def _name(path: Path) -> str:
    """The key that a place is under; empty at the top of a reply that is a list."""
    for part in reversed(path):
        if isinstance(part, str):
            return part
    return ""


def _note(document: JsonObject, reply: Reply) -> None:
    """The model, and how many tokens were read, by whichever name."""
    model, usage = document.get("model"), document.get("usage")
    if isinstance(model, str):
        reply.model = model
    counts = usage if isinstance(usage, dict) else document
    for key in ("prompt_tokens", "input_tokens", "prompt_eval_count"):
        if isinstance(count := counts.get(key), int):
            reply.prompt_tokens = count
            return
