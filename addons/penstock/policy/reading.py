"""One reading of a policy: the problems found so far, and what refers to what."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from penstock.detect.value import Detector
from penstock.errors import Problem
from penstock.policy.directory import Signed
from penstock.policy.marked import Items, Mark, Node, Scalar, Table

MAX_PROBLEMS: Final = 200

type Noun = Literal[
    "upstream", "issuer", "key", "grant", "guardrail", "masking", "detector", "approval", "case", "pack"
]


class Unread(Exception):
    """A value could not be read; its problems are noted already."""


@dataclass(slots=True)
class Reading:
    """What a reading of a policy needs, and what it collects."""

    directory: Path
    environ: Mapping[str, str]
    now: float
    """Unix seconds."""
    problems: list[Problem] = field(default_factory=list[Problem])
    warnings: list[Problem] = field(default_factory=list[Problem])
    other_files: dict[Path, Signed] = field(default_factory=dict[Path, Signed])
    """Every file that a secret or a list of terms refers to, as it was when it was read."""
    unnamed_holds: list[Mark] = field(default_factory=list[Mark])
    detectors: dict[str, Detector] = field(default_factory=dict[str, Detector])
    """Built-in ones and the policy's own, by name; complete before any rule is read."""
    unstreamable: dict[str, str] = field(default_factory=dict[str, str])
    """Name of an own detector -> why it cannot mask a stream."""
    trusted: bool = False
    """What is being read ships with Penstock: its patterns are admitted already."""
    _declared: dict[Noun, dict[str, Mark]] = field(default_factory=dict[Noun, dict[str, Mark]])
    _references: list[tuple[Noun, str, Mark]] = field(default_factory=list[tuple[Noun, str, Mark]])

    def wrong(self, mark: Mark, message: str) -> Unread:
        """Note a problem. Returned to be raised where reading cannot go on."""
        self.problems.append(mark.problem(message))
        return Unread(message)

    def warn(self, mark: Mark, message: str) -> None:
        self.warnings.append(mark.problem(message))

    def declare(self, noun: Noun, name: str, mark: Mark) -> None:
        """This name stands for a thing from here on; a second one of the same noun is a problem."""
        names = self._declared.setdefault(noun, {})
        if (first := names.get(name)) is not None:
            self.wrong(mark, f"{noun} '{name}' is here a second time (first at {first}): rename or remove one")
        else:
            names[name] = mark

    def place(self, noun: Noun, name: str) -> Mark:
        """Where a thing was declared."""
        return self._declared[noun][name]

    def refer(self, noun: Noun, name: str, mark: Mark) -> None:
        """The name must be declared by the end of the reading."""
        self._references.append((noun, name, mark))

    def names(self, noun: Noun) -> Iterable[str]:
        """What was declared, be it right or wrong in itself."""
        return self._declared.get(noun, {}).keys()

    def close(self) -> None:
        """Check every reference, once everything is declared."""
        for noun, name, mark in self._references:
            names = self._declared.get(noun, {})
            if name not in names:
                self.wrong(mark, f"unknown {noun} '{name}'{meant(name, names)}")


def meant(name: str, names: Iterable[str]) -> str:
    """` (did you mean 'x'?)`, or the few names there are, or nothing."""
    names = sorted(set(names))
    lowered = {known.lower(): known for known in names}
    close = difflib.get_close_matches(name.lower(), lowered, 1, 0.6)
    if close:
        return f" (did you mean '{lowered[close[0]]}'?)"
    if 0 < len(names) <= 8:
        return f" (there is: {', '.join(names)})"
    return ""


def shown(node: Node) -> str:
    """The node as a message names it; long texts are cut."""
    if isinstance(node, Table):
        return "a mapping"
    if isinstance(node, Items):
        return "a list"
    text = node.text if len(node.text) <= 60 else node.text[:57] + "..."
    text = text.replace("\n", "\\n").replace("\r", "\\r")
    return f"the text '{text}'" if isinstance(node.value, str) else text or "nothing"


def scalar(node: Node, reading: Reading, expected: str) -> Scalar:
    """The node as a single value."""
    if not isinstance(node, Scalar):
        raise reading.wrong(node.mark, f"expected {expected}, not {shown(node)}")
    return node
