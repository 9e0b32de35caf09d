"""`penstock detectors`: what can be found, and how sure a find is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from penstock.detect.value import Detector
    from penstock.exchange import JsonObject


@click.command("detectors")
@click.argument("words", nargs=-1, metavar="[WORD]...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array for machines.")
def command(words: tuple[str, ...], as_json: bool) -> None:
    """List the built-in detectors; with words, those that have one of them in their name, kind or description.

    CHECK is what a value must pass. CONTEXT says whether a word like these must stand before a value (needed), or only
    makes it more certain (helps). A value is found alike in whole texts and in streams; one that is swallowed has no
    bound, and is replaced as soon as it has begun.
    """
    from penstock.detect.detector import DETECTORS

    chosen = [known for known in DETECTORS if not words or any(word.lower() in _told(known) for word in words)]
    if as_json:
        click.echo(json.dumps([_row(known) for known in chosen], ensure_ascii=False, indent=1))
    else:
        _show(chosen)


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
    import sys

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
