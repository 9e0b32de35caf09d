"""The patterns we admit, read into a tree: what cannot be read here is refused, never guessed at.

The syntax is the plain common part of `re` and `regex`; of what is left out, each thing is named when it is met, with
what to write instead. Patterns read the view of a text (`detect.view`), so single characters are folded here as the
text will be.
"""

from __future__ import annotations

from functools import lru_cache, reduce
from typing import Final, Literal

import regex

from penstock.detect.ranges import outside, steps
from penstock.detect.tree import EMPTY, Back, Chars, Choice, Edge, Group, Look, Node, Repeat, Sequence
from penstock.detect.view import fold
from penstock.errors import ConfigurationError

MAX_LENGTH: Final = 100_000
"""Characters of a pattern: a long word list fits."""
MAX_DEPTH: Final = 40
"""Groups within groups."""
MAX_UNROLLED: Final = 50_000
"""Places of a pattern, with what must be repeated written out so often."""
MAX_STEPS: Final = 400_000
"""Characters looked at for the ranges of a pattern, each range once: some ninety that span all there is."""
_NARROW: Final = 1024
"""Characters of the widest range that also stands for the ASCII that it reads as."""


class PatternError(ConfigurationError):
    """A pattern that is not admitted; the message says why and what to write instead."""


@lru_cache(1024)
def parse(pattern: str, flags: str = "") -> Node:
    """The tree of a pattern. `flags`: letters of `imsx`, as if it began with them.

    Raises `PatternError` for what `regex` or this project does not take.
    """
    if len(pattern) > MAX_LENGTH:
        raise PatternError(f"the pattern is longer than {MAX_LENGTH} characters; split it over several rules")
    # `regex` writes out what is repeated as often as it must be, and dies of what that can amount to: so first without.
    counted = _most_unrolled(pattern) > MAX_UNROLLED
    _compile(_COUNTED.sub("{1}", pattern) if counted else pattern, flags)
    tree = _Parser(pattern, flags).whole()
    if _unrolled(tree) > MAX_UNROLLED:
        raise PatternError(
            "its counts, multiplied, are too large; lower them, or write {0,n} for what need not be there"
        )
    if counted:
        _compile(pattern, flags)
    return tree


def _most_unrolled(pattern: str) -> int:
    """No fewer places than a pattern has once its counts are written out: most need no closer look."""
    return reduce(
        lambda most, low: min(most * max(int(low[:6]), 1), MAX_UNROLLED + 1), _LOWEST.findall(pattern), len(pattern)
    )


def _compile(pattern: str, flags: str) -> None:
    try:
        regex.compile(pattern, sum((_FLAGS[flag] for flag in set(flags)), int(regex.VERSION0)))
    except regex.error as error:
        raise PatternError(f"bad pattern: {error}") from error
    except (RecursionError, OverflowError, ValueError) as error:
        raise PatternError("bad pattern: it is too deeply nested or too large") from error


def _unrolled(node: Node) -> int:
    """How many places a pattern has when what must be repeated is written out."""
    match node:
        case Repeat(item, low):
            return _unrolled(item) * max(low, 1)
        case Look(item) | Group(item):
            return _unrolled(item)
        case Sequence(parts) | Choice(parts):
            return sum(map(_unrolled, parts))
        case _:
            return 1


_LOWEST: Final = regex.compile(r"\{\s*(\d+)")
_COUNTED: Final = regex.compile(r"\{\d+(?:,\d*)?\}|\{,\d+\}")
_FLAGS: Final = {"i": regex.IGNORECASE, "m": regex.MULTILINE, "s": regex.DOTALL, "x": regex.VERBOSE}
_EDGES: Final = {"b": "word", "B": "inside", "A": "start", "Z": "very_end"}
_CONTROLS: Final = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a", "0": "\0"}
_HEX: Final = {"x": 2, "u": 4, "U": 8}
_BACK: Final = regex.compile(r"\\(?:[1-9][0-9]?|g<[^>]*>)")
_COUNT: Final = regex.compile(r"\{(\d*)(,?)(\d*)\}")
_OPENING: Final = regex.compile(
    r"\(\?(?:(?P<plain>:|>|P?<[^\W\d]\w*>)|(?P<look><?[=!])|(?P<on>[a-zA-Z]+)?(?:-(?P<off>[a-zA-Z]+))?(?P<to>[:)]))"
)
_INSTEAD: Final = {
    "G": r"\G (where the last match ended) means nothing in a stream; leave it out",
    "X": r"\X (grapheme) has no fixed meaning at the edge of a chunk; write the characters",
    "K": r"\K is not taken; put what precedes the value in a lookbehind",
    "R": r"\R is not taken; write (?:\r\n|\n)",
    "L": r"\L (named lists) is not taken; write the alternatives",
    "m": r"\m is not taken; write \b",
    "M": r"\M is not taken; write \b",
    "z": r"\z is not taken; write \Z",
    "N": r"\N is not taken; write the character",
    "h": r"\h is not taken; write [ \t]",
}


class _Parser:
    """Recursive descent over a pattern that `regex` has compiled already, so it is well-formed."""

    def __init__(self, pattern: str, flags: str) -> None:
        self.text = pattern
        self.at = 0
        self.depth = 0
        self.flags = frozenset(flags)
        self.steps = 0
        """Characters that were looked at to fold ranges."""
        self.ranges: dict[tuple[int, int], str] = {}

    def whole(self) -> Node:
        if (opening := _OPENING.match(self.text)) and opening["to"] == ")" and opening["on"]:
            self.flags = self._flags(opening)  # at the very start: they go for everything
            self.at = opening.end()
        flags = "".join(sorted(self.flags - {"x"}))
        node = self.choice()
        assert self.at == len(self.text)  # parentheses are balanced: regex has compiled it
        return Group(node, f"(?{flags}:") if flags else node

    def error(self, message: str) -> PatternError:
        return PatternError(f"{message} (at character {self.at + 1} of the pattern)")

    def choice(self) -> Node:
        branches = [self.sequence()]
        while self.text.startswith("|", self.at):
            self.at += 1
            branches.append(self.sequence())
        return branches[0] if len(branches) == 1 else Choice(tuple(branches))

    def sequence(self) -> Node:
        items: list[Node] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            if (item := self.atom()) is not None:
                items.append(self.counted(item))
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def counted(self, item: Node) -> Node:
        self.skip()
        low = 0
        high: int | None = None
        match self.text[self.at : self.at + 1]:
            case "*":
                low, width = 0, 1
            case "+":
                low, width = 1, 1
            case "?":
                high, width = 1, 1
            case "{":
                count = _COUNT.match(self.text, self.at)
                if count is None or not (count[1] or count[3]):
                    raise self.error(r"a brace that is no count (fuzzy matching is not taken); write \{")
                low = int(count[1] or 0)
                high = (int(count[3]) if count[3] else None) if count[2] else low
                width = len(count[0])
            case _:
                return item
        if isinstance(item, Edge | Look):
            raise self.error("an anchor or lookaround cannot be repeated; leave the count out")
        if item == EMPTY:
            raise self.error("a character that vanishes from every text cannot be repeated; leave it out")
        self.at += width
        mode: Literal["", "?", "+"] = ""
        if (suffix := self.text[self.at : self.at + 1]) in ("?", "+"):
            mode = "?" if suffix == "?" else "+"
            self.at += 1
        return Repeat(item, low, high, mode)

    def skip(self) -> None:
        """Comments, and in verbose mode white space."""
        while True:
            if self.text.startswith("(?#", self.at):
                self.at = self.text.index(")", self.at) + 1
            elif "x" in self.flags and (space := _BLANK.match(self.text, self.at)):
                self.at = space.end()
            else:
                return

    def atom(self) -> Node | None:
        before = self.at
        self.skip()
        if self.at > before:
            return None  # what follows may be the end of the group
        match self.text[self.at]:
            case "(":
                return self.group()
            case "[":
                return self.set()
            case "\\":
                return self.escape()
            case "." as dot:
                self.at += 1
                return Chars(dot, _ALL if "s" in self.flags else _ALL & ~(1 << 10), wide=True)
            case "^":
                self.at += 1
                return Edge("line_start" if "m" in self.flags else "start", "^")
            case "$":
                self.at += 1
                return Edge("line_end" if "m" in self.flags else "end", "$")
            case "{":
                raise self.error(r"a brace that is no count; write \{")
            case character:
                self.at += 1
                return self.literal(character)

    def group(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(f"more than {MAX_DEPTH} groups within each other; write it flatter")
        flags, source, look = self.flags, "(", ""
        if self.text.startswith("(?", self.at):
            opening = _OPENING.match(self.text, self.at)
            if opening is None:
                raise self.error(
                    "this kind of group is not taken; use (...), (?:...), (?P<name>...), (?>...) or lookaround"
                )
            if opening["to"] == ")":
                raise self.error("flags in mid-pattern are not taken; write (?i:...) or put them at the very start")
            if opening["to"]:
                self.flags = self._flags(opening)
            source, look = self._source(opening), opening["look"] or ""
            self.at = opening.end()
        else:
            self.at += 1
        item = self.choice()
        self.at += 1  # the closing parenthesis: regex has seen that it is there
        self.flags = flags
        self.depth -= 1
        return Look(item, "<" not in look, source) if look else Group(item, source)

    def _flags(self, opening: regex.Match[str]) -> frozenset[str]:
        on, off = set(opening["on"] or ""), set(opening["off"] or "")
        if strange := (on | off) - set("imsx"):
            raise self.error(f"the flag {min(strange)!r} is not taken; there are i, m, s and x")
        return (self.flags | on) - off

    def _source(self, opening: regex.Match[str]) -> str:
        """The opening without the x flag, which is gone once the pattern is read."""
        if not opening["to"]:
            return opening[0]
        on, off = (opening["on"] or "").replace("x", ""), (opening["off"] or "").replace("x", "")
        return f"(?{on}{'-' if off else ''}{off}:"

    def escape(self) -> Node:
        letter = self.text[self.at + 1]
        if letter in _EDGES:
            self.at += 2
            return Edge(_EDGES[letter], f"\\{letter}")  # type: ignore[arg-type]  # the table holds kinds only
        if (back := _BACK.match(self.text, self.at)) is not None:
            self.at = back.end()
            return Back(f"(?:{back[0]})")
        kind, source, character = self.member()
        return self.literal(character) if kind == "one" else _chars(source, self._case())

    def member(self) -> tuple[Literal["one", "many"], str, str]:
        """An escape, in a class or out of it: one character, or a class such as `\\d`."""
        start, letter = self.at, self.text[self.at + 1]
        if letter in "dDwWsS":
            self.at += 2
            return "many", f"\\{letter}", ""
        if letter in "pP":
            closing = self.text.find("}", start) if self.text.startswith("{", start + 2) else start + 2
            self.at = closing + 1
            return "many", self.text[start : self.at], ""
        if letter in _HEX:
            self.at += 2 + _HEX[letter]
            return "one", "", chr(int(self.text[start + 2 : self.at], 16))
        if letter in _INSTEAD:
            raise self.error(_INSTEAD[letter])
        if letter.isalnum() and letter not in _CONTROLS:
            raise self.error(f"the escape \\{letter} is not taken; write the character itself")
        if letter == "0" and self.text[start + 2 : start + 3].isdigit():
            raise self.error(r"octal escapes are not taken; write \x..")
        self.at += 2
        return "one", "", _CONTROLS.get(letter, letter)

    def literal(self, character: str) -> Node:
        folded = fold(character)
        chars = [_literal(each, self._case()) for each in folded]
        return chars[0] if len(chars) == 1 else Group(Sequence(tuple(chars)), "(?:") if chars else EMPTY

    def _case(self) -> bool:
        return "i" in self.flags

    def set(self) -> Node:
        start = self.at
        self.at += 1
        negated = self.text.startswith("^", self.at)
        self.at += negated
        parts: list[str] = []
        first = True
        while first or self.text[self.at] != "]":
            first = False
            if self.text.startswith("[:", self.at):
                raise self.error(r"POSIX classes are not taken; write \p{Alpha} or the ranges")
            parts.append(self.range(negated=bool(negated)))
        self.at += 1
        if not any(parts):
            self.at = start
            raise self.error("every character of this class vanishes from every text; leave the class out")
        return _chars(f"[{'^' if negated else ''}{''.join(parts)}]", self._case())

    def range(self, *, negated: bool) -> str:
        """One member of a class, folded: a character, a range, or a class within the class."""
        kind, source, low = self.element()
        if kind == "many":
            return source
        if not (self.text.startswith("-", self.at) and not self.text.startswith("-]", self.at)):
            return self.folded(low)
        dash = self.at
        self.at += 1
        kind, source, high = self.element()
        if kind == "many":  # [a-\d]: a hyphen of its own, as regex reads it
            self.at = dash + 1
            return self.folded(low) + "\\-"
        return f"{_quote(low)}-{_quote(high)}" + ("" if negated else self.reads_as(ord(low), ord(high)))

    def reads_as(self, low: int, high: int) -> str:
        """What the characters of a range fold to, beyond the range. A class that leaves out leaves out what it names:
        `[^\u0080-\uffff]` is ASCII, though much of what it names reads as ASCII."""
        known = self.ranges.get((low, high))
        if known is None:
            self.steps += steps(low, high)
            if self.steps > MAX_STEPS:
                raise self.error(
                    "too many wide ranges that differ: what they read as would take too long to work out; write what"
                    r" they have in common once, or \w, \p{L}, \p{Han} and the like"
                )
            # A range as wide as `\u00c0-\u1fff` means other scripts, not the ASCII that a few of them read as.
            least = 0x80 if high - low > _NARROW else 0
            written = (
                _quote(chr(first)) + (f"-{_quote(chr(last))}" if last > first else "")
                for first, last in ((max(first, least), last) for first, last in outside(low, high) if last >= least)
            )
            known = self.ranges[low, high] = "".join(written)
        return known

    def element(self) -> tuple[Literal["one", "many"], str, str]:
        if self.text[self.at] == "\\":
            if self.text[self.at + 1] == "b":
                self.at += 2
                return "one", "", "\b"
            return self.member()
        self.at += 1
        return "one", "", self.text[self.at - 1]

    def folded(self, character: str) -> str:
        folded = fold(character)
        if len(folded) > 1:
            raise self.error(
                f"{character!r} reads as {folded!r}, which cannot stand in a class; write (?:{folded}|...)"
            )
        return _quote(folded) if folded else ""


_BLANK: Final = regex.compile(r"(?:\s|#[^\n]*(?:\n|\Z))+")
_ALL: Final = (1 << 128) - 1
_EVERY: Final = "".join(map(chr, range(128)))
_KIN: Final = "\u0130\u0131\u017f\u212a"
"""What lies beyond ASCII and, without regard to case, equals an ASCII letter (i, s, k)."""


def _quote(character: str) -> str:
    """One character as it may stand anywhere, in a class too."""
    if character.isalnum() and character.isascii():
        return character
    code = ord(character)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _literal(character: str, ignore_case: bool) -> Chars:
    code = ord(character)
    bits = 1 << code if code < 128 else 0
    wide = code >= 128
    if ignore_case:
        if character.isascii():
            bits = 1 << ord(character.lower()) | 1 << ord(character.upper())
            wide = character in "iIkKsS"
        else:
            return _chars(_quote(character), True)
    return Chars(_quote(character), bits, wide)


@lru_cache(4096)
def _chars(source: str, ignore_case: bool) -> Chars:
    """A class, asked of `regex` itself: which of ASCII it takes, and whether it may take more."""
    compiled = regex.compile(source, regex.VERSION0 | (regex.IGNORECASE if ignore_case else 0))
    bits = sum(1 << ord(character) for character in compiled.findall(_EVERY))
    plain = source.startswith("[") and not source.startswith("[^") and not regex.search(r"\\[a-zA-Z](?<!\\x)", source)
    return Chars(source, bits, wide=not plain or compiled.search(_KIN) is not None)
