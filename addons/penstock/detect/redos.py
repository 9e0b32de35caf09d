"""Patterns that can run away: refused before they meet a text.

Two checks. One asks whether a loop can read the same text in two ways (`detect.ambiguity`). The other one tries: for
each loop a text that it can nearly read, at two lengths. A time that grows with the square of the length, or worse, is
refused too (`.*a.*b`, `\\s+$`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random
from typing import Final

import regex

from penstock.detect.ambiguity import COUNTED, shown, trap
from penstock.detect.opening import opening
from penstock.detect.sample import sample
from penstock.detect.syntax import PatternError
from penstock.detect.tree import Chars, Look, Node, Repeat, walk

_SHORT, _LONG = 1000, 4000
_SUSPICIOUS: Final = 0.002
"""CPU seconds on a long text, below which nothing needs to be compared."""
_GROWTH: Final = 8.0
"""Four times the text: four times as long when linear, sixteen times when quadratic."""
_HOPELESS: Final = 0.2
"""CPU seconds after which a trial is given up, and the pattern with it."""
_MOST_TEXTS: Final = 12
_ROUNDS: Final = 4
"""Times that a pattern must be found to grow: one that does grows every time, one that was interrupted only once."""

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
        if (character := trap(body)) is not None:
            raise PatternError(_EITHER_WAY.format(example=character * 4))
    search = regex.compile(pattern, regex.VERSION0).search
    for unit, ending in _texts(tree):
        if _runs_away(search, unit, ending):
            raise PatternError(_TOO_SLOW.format(example=unit[:20]))


def _is_loop(node: Node) -> bool:
    return isinstance(node, Repeat) and (node.high is None or node.high > COUNTED)


def _texts(tree: Node) -> list[tuple[str, str]]:
    """What is repeated, and what ends the repetition: it fits nowhere, but all that a match must have is in it."""
    random = Random(1)
    units: dict[str, None] = {}
    for node in walk(tree):
        if isinstance(node, Repeat) and _is_loop(node):
            units[sample(node.item, random)] = None
    units |= dict.fromkeys(shown(place) for place in opening(tree).places if place)
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


def _grew(spent: Callable[[int], float]) -> bool:
    return min(spent(_LONG) for _ in range(3)) > _GROWTH * min(spent(_SHORT) for _ in range(5))


def _runs_away(search: Callable[..., object], unit: str, ending: str) -> bool:
    def spent(size: int) -> float:
        text = unit * (size // len(unit)) + ending
        started = time.thread_time()
        search(text, timeout=_HOPELESS)
        return time.thread_time() - started

    try:
        if min(spent(_LONG), spent(_LONG)) < _SUSPICIOUS:
            return False
        return all(_grew(spent) for _ in range(_ROUNDS))
    except TimeoutError:
        return True
