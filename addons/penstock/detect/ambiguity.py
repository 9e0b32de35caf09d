"""Loops of a pattern that can read the same text in two ways.

A backtracking search may then try exponentially many (`(a+)+`, `(a|a)*`, `(\\w+\\s?)*`). This is told from the
automaton of the pattern, one place for each class of characters: a loop is such a trap when a step of it can be made in
two ways, or when two walkers, starting in one place of it and reading the same text, can part and meet again there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from itertools import pairwise
from operator import or_
from typing import Final

from penstock.detect.shape import EVERY_WIDE, shape
from penstock.detect.tree import Back, Chars, Choice, Edge, Group, Look, Node, Repeat, Sequence

COUNTED: Final = 4
"""A repeat up to this often is told as so many copies, beyond it as a loop."""
_MOST_PLACES: Final = 400
_MOST_IN_A_LOOP: Final = 90
_MOST_STEPS: Final = 200_000


@dataclass(slots=True)
class _Automaton:
    """The places of a pattern: what is read there, and which places can follow."""

    classes: list[int] = field(default_factory=list[int])
    follow: list[dict[int, int]] = field(default_factory=list[dict[int, int]])
    """Place -> place that can follow -> what can be read there then."""
    taken: dict[int, int] = field(default_factory=dict[int, int])
    """Place of a possessive loop -> what cannot follow it."""
    doubled: int = 0
    """What can be read on a step that can be made in two ways."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a pattern, in the automaton."""

    first: frozenset[int]
    last: frozenset[int]
    nullable: bool


class _TooLarge(Exception):
    pass


def _build(node: Node, automaton: _Automaton) -> _Part:
    match node:
        case Chars(_, bits, wide):
            if len(automaton.classes) >= _MOST_PLACES:
                raise _TooLarge
            # Of what lies beyond ASCII we only know that there is something: two classes are not held to share that.
            automaton.classes.append(bits or (EVERY_WIDE if wide else 0))
            automaton.follow.append({})
            here = frozenset((len(automaton.classes) - 1,))
            return _Part(here, here, nullable=False)
        case Edge() | Look() | Back():
            return _Part(frozenset(), frozenset(), nullable=True)
        case Group(item):
            return _build(item, automaton)
        case Sequence(items):
            return _chain((_build(item, automaton) for item in items), automaton)
        case Choice(branches):
            parts = [_build(branch, automaton) for branch in branches]
            return _Part(
                frozenset[int]().union(*(part.first for part in parts)),
                frozenset[int]().union(*(part.last for part in parts)),
                any(part.nullable for part in parts),
            )
        case Repeat(item, low, high, mode):
            if high is not None and high <= COUNTED and shape(item).low:
                return _copies([_build(item, automaton) for _ in range(high)], low, automaton)
            part = _build(item, automaton)
            _join(part.last, part.first, automaton)
            if mode == "+" and isinstance(item, Chars):  # it takes all that it can: something else must follow
                automaton.taken.update((place, automaton.classes[place]) for place in part.first)
            return _optional(part) if low == 0 else part


def _copies(parts: list[_Part], low: int, automaton: _Automaton) -> _Part:
    """So many copies: each is entered from the one before only, and from `low` on each may be the last."""
    for part, after in pairwise(parts):
        _join(part.last, after.first, automaton)
    last = frozenset[int]().union(*(part.last for part in parts[max(low, 1) - 1 :]))
    return _Part(parts[0].first if parts else last, last, nullable=low == 0)


def _optional(part: _Part) -> _Part:
    return _Part(part.first, part.last, nullable=True)


def _chain(parts: Iterable[_Part], automaton: _Automaton) -> _Part:
    whole = _Part(frozenset(), frozenset(), nullable=True)
    for part in parts:
        _join(whole.last, part.first, automaton)
        whole = _Part(
            whole.first | part.first if whole.nullable else whole.first,
            whole.last | part.last if part.nullable else part.last,
            whole.nullable and part.nullable,
        )
    return whole


def _join(last: Iterable[int], first: Iterable[int], automaton: _Automaton) -> None:
    for place in last:
        after = automaton.follow[place]
        for following in first:
            bits = automaton.classes[following] & ~automaton.taken.get(place, 0)
            if following not in after:
                after[following] = bits
            elif place not in automaton.taken:
                automaton.doubled |= bits  # a loop around a loop: the step can belong to either


def trap(tree: Node) -> str | None:
    """A character that some loop can read in two ways; None when there is none, or the pattern is too large."""
    automaton = _Automaton()
    try:
        _build(tree, automaton)
        if automaton.doubled:
            return shown(automaton.doubled)
        for loop in _loops(automaton.follow):
            if len(loop) <= _MOST_IN_A_LOOP and (shared := _shared(loop, automaton)):
                return shown(shared)
    except _TooLarge:
        pass  # what remains is to try
    return None


def _loops(follow: list[dict[int, int]]) -> list[frozenset[int]]:
    """Sets of places, each of which leads to all of its set (strongly connected)."""
    forward = {place: [each for each, bits in after.items() if bits] for place, after in enumerate(follow)}
    backward: dict[int, list[int]] = {place: [] for place in forward}
    for place, after in forward.items():
        for following in after:
            backward[following].append(place)
    loops: list[frozenset[int]] = []
    seen: set[int] = set()
    for place in forward:
        if place not in seen:
            forth, back = _reached([place], forward), _reached([place], backward)
            loop = frozenset(forth & back)
            seen |= loop
            if loop:
                loops.append(loop)
    return loops


def _reached(start: Iterable[int], following: Mapping[int, Iterable[int]]) -> set[int]:
    """What is reached from `start` in one step or more."""
    reached: set[int] = set()
    ahead = list(start)
    while ahead:
        new = set(following[ahead.pop()]) - reached
        reached |= new
        ahead += new
    return reached


def _shared(loop: frozenset[int], automaton: _Automaton) -> int:
    """What two walkers read when they have parted within a loop and will meet again; 0: they cannot."""
    width = len(automaton.classes)
    together = [place * width + place for place in loop]
    forward: dict[int, list[int]] = {}
    backward: dict[int, list[int]] = {}
    ahead = list(together)
    steps = 0
    while ahead:
        pair = ahead.pop()
        if pair in forward:
            continue
        left, right = (automaton.follow[place] for place in divmod(pair, width))
        steps += len(left) * len(right)
        if steps > _MOST_STEPS:
            raise _TooLarge
        pairs = [(a, b) for a, x in left.items() if a in loop for b, y in right.items() if b in loop and x & y]
        forward[pair] = after = [a * width + b for a, b in pairs]
        ahead += after
        for each in after:
            backward.setdefault(each, []).append(pair)
    meeting = _reached(together, {pair: backward.get(pair, []) for pair in forward})
    shared = [divmod(pair, width) for pair in meeting]
    return reduce(or_, (automaton.classes[a] & automaton.classes[b] for a, b in shared if a != b), 0)


def shown(bits: int) -> str:
    return next((each for each in "a1 .-" if bits >> ord(each) & 1), chr((bits & -bits).bit_length() - 1))
