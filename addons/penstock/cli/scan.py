"""`penstock scan`: what the detectors would find in a text, and why."""

from __future__ import annotations

import codecs
import json
import sys
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Literal

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
@click.option(
    "--rules",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Find what this policy masks, and what it makes of it.",
)
@click.option(
    "--on",
    type=click.Choice(["prompt", "completion"]),
    default="prompt",
    show_default=True,
    help="With --rules: read the text as one of these.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines: an array; with --rules an object.")
@click.option("--fail", is_flag=True, help="Exit with status 1 when something is found.")
def command(
    file: BinaryIO,
    names: tuple[str, ...],
    min_confidence: float,
    rules: Path | None,
    on: Literal["prompt", "completion"],
    as_json: bool,
    fail: bool,
) -> None:
    """Show what the detectors find in FILE (`-`: standard input): where, which, how sure, and why.

    Without --detect all built-in detectors look. With --rules the masking rules of that policy look, with its own
    detectors, terms and fields; each value is shown with the rule that masks it and what stands in its place, and the
    guardrails that find something are named. With --rules and --detect the detectors that are named look, those of
    the policy among them. Values are shown as they are: mind who can see the screen.

    Exit status 0; 1 with --fail when something is found; 2 for a file that cannot be read, a policy with a problem and
    wrong options.
    """
    text = decoded(file.read())
    name = getattr(file, "name", "-")
    if rules is not None and not names:
        from penstock.cli.scan_rules import show

        found = show(name, text, rules, on, least=min_confidence, as_json=as_json)
    else:
        matches = _matches(_chosen(names, rules), text, min_confidence)
        if as_json:
            click.echo(json.dumps(_rows(text, matches), ensure_ascii=False, indent=1))
        else:
            _show(name, text, matches)
        found = bool(matches)
    if fail and found:
        sys.exit(1)


def decoded(data: bytes) -> str:
    """A file's text: UTF-8, or UTF-16 that says so; what is neither stands as U+FFFD."""
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    return data.decode(encoding, "replace")


def _chosen(names: tuple[str, ...], rules: Path | None) -> list[Detector]:
    from penstock.cli.detectors import own_detectors
    from penstock.detect.detector import DETECTORS, PatternError, detector

    own = {known.name: known for known in own_detectors(rules)} if rules is not None else {}
    try:
        # `ip` is `ipv4` and `ipv6` in one: it would say everything twice.
        return [own.get(name) or detector(name) for name in names] or [
            known for known in DETECTORS if known.name != "ip"
        ]
    except PatternError as error:
        raise click.UsageError(str(error)) from None


def _matches(chosen: Sequence[Detector], text: str, least: float) -> list[_Match]:
    from penstock.masking.evidence import evidence
    from penstock.masking.mask import Mask, MaskRule

    mask = Mask([MaskRule(known.name, known, "flag", min_confidence=least) for known in chosen])
    known = {each.name: each for each in chosen}
    found = []
    for each in mask.whole(text).findings:
        seen = evidence(known[each.detector], text, each.start, each.end)
        found.append(_Match(known[each.detector], each.start, each.end, seen.confidence, seen.why))
    return found


def places(text: str, starts: Sequence[int]) -> list[tuple[int, int]]:
    """Line and column of each, from 1 on."""
    lines = [0, *(at + 1 for at, character in enumerate(text) if character == "\n")]
    numbers = [bisect_right(lines, start) for start in starts]
    return [(number, start - lines[number - 1] + 1) for number, start in zip(numbers, starts, strict=True)]


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
        for match, (line, column) in zip(matches, places(text, [each.start for each in matches]), strict=True)
    ]


def _show(name: str, text: str, matches: Sequence[_Match]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for match, (line, column) in zip(matches, places(text, [each.start for each in matches]), strict=True):
        console.print(
            Text.assemble(
                (printable(f"{name}:{line}:{column}: "), "dim"),
                (match.detector.name, "bold"),
                f" {match.confidence:.2f}  {printable(match.why)}",
            )
        )
        console.print(Text.assemble("    ", *around(text, match.start, match.end, sure=match.confidence >= 0.9)))
    count = len(matches)
    console.print(f"{count} value{'' if count == 1 else 's'} found" if count else "nothing found", style="dim")


def around(text: str, start: int, end: int, *, sure: bool) -> tuple[str, tuple[str, str], str]:
    """A value and what is around it on its lines; a long value is cut in the middle."""
    before = text[max(0, start - _AROUND) : start].rpartition("\n")[2]
    after = text[end : end + _AROUND].partition("\n")[0]
    value = text[start:end]
    if len(value) > 2 * _AROUND:
        value = f"{value[:_AROUND]} ... {value[-_AROUND:]}"
    style = "bold red" if sure else "bold yellow"
    return printable(before), (printable(value).replace("\n", "⏎"), style), printable(after)
