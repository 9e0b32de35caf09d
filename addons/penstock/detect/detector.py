"""The registry of detectors: the built-in ones, and those a policy adds."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace

from penstock.detect.admission import admit
from penstock.detect.builtin import DETECTORS
from penstock.detect.checks import CHECKS
from penstock.detect.syntax import PatternError, parse
from penstock.detect.tree import Chars, Edge, Group, Node, Repeat, render
from penstock.detect.tree import Sequence as Sequenced
from penstock.detect.value import Detector

__all__ = ["DETECTORS", "Detector", "PatternError", "admit", "custom", "detector"]


def detector(name: str) -> Detector:
    """The built-in detector of that name. Raises `PatternError`, with a suggestion, when there is none."""
    for known in DETECTORS:
        if known.name == name:
            return known
    raise PatternError(f"unknown detector {name!r}{_meant(name, [known.name for known in DETECTORS])}")


def custom(
    name: str,
    pattern: str,
    *,
    flags: str = "",
    label: str | None = None,
    check: str = "none",
    context: Sequence[str] = (),
    streamable: bool = True,
) -> Detector:
    """A detector that the policy defines. `flags`: letters of `imsx`; `check`: none, luhn, iban, phone, us_ssn.

    Raises `PatternError`, which says why the pattern is not admitted and what to write instead. A pattern for streams
    must be bounded, but for its very end: `tok_[a-z0-9]+` begins with `tok_[a-z0-9]`, and the rest is swallowed.
    """
    if check not in CHECKS:
        raise PatternError(f"unknown check {check!r}{_meant(check, list(CHECKS))}")
    if strange := set(flags) - set("imsx"):
        raise PatternError(f"unknown flag {min(strange)!r}; there are i, m, s and x")
    if not all(context):
        raise PatternError("a word of the context is empty")
    tree = parse(pattern, flags)
    made = Detector(
        name, label or name.upper(), render(tree), check=CHECKS[check], context=tuple(context), streamable=streamable
    )
    if streamable and check == "none" and (parts := _endless(tree)) is not None:
        made = replace(made, pattern=render(parts[0]), until=f"(?!{render(parts[1])})")
    admit(made.pattern, streamed=streamable)
    return made


def _meant(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    return f" (did you mean {close[0]!r}?)" if close else f"; there are {', '.join(known)}"


def _endless(node: Node) -> tuple[Node, Node] | None:
    """A pattern that ends in `x+` or `x{3,}`, without that end; and the x.

    Being the last thing in the pattern, and greedy, it takes all there is: where it ends is plain.
    """
    match node:
        case Repeat(Chars() as each, low, None, mode) if mode != "?":
            return Repeat(each, low, low, ""), each
        case Group(item, source) if source[:3] != "(?>":
            if (parts := _endless(item)) is None:
                return None
            flags = source.endswith(":") and source != "(?:"
            return Group(parts[0], source), Group(parts[1], source) if flags else parts[1]
        case Sequenced((*before, Repeat(Chars(r"\w"), _, None) as last, Edge("word"))):
            return _endless(Sequenced((*before, last)))  # where no word character follows, a word ends
        case Sequenced((*before, last)):
            parts = _endless(last)
            return parts and (Sequenced((*before, parts[0])), parts[1])
        case _:
            return None
