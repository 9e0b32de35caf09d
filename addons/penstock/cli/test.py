"""`penstock test`: does the policy do what its cases say."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from penstock.exchange import Json, JsonObject
    from penstock.policy.trial import Difference, Result


@click.command("test")
@click.argument("directory", type=click.Path(path_type=Path), default=Path("rules"), metavar="[DIR]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for machines.")
@click.option(
    "--junit", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write a JUnit report for CI."
)
def command(directory: Path, as_json: bool, junit: Path | None) -> None:
    """Run the cases in DIR/cases (default: rules/cases) against the policy in DIR.

    The examples of the packs in use are cases too. Calls are decided and texts masked by the code that handles live
    traffic; replies are masked whole and one character at a time. Exit status 1 when a case fails.
    """
    from penstock.cli.check import report
    from penstock.errors import PolicyError
    from penstock.policy import load
    from penstock.policy.cases import load_cases
    from penstock.policy.trial import of_packs, run

    try:
        policy = load(directory)
        cases = load_cases(directory)
    except PolicyError as error:
        report(error.problems)
        sys.exit(1)
    results = [run(policy, case) for case in cases]
    results += [run(alone, case) for alone, case in of_packs(policy)]
    if junit is not None:
        _write(junit, _junit(results))
    if as_json:
        click.echo(json.dumps(_summary(policy.hash, results)))
    else:
        _show(directory, results)
    if not all(result.passed for result in results):
        sys.exit(1)


def _write(path: Path, text: str) -> None:
    from penstock.errors import ConfigurationError

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error


def _show(directory: Path, results: Sequence[Result]) -> None:
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    if not results:
        click.echo(f"{directory / 'cases'}: no cases: write some, they show that the policy does what you mean")
        return
    failed = [result for result in results if not result.passed]
    for result in failed:
        console.print(f"{_place(result.case.mark.file, result.case.mark.line)} {result.case.name}", markup=False)
        for difference in result.differences:
            console.print(_diff(difference))
    style = "red" if failed else "green"
    count = f"{len(results) - len(failed)} passed" + (f", {len(failed)} failed" if failed else "")
    console.print(f"{directory}: {count}", style=style, markup=False)


def _place(file: str, line: int) -> str:
    return f"{file}:{line}:"


def _diff(difference: Difference) -> Text:
    from rich.text import Text

    return Text.assemble(
        (f"  {difference.what} (line {difference.mark.line})\n", "bold"),
        (f"    - {_written(difference.expected)}\n", "green"),
        (f"    + {_written(difference.got)}", "red"),
    )


def _written(value: Json) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)


def _summary(hash: str, results: Sequence[Result]) -> JsonObject:
    return {
        "ok": all(result.passed for result in results),
        "hash": hash,
        "passed": sum(result.passed for result in results),
        "failed": sum(not result.passed for result in results),
        "cases": [
            {
                "name": result.case.name,
                "file": result.case.mark.file,
                "line": result.case.mark.line,
                "passed": result.passed,
                "differences": [
                    {"what": each.what, "line": each.mark.line, "expected": each.expected, "got": each.got}
                    for each in result.differences
                ],
            }
            for result in results
        ],
    }


def _junit(results: Sequence[Result]) -> str:
    failed = sum(not result.passed for result in results)
    suite = ElementTree.Element("testsuite", name="penstock", tests=str(len(results)), failures=str(failed))
    for result in results:
        mark = result.case.mark
        case = ElementTree.SubElement(suite, "testcase", name=result.case.name, file=mark.file, line=str(mark.line))
        for each in result.differences:
            message = f"{each.what}: expected {_written(each.expected)}, got {_written(each.got)}"
            ElementTree.SubElement(case, "failure", message=message)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
