"""The loader: all of a policy or every problem at once, and a hash that says what it says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.detect.syntax import PatternError
from penstock.errors import PolicyError
from penstock.policy import Policy, load, loader
from penstock.policy.loader import attempt

from .conftest import BASE, NOW, Load, Problems, Write


def test_every_problem_of_every_file_is_reported_at_once_in_order(write: Write) -> None:
    folder = write(
        BASE,
        """
        grants:
          - {id: g, groups: [a], upstreams: [lap], operations: [chat, lst], models: ["*"]}
          - {id: g, groups: [a], upstreams: [lab], operations: [list]}
        guardrails: 5
        """,
        "a: [\n",
        """
        masking:
          - {id: m, on: [completion], detect: [emial]}
        """,
    )
    (folder / "f.yaml").write_bytes(b"\xff")
    with pytest.raises(PolicyError) as caught:
        load(folder, environ={}, now=NOW)
    assert [str(problem).removeprefix(f"{folder}/") for problem in caught.value.problems] == [
        "b.yaml:3:38: unknown upstream 'lap' (did you mean 'lab'?)",
        "b.yaml:3:63: unknown operation 'lst' (did you mean 'list'?)",
        "b.yaml:4:10: grant 'g' is here a second time (first at b.yaml:3): rename or remove one",
        "b.yaml:5:13: expected a list, not 5: write [5]",
        "c.yaml:2:1: not YAML: did not find expected node content",
        "d.yaml:3:40: unknown detector 'emial' (did you mean 'email'?)",
        "f.yaml:1:1: byte 0xff is not UTF-8: save the file as UTF-8",
    ]
    assert all(problem.line for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("grant: []", "1:1: unknown key 'grant' (did you mean 'grants'?)"),
        ("Guardrails: []", "1:1: unknown key 'Guardrails' (did you mean 'guardrails'?)"),
        ("- a\n- b\n", "1:1: expected a mapping with keys of the policy, not a list"),
        ("hello", "1:1: expected a mapping with keys of the policy, not the text 'hello'"),
        ("5", "1:1: expected a mapping with keys of the policy, not 5"),
        ("grants: null", "1:9: expected a list, not null"),
        ("grants: [[]]", "1:10: expected a mapping (grant), not a list"),
        ("grants: [null]", "1:10: expected a mapping (grant), not null"),
        ("cases: []", "1:1: unknown key 'cases'"),
    ],
)
def test_a_file_holds_keys_of_the_policy_only(problems: Problems, text: str, expected: str) -> None:
    assert problems(text)[0].startswith(expected)


def test_some_file_must_say_which_format_it_is(write: Write) -> None:
    folder = write("data: x\n")
    with pytest.raises(PolicyError) as caught:
        load(folder, environ={}, now=NOW)
    assert str(caught.value) == f"{folder}: no file says which format it is: add 'version: 1'"


def test_lists_of_several_files_are_joined_in_file_name_order(write: Write) -> None:
    grant = "grants: [{id: %s, groups: [a], upstreams: [lab], operations: [list]}]\n"
    policy = load(write(BASE, z=grant % "last", b=grant % "first"), environ={}, now=NOW)
    assert [grant.id for grant in policy.grants] == ["first", "last"]
    assert policy.grants[1].where == "z.yaml:1"


def test_very_many_problems_are_cut(problems: Problems) -> None:
    found = problems("\n".join(f"key{index}: 1" for index in range(1000)))
    assert len(found) == 201
    assert found[-1] == " and 800 more problems"


def test_what_has_no_effect_is_a_warning(loaded: Load) -> None:
    assert [warning.message for warning in loaded().warnings] == [
        "no grants: every call is refused",
        "no issuers and no machine keys: nobody can be a caller",
        "no masking of completions: replies pass as they are",
    ]


def test_a_subfolder_is_a_warning(write: Write) -> None:
    folder = write(BASE)
    (folder / "more").mkdir()
    (folder / "more" / "x.yaml").write_text("grants: []")
    warnings = load(folder, environ={}, now=NOW).warnings
    assert str(warnings[0]) == f"{folder}/more: YAML in subfolders is not read: move it up"


FULL = """
upstreams:
  gpu:
    replicas: ["http://10.0.0.5:8000"]
    credential: {header: authorization, value: "Bearer ${env:KEY}"}
detectors:
  - {name: employee, pattern: 'E[0-9]{6}', context: [staff]}
grants:
  - {id: g, groups: [a, b], upstreams: [lab], operations: [chat, list], models: ["x*"], parameters: {n: {max: 2}}}
guardrails:
  - {id: r, on: [prompt], match: {any: [{words: [x]}, {not: {length: 5}}]}, action: {hold: ask}}
masking:
  - {id: m, on: [completion], detect: [email, employee], with: {hash: {key: "${env:SALT}"}}}
approvals:
  - {id: ask, approvers: {groups: [boss]}}
"""
ENVIRON = {"KEY": "first", "SALT": "0123456789abcdef"}

SAME = """
# A comment.
detectors: [{context: ["staff"], pattern: "E[0-9]{6}", name: employee, check: none}]

masking:
- with:
    hash:
      key: '${env:SALT}'
  detect: ["email", employee]
  on:
  - completion
  id: m
approvals: [{id: ask, approvers: {groups: [boss]}, expires: 900s, quorum: 1, grant: once}]
guardrails:
  - action: {hold: ask}
    id: r
    on: [prompt]
    mode: enforce   # as it is anyway
    match:
      any:
        - words: [x]
        - not:
            length: {over: 5}
grants:
  - id: g
    groups: [b, a]
    upstreams: [lab]
    operations: [list, chat]
    models: ['x*']
    parameters:
      n:
        max: 2
        over: deny
upstreams:
  gpu:
    timeouts: {connect: 5000ms}
    credential: {value: "Bearer ${env:KEY}", header: Authorization}
    replicas: [http://10.0.0.5:8000/]
"""


def test_the_hash_does_not_depend_on_layout_comments_order_of_keys_or_spelt_out_defaults(loaded: Load) -> None:
    one = loaded(FULL, environ=ENVIRON)
    other = loaded(SAME, environ=ENVIRON)
    assert one.hash == other.hash
    assert len(one.hash) == 64


def test_the_hash_does_not_depend_on_values_of_secrets(loaded: Load) -> None:
    other = loaded(FULL, environ={"KEY": "second", "SALT": "fedcba9876543210"})
    assert loaded(FULL, environ=ENVIRON).hash == other.hash


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("max: 2", "max: 3"),
        ("groups: [a, b]", "groups: [a]"),
        ("'E[0-9]{6}'", "'E[0-9]{5}'"),
        ("context: [staff]", "context: [person]"),
        ("detect: [email, employee]", "detect: [email]"),
        ("on: [prompt]", "on: [prompt, parameters]"),
        ("length: 5", "length: 6"),
        ("words: [x]", "words: [y]"),
        ("id: r", "id: rr"),
        ("${env:KEY}", "${env:SALT}"),
        ("groups: [boss]", "groups: [chief]"),
        ("10.0.0.5:8000", "10.0.0.5:8001"),
        ("{id: ask,", "{id: ask, quorum: 2,"),
    ],
)
def test_the_hash_depends_on_everything_that_is_said(loaded: Load, old: str, new: str) -> None:
    assert old in FULL
    assert loaded(FULL, environ=ENVIRON).hash != loaded(FULL.replace(old, new), environ=ENVIRON).hash


def test_the_hash_depends_on_the_order_of_rules(loaded: Load) -> None:
    grant = "{id: %s, groups: [a], upstreams: [lab], operations: [list]}"
    one, other = grant % "one", grant % "other"
    assert loaded(f"grants: [{one}, {other}]").hash != loaded(f"grants: [{other}, {one}]").hash


def test_no_secret_shows_in_the_policy(loaded: Load) -> None:
    policy = loaded(FULL, environ={"KEY": "tell-nobody", "SALT": "tell-nobody-either"})
    assert "tell-nobody" not in repr(policy)


def test_rules_that_do_not_compile_together_are_a_problem(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object) -> None:
        raise PatternError("these do not go together")

    monkeypatch.setattr(loader, "compile_screen", refuses)
    folder = write(BASE)
    with pytest.raises(PolicyError) as caught:
        load(folder, environ={})
    assert str(caught.value) == f"{folder}: these do not go together"


def test_an_attempt_does_not_raise(write: Write, tmp_path: Path) -> None:
    assert attempt(tmp_path / "none").policy is None
    made = attempt(write(BASE), environ={})
    assert isinstance(made.policy, Policy)
    assert made.error is None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(0, len(FULL) - 1),
    st.sampled_from(["", " ", ":", "[", "{", "'", "\n", "\t", "-", "x", "&a ", "!!", "0"]),
)
def test_a_damaged_policy_never_raises_anything_but_its_problems(write: Write, at: int, put: str) -> None:
    folder = write(BASE, FULL[:at] + put + FULL[at + 1 :])
    made = attempt(folder, environ=ENVIRON, now=NOW)
    assert (made.policy is None) != (made.error is None)
