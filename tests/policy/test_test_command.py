"""`penstock test`: what fails is shown as a difference, with file and line."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

from click.testing import CliRunner, Result

from penstock.cli import penstock

from .conftest import BASE, Write

GOOD = "cases:\n  - {name: nobody may, call: {prompt: hi}, expect: {verdict: deny}}\n"
BAD = "cases:\n  - {name: all may, call: {prompt: hi}, expect: {verdict: allow, rule: é}}\n"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(penstock, ["test", *map(str, arguments)])


def rules(write: Write, **cases: str) -> Path:
    folder = write(BASE)
    (folder / "cases").mkdir()
    for name, text in cases.items():
        (folder / "cases" / f"{name}.yaml").write_text(text)
    return folder


def test_cases_that_pass_are_counted(write: Write) -> None:
    folder = rules(write, a=GOOD, b=GOOD)
    result = run(folder)
    assert (result.exit_code, result.stdout) == (0, f"{folder}: 2 passed\n")


def test_a_failure_is_shown_as_a_difference(write: Write) -> None:
    folder = rules(write, a=GOOD, b=BAD)
    result = run(folder)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"{folder}/cases/b.yaml:2: all may",
        "  verdict (line 2)",
        '    - "allow"',
        '    + "deny"',
        "  rule (line 2)",
        '    - "é"',
        '    + ""',
        f"{folder}: 1 passed, 1 failed",
    ]


def test_no_cases_is_a_notice(write: Write) -> None:
    folder = write(BASE)
    result = run(folder)
    assert result.exit_code == 0
    assert f"{folder}/cases: no cases" in result.stdout


def test_problems_of_the_policy_and_of_cases_go_to_stderr(write: Write) -> None:
    broken = run(write("grants: 5\n"))
    assert broken.exit_code == 1
    assert "a.yaml:1:9: expected a list" in broken.stderr
    (write(BASE) / "cases").mkdir()
    (write(BASE) / "cases" / "a.yaml").write_text("cases: 5")
    result = run(write(BASE))
    assert result.exit_code == 1
    assert "cases/a.yaml:1:8: expected a list" in result.stderr


def test_json_for_machines(write: Write) -> None:
    result = run(rules(write, a=GOOD, b=BAD), "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (found["ok"], found["passed"], found["failed"]) == (False, 1, 1)
    assert found["cases"][1]["differences"][0] == {"what": "verdict", "line": 2, "expected": "allow", "got": "deny"}


def test_a_junit_report_for_ci(write: Write, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    result = run(rules(write, a=GOOD, b=BAD), "--junit", report)
    assert result.exit_code == 1
    suite = ElementTree.parse(report).getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    failures = suite.findall("testcase/failure")
    assert failures[0].get("message") == 'verdict: expected "allow", got "deny"'


def test_a_report_that_cannot_be_written_is_one_line(write: Write, tmp_path: Path) -> None:
    result = run(rules(write, a=GOOD), "--junit", tmp_path / "no" / "report.xml")
    assert result.exception is not None
    assert "cannot be written: No such file or directory" in str(result.exception)
