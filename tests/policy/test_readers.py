"""Readers of single values: one typed value, or what is wrong in words that say what to write."""

from __future__ import annotations

from pathlib import Path

from penstock.errors import Problem
from penstock.policy.amounts import duration
from penstock.policy.marked import Table, compose
from penstock.policy.readers import (
    ANY_TEXT,
    BOOLEAN,
    GROUP,
    ID,
    JSON,
    NUMBER,
    PERSON,
    TEXT,
    Reader,
    choice,
    declared,
    reference,
    whole,
)
from penstock.policy.reading import Reading, Unread, meant


def attempt(reader: Reader[object], text: str) -> tuple[object, str]:
    """The value, or the problem."""
    found: list[Problem] = []
    node = compose("f.yaml", f"a: {text}\n".encode(), found)
    assert isinstance(node, Table)
    assert not found
    reading = Reading(Path(), {}, 0.0)
    try:
        return reader.read(node.entries["a"].node, reading), ""
    except Unread:
        assert len(reading.problems) == 1
        return None, reading.problems[0].message


def good(reader: Reader[object], text: str) -> object:
    value, problem = attempt(reader, text)
    assert not problem
    return value


def bad(reader: Reader[object], text: str) -> str:
    _, problem = attempt(reader, text)
    assert problem
    return problem


def test_text_is_text() -> None:
    assert good(TEXT, "hello") == "hello"
    assert bad(TEXT, "5") == "expected text, not 5: put it in quotes"
    assert bad(TEXT, "") == "expected text, not nothing: put it in quotes"
    assert bad(TEXT, "' '") == "expected text, not an empty one"
    assert bad(TEXT, "[a]") == "expected text, not a list"
    assert bad(TEXT, "{a: b}") == "expected text, not a mapping"
    assert good(ANY_TEXT, "''") == ""
    assert bad(ANY_TEXT, "true") == "expected text, not true: put it in quotes"


def test_a_long_text_is_cut_in_messages() -> None:
    message = bad(duration("1s", "5s"), '"' + "x" * 100 + "\\n" + '"')
    assert message.endswith(f"not the text '{'x' * 57}...'")


def test_line_breaks_in_messages_are_shown() -> None:
    assert bad(duration("1s", "5s"), '"a\\nb"').endswith("not the text 'a\\nb'")


def test_booleans_are_true_and_false_only() -> None:
    assert good(BOOLEAN, "true") is True
    assert bad(BOOLEAN, "yes") == "expected true or false, not the text 'yes'"
    assert bad(BOOLEAN, "1") == "expected true or false, not 1"


def test_whole_numbers_are_no_booleans() -> None:
    assert good(whole(1, 5), "5") == 5
    for text in ("true", "6", "0", "1.0", "'1'"):
        assert bad(whole(1, 5), text).startswith("expected a whole number, 1 to 5, not ")


def test_numbers_are_no_booleans() -> None:
    assert good(NUMBER, "1.5") == 1.5
    assert bad(NUMBER, "true") == "expected a number, not true"


def test_a_choice_suggests_what_was_meant() -> None:
    reader = choice("enforce", "observe", of="mode")
    assert good(reader, "observe") == "observe"
    assert bad(reader, "obsrve") == "unknown mode 'obsrve' (did you mean 'observe'?)"
    assert bad(reader, "zzz") == "unknown mode 'zzz' (there is: enforce, observe)"
    assert bad(reader, "Enforce") == "unknown mode 'Enforce' (did you mean 'enforce'?)"


def test_ids_are_plain_names() -> None:
    assert good(ID, "a-b_c.1") == "a-b_c.1"
    for text in ("-a", "a b", "'a|b'", "é", "a" * 65, "a/b"):
        assert "expected a name" in bad(ID, text)


def test_groups_are_compared_whole_so_a_star_is_refused() -> None:
    assert good(GROUP, "corp:data") == "corp:data"
    assert "name each" in bad(GROUP, "'corp:*'")
    assert "space" in bad(GROUP, "' corp:x'")


def test_a_caller_is_issuer_and_subject() -> None:
    assert good(PERSON, "corp|alice@example.com") == "corp|alice@example.com"
    for text in ("alice", "'|alice'", "'corp|'", "'corp|*'"):
        assert bad(PERSON, text).startswith("expected a caller 'issuer|subject'")


def test_any_value_is_read_as_json() -> None:
    assert good(JSON, "{a: [1, 2.5, true, null, x]}") == {"a": [1, 2.5, True, None, "x"]}


def test_names_are_declared_once_and_references_need_one() -> None:
    reading = Reading(Path(), {}, 0.0)
    node = compose("f.yaml", b"[alpha, alpha, alphaa, beta]", reading.problems)
    assert node is not None
    items = getattr(node, "items")  # noqa: B009
    declared("grant").read(items[0], reading)
    declared("grant").read(items[1], reading)
    reference("grant").read(items[2], reading)
    reference("grant").read(items[3], reading)
    reading.close()
    assert [problem.message for problem in reading.problems] == [
        "grant 'alpha' is here a second time (first at f.yaml:1): rename or remove one",
        "unknown grant 'alphaa' (did you mean 'alpha'?)",
        "unknown grant 'beta' (there is: alpha)",
    ]


def test_a_suggestion_is_left_out_when_there_are_many_names_and_none_is_near() -> None:
    assert meant("zzz", [f"name{index}" for index in range(20)]) == ""
    assert meant("zzz", []) == ""
