"""Labelled cases: texts in which the values of one detector are marked, and texts that have none.

A file is YAML: detector -> `found` and `left`, both lists of texts. In `found` each value stands in marks, `⟦so⟧`. The
character `·` is left out of every text: in the middle of a made-up key it keeps scanners for real ones quiet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

FOLDER: Final = Path(__file__).parents[2] / "tests" / "detect" / "cases"
TEXTS: Final = FOLDER.with_name("texts")
"""Texts that were written without a look at the detectors, by other hands."""
_MARK: Final = re.compile("[⟦⟧]")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text, and where a detector must find its values: there, and nowhere else."""

    detector: str
    text: str
    spans: tuple[tuple[int, int], ...]

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(self.text[start:end] for start, end in self.spans)


def labelled(detector: str, marked: str) -> Labelled:
    """A text with marks, read. Raises ValueError when a mark has no partner."""
    parts = _MARK.split(marked.replace("·", ""))
    if len(parts) % 2 == 0:
        raise ValueError(f"a mark without its partner: {marked!r}")
    spans: list[tuple[int, int]] = []
    at = 0
    for number, part in enumerate(parts):
        if number % 2:
            spans.append((at, at + len(part)))
        at += len(part)
    return Labelled(detector, "".join(parts), tuple(spans))


def load(path: Path = FOLDER) -> Iterator[Labelled]:
    """The cases of a file, or of all files of a folder. Raises ValueError for what is no case."""
    for file in sorted(path.glob("*.yaml")) if path.is_dir() else [path]:
        for detector, cases in yaml.safe_load(file.read_text(encoding="utf-8")).items():
            if strange := set(cases) - {"found", "left"}:
                raise ValueError(f"{file}: {detector}: unknown key {min(strange)!r}")
            for text in cases.get("found", ()):
                case = labelled(detector, text)
                if not case.spans:
                    raise ValueError(f"{file}: {detector}: nothing is marked in {text!r}")
                yield case
            for text in cases.get("left", ()):
                yield Labelled(detector, text.replace("·", ""), ())
