"""Cases as they are written, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.errors import PolicyError
from penstock.exchange import Call, Operation, Turn
from penstock.policy.cases import Case, Post, load_cases


def cases(folder: Path, text: str) -> tuple[Case, ...]:
    (folder / "cases").mkdir(exist_ok=True)
    (folder / "cases" / "a.yaml").write_text(text)
    return load_cases(folder)


def problems(folder: Path, text: str) -> str:
    with pytest.raises(PolicyError) as caught:
        cases(folder, text)
    return str(caught.value)


def test_no_folder_means_no_cases(tmp_path: Path) -> None:
    assert load_cases(tmp_path) == ()


def test_a_case_is_read_with_its_defaults(tmp_path: Path) -> None:
    (case,) = cases(tmp_path, "cases:\n  - {name: it works, reply: x, expect: {reply: x}}\n")
    assert (case.name, case.mark.line, case.reply, case.tool_call, case.upstream) == ("it works", 2, "x", None, None)
    assert case.caller.groups == frozenset()
    assert case.call == Call("case", Operation.CHAT, "any")
    mark, expected = case.expect["reply"]
    assert (mark.line, mark.column, expected) == (2, 48, "x")


def test_a_call_is_read_whole(tmp_path: Path) -> None:
    (case,) = cases(
        tmp_path,
        """
        cases:
          - name: x
            caller: {issuer: corp, subject: ann, groups: [a]}
            call:
              operation: complete
              model: m
              prompt: last
              messages: [{role: system, content: first}, {role: assistant, content: '{}', kind: tool_call}]
              parameters: {n: 2, grammar: g}
              unusual: [grammar, other]
              tools: [search]
              uninspected: [image]
              stream: true
              upstream: lab
            expect: {verdict: allow}
        """,
    )
    assert case.caller.id == "corp|ann"
    assert case.upstream == "lab"
    assert case.call == Call(
        api="case",
        operation=Operation.COMPLETE,
        model="m",
        turns=(
            Turn("system", "first", ()),
            Turn("assistant", "{}", (), "tool_call", "json"),
            Turn("user", "last", ()),
        ),
        parameters={"n": 2, "grammar": "g", "tools": ["search"]},
        unusual=frozenset({"grammar"}),
        tools=("search",),
        stream=True,
        uninspected=("image",),
    )


def test_operations_on_the_server_have_no_model(tmp_path: Path) -> None:
    (case,) = cases(tmp_path, "cases: [{name: x, call: {operation: list}, expect: {verdict: deny}}]")
    assert isinstance(case.call, Call)
    assert case.call.model is None


def test_a_request_is_read_by_its_api(tmp_path: Path) -> None:
    text = "cases: [{name: x, call: {path: /v1/x, body: {a: 1}, upstream: lab}, expect: {verdict: deny}}]"
    (case,) = cases(tmp_path, text)
    assert case.call == Post("/v1/x", {"a": 1})
    assert case.upstream == "lab"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cases: [{name: x, expect: {}}]", "a.yaml:1:27: a case must expect something"),
        ("cases: [{name: x}]", "a.yaml:1:9: case: key 'expect' is missing"),
        ("cases: [{expect: {rule: x}}]", "case: key 'name' is missing"),
        ("cases: [{name: x, expect: {verdct: deny}}]", "unknown key 'verdct' (did you mean 'verdict'?)"),
        ("cases: [{name: x, expect: {verdict: denied}}]", "unknown verdict 'denied' (did you mean 'deny'?)"),
        ("cases: [{name: x, expect: {reply: a}}]", "a.yaml:1:35: expects a reply, but there is none in the case"),
        ("cases: [{name: x, expect: {tool_call: a}}]", "expects a tool_call, but there is none in the case"),
        ("cases: [{name: x, expect: {stopped: a}}]", "expects a reply to be stopped, but there is none"),
        (
            "cases: [{name: x, call: {path: /a, model: m}, expect: {rule: x}}]",
            "'model' beside 'path': the body says it",
        ),
        ("cases: [{name: x, call: {path: /a, body: [1]}, expect: {rule: x}}]", "the body must be a mapping"),
        ("cases: [{name: x, call: {body: {}}, expect: {rule: x}}]", "a body needs the path that it is sent to"),
        ("cases: [{name: x, caller: {groups: a}, expect: {rule: x}}]", "expected a list"),
        ("case: []", "unknown key 'case' (did you mean 'cases'?)"),
        ("grants: []", "unknown key 'grants'"),
        ("cases: [", "not YAML"),
        ("- x", "expected a mapping (cases), not a list"),
    ],
)
def test_cases_that_make_no_sense_are_problems(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in problems(tmp_path, text)


def test_every_problem_of_every_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "b.yaml").write_text("cases: [{name: x}]")
    text = problems(tmp_path, "cases: [{nam: x}]")
    assert "a.yaml:1:10: unknown key 'nam'" in text
    assert "b.yaml:1:9: case: key 'expect' is missing" in text


def test_an_empty_folder_has_no_cases(tmp_path: Path) -> None:
    (tmp_path / "cases").mkdir()
    assert load_cases(tmp_path) == ()
