"""Globs on whole names: `*` stands for any text, `?` for one character, everything else for itself."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from penstock.policy.marked import Node
from penstock.policy.readers import TEXT, Reader
from penstock.policy.reading import Reading

# Names that mean one and the same model to Ollama.
_REGISTRIES: Final = ("registry.ollama.ai/library/", "library/")
_TAG: Final = ":latest"


@dataclass(frozen=True, slots=True)
class _Piece:
    """What stands between two stars: it matches names of one length only."""

    pattern: re.Pattern[str]
    width: int


@dataclass(frozen=True, slots=True)
class Glob:
    """A compiled glob. Matching takes linear time, whatever the name."""

    text: str
    everything: bool = field(init=False, repr=False, compare=False)
    """It matches every name there can be."""
    _exact: tuple[_Piece, ...] = field(init=False, repr=False, compare=False)
    _bare: tuple[_Piece, ...] = field(init=False, repr=False, compare=False)
    _folded: tuple[_Piece, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "everything", bool(self.text) and not self.text.strip("*"))
        object.__setattr__(self, "_exact", _compile(self.text, re.DOTALL))
        object.__setattr__(self, "_bare", _compile(bare(self.text), re.DOTALL))
        object.__setattr__(self, "_folded", _compile(bare(self.text.lower()), re.DOTALL))

    def matches(self, name: str) -> bool:
        """Letter by letter, but for what Ollama adds to a name: for what grants allow."""
        return self.everything or _match(self._exact, name) or _match(self._bare, bare(name))

    def reaches(self, name: str) -> bool:
        """In any case of letters too: for what rules restrict."""
        return self.matches(name) or _match(self._folded, bare(name.lower()))


def _compile(glob: str, flags: re.RegexFlag) -> tuple[_Piece, ...]:
    return tuple(
        _Piece(re.compile("".join("." if c == "?" else re.escape(c) for c in piece), flags), len(piece))
        for piece in re.split(r"\*+", glob)
    )


def _match(pieces: tuple[_Piece, ...], name: str) -> bool:
    head, *rest = pieces
    if not rest:
        return head.pattern.fullmatch(name) is not None
    if head.pattern.match(name) is None:
        return False
    at = head.width
    for piece in rest[:-1]:
        found = piece.pattern.search(name, at)
        if found is None:
            return False
        at = found.end()
    tail = rest[-1]
    start = len(name) - tail.width
    return start >= at and tail.pattern.fullmatch(name, start) is not None


def bare(name: str) -> str:
    """The name without the registry and the tag that Ollama takes for granted: with or without them it is one model."""
    for registry in _REGISTRIES:
        if name.startswith(registry):
            name = name.removeprefix(registry)
            break
    return name.removesuffix(_TAG)


def _glob(node: Node, reading: Reading) -> Glob:
    text = TEXT.read(node, reading)
    if text != text.strip():
        raise reading.wrong(node.mark, f"'{text}' begins or ends with a space")
    if len(text) > 256:
        raise reading.wrong(node.mark, "a glob has at most 256 characters")
    return Glob(text)


GLOB: Final = Reader("a glob (`*` any text, `?` one character)", _glob, lambda _: {"type": "string", "minLength": 1})
