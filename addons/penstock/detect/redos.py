"""Patterns that can run away: refused before they meet a text.

Two checks. The static one asks whether a loop of the pattern can read the same text in two ways: then a backtracking
search may try exponentially many (`(a+)+`, `(a|a)*`, `(\\w+\\s?)*`). It works on the pattern's automaton, one place for
each class of characters; a loop is such a trap when two walkers, starting in one place of it and reading the same text,
can part and meet again there. The other one tries: for each loop a text that it can nearly read, at two lengths. A time
that grows with the square of the length, or worse, is refused too (`.*a.*b`, `\\s+$`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from itertools import pairwise
from operator import or_
from random import Random
from typing import Final

import regex

from penstock.detect.opening import opening
from penstock.detect.sample import sample
from penstock.detect.shape import EVERY_WIDE, shape
from penstock.detect.syntax import Back, Chars, Choice, Edge, Group, Look, Node, PatternError, Repeat, Sequence, walk

_COUNTED: Final = 4
"""A repeat up to this often is told as so many copies, beyond it as a loop."""
_MOST_PLACES: Final = 400
_MOST_IN_A_LOOP: Final = 90
_MOST_STEPS: Final = 200_000

_SHORT, _LONG = 1000, 4000
_SUSPICIOUS: Final = 0.002
"""CPU seconds on a long text, below which nothing needs to be compared."""
_GROWTH: Final = 8.0
"""Four times the text: four times as long when linear, sixteen times when quadratic."""
_HOPELESS: Final = 0.2
"""CPU seconds after which a trial is given up, and the pattern with it."""
_MOST_TEXTS: Final = 12

_EITHER_WAY: Final = (
    "its repeats can share out the same text in very many ways (as {example!r}), which can take for ever; make it plain"
    " where a repetition ends, as in (?:\\w+\\s)+, or make the inner repeat possessive, as in \\w++"
)
_TOO_SLOW: Final = (
    "on a long text (as {example!r} repeated) its time grows with the square of the length or worse; give its repeats"
    " an upper bound, as in .{{0,80}}, or begin with something rarer"
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
    for unit, ending in _texts(tree):
        if _runs_away(search, unit, ending):
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
            if high is not None and high <= _COUNTED and shape(item).low:
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


# --- the static check


def _trap(tree: Node) -> str | None:
    """A character that some loop can read in two ways; None when there is none, or the pattern is too large."""
    automaton = _Automaton()
    try:
        _build(tree, automaton)
        if automaton.doubled:
            return _shown(automaton.doubled)
        for loop in _loops(automaton.follow):
            if len(loop) <= _MOST_IN_A_LOOP and (shared := _shared(loop, automaton)):
                return _shown(shared)
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


def _shown(bits: int) -> str:
    return next((each for each in "a1 .-" if bits >> ord(each) & 1), chr((bits & -bits).bit_length() - 1))


# --- the trial


def _texts(tree: Node) -> list[tuple[str, str]]:
    """What is repeated, and what ends the repetition: it fits nowhere, but all that a match must have is in it."""
    random = Random(1)
    units: dict[str, None] = {}
    for node in walk(tree):
        if isinstance(node, Repeat) and _is_loop(node):
            units[sample(node.item, random)] = None
    units |= dict.fromkeys(_shown(place) for place in opening(tree).places if place)
    for _ in range(2):
        whole = sample(tree, random)
        units[whole[:-1]] = None
        units[whole[: len(whole) // 2]] = None
    endings = dict.fromkeys(("\x01", "\n".join(("", *_literals(tree), ""))[:_SHORT]))
    return [(unit, ending) for ending in endings for unit in [each for each in units if each][:_MOST_TEXTS]]


def _literals(tree: Node) -> list[str]:
    """The single characters of a pattern, those in sequence together: `regex` first looks whether they are there."""
    runs = [""]
    for node in walk(tree):
        if isinstance(node, Chars):
            single = node.ascii.bit_count() == 1 and not node.wide
            if single:
                runs[-1] += chr(node.ascii.bit_length() - 1)
            else:
                runs.append("")
    return [run for run in runs if run]


def _runs_away(search: Callable[..., object], unit: str, ending: str) -> bool:
    def spent(size: int) -> float:
        text = unit * (size // len(unit)) + ending
        started = time.thread_time()
        search(text, timeout=_HOPELESS)
        return time.thread_time() - started

    try:
        if min(spent(_LONG), spent(_LONG)) < _SUSPICIOUS:
            return False
        return min(spent(_LONG) for _ in range(3)) > _GROWTH * min(spent(_SHORT) for _ in range(5))
    except TimeoutError:
        return True
