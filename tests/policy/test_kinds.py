"""Kinds of match: what each hits, what it reads, and what cannot be written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import regex

from penstock.detect.detector import DETECTORS
from penstock.exchange import Call, Json, Operation, Turn
from penstock.policy import kinds
from penstock.policy.kinds import KINDS, pattern
from penstock.policy.kinds.pattern import Pattern
from penstock.policy.marked import compose
from penstock.policy.match import MATCH
from penstock.policy.matcher import Matcher
from penstock.policy.reading import Reading, Unread
from penstock.policy.subject import On, Sieve, of_call, of_reply


def matcher(text: str) -> Matcher:
    found, problem = attempt(text)
    assert found is not None, problem
    return found


def attempt(text: str) -> tuple[Matcher | None, str]:
    reading = Reading(Path(), {}, 0.0)
    reading.detectors.update({known.name: known for known in DETECTORS})
    node = compose("f.yaml", text.encode(), reading.problems)
    assert node is not None, reading.problems
    try:
        return MATCH.read(node, reading), ""
    except Unread:
        return None, "; ".join(problem.message for problem in reading.problems)


def hits(
    text: str,
    *prompts: str,
    on: frozenset[On] = frozenset({"prompt"}),
    parameters: Mapping[str, Json] | None = None,
) -> bool:
    match = matcher(text)
    turns = tuple(Turn("user", prompt, ("messages", index)) for index, prompt in enumerate(prompts))
    call = Call("t", Operation.CHAT, "m", turns, parameters or {})
    subject = of_call(Sieve(match.patterns), call, on)
    found = match.hits(subject)
    # The shortcut of `decide` must never say less than the match itself.
    assert match.needs is None or not match.needs.isdisjoint(subject.possible) or not found
    return found


@pytest.mark.parametrize(
    ("text", "prompt", "expected"),
    [
        ("pattern: 'drop table'", "please drop table x", True),
        ("pattern: 'drop table'", "please DROP table x", False),
        ("pattern: '(?i)drop table'", "please DROP table x", True),
        (r"pattern: '\bcat\b'", "concatenate", False),
        (r"pattern: '\bcat\b'", "a cat.", True),
        ("pattern: 'café'", "le cafe\u0301", False),
        ("pattern: 'café'", "le café", True),
        ("pattern: 'abc'", "a\u200bb\u00adc", True),
        ("pattern: 'abc'", "\uff41\uff42\uff43", True),
        ("pattern: 'abc'", "x\U000e0061\U000e0062\U000e0063y", True),
        ("pattern: '^abc$'", "abc", True),
        ("pattern: '^abc$'", "xabc", False),
        (r"pattern: '\d{4}'", "١٢٣٤", True),
        ("pattern: 'a.{0,5}b'", "a\nb", False),
        ("words: [secret]", "the SECRET thing", True),
        ("words: [secret]", "secretary", False),
        ("words: [secret]", "secret_key", False),
        ("words: [secret]", "secret-key", True),
        ("words: [internal only]", "internal \n only", True),
        ("words: [internal only]", "internal x only", False),
        ("words: ['c++', '.net']", "I know C++.", True),
        ("words: ['c++', '.net']", "asp.net", True),
        ("words: [straße]", "die STRAßE", True),
        ("words: ['a.b']", "axb", False),
        ("words: [a, ab, abc]", "abc", True),
        ("detector: credit_card", "4111 1111 1111 1111", True),
        ("detector: credit_card", "4111 1111 1111 1112", False),
        ("detector: [email, us_ssn]", "bob@example.com", True),
        ("detector: [email, us_ssn]", "nothing here", False),
        ("length: 5", "12345", False),
        ("length: 5", "123456", True),
        ("length: {over: 5}", "123456", True),
        ("operation: [chat]", "", True),
        ("operation: [pull, list]", "", False),
        ("any: [{words: [x]}, {words: [y]}]", "only y", True),
        ("any: [{words: [x]}, {words: [y]}]", "only z", False),
        ("any: [{words: [x]}, {length: 3}]", "long enough", True),
        ("all: [{words: [x]}, {words: [y]}]", "x and y", True),
        ("all: [{words: [x]}, {words: [y]}]", "only y", False),
        ("all: [{words: [x]}, {not: {words: [y]}}]", "x alone", True),
        ("all: [{words: [x]}, {not: {words: [y]}}]", "x and y", False),
        ("not: {words: [x]}", "y", True),
        ("not: {words: [x]}", "x", False),
        ("not: {not: {words: [x]}}", "x", True),
        ("not: {any: [{words: [x]}, {length: 100}]}", "y", True),
        ("all: [{length: 1}, {operation: [chat]}]", "abc", True),
        ("all: [{not: {words: [x]}}, {any: [{all: [{words: [a]}]}, {operation: [list]}]}]", "a", True),
    ],
)
def test_a_match_hits_what_it_says(text: str, prompt: str, expected: bool) -> None:
    assert hits(text, prompt) is expected


def test_a_value_split_over_turns_is_found() -> None:
    assert hits("pattern: 'AKIA[0-9]{4}'", "AKIA12", "34")
    assert hits("words: [top secret]", "top", "secret")
    assert not hits("words: [top secret]", "top", "x", "secret")


def test_the_parts_of_all_may_hit_different_turns() -> None:
    assert hits("all: [{words: [alpha]}, {words: [omega]}]", "alpha", "something", "omega")


def test_length_counts_every_turn_once() -> None:
    assert not hits("length: 6", "abc", "def")
    assert hits("length: 5", "abc", "def")


@pytest.mark.parametrize(
    ("text", "parameters", "expected"),
    [
        ("field: {pointer: /n, is: 3}", {"n": 3}, True),
        ("field: {pointer: /n, is: 3}", {"n": 3.0}, True),
        ("field: {pointer: /n, is: 1}", {"n": True}, False),
        ("field: {pointer: /n, is: 3}", {}, False),
        ("field: {pointer: /n, is: null}", {"n": None}, True),
        ("field: {pointer: /n, is: null}", {}, False),
        ("field: {pointer: /a/b/1, is: x}", {"a": {"b": ["y", "x"]}}, True),
        ("field: {pointer: /a/b/5, is: x}", {"a": {"b": ["y", "x"]}}, False),
        ("field: {pointer: /a/b/x, is: x}", {"a": {"b": ["y", "x"]}}, False),
        ("field: {pointer: /a/b, is: [y, {z: 1}]}", {"a": {"b": ["y", {"z": 1}]}}, True),
        ("field: {pointer: /a~1b~0, is: 1}", {"a/b~": 1}, True),
        ("field: {pointer: /a/b, is: 1}", {"a": "b"}, False),
    ],
)
def test_a_field_is_found_by_its_pointer(text: str, parameters: dict[str, Json], expected: bool) -> None:
    assert hits(text, on=frozenset({"parameters"}), parameters=parameters) is expected
    assert hits(text, "prompt", parameters=parameters) is expected


def test_parameters_are_read_as_texts_with_their_keys() -> None:
    on: frozenset[On] = frozenset({"parameters"})
    assert hits("words: [secret]", on=on, parameters={"response_format": {"schema": [{"the secret": 1}]}})
    assert hits("words: [secret]", on=on, parameters={"stop": ["a", "secret"]})
    assert not hits("words: [secret]", "secret", on=on, parameters={"stop": ["a"]})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("patern: x", "unknown kind of match 'patern' (did you mean 'pattern'?)"),
        ("{}", "a match is of exactly one kind; put several under any: or all:"),
        ("{words: [x], length: 5}", "a match is of exactly one kind; put several under any: or all:"),
        ("[a]", "expected a mapping (kind: value), not a list"),
        ("pattern: 5", "expected text, not 5: put it in quotes"),
        ("pattern: '('", "bad pattern"),
        ("pattern: 'a*'", "empty text"),
        ("words: []", "the list is empty"),
        ("words: secret", "expected a list, not the text 'secret': write [secret]"),
        ('words: ["\\u200b"]', "holds nothing that can be seen"),
        ("words: [5]", "expected text, not 5"),
        ("detector: emial", "unknown detector 'emial' (did you mean 'email'?)"),
        ("detector: [email, iba]", "unknown detector 'iba' (did you mean 'iban'?)"),
        ("length: many", "expected a whole number"),
        ("length: {under: 5}", "unknown key 'under' (there is: over)"),
        ("operation: [chats]", "unknown operation 'chats' (did you mean 'chat'?)"),
        ("field: {pointer: n, is: 1}", "expected a JSON Pointer"),
        ("field: {pointer: /n}", "field: key 'is' is missing"),
        ("field: {pointer: /n, schema: {}}", "unknown key 'schema'"),
        ("any: []", "the list is empty"),
        ("any: {words: [x]}", "expected a list, not a mapping"),
        ("any: [{words: [x]}, {wrds: [y]}]", "unknown kind of match 'wrds' (did you mean 'words'?)"),
        ("not: [{words: [x]}]", "expected a mapping (kind: value), not a list"),
    ],
)
def test_what_cannot_be_matched_is_a_problem(text: str, expected: str) -> None:
    found, problem = attempt(text)
    assert found is None
    assert expected in problem


def test_a_rule_that_takes_too_long_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks refuses the call; nothing is decided by a rule that did not finish."""
    monkeypatch.setattr(pattern, "TIMEOUT", 0.02)
    match = matcher("pattern: 'abc'")
    assert isinstance(match, Pattern)
    monkeypatch.setattr(pattern, "_compiled", lambda _: regex.compile("(?:a|aa)+$"))
    call = Call("t", Operation.CHAT, "m", (Turn("user", "a" * 200 + "abc", ()),))
    subject = of_call(Sieve(match.patterns), call, frozenset({"prompt"}))
    with pytest.raises(TimeoutError):
        match.hits(subject)


@pytest.mark.parametrize(
    ("text", "streams"),
    [
        ("pattern: 'abc'", True),
        ("words: [a, b]", True),
        ("detector: [email]", True),
        ("any: [{pattern: 'abc'}, {words: [x]}]", True),
        ("all: [{pattern: 'abc'}]", True),
        ("length: 5", False),
        ("not: {words: [x]}", False),
        ("all: [{pattern: 'abc'}, {words: [x]}]", False),
        ("any: [{pattern: 'abc'}, {length: 5}]", False),
    ],
)
def test_what_can_be_judged_in_a_stream_says_so(text: str, streams: bool) -> None:
    assert (matcher(text).detectors is not None) is streams


@pytest.mark.parametrize("text", ["operation: [list]", "field: {pointer: /n, is: 1}", "any: [{operation: [list]}]"])
def test_what_is_about_calls_does_not_read_replies(text: str) -> None:
    assert not matcher(text).reads & {"completion", "tool_call"}
    assert not matcher(f"all: [{{words: [x]}}, {{{text}}}]").reads & {"completion", "tool_call"}
    assert "completion" in matcher("not: {any: [{words: [x]}, {length: 3}]}").reads


def test_the_strings_of_json_in_a_reply_are_read_unescaped() -> None:
    match = matcher("pattern: 'a@b'")
    assert match.hits(of_reply(Sieve(match.patterns), r'{"to": "a\u0040b"}'))
    assert not match.hits(of_reply(Sieve(match.patterns), r'{"to": "a\u0041b"'))


def test_every_kind_is_in_a_file_of_its_own_and_its_example_is_right() -> None:
    folder = Path(kinds.__file__).parent
    assert len(KINDS) == len(list(folder.glob("*.py"))) - 1
    for kind in KINDS:
        assert kind.example.startswith(f"{kind.name}:")
        assert attempt(kind.example)[1] == ""
        assert kind.doc


def test_equal_matches_are_equal_whatever_they_compiled() -> None:
    text = "any: [{pattern: 'abc'}, {not: {detector: [email]}}, {field: {pointer: /a, is: 1}}]"
    assert matcher(text) == matcher(text)
    assert matcher(text) != matcher(text.replace("abc", "abd"))


def test_the_base_matcher_decides_nothing() -> None:
    with pytest.raises(NotImplementedError):
        Matcher().hits(of_reply(Sieve(()), "x"))
