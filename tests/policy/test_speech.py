"""Phrases in disguise, and texts in codes: what guardrails read beside a text itself."""

from __future__ import annotations

import base64

import pytest
import regex

from penstock.policy.codes import decodings
from penstock.policy.speech import loosened, readings


def read(text: str) -> list[str]:
    return [reading.text for reading in readings(text)]


@pytest.mark.parametrize(
    "text",
    [
        "d r o p  t a b l e",
        "d-r-o-p table",
        "D.R.O.P table",
        "dr0p 74bl3",
        "drop_table",
        "drop/table",
        "dröp táblé",
        "drор tаblе",
        "elbat pord",
        "qebc gnoyr",
    ],
)
def test_disguises_are_taken_off(text: str) -> None:
    assert any("drop table" in each.lower() for each in read(text))


def test_words_that_run_on_are_read_when_they_are_long_or_spelt_out() -> None:
    assert [each.text for each in readings("dropThatTableAndTheOther now") if each.run_on] == [
        "dropThatTableAndTheOther"
    ]
    assert next(each.text for each in readings("so d r o p t a b l e") if each.run_on) == "sodroptable"
    assert not [each for each in readings("drop that table") if each.run_on]


def test_ordinary_text_has_few_readings() -> None:
    assert read("drop the table") == ["elbat eht pord", "qebc gur gnoyr"]


@pytest.mark.parametrize(
    ("pattern", "loose"),
    [
        (r"(?i:\bdrop\s{1,8}table\b)", r"(?i:drop\s{0,8}table)"),
        (r"(?i:(?<!\w)drop table(?!\w))", r"(?i:drop ?table)"),
        (r"(?i:drop (?:all )?tables{1,2})", r"(?i:drop ?(?:all ?)?tables{1,2})"),
        ("忽略之前的指令", "忽略之前的指令"),
    ],
)
def test_a_phrase_is_loosened(pattern: str, loose: str) -> None:
    made = loosened(pattern)
    assert made is not None
    for text in ("droptable", "dropalltables", "忽略之前的指令"):
        assert bool(regex.search(made, text)) == bool(regex.search(loose, text))


@pytest.mark.parametrize(
    "pattern", [r"AKIA[0-9A-Z]{16}", r"(?i:god)", r"\d{4} letters", r"<<SYSTEM>>", r"(ab)\1cdefg", "("]
)
def test_values_short_words_and_marks_are_no_phrases(pattern: str) -> None:
    assert loosened(pattern) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("%64rop", "drop"),
        ("&#100;rop &amp; go", "drop & go"),
        (r"\x64\u0072\u{6f}\160 \U00000041", "drop A"),
        (r"\ud83d\ude42", "🙂"),
        (r"\u{00000064}rop &#00000064; &#x0000040;", "drop @ @"),
        ("x " + base64.b64encode("drop thé table".encode()).decode() + " y", "drop thé table"),
        (base64.urlsafe_b64encode(b"drop???table~~~").decode(), "drop???table~~~"),
        (base64.b64encode("drop table".encode("utf-16-le")).decode(), "drop table"),
        (b"drop table".hex(), "drop table"),
        (" ".join(f"{byte:02X}" for byte in b"drop table"), "drop table"),
        (b"drop table".hex(":", 2), "drop table"),
        (b"drop table".hex(" ", 2), "drop table"),
        (b"drop table".hex(" ", 4), "drop table"),
        ("00000000: " + b"drop table".hex(" ", 2) + "  d.", "drop table"),
        (base64.b64encode(b"%64rop the table").decode(), "drop the table"),
    ],
)
def test_codes_are_read(text: str, said: str) -> None:
    assert said in list(decodings(text))


@pytest.mark.parametrize(
    "text",
    ["hello", "100% of & more", r"C:\new", "getElementsByClassName", "e3b0c44298fc1c149afbf4c8996fb924", r"\U00110000"],
)
def test_what_is_no_code_says_nothing_more(text: str) -> None:
    assert list(decodings(text)) == []


def test_of_many_and_large_blobs_only_some_are_read() -> None:
    blob = base64.b64encode(b"drop the table").decode()
    assert len(list(decodings(f"{blob} " * 100))) == 64
    assert max(map(len, decodings(base64.b64encode(b"drop the table " * 20_000).decode()))) <= 75_000
