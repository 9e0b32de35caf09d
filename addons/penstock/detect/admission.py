"""Which patterns are let in: those that are quick on every text and, for streams, exact in every chunking."""

from __future__ import annotations

from functools import lru_cache
from random import Random
from typing import Final

from penstock.detect.redos import refuse_runaway
from penstock.detect.sample import mixture
from penstock.detect.shape import shape
from penstock.detect.sought import Sought, sought
from penstock.detect.syntax import PatternError, parse
from penstock.detect.tree import Back, Choice, Edge, Group, Look, Node, Repeat, Sequence, render, walk

WIDEST: Final = 4096
"""Characters that a pattern may make a stream hold back, and that it may look at around a value."""
_TRIALS: Final = 16
_TRIAL_LENGTH: Final = 48
_LARGE: Final = 400
"""Places of a pattern from which on it is tried out less often: a word list takes its time."""


@lru_cache(1024)
def admit(pattern: str, *, streamed: bool) -> None:
    """Raise `PatternError`, which says why and what to write instead, unless a pattern is safe to run.

    `streamed`: it is also to be masked in streams, so that every way of cutting a text gives the same.
    """
    tree = parse(pattern)
    if shape(tree).low == 0:
        raise PatternError(
            "the pattern matches the empty text, which is everywhere; make at least one character necessary"
        )
    if streamed:
        refuse_unstreamable(tree)
    refuse_runaway(pattern, tree)
    if streamed:
        _try_out(tree, sought(pattern))


def refuse_unstreamable(tree: Node) -> None:
    """Raise `PatternError` for a pattern that can wait for ever, or that `regex` may not find the same in pieces."""
    _refuse_unbounded(tree)
    _refuse_inexact(tree)


def _refuse_unbounded(tree: Node) -> None:
    for node in walk(tree):
        match node:
            case Back(source):
                raise PatternError(
                    f"the back-reference {source[3:-1]} cannot be followed in a stream; write the alternatives"
                )
            case Repeat(_, low, None):
                raise PatternError(
                    f"{_shown(node)} has no upper bound, so a stream might wait for ever; write {{{low},64}} or so"
                )
            case _:
                pass
    known = shape(tree)
    for what, width in (("match", known.high), ("look ahead", known.ahead), ("look behind", known.behind)):
        if width is None or width > WIDEST:
            raise PatternError(
                f"it can {what} {width} characters, more than the {WIDEST} a stream may hold; lower its bounds"
            )


def _shown(node: Repeat) -> str:
    source = render(node)
    return f"'{source if len(source) <= 40 else '...' + source[-40:]}'"


def _refuse_inexact(tree: Node) -> None:
    """In mid-pattern after a lazy repeat, `regex` may look for a lookbehind in text that is not there yet."""
    lazy = any(isinstance(node, Repeat) and node.mode == "?" for node in walk(tree))
    if lazy and _looks_back(tree, consumed=False):
        raise PatternError(
            "a lookbehind, or the start of a line, in mid-pattern cannot go with a lazy repeat in a stream;"
            " make the repeat greedy, or put the lookbehind first"
        )


def _looks_back(node: Node, *, consumed: bool) -> bool:
    """Whether it looks back at a place where something of the match stands before."""
    match node:
        case Look(item, ahead):
            return (consumed and not ahead) or _looks_back(item, consumed=True)
        case Edge(kind):
            return consumed and kind in ("start", "line_start")
        case Group(item):
            return _looks_back(item, consumed=consumed)
        case Repeat(item, _, high):
            return _looks_back(item, consumed=consumed or high is None or high > 1)
        case Choice(branches):
            return any(_looks_back(branch, consumed=consumed) for branch in branches)
        case Sequence(items):
            for item in items:
                if _looks_back(item, consumed=consumed):
                    return True
                consumed = consumed or shape(item).high != 0
            return False
        case _:
            return False


def _try_out(tree: Node, pattern: Sought) -> None:
    """Mask texts that the pattern finds, or nearly, in one piece and character by character."""
    random = Random(7)
    size = sum(1 for _ in walk(tree))
    for _ in range(_TRIALS if size < _LARGE else 2):
        text = mixture(tree, random, _TRIAL_LENGTH)
        if whole(pattern, text) != by_character(pattern, text):
            raise PatternError(
                f"it finds something else in the text {text!r} when that arrives piece by piece;"
                " write it without lazy repeats and lookarounds"
            )


def whole(pattern: Sought, text: str, at: int = 0) -> list[tuple[int, int]]:
    """What a pattern finds in a text, from a place on."""
    found: list[tuple[int, int]] = []
    while (match := pattern.search(text, at)) is not None:
        found.append(match.span())
        at = match.end()
    return found


def by_character(pattern: Sought, text: str) -> list[tuple[int, int]]:
    """What it finds when the text arrives by single characters: the algorithm of `masking.stream`, bare."""
    found: list[tuple[int, int]] = []
    at = 0
    for end in range(1, len(text) + 1):
        part = text[:end]
        while at < end:
            pending = pattern.pending(part, at, partial=True)
            limit = end if pending is None else pending.start()
            match = pattern.search(part, at) if limit > at else None
            if match is None or match.start() >= limit:
                at = limit
                break
            found.append(match.span())
            at = match.end()
    return found + whole(pattern, text, at)
