"""`penstock scan --rules`: what a policy would find in a text, and what each of its rules would make of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from penstock.cli.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from penstock.exchange import JsonObject
    from penstock.policy.guardrails import Guardrail
    from penstock.policy.preview import Change, Said


def show(name: str, text: str, directory: Path, on: Said, *, least: float, as_json: bool) -> bool:
    """Print it. Returns whether something was found."""
    from penstock.cli.detectors import opened
    from penstock.policy.preview import alarms, changes

    policy = opened(directory).policy
    assert policy is not None  # one with a problem has ended the command
    found = [change for change in changes(policy, text, on) if change.confidence >= least]
    rails = list(alarms(policy, text, on))
    if as_json:
        click.echo(
            json.dumps({"values": _rows(text, found), "guardrails": _rails(rails)}, ensure_ascii=False, indent=1)
        )
    else:
        _print(name, text, found, rails, on)
    return bool(found or rails)


def _rows(text: str, found: Sequence[Change]) -> list[JsonObject]:
    from penstock.cli.scan import places

    return [
        {
            "line": line,
            "column": column,
            "start": change.start,
            "end": change.end,
            "detector": change.detector,
            "confidence": change.confidence,
            "why": change.why,
            "value": text[change.start : change.end],
            "rule": change.rule.id,
            "where": change.rule.where,
            "with": change.does,
            "becomes": change.becomes,
        }
        for change, (line, column) in zip(found, places(text, [each.start for each in found]), strict=True)
    ]


def _rails(rails: Sequence[Guardrail]) -> list[JsonObject]:
    return [{"rule": each.id, "where": each.where, "action": each.action.act, "mode": each.mode} for each in rails]


def _print(name: str, text: str, found: Sequence[Change], rails: Sequence[Guardrail], on: Said) -> None:
    from rich.console import Console
    from rich.text import Text

    from penstock.cli.scan import around, places
    from penstock.policy.preview import for_some

    console = Console(highlight=False, soft_wrap=True)
    for change, (line, column) in zip(found, places(text, [each.start for each in found]), strict=True):
        some = " for some callers" if for_some(change.rule) else ""
        console.print(
            Text.assemble(
                (printable(f"{name}:{line}:{column}: "), "dim"),
                (change.detector, "bold"),
                f" {change.confidence:.2f}  {printable(change.why)}",
            )
        )
        console.print(Text.assemble("    ", *around(text, change.start, change.end, sure=change.confidence >= 0.9)))
        console.print(
            Text.assemble(
                "    ",
                (change.does, "bold green"),
                f" -> {printable(change.becomes)}",
                (f"  {change.rule.id}", "bold"),
                (f" ({change.rule.where}){some}", "dim"),
            )
        )
    for rail in rails:
        some = " for some callers" if for_some(rail) else ""
        watched = ", observed only" if rail.mode == "observe" else ""
        console.print(
            Text.assemble(
                ("guardrail ", "dim"),
                (rail.id, "bold"),
                f" {rail.action.act}{watched}",
                (f" ({rail.where}){some}", "dim"),
            )
        )
    console.print(
        f"as a {on}: {_count(len(found), 'value')} masked, {_count(len(rails), 'guardrail')} hit", style="dim"
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
