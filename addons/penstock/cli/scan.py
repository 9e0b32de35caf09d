"""`penstock scan`: what the detectors would find in a text, and why."""

from __future__ import annotations

import json
import sys
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

import click

from penstock.cli.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock.detect.value import Detector
    from penstock.exchange import JsonObject

_AROUND: Final = 60
"""Characters shown on either side of a value."""


@dataclass(frozen=True, slots=True)
class _Match:
    """A value in a text."""

    detector: Detector
    start: int
    end: int
    confidence: float
    why: str


@click.command("scan")
@click.argument("file", type=click.File("rb"))
@click.option("-d", "--detect", "names", multiple=True, metavar="NAME", help="Only this detector; may be given again.")
@click.option(
    "--min-confidence", type=click.FloatRange(0, 1), default=0.0, show_default=True, help="Leave out what is less sure."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array for machines.")
@click.option("--fail", is_flag=True, help="Exit with status 1 when something is found.")
def command(file: BinaryIO, names: tuple[str, ...], min_confidence: float, as_json: bool, fail: bool) -> None:
    """Show what the detectors find in FILE (`-`: standard input): where, which, how sure, and why.

    Without --detect all built-in detectors look. Values are shown as they are: mind who can see the screen.
    """
    from penstock.detect.detector import DETECTORS, detector

    text = file.read().decode("utf-8", "replace")
    # `ip` is `ipv4` and `ipv6` in one: it would say everything twice.
    chosen = [detector(name) for name in names] or [known for known in DETECTORS if known.name != "ip"]
    matches = _matches(chosen, text, min_confidence)
    if as_json:
        click.echo(json.dumps(_rows(text, matches), ensure_ascii=False, indent=1))
    else:
        _show(getattr(file, "name", "-"), text, matches)
    if fail and matches:
        sys.exit(1)


def _matches(chosen: Sequence[Detector], text: str, least: float) -> list[_Match]:
    from penstock.masking.evidence import evidence
    from penstock.masking.mask import Mask, MaskRule

    mask = Mask([MaskRule(known.name, known, "flag", min_confidence=least) for known in chosen])
    known = {each.name: each for each in chosen}
    found = []
    for each in mask.whole(text).findings:
        seen = evidence(known[each.detector], text, each.start)
        found.append(_Match(known[each.detector], each.start, each.end, seen.confidence, seen.why))
    return found


def _places(text: str, matches: Sequence[_Match]) -> list[tuple[int, int]]:
    """Line and column of each, from 1 on."""
    lines = [0, *(at + 1 for at, character in enumerate(text) if character == "\n")]
    numbers = [bisect_right(lines, match.start) for match in matches]
    return [(number, match.start - lines[number - 1] + 1) for number, match in zip(numbers, matches, strict=True)]


def _rows(text: str, matches: Sequence[_Match]) -> list[JsonObject]:
    return [
        {
            "line": line,
            "column": column,
            "start": match.start,
            "end": match.end,
            "detector": match.detector.name,
            "label": match.detector.label,
            "kind": match.detector.kind,
            "confidence": match.confidence,
            "why": match.why,
            "value": text[match.start : match.end],
        }
        for match, (line, column) in zip(matches, _places(text, matches), strict=True)
    ]


def _show(name: str, text: str, matches: Sequence[_Match]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for match, (line, column) in zip(matches, _places(text, matches), strict=True):
        console.print(
            Text.assemble(
                (printable(f"{name}:{line}:{column}: "), "dim"),
                (match.detector.name, "bold"),
                f" {match.confidence:.2f}  {printable(match.why)}",
            )
        )
        console.print(Text.assemble("    ", *_shown(text, match)))
    count = len(matches)
    console.print(f"{count} value{'' if count == 1 else 's'} found" if count else "nothing found", style="dim")


def _shown(text: str, match: _Match) -> tuple[str, tuple[str, str], str]:
    """The value and what is around it on its lines; a long value is cut in the middle."""
    before = text[max(0, match.start - _AROUND) : match.start].rpartition("\n")[2]
    after = text[match.end : match.end + _AROUND].partition("\n")[0]
    value = text[match.start : match.end]
    if len(value) > 2 * _AROUND:
        value = f"{value[:_AROUND]} ... {value[-_AROUND:]}"
    style = "bold red" if match.confidence >= 0.9 else "bold yellow"
    return printable(before), (printable(value).replace("\n", "⏎"), style), printable(after)
