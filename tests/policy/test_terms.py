"""Lists of terms in a policy: in YAML or in a file, with the place of every problem, in the hash, and watched."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.errors import PolicyError
from penstock.exchange import Call, Operation, Turn
from penstock.policy import Policy, load
from penstock.policy import terms as reader
from penstock.policy.watch import Watcher

from .conftest import BASE, Load, Problems, Write

RULES = """
masking: [{id: names, on: [prompt, completion, record], detect: [customer]}]
guardrails: [{id: no, on: [prompt], match: {detector: customer}, action: deny}]
"""
FILE = "detectors: [{name: customer, terms_file: customers.txt}]\n"


def masked(policy: Policy, text: str) -> str:
    [rule] = policy.masking
    from penstock.masking.mask import Mask

    whole = Mask(rule.rules())
    stream = whole.stream()
    assert "".join([*map(stream.feed, text), stream.flush()]) == whole.whole(text).text
    return whole.whole(text).text


def hits(policy: Policy, text: str) -> bool:
    from penstock.policy.subject import Sieve, of_call

    [rail] = policy.guardrails
    call = Call("t", Operation.CHAT, "m", (Turn("user", text, ("messages", 0)),), {})
    return rail.match.hits(of_call(Sieve(rail.match.patterns), call, frozenset({"prompt"})))


def test_terms_in_the_policy_mask_and_guard(loaded: Load) -> None:
    policy = loaded("detectors: [{name: customer, terms: [Ann Lee, 'O''Brien']}]", RULES)
    assert masked(policy, "ann\nlee and Ms O’Brien") == "[CUSTOMER] and Ms [CUSTOMER]"
    assert hits(policy, "ask ANN LEE")
    assert not hits(policy, "ask Anna Lee")


def test_case_words_label_and_context_can_be_said(loaded: Load) -> None:
    options = "terms: [Ann], ignore_case: false, whole_words: false, label: NAME, context: [dear]"
    policy = loaded(f"detectors: [{{name: customer, {options}}}]", RULES)
    assert masked(policy, "Anna; dear Anna and anna") == "Anna; dear [NAME]a and anna"


def test_a_file_has_one_a_line_and_comments(write: Write) -> None:
    folder = write(BASE, FILE, RULES)
    (folder / "customers.txt").write_bytes("\ufeff# people\r\n\r\nAnn Lee\r\n  José \n # more\nC#\n".encode())
    policy = load(folder)
    assert masked(policy, "Ann  Lee, JOSÉ, c#, people") == "[CUSTOMER], [CUSTOMER], [CUSTOMER], people"
    assert policy.other_files[0][0] == folder / "customers.txt"


def test_the_file_is_part_of_the_hash_but_not_its_comments(write: Write) -> None:
    folder = write(BASE, FILE, RULES)
    hashes = []
    for text in ("Ann\nBob\n", "# c\nBob\nann", "Ann\nBobby\n"):
        (folder / "customers.txt").write_text(text)
        hashes.append(load(folder).hash)
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_change_of_the_file_is_noticed(write: Write) -> None:
    folder = write(BASE, FILE, RULES)
    (folder / "customers.txt").write_text("Ann\n")
    watcher = Watcher(folder, load(folder))
    assert watcher.poll() is None
    (folder / "customers.txt").write_text("Ann\nBob\n")
    assert watcher.poll() is None
    found = watcher.poll()
    assert isinstance(found, Policy)
    assert masked(found, "Bob") == "[CUSTOMER]"
    (folder / "customers.txt").unlink()
    assert watcher.poll() is None
    assert isinstance(watcher.poll(), PolicyError)
    (folder / "customers.txt").write_text("Cleo\n")
    assert watcher.poll() is None
    assert isinstance(watcher.poll(), Policy)


LONG = "x" * 201


@pytest.mark.parametrize(
    ("detector", "problem"),
    [
        ("terms: []", "1:37: the list is empty: name a term or remove the key"),
        ("terms: Ann", "1:37: expected a list of terms, not the text 'Ann'"),
        ("terms: [Ann, '', 5]", "1:43: expected text, not an empty one"),
        ('terms: [Ann, "\\u200b"]', "1:43: nothing in this term can be seen: remove it"),
        ("terms: [Ann, Bob, ANN]", "1:48: the term is there already, at b.yaml:1: keep one"),
        (f"terms: [Ann, {LONG}]", "1:43: the term has 201 characters, more than 200: shorten it"),
        ("terms: [Ann], pattern: Ann", "1:13: expected exactly one of pattern, terms, terms_file"),
        ("label: X", "1:13: expected exactly one of pattern, terms, terms_file"),
        ("terms: [Ann], check: luhn", "1:51: a term is what it is: 'check' goes with a pattern"),
        (
            "pattern: Ann, ignore_case: true",
            "1:57: 'ignore_case' is about terms: write it into the pattern, (?i) or \\b",
        ),
        (
            "terms_file: ../x.txt",
            "1:42: '../x.txt' lies outside the policy's directory: put the file beside the policy",
        ),
        (
            "terms_file: /etc/passwd",
            "1:42: '/etc/passwd' lies outside the policy's directory: put the file beside the policy",
        ),
        (
            "terms_file: none.txt",
            "1:42: the file of terms none.txt cannot be read: No such file or directory;"
            " its path starts at the policy's directory",
        ),
        ("terms_file: .", "1:42: the file of terms . cannot be read: Is a directory"),
    ],
)
def test_every_problem_has_its_place(problems: Problems, detector: str, problem: str) -> None:
    assert problem in problems(f"detectors: [{{name: customer, {detector}}}]")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"Ann\nB\xffb\n", ["customers.txt:2:2: byte 0xff is not UTF-8: save the file as UTF-8"]),
        (b"# nothing\n\n", ["customers.txt: the list is empty: name a term or remove the key"]),
        (
            f"Ann\n# c\n{LONG}\n\u200b\nAnn\n".encode(),
            [
                "customers.txt:3:1: the term has 201 characters, more than 200: shorten it",
                "customers.txt:4:1: nothing in this term can be seen: remove it",
                "customers.txt:5:1: the term is there already, at customers.txt:1: keep one",
            ],
        ),
    ],
)
def test_every_problem_of_a_file_has_its_line(write: Write, data: bytes, expected: list[str]) -> None:
    folder = write(BASE, FILE)
    (folder / "customers.txt").write_bytes(data)
    with pytest.raises(PolicyError) as failed:
        load(folder)
    assert [str(problem).removeprefix(f"{folder}/") for problem in failed.value.problems] == expected


def test_a_link_out_of_the_directory_leads_nowhere(write: Write, tmp_path: Path) -> None:
    folder = write(BASE, FILE)
    (tmp_path / "secret.txt").write_text("Ann\n")
    (folder / "customers.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(PolicyError, match="outside the policy's directory"):
        load(folder)
    (folder / "customers.txt").unlink()
    (folder / "customers.txt").symlink_to(folder / "customers.txt")
    with pytest.raises(PolicyError, match=r"customers\.txt"):
        load(folder)


def test_a_pipe_is_not_read(write: Write) -> None:
    folder = write(BASE, FILE)
    os.mkfifo(folder / "customers.txt")
    with pytest.raises(PolicyError, match=r"the file of terms customers\.txt is not a regular file"):
        load(folder)


def test_too_much_is_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(BASE, FILE)
    (folder / "customers.txt").write_text("\n".join(f"name{number}" for number in range(100)))
    for name, most, message in (
        ("MOST_TERMS", 99, "100 terms, more than 99: split the list over several detectors"),
        ("MOST_CHARACTERS", 500, "590 characters in the list, more than 500: split it over several detectors"),
        ("MAX_BYTES", 500, "the file of terms customers.txt is larger than 500 bytes: split it over several detectors"),
    ):
        with monkeypatch.context() as patch, pytest.raises(PolicyError, match=message):
            patch.setattr(reader, name, most)
            load(folder)
    (folder / "customers.txt").write_text("Ann\n" * 100)
    with pytest.raises(PolicyError) as failed:
        load(folder)
    assert len(failed.value.problems) == 21
    assert "and 79 more problems in this list" in str(failed.value)


def test_a_guardrail_may_have_many_words(loaded: Load) -> None:
    listed = ", ".join(f"bad{number} word" for number in range(300))
    policy = loaded(f"guardrails: [{{id: r, on: [prompt, completion], match: {{words: [{listed}]}}, action: deny}}]")
    assert hits(policy, "a BAD299\nword there")
    assert not hits(policy, "a bad2999 word there")
    assert policy.guardrails[0].streams


def test_one_of_many_words_may_not_be_too_long(problems: Problems) -> None:
    listed = ", ".join([*(f"bad{number}" for number in range(300)), LONG])
    text = f"guardrails: [{{id: r, on: [prompt], match: {{words: [{listed}]}}, action: deny}}]"
    assert any("one of the words has more than 200 characters" in problem for problem in problems(text))
