"""Cases run through the code that decides and masks live traffic."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from penstock.masking.mask import Mask
from penstock.policy import Policy, load
from penstock.policy.cases import load_cases
from penstock.policy.trial import Result, run

from .conftest import BASE, Write

RULES = """
grants:
  - id: g
    groups: [staff]
    upstreams: [lab]
    operations: [chat, list]
    models: ["*"]
    parameters: {max_tokens: {max: 10, default: 5, over: clamp}}
    limits: {requests: 1/h}
guardrails:
  - {id: no, on: [prompt], match: {words: [gamma]}, action: deny, message: No gamma.}
  - {id: wait, on: [prompt], match: {words: [beta]}, action: {hold: ask}}
  - {id: see, on: [prompt], match: {words: [alpha]}, action: flag}
  - {id: cut, on: [completion, tool_call], match: {words: [bluebird]}, action: deny}
  - {id: long, on: [completion], match: {length: 50}, action: deny}
masking:
  - {id: contact, on: [completion], detect: [email]}
  - {id: ssn, on: [prompt], detect: [us_ssn]}
approvals:
  - {id: ask, approvers: {groups: [boss]}}
"""

type Try = Callable[[str], Result]


@pytest.fixture
def trial(write: Write) -> Try:
    def trying(case: str) -> Result:
        folder = write(BASE, RULES)
        (folder / "cases").mkdir(exist_ok=True)
        (folder / "cases" / "x.yaml").write_text("cases:\n  - {name: x, " + case.replace("@staff", STAFF) + "}\n")
        policy: Policy = load(folder, environ={})
        (only,) = load_cases(folder)
        return run(policy, only)

    return trying


STAFF = "caller: {groups: [staff]}"  # @staff in a case


@pytest.mark.parametrize(
    "case",
    [
        "@staff, call: {prompt: hi}, expect: {verdict: allow, rule: g, parameters: {max_tokens: 5}}",
        "@staff, call: {parameters: {max_tokens: 99, top_p: 1}}, expect: {parameters: {max_tokens: 10, top_p: 1.0}}",
        "@staff, call: {operation: list}, expect: {verdict: allow}",
        "call: {prompt: hi}, expect: {verdict: deny, rule: '', code: not_granted}",
        '@staff, call: {messages: [{role: a, kind: tool_call, content: \'{"a": "219-09-9999"}\'}]}, '
        'expect: {prompt: \'{"a": "[US_SSN]"}\'}',
        "call: {prompt: hi}, expect: {message: Nothing is granted to this caller.}",
        "@staff, call: {prompt: alpha gamma}, expect: {verdict: deny, rule: no, rules: [see], message: No gamma.}",
        "@staff, call: {prompt: beta}, expect: {verdict: hold, rule: wait, approval: ask}",
        "@staff, call: {prompt: alpha}, expect: {verdict: allow, rules: [see, g]}",
        "@staff, call: {upstream: other}, expect: {verdict: deny, message: This model server is not granted.}",
        "@staff, call: {messages: [{role: user, content: a}, {role: user, content: 219-09-9999}]}, "
        'expect: {prompt: "a\\n[US_SSN]"}',
        "reply: write to bob@example.com now, expect: {reply: 'write to [EMAIL] now'}",
        "reply: nothing here, expect: {reply: nothing here}",
        "reply: the bluebird flies, expect: {reply: 'the ', stopped: cut}",
        f"reply: {'x' * 51}, expect: {{reply: '', stopped: long}}",
        'tool_call: \'{"a": "bob@example.com"}\', expect: {tool_call: \'{"a": "[EMAIL]"}\'}',
        "@staff, call: {path: /v1/chat/completions, body: {model: m, messages: [{role: user, content: gamma}]}}, "
        "expect: {verdict: deny, rule: no}",
        "@staff, call: {path: /v1/models}, expect: {verdict: allow}",
        "@staff, call: {path: /v1/secret}, expect: {verdict: deny, code: unknown_endpoint}",
        "@staff, call: {path: /v1/chat/completions, body: {}}, expect: {verdict: deny, code: invalid_request}",
    ],
)
def test_a_case_that_is_right_passes(trial: Try, case: str) -> None:
    result = trial(case)
    assert result.differences == ()
    assert result.passed


@pytest.mark.parametrize(
    ("case", "differences"),
    [
        ("@staff, call: {prompt: hi}, expect: {verdict: deny, rule: no}", {"verdict": "allow", "rule": "g"}),
        ("@staff, call: {prompt: hi}, expect: {code: not_granted}", {"code": None}),
        (
            "@staff, call: {prompt: hi}, expect: {parameters: {max_tokens: 6}}",
            {"parameters": {"max_tokens": 5}},
        ),
        ("@staff, call: {prompt: hi}, expect: {rules: [g, see]}", {"rules": ["g", "g:max_tokens"]}),
        ("reply: bob@example.com, expect: {reply: bob@example.com}", {"reply": "[EMAIL]"}),
        ("reply: fine, expect: {stopped: cut}", {"stopped": None}),
        ("call: {path: /nowhere}, expect: {rule: x}", {"rule": None}),
    ],
)
def test_a_case_that_is_wrong_tells_what_came_of_it(trial: Try, case: str, differences: dict[str, object]) -> None:
    result = trial(case)
    assert not result.passed
    assert {each.what: each.got for each in result.differences} == differences


def test_a_stream_that_differs_from_the_whole_text_fails_the_case(trial: Try, monkeypatch: pytest.MonkeyPatch) -> None:
    class Leaky:
        stopped = None

        def feed(self, chunk: str) -> str:
            return chunk

        def flush(self) -> str:
            return ""

    monkeypatch.setattr(Mask, "stream", lambda *_: Leaky())
    result = trial("reply: bob@example.com, expect: {reply: '[EMAIL]'}")
    (difference,) = result.differences
    assert difference.got == "whole: '[EMAIL]'; streamed: 'bob@example.com'"


def test_without_rules_texts_are_delivered_as_they_are(write: Write) -> None:
    folder = write(BASE)
    (folder / "cases").mkdir()
    text = "cases: [{name: x, call: {messages: [{role: a, content: '{}', kind: tool_call}]}, reply: bob@x.org, "
    (folder / "cases" / "x.yaml").write_text(
        text + "tool_call: '{}', expect: {reply: bob@x.org, tool_call: '{}', prompt: '{}'}}]"
    )
    (case,) = load_cases(folder)
    assert run(load(folder, environ={}), case).passed


def test_the_limits_of_one_case_are_not_those_of_another(trial: Try) -> None:
    for _ in range(3):
        assert trial("@staff, call: {prompt: hi}, expect: {verdict: allow}").passed
