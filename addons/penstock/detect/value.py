"""What a sensitive value looks like: a pattern, and what else must hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Detector:
    """One kind of sensitive value. Its pattern reads the view of a text (`detect.view`), not the text itself."""

    name: str
    """As the policy names it: `credit_card`."""
    label: str
    """What stands in its place, without the brackets: `CREDIT_CARD`."""
    pattern: str
    """`regex` syntax, of which `detect.syntax` says what is taken. It finds candidates."""
    group: int | str = 0
    """The part of the match that is the candidate."""
    check: Callable[[str], bool] | None = None
    """Whether a candidate is real (Luhn, modulo 97); None: each is."""
    measure: Callable[[str], int] | None = None
    """Instead of `check`: how many characters of the candidate, from its start, are the value; 0: none."""
    context: tuple[str, ...] = ()
    """Words, one of which must stand shortly before the value; none: no context needed."""
    alone: str = ""
    """A pattern of values (whole) that need no context."""
    until: str = ""
    """A value without a bound: it begins with what `pattern` finds and goes on through what this matches, or to the end
    of the text. It is replaced as soon as it has begun, and what follows is dropped as it comes."""
    streamable: bool = True
    """False: the pattern was admitted for whole texts only."""
