"""`penstock check`: is the policy right, and what does it say."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from penstock.errors import Problem
    from penstock.exchange import JsonObject
    from penstock.policy import Policy


@click.command("check")
@click.argument("directory", type=click.Path(path_type=Path), default=Path("rules"), metavar="[DIR]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for machines.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of the policy's files, for editors.")
def command(directory: Path, as_json: bool, schema: bool) -> None:
    """Read the policy in DIR (default: rules) and report every problem, as file:line:column.

    Exit status 1 when there is one. Nothing is started or changed.
    """
    from penstock.errors import PolicyError
    from penstock.policy import load
    from penstock.policy.schema import schema as draw

    if schema:
        click.echo(json.dumps(draw(), indent=2))
        return
    try:
        policy = load(directory)
        if wrong := list(_failures(policy)):
            raise PolicyError(tuple(wrong))
    except PolicyError as error:
        if as_json:
            click.echo(json.dumps({"ok": False, "problems": _listed(error.problems)}))
        else:
            report(error.problems)
        sys.exit(1)
    if as_json:
        click.echo(json.dumps(summary(policy)))
    else:
        _show(directory, policy)


def _failures(policy: Policy) -> Iterator[Problem]:
    """The examples of packs in use that fail."""
    from penstock.policy.trial import of_packs, run

    for alone, case in of_packs(policy):
        if not run(alone, case).passed:
            yield case.mark.problem(f"example fails: {case.name}")


def report(problems: Sequence[Problem]) -> None:
    """Every problem on a line of stderr, and how many there are."""
    for problem in problems:
        click.echo(str(problem), err=True)
    click.echo(f"{len(problems)} problem{'s' if len(problems) != 1 else ''}", err=True)


def _listed(problems: Sequence[Problem]) -> list[JsonObject]:
    return [
        {"file": problem.file, "line": problem.line, "column": problem.column, "message": problem.message}
        for problem in problems
    ]


def summary(policy: Policy) -> JsonObject:
    """The policy in figures, as `--json` prints it."""
    return {
        "ok": True,
        "hash": policy.hash,
        "listeners": [f"{listen.mode} {listen.host or '*'}:{listen.port}" for listen in policy.gateway.listen],
        "upstreams": list(policy.gateway.upstreams),
        "grants": [grant.id for grant in policy.grants],
        "guardrails": [rail.id for rail in policy.guardrails],
        "packs": [pack.name for pack in policy.packs],
        "masking": [rule.id for rule in policy.masking],
        "approvals": [approval.rule.id for approval in policy.approvals],
        "problems": [],
        "warnings": list(_listed(policy.warnings)),
    }


def _show(directory: Path, policy: Policy) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    console.print(Text(f"{directory}: the policy holds", style="green"))
    for name, values in _rows(policy).items():
        line = ", ".join(values) or "none"
        console.print(Text.assemble((f"{name:<11}", "bold"), f"{len(values):>3}  {line}"))
    console.print(Text.assemble((f"{'hash':<11}", "bold"), f"     {policy.hash}"))
    for warning in policy.warnings:
        click.echo(f"warning: {warning}", err=True)


def _rows(policy: Policy) -> dict[str, list[str]]:
    gateway = policy.gateway
    return {
        "listeners": [f"{each.host or '*'}:{each.port} {each.upstream or each.mode}" for each in gateway.listen],
        "upstreams": [f"{each.name} {' '.join(map(str, each.replicas))}" for each in gateway.upstreams.values()],
        "grants": [grant.id for grant in policy.grants],
        "guardrails": [
            f"{rail.id} ({rail.action.act}{', observed only' if rail.mode == 'observe' else ''})"
            for rail in policy.guardrails
        ],
        "packs": [f"{pack.name} ({len(pack.guardrails)})" for pack in policy.packs],
        "masking": [f"{rule.id} ({', '.join(sorted(rule.on))})" for rule in policy.masking],
        "approvals": [f"{each.rule.id} (quorum {each.rule.quorum})" for each in policy.approvals],
    }
