"""Patterns that can run away: refused before they meet a text.

Two checks. The static one asks whether a loop of the pattern can read the same text in two ways: then a backtracking
search may try exponentially many (`(a+)+`, `(a|a)*`, `(\\w+\\s?)*`). It works on the pattern's automaton, one place for
each class of characters; a loop is such a trap when two walkers, starting in one place of it and reading the same text,
can part and meet again there. The other one tries: for each loop a text that it can nearly read, at two lengths. A time
that grows with the square of the length, or worse, is refused too (`.*a.*b`, `\\s+$`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Final

import regex

from penstock.detect.opening import opening
from penstock.detect.sample import sample
from penstock.detect.shape import EVERY_WIDE
from penstock.detect.syntax import Back, Chars, Choice, Edge, Group, Look, Node, PatternError, Repeat, Sequence, walk

_COUNTED: Final = 4
"""A repeat up to this often is told as so many copies, beyond it as a loop."""
_MOST_PLACES: Final = 400
_MOST_IN_A_LOOP: Final = 90
_MOST_STEPS: Final = 200_000

_SHORT, _LONG = 2000, 8000
_SUSPICIOUS: Final = 0.004
"""CPU seconds on a long text, below which nothing needs to be compared."""
_GROWTH: Final = 8.0
"""Four times the text: four times as long when linear, sixteen times when quadratic."""
_HOPELESS: Final = 0.5
_MOST_TEXTS: Final = 24

_EITHER_WAY: Final = (
    "its repeats can share out the same text in very many ways (as {example!r}), which can take for ever; make it plain where"
    " a repetition ends, as in (?:\\w+\\s)+, or make the inner repeat possessive, as in \\w++"
)
_TOO_SLOW: Final = (
    "on a long text (as {example!r} repeated) its time grows with the square of the length or worse; give its repeats an"
    " upper bound, as in .{{0,80}}, or begin with something rarer"
)


def refuse_runaway(pattern: str, tree: Node) -> None:
    """Raise `PatternError` when the pattern can take much longer than its text is long."""
    if not any(_is_loop(node) for node in walk(tree)):
        return
    bodies = [tree, *(node.item for node in walk(tree) if isinstance(node, Look))]
    for body in bodies:
        if (character := _trap(body)) is not None:
            raise PatternError(_EITHER_WAY.format(example=character * 4))
    search = regex.compile(pattern, regex.VERSION0).search
    for unit, text in _texts(tree):
        if _runs_away(search, text):
            raise PatternError(_TOO_SLOW.format(example=unit[:20]))


def _is_loop(node: Node) -> bool:
    return isinstance(node, Repeat) and (node.high is None or node.high > _COUNTED)


# --- the automaton


@dataclass(slots=True)
class _Automaton:
    """The places of a pattern: what is read there, and which places can follow."""

    classes: list[int] = field(default_factory=list[int])
    follow: list[dict[int, int]] = field(default_factory=list[dict[int, int]])
    """Place -> place that can follow -> what can be read there then."""
    taken: dict[int, int] = field(default_factory=dict[int, int])
    """Place of a possessive loop -> what cannot follow it."""


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
            automaton.classes.append(bits | (EVERY_WIDE if wide else 0))
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
            if high is not None and high <= _COUNTED:
                copies = (_build(item, automaton) for _ in range(high))
                return _chain((part if at < low else _optional(part) for at, part in enumerate(copies)), automaton)
            part = _build(item, automaton)
            _join(part.last, part.first, automaton)
            if mode == "+" and isinstance(item, Chars):  # it takes all that it can: something else must follow
                automaton.taken.update((place, automaton.classes[place]) for place in part.first)
            return _optional(part) if low == 0 else part


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
        for following in first:
            if following != place or place not in automaton.taken:
                automaton.follow[place][following] = automaton.classes[following] & ~automaton.taken.get(place, 0)


# --- the static check


def _trap(tree: Node) -> str | None:
    """A character of a text that some loop can read in two ways; None when there is none, or the pattern is too large."""
    automaton = _Automaton()
    try:
        _build(tree, automaton)
        for loop in _loops(automaton.follow):
            if len(loop) <= _MOST_IN_A_LOOP and (shared := _shared(loop, automaton)):
                return _shown(shared)
    except _TooLarge:
        pass  # what remains is to try
    return None


def _loops(follow: list[dict[int, int]]) -> list[frozenset[int]]:
    """Sets of places, each of which leads to all of its set (strongly connected)."""
    backward: list[list[int]] = [[] for _ in follow]
    for place, after in enumerate(follow):
        for following, bits in after.items():
            if bits:
                backward[following].append(place)
    loops: list[frozenset[int]] = []
    seen: set[int] = set()
    for place in range(len(follow)):
        if place not in seen:
            forth = _reached([place], lambda at: [each for each, bits in follow[at].items() if bits])
            loop = frozenset(forth & _reached([place], backward.__getitem__))
            seen |= loop
            if loop:
                loops.append(loop)
    return loops


def _reached[T](start: Iterable[T], following: Callable[[T], Iterable[T]]) -> set[T]:
    """What is reached from `start` in one step or more."""
    reached: set[T] = set()
    ahead = list(start)
    while ahead:
        for each in following(ahead.pop()):
            if each not in reached:
                reached.add(each)
                ahead.append(each)
    return reached


def _shared(loop: frozenset[int], automaton: _Automaton) -> int:
    """What two walkers read when they have parted within a loop and will meet again; 0: they cannot."""
    forward: dict[tuple[int, int], list[tuple[int, int]]] = {}
    backward: dict[tuple[int, int], list[tuple[int, int]]] = {}
    budget = _MOST_STEPS

    def following(pair: tuple[int, int]) -> list[tuple[int, int]]:
        nonlocal budget
        left, right = (automaton.follow[place] for place in pair)
        budget -= len(left) * len(right)
        if budget < 0:
            raise _TooLarge
        pairs = [(a, b) for a, x in left.items() if a in loop for b, y in right.items() if b in loop and x & y]
        forward[pair] = pairs
        for each in pairs:
            backward.setdefault(each, []).append(pair)
        return pairs

    together = [(place, place) for place in loop]
    parted = {pair for pair in _reached(together, following) if pair[0] != pair[1]}
    meeting = _reached(together, lambda pair: backward.get(pair, ()))
    shared = parted & meeting
    return max((automaton.classes[a] & automaton.classes[b] for a, b in shared), default=0)


def _shown(bits: int) -> str:
    return next((each for each in "a1 .-" if bits >> ord(each) & 1), chr((bits & -bits).bit_length() - 1))


# --- the trial


def _texts(tree: Node) -> list[tuple[str, str]]:
    """What is repeated, and the repetition, ended by something that fits nowhere."""
    random = Random(1)
    units: dict[str, None] = {}
    for node in walk(tree):
        if isinstance(node, Repeat) and _is_loop(node):
            units[sample(node.item, random)] = None
    for _ in range(4):
        whole = sample(tree, random)
        units[whole[:-1]] = None
        units[whole[: len(whole) // 2]] = None
    units |= dict.fromkeys(_shown(place) for place in opening(tree).places if place)
    chosen = [unit for unit in units if unit][:_MOST_TEXTS]
    return [(unit, unit * (_LONG // len(unit)) + "\x01") for unit in chosen]


def _runs_away(search: Callable[..., object], text: str) -> bool:
    def spent(size: int) -> float:
        part = text[:size] + "\x01"
        started = time.thread_time()
        search(part, timeout=_HOPELESS)
        return time.thread_time() - started

    try:
        if spent(_LONG) < _SUSPICIOUS or min(spent(_LONG) for _ in range(3)) < _SUSPICIOUS:
            return False
        return min(spent(_LONG) for _ in range(3)) > _GROWTH * min(spent(_SHORT) for _ in range(5))
    except TimeoutError:
        return True
