"""What a sensitive value looks like: a pattern, and what else must hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from penstock.detect.terms import Terms

type Kind = Literal["contact", "finance", "identity", "person", "network", "secret", "own"]
"""What a value is about; `own`: the policy says."""


@dataclass(frozen=True, slots=True)
class Detector:
    """One kind of sensitive value. Its pattern reads the view of a text (`detect.view`), not the text itself."""

    name: str
    """As the policy names it: `credit_card`."""
    label: str
    """What stands in its place, without the brackets: `CREDIT_CARD`."""
    pattern: str
    """`regex` syntax, of which `detect.syntax` says what is taken. It finds candidates."""
    forms: tuple[str, ...] = ()
    """Patterns of the same value as it is written more rarely. Each is looked for by itself, so that what is common in
    it (a space after three letters) keeps nobody awake."""
    group: int | str = 0
    """The part of the match that is the candidate."""
    check: Callable[[str], bool] | None = None
    """Whether a candidate is real (Luhn, modulo 97); None: each is."""
    measure: Callable[[str], int] | None = None
    """Instead of `check`: how many characters of the candidate, from its start, are the value; 0: none."""
    context: tuple[str, ...] = ()
    """Words, one of which must stand shortly before the value; none: no context needed."""
    after: str = ""
    """A pattern of what may stand right after a value instead of such a word before it (`detect.following`)."""
    alone: str = ""
    """A pattern of values (whole) that need no context."""
    against: tuple[str, ...] = ()
    """Words right before a value that is found alone, which say that it is something else: an order's number."""
    until: str = ""
    """A value without a bound: it begins with what `pattern` finds and goes on through what this matches, or to the end
    of the text. It is replaced as soon as it has begun, and what follows is dropped as it comes."""
    streamable: bool = True
    """False: the pattern was admitted for whole texts only."""
    terms: Terms | None = None
    """A list of terms to find instead; the pattern then only says where one may begin."""
    confidence: float = 0.9
    """How likely a value that is found is one (0 to 1), when no word of the context says so too, or one must anyway."""
    kind: Kind = "own"
    what: str = ""
    """What it is, in a few words, for people."""
    proof: str = ""
    """What `check` or `measure` asks of a value, in a few words: `Luhn`; empty when there is neither."""

    @property
    def told_after(self) -> Detector | None:
        """It finds the values after which stands what says what they are; None: nothing does."""
        if not self.after:
            return None
        pattern = f"(?:{self.pattern})(?={self.after})"
        sure = self.sureness(spoken_for=True)
        return replace(self, pattern=pattern, forms=(), context=(), alone="", after="", confidence=sure)

    @property
    def parts(self) -> list[Detector]:
        """What is looked for by itself: its common form, the others, and what is told after it was said."""
        others = [replace(self, pattern=form, forms=(), after="") for form in self.forms]
        return [self, *others, *([self.told_after] if self.told_after else [])]

    @property
    def needs_context(self) -> bool:
        """Whether no value is found without a word of context before it."""
        return bool(self.context) and not self.alone

    def sureness(self, *, spoken_for: bool) -> float:
        """The confidence in one value; a word of context that was not needed halves the doubt."""
        return 1 - (1 - self.confidence) / 2 if spoken_for and not self.needs_context else self.confidence
