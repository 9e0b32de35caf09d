"""Runs a policy's cases through the same code that decides and masks live traffic."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from textwrap import shorten
from typing import assert_never

from penstock import apis
from penstock.errors import Refusal
from penstock.exchange import Call, Json, Operation, Turn
from penstock.masking.mask import Mask
from penstock.masking.together import mask_turns
from penstock.policy.book import Policy
from penstock.policy.cases import SOMEONE, Case, Post
from penstock.policy.globs import Glob
from penstock.policy.grants import ANY_UPSTREAM, UNINSPECTED, Grant
from penstock.policy.guardrails import Action, Guardrail
from penstock.policy.limits import Limits, Quota
from penstock.policy.marked import Mark
from penstock.policy.packs import Example
from penstock.policy.parameters import same
from penstock.policy.scope import EVERYTHING
from penstock.policy.screen import Screen
from penstock.policy.settings import Gateway
from penstock.verdict import Allow, Deny, Hold, Verdict, rule_of


@dataclass(frozen=True, slots=True)
class Difference:
    """What was expected, and what came of it."""

    what: str
    mark: Mark
    expected: Json
    got: Json


@dataclass(frozen=True, slots=True)
class Result:
    case: Case
    differences: tuple[Difference, ...]

    @property
    def passed(self) -> bool:
        return not self.differences


@dataclass(frozen=True, slots=True)
class _Delivered:
    """A reply's text as the caller gets it, and the guardrail that ended it."""

    text: str
    stopped: str | None


def run(policy: Policy, case: Case) -> Result:
    """One case, with limits of its own: what it uses up is no other case's."""
    got = dict(_outcome(policy, case))
    differences = tuple(
        Difference(name, mark, expected, got.get(name))
        for name, (mark, expected) in case.expect.items()
        if not _meets(name, expected, got.get(name))
    )
    return Result(case, differences)


def of_packs(policy: Policy) -> Iterator[tuple[Policy, Case]]:
    """The examples of the packs that a policy uses, each as a case of a policy in which its pack alone is enforced."""
    for pack in policy.packs:
        every = _alone(pack.guardrails)
        by_id = {rail.id: (rail, _alone((rail,))) for rail in pack.guardrails}
        for example in pack.examples:
            rail, alone = by_id[f"{pack.name}.{example.rule}"]
            for case in _examples(rail, example):
                yield (alone if example.found else every), case


def _alone(rails: Sequence[Guardrail]) -> Policy:
    """A policy in which everything is granted, and these rules are enforced."""
    anyone = Grant(
        "anyone",
        frozenset(),
        frozenset({SOMEONE.id}),
        frozenset({ANY_UPSTREAM}),
        frozenset(Operation),
        (Glob("*"),),
        {},
        frozenset(UNINSPECTED),
        Quota(),
        "",
    )
    enforced = tuple(replace(rail, action=Action("deny"), mode="enforce", when=EVERYTHING) for rail in rails)
    return Policy("", Gateway(), (anyone,), enforced, (), ())


def _examples(rail: Guardrail, example: Example) -> Iterator[Case]:
    """The text, as each of the things that the rule reads."""
    expect: dict[str, Json] = {"verdict": "deny", "rule": rail.id} if example.found else {"verdict": "allow"}
    answered: dict[str, Json] = {"stopped": rail.id} if example.found else {"reply": example.text}
    asked = Call("case", Operation.CHAT, "any", (Turn("user", example.text, ()),))
    arguments = json.dumps({"text": example.text})
    called = replace(asked, turns=(Turn("assistant", arguments, (), "tool_call", "json"),))
    for on, call, reply, wanted in (
        ("prompt", asked, None, expect),
        ("tool_call", called, None, expect),
        ("completion", Call("case", Operation.CHAT, "any"), example.text, answered),
    ):
        if on in rail.on:
            marked = {name: (example.mark, value) for name, value in wanted.items()}
            name = f"{rail.id}: {'finds' if example.found else 'leaves alone'} {shorten(example.text, 60)}"
            yield Case(name, example.mark, SOMEONE, call, None, reply, None, marked)


def _meets(name: str, expected: Json, got: Json) -> bool:
    match name, expected, got:
        case "rules", list(), list():
            return set(map(str, expected)) <= set(map(str, got))
        case "parameters", dict(), dict():
            return all(name in got and same(value, got[name]) for name, value in expected.items())
        case _:
            return same(expected, got)


def _outcome(policy: Policy, case: Case) -> Iterator[tuple[str, Json]]:
    """Everything that a case may expect, by name."""
    upstream = case.upstream if case.upstream is not None else next(iter(policy.gateway.upstreams), "")
    try:
        call = _posted(case.call) if isinstance(case.call, Post) else _placed(case.call)
    except Refusal as refusal:
        yield from (("verdict", "deny"), ("code", refusal.code), ("message", refusal.message))
        return
    verdict = policy.decide(case.caller, call, upstream, now=0.0, limits=Limits())
    yield from _decided(verdict, call)
    screen = policy.screen(case.caller, call, upstream)
    yield "prompt", "\n".join(_masked(screen, call))
    if case.reply is not None:
        yield from _delivered("reply", screen, screen.completion, case.reply, json=False)
    if case.tool_call is not None:
        yield from _delivered("tool_call", screen, screen.tool, case.tool_call, json=True)


def _posted(post: Post) -> Call:
    """The call as the API reads it."""
    path = apis.normal_path(post.path)
    api, route = apis.recognise("GET" if post.body is None else "POST", path)
    body = apis.parse(apis.emit(post.body), "application/json") if post.body is not None else None
    return api.call(route, path, body)


def _placed(call: Call) -> Call:
    """Every turn at a place of its own."""
    turns = tuple(turn._replace(path=("messages", index, "content")) for index, turn in enumerate(call.turns))
    return replace(call, turns=turns)


def _decided(verdict: Verdict, call: Call) -> Iterator[tuple[str, Json]]:
    yield "rule", rule_of(verdict)
    yield "rules", [match.rule for match in verdict.matches]
    match verdict:
        case Allow():
            yield "verdict", "allow"
        case Deny():
            yield from (("verdict", "deny"), ("code", verdict.code), ("message", verdict.message))
            return
        case Hold():
            yield from (("verdict", "hold"), ("approval", verdict.approval), ("message", verdict.message))
        case _:
            assert_never(verdict)
    yield "parameters", {**call.parameters, **verdict.parameters}


def _masked(screen: Screen, call: Call) -> Iterator[str]:
    if screen.prompt is None:
        return (turn.text for turn in call.turns)
    texts = {
        turn.path: masked.text for turn, masked in zip(call.turns, mask_turns(screen.prompt, call.turns), strict=True)
    }
    return (texts[turn.path] for turn in call.turns)


def _delivered(name: str, screen: Screen, mask: Mask | None, text: str, *, json: bool) -> Iterator[tuple[str, Json]]:
    """The text masked whole, which must be what it is when it comes one character at a time."""
    whole = _whole(mask, text, json=json)
    streamed = _streamed(mask, text, json=json)
    if whole != streamed:
        yield name, f"whole: {whole.text!r}; streamed: {streamed.text!r}"
        return
    judged = screen.judging(text)
    if judged is not None:
        whole = _Delivered("", judged.id)
    yield name, whole.text
    if whole.stopped is not None:
        yield "stopped", whole.stopped


def _whole(mask: Mask | None, text: str, *, json: bool) -> _Delivered:
    if mask is None:
        return _Delivered(text, None)
    found = mask.whole_json(text) if json else mask.whole(text)
    stops = [finding.rule for finding in found.findings if finding.action == "stop"]
    return _Delivered(found.text, stops[0] if stops else None)


def _streamed(mask: Mask | None, text: str, *, json: bool) -> _Delivered:
    if mask is None:
        return _Delivered(text, None)
    stream = mask.stream("json" if json else "text")
    out = "".join([*map(stream.feed, text), stream.flush()])
    return _Delivered(out, stream.stopped.rule if stream.stopped is not None else None)
