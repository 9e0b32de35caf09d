"""`penstock detectors`: what can be found, and how sure a find is."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from penstock.detect.value import Detector
    from penstock.exchange import JsonObject
    from penstock.policy.detectors import OwnDetector
    from penstock.policy.loader import Attempt


@click.command("detectors")
@click.argument("words", nargs=-1, metavar="[WORD]...")
@click.option("--rules", type=click.Path(path_type=Path), metavar="DIR", help="List those of this policy, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array for machines.")
def command(words: tuple[str, ...], rules: Path | None, as_json: bool) -> None:
    """List the detectors; with words, those that have one of them in their name, kind or description.

    CHECK is what a value must pass. CONTEXT says whether a word like these must stand before a value (needed), or only
    makes it more certain (helps). A value is found alike in whole texts and in streams; one that is swallowed has no
    bound, and is replaced as soon as it has begun.

    With --rules the policy's own detectors and lists of terms come first. A policy with a problem is reported as
    `penstock check` does, with exit status 2.
    """
    from penstock.detect.detector import DETECTORS

    every = [*(own_detectors(rules) if rules is not None else ()), *DETECTORS]
    chosen = [known for known in every if not words or any(word.lower() in _told(known) for word in words)]
    if as_json:
        click.echo(json.dumps([_row(known) for known in chosen], ensure_ascii=False, indent=1))
    else:
        _show(chosen)


def own_detectors(directory: Path) -> list[Detector]:
    """The detectors that a policy adds, told of as the built-in ones are."""
    return [replace(own.detector, what=_what(own), proof=_proof(own)) for own in opened(directory).detectors]


def opened(directory: Path) -> Attempt:
    """A policy that was read; one with a problem ends the command: every problem on stderr, and exit status 2."""
    from penstock.cli.check import report
    from penstock.policy.loader import attempt

    made = attempt(directory)
    if made.error is not None:
        report(made.error.problems)
        sys.exit(2)
    return made


def _what(own: OwnDetector) -> str:
    if own.detector.terms is not None:
        return f"a term of the list '{own.name}' of the policy"
    return f"the policy's pattern {own.pattern}"


def _proof(own: OwnDetector) -> str:
    return own.check if own.check != "none" else ""


def _told(known: Detector) -> str:
    return f"{known.name} {known.kind} {known.what}".lower()


def _row(known: Detector) -> JsonObject:
    return {
        "name": known.name,
        "label": known.label,
        "kind": known.kind,
        "what": known.what,
        "check": known.proof or None,
        "context": list(known.context),
        "context_needed": known.needs_context,
        "confidence": known.confidence,
        "streamed": _streamed(known),
    }


def _streamed(known: Detector) -> str:
    return "no" if not known.streamable else "swallowed" if known.until else "yes"


def _context(known: Detector) -> str:
    if not known.context:
        return ""
    words = ", ".join(known.context[:3]) + (", ..." if len(known.context) > 3 else "")
    return f"{'needed' if known.needs_context else 'helps'}: {words}"


def _show(chosen: list[Detector]) -> None:
    import shutil

    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 200
    console = Console(width=width, highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("name", "label", "what", "check", "context", "confidence", "streamed"):
        table.add_column(title, no_wrap=title == "name", justify="right" if title == "confidence" else "left")
    for known in chosen:
        cells = (known.label, known.what, known.proof, _context(known), f"{known.confidence:.2f}", _streamed(known))
        table.add_row(Text(known.name, style="bold"), *map(Text, cells))
    console.print(table)
    console.print(f"{len(chosen)} detector{'' if len(chosen) == 1 else 's'}")
