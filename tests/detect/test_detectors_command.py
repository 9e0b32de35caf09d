"""`penstock detectors` and `penstock scan`: what is shown, to people and to machines."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from penstock.cli.detectors import command as detectors
from penstock.cli.printable import printable
from penstock.cli.scan import command as scan
from penstock.detect.detector import DETECTORS

TEXT = "SSN: 123-45-6789\nwrite to bob@example.com \x1b[31mnow\u202e\npassword: Tr0ub4dor&3\n"


def run(*arguments: str, text: str = TEXT) -> Result:
    return CliRunner().invoke(scan, [*arguments, "-"], input=text.encode())


def test_every_detector_is_listed_with_all_that_is_known_of_it() -> None:
    rows = json.loads(CliRunner().invoke(detectors, ["--json"]).output)
    assert [row["name"] for row in rows] == [known.name for known in DETECTORS]
    card = next(row for row in rows if row["name"] == "credit_card")
    assert card["check"].startswith("Luhn")
    assert (card["streamed"], card["context_needed"]) == ("yes", False)
    assert next(row for row in rows if row["name"] == "jwt")["streamed"] == "swallowed"


def test_the_list_is_a_table_and_words_choose_from_it() -> None:
    every = CliRunner().invoke(detectors, []).output
    assert all(known.name in every for known in DETECTORS)
    some = CliRunner().invoke(detectors, ["pesel", "passport"]).output
    assert "pl_pesel" in some and "us_passport" in some and "email" not in some
    assert "needed: passport" in some and "helps: pesel" in some
    assert CliRunner().invoke(detectors, ["medicare beneficiary"]).output.strip().endswith("1 detector")


def test_what_is_found_is_shown_with_its_place_its_confidence_and_why() -> None:
    shown = run().output
    assert "-:1:6: us_ssn 0.93" in shown.replace("<stdin>", "-")
    assert "after “SSN”" in shown
    assert "2:10: email 0.98  its form" in shown
    assert "3 values found" in shown


def test_a_terminal_is_told_of_escapes_and_does_not_obey_them() -> None:
    shown = run().output
    assert "\x1b[31mnow" not in shown and "\u202e" not in shown
    assert "\\u001b[31mnow\\u202e" in shown
    assert printable("a\tb\n\x07") == "a\tb\n\\u0007"


def test_machines_get_an_array() -> None:
    rows = json.loads(run("--json").output)
    assert [(row["detector"], row["line"], row["column"]) for row in rows] == [
        ("us_ssn", 1, 6),
        ("email", 2, 10),
        ("password", 3, 11),
    ]
    assert rows[1]["value"] == "bob@example.com" == TEXT[rows[1]["start"] : rows[1]["end"]]


def test_only_what_is_asked_for_and_as_sure_as_is_asked_for() -> None:
    assert [row["detector"] for row in json.loads(run("--json", "-d", "email", "-d", "phone").output)] == ["email"]
    assert [row["detector"] for row in json.loads(run("--json", "--min-confidence", "0.9").output)] == [
        "us_ssn",
        "email",
    ]
    assert run("-d", "emial").exception is not None


def test_the_status_says_whether_something_was_found_when_that_is_asked() -> None:
    assert (run().exit_code, run("--fail").exit_code, run("--fail", text="nothing").exit_code) == (0, 1, 0)
    assert "nothing found" in run(text="nothing").output


def test_a_long_value_is_cut_in_the_middle(tmp_path: Path) -> None:
    key = "-----BEGIN PRIVATE KEY-----\n" + "MIIE\n" * 100 + "-----END PRIVATE KEY-----"
    file = tmp_path / "key.pem"
    file.write_text(f"a\n{key}\n", encoding="utf-8")
    shown = CliRunner().invoke(scan, [str(file)]).output
    assert "⏎MIIE⏎" in shown and " ... " in shown
    assert f"{file}:2:1: private_key" in shown.replace("\n", "")
