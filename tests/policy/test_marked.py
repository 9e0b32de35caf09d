"""Marked nodes: every value knows its place, and hostile YAML gives problems, never a trace back."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import Problem
from penstock.policy import marked
from penstock.policy.marked import Items, Mark, Node, Scalar, Table, compose
from penstock.policy.syntax import complaint


@pytest.fixture(params=[yaml.SafeLoader, yaml.CSafeLoader], ids=["python", "libyaml"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parsers of PyYAML: a wheel may lack libyaml."""
    monkeypatch.setattr(marked, "_LOADER", request.param)


def read(data: str | bytes) -> tuple[Node | None, list[str]]:
    problems: list[Problem] = []
    node = compose("f.yaml", data.encode() if isinstance(data, str) else data, problems)
    return node, [str(problem) for problem in problems]


def only(data: str | bytes) -> str:
    _, problems = read(data)
    assert len(problems) == 1, problems
    return problems[0]


def value(text: str) -> object:
    node, problems = read(f"a: {text}\n")
    assert not problems
    assert isinstance(node, Table)
    inner = node.entries["a"].node
    assert isinstance(inner, Scalar)
    return inner.value


def test_every_node_knows_its_line_and_column() -> None:
    node, problems = read("# first\nkey:\n  - {inner: x}\n  - 'é': é\n")
    assert not problems
    assert isinstance(node, Table)
    assert node.entries["key"].key == Mark("f.yaml", 2, 1)
    items = node.entries["key"].node
    assert isinstance(items, Items)
    first, second = items.items
    assert isinstance(first, Table)
    assert first.mark == Mark("f.yaml", 3, 5)
    assert first.entries["inner"].node.mark == Mark("f.yaml", 3, 13)
    assert isinstance(second, Table)
    assert second.entries["é"].node.mark == Mark("f.yaml", 4, 10)


def test_a_mark_shows_as_the_file_name_and_the_line() -> None:
    assert str(Mark("/etc/penstock/rules/a.yaml", 7, 5)) == "a.yaml:7"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", 5),
        ("-5", -5),
        ("+5", 5),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("'5'", "5"),
        ('"true"', "true"),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("True", "True"),
        ("010", "010"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("2027-01-01", "2027-01-01"),
        ("12:30:45", "12:30:45"),
    ],
)
def test_only_json_numbers_booleans_and_null_are_more_than_text(text: str, expected: object) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


def test_on_and_off_are_ordinary_keys() -> None:
    node, problems = read("on: [prompt]\noff: x\nyes: y\n")
    assert not problems
    assert isinstance(node, Table)
    assert list(node.entries) == ["on", "off", "yes"]


def test_a_byte_order_mark_and_windows_line_ends_change_no_place() -> None:
    plain, _ = read("a: 1\nb:\n  c: 2\n")
    windows, problems = read(b"\xef\xbb\xbfa: 1\r\nb:\r\n  c: 2\r\n")
    assert not problems
    assert windows == plain


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a: \xff\n", "f.yaml:1:4: byte 0xff is not UTF-8: save the file as UTF-8"),
        (b"# x\na: b\xc3\n", "f.yaml:2:5: byte 0xc3 is not UTF-8: save the file as UTF-8"),
        ("a: 1\n".encode("utf-16"), "f.yaml:1:1: byte 0xff is not UTF-8: save the file as UTF-8"),
        (b"a: \x00\n", "f.yaml:1:4: unseen character U+0000: write it as an escape in double quotes"),
        ("a: 1\nb: x\u202ey\n", "f.yaml:2:5: unseen character U+202E: write it as an escape in double quotes"),
        ("a: x\u200by\n", "f.yaml:1:5: unseen character U+200B: write it as an escape in double quotes"),
        ("a: x\U000e0041y\n", "f.yaml:1:5: unseen character U+E0041: write it as an escape in double quotes"),
        (b'a: "\\0"\n', "f.yaml:1:4: control character U+0000 in a text"),
        (b"", "f.yaml: nothing in it: add a key of the policy, or remove the file"),
        (b"# only a comment\n", "f.yaml: nothing in it: add a key of the policy, or remove the file"),
        (b"---\n", "f.yaml: nothing in it: add a key of the policy, or remove the file"),
        (b"a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document: one a file, without '---' between"),
        (b"a:\n\tb: 1\n", "f.yaml:2:1: not YAML: a tab where spaces belong: indent with spaces"),
        (b"a:\n  - b\n\t- c\n", "f.yaml:3:1: not YAML: a tab where spaces belong: indent with spaces"),
        (b"a: @x\n", "f.yaml:1:4: not YAML: a value cannot start with '@': put it in quotes"),
        (b"a: `x`\n", "f.yaml:1:4: not YAML: a value cannot start with '`': put it in quotes"),
        (b"models: [*]\n", "f.yaml:1:11: not YAML: '*' cannot stand alone: put it in quotes"),
        (
            b"a: b: c\n",
            "f.yaml:1:5: not YAML: a second ':' in one value: put the value in quotes, or check the indentation",
        ),
        (b"a: 1\nb\n", "f.yaml:3:1: not YAML: a key without ': ' after it"),
        (b"a:\n  - 1\n - 2\n", "f.yaml:3:2: not YAML: the indentation does not fit the lines above"),
        (b'a: 1\nb: "x\n', "f.yaml:2:4: not YAML: a quote that is opened here is never closed"),
        (b"a: &x [1]\n", "f.yaml:1:4: anchor '&x': anchors and aliases are not read, write the value out"),
        (
            b"a: !!python/object:os.system x\n",
            "f.yaml:1:4: tag '!!python/object:os.system': tags are not read, remove it",
        ),
        (b"a: !!str x\n", "f.yaml:1:4: tag '!!str': tags are not read, remove it"),
        (b"a: {<<: {b: 1}}\n", "f.yaml:1:5: merge key '<<' is not read: write the values out"),
        (b"a: 1\nb: 2\na: 3\n", "f.yaml:3:1: key 'a' is here a second time (first on line 1): keep one"),
        (b"1: x\n", "f.yaml:1:1: key '1' is not text: put it in quotes"),
        (b"true: x\n", "f.yaml:1:1: key 'true' is not text: put it in quotes"),
        (b"~: x\n", "f.yaml:1:1: key '~' is not text: put it in quotes"),
        (b"[a]: x\n", "f.yaml:1:1: key is not text: put it in quotes"),
        (b"a: 1e999\n", "f.yaml:1:4: the number 1e999 is too large"),
        (b"a: 12345678901234567\n", "f.yaml:1:4: a number of 17 digits is too long: put it in quotes if it is text"),
        (
            b"a: " + b"9" * 5000 + b"\n",
            "f.yaml:1:4: a number of 5000 digits is too long: put it in quotes if it is text",
        ),
        (b"a: " + b"[" * 200_00, "f.yaml:1:35: nested more than 32 deep"),
        (b"- " * 10_000, "f.yaml:1:65: nested more than 32 deep"),
        (b"a: " + b"{b: " * 5_000, "f.yaml:1:128: nested more than 32 deep"),
        (b"? " * 10_000, "f.yaml:1:65: nested more than 32 deep"),
        (b"x" * 1_000_001, "f.yaml: larger than 1,000,000 bytes: split it into several files"),
    ],
)
def test_hostile_yaml_is_a_problem_with_a_place(data: str | bytes, expected: str) -> None:
    assert only(data) == expected


def test_an_open_bracket_is_named() -> None:
    assert only("a: [1, 2\nb: 3\n").endswith("(the bracket of line 1 is still open)")


def test_a_lone_surrogate_is_a_problem() -> None:
    assert "f.yaml:1:" in only('a: "\\ud800"\n')


def test_a_complaint_without_a_place_is_about_the_file() -> None:
    found = complaint("f.yaml", "", yaml.MarkedYAMLError(problem="something is wrong"))
    assert str(found) == "f.yaml: not YAML: something is wrong"


def test_an_unknown_escape_is_a_problem() -> None:
    assert "unknown escape character" in only('a: "\\q"\n')


def test_an_alias_bomb_gives_one_problem_for_each_anchor_and_alias() -> None:
    _, problems = read("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n")
    assert len(problems) == 6
    assert all("anchors and aliases are not read" in problem for problem in problems)


def test_problems_after_the_first_are_found_too() -> None:
    _, problems = read("1: a\nb: !!int 5\nb: 2\n")
    assert [problem.split(":")[1] for problem in problems] == ["1", "2", "3"]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_raise(data: bytes) -> None:
    node, problems = read(data)
    assert node is not None or problems


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="ab:-?[]{},&*!|>'\"%@` \n\t#<~1.e\\", max_size=60))
def test_no_text_of_yaml_characters_raises(text: str) -> None:
    node, problems = read(text)
    assert node is not None or problems
