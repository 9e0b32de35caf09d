"""What holds for every API and every route: nothing is read in part, nothing is forwarded that was not looked at."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock import apis
from penstock.errors import Refusal
from penstock.exchange import Call, Json, JsonObject, Operation
from tests.apis.bodies import ASKINGS, WITH_BODY, Asking

MARK = "zebra@stripes.example"
WORD = "[HIDDEN]"


def tried(count: int) -> settings:
    """So many examples, times what `FUZZ` says in the environment."""
    return settings(max_examples=count * int(os.environ.get("FUZZ", "1")), deadline=None)


# Bodies that nobody thought of

# What is nothing but bytes has no places to change.
askings = st.sampled_from([asking for asking in WITH_BODY if asking.encoding != "raw"])
numbers = st.sampled_from([0, 1, -1, 2**31, 2**63, 2**64, 10**30, 0.5, -1.5, 1e308, 4111111111111111])
words = st.sampled_from(
    ["", "a", "true", "1", MARK, f"mail {MARK}.", "data:image/png;base64,AAAA", "\u2028é", "x" * 70]
)
names = st.sampled_from(
    [
        "a",
        "role",
        "content",
        "type",
        "text",
        "data",
        "name",
        "url",
        "input",
        "prompt",
        "stream",
        "model",
        "a b",
        MARK,
        "image_url",
        "b64_json",
        "parameters",
        "filename",
        "tools",
        "function",
        "arguments",
        "shape",
        "datatype",
    ]
)
values = st.recursive(
    st.none() | st.booleans() | numbers | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)


def places(value: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a body."""
    match value:
        case dict():
            for key, inner in value.items():
                yield (*path, key)
                yield from places(inner, (*path, key))
        case list():
            for at, inner in enumerate(value):
                yield (*path, at)
                yield from places(inner, (*path, at))
        case _:
            return


def put(value: Json, path: tuple[str | int, ...], new: Json) -> Json:
    """A copy with something else at a place."""
    if not path:
        return new
    if isinstance(value, dict):
        return {**value, str(path[0]): put(value.get(str(path[0])), path[1:], new)}
    if isinstance(value, list):
        return [put(inner, path[1:], new) if at == path[0] else inner for at, inner in enumerate(value)]
    return new


@st.composite
def spelled(draw: st.DrawFn, key: str) -> str:
    """A key, or one that a forgiving server takes for it."""
    return draw(st.sampled_from([key, key, key, key.upper(), key.capitalize(), key.replace("s", "ſ"), f"{key} "]))


@st.composite
def requests(draw: st.DrawFn) -> tuple[Asking, JsonObject]:
    """A route and a body that its API accepts but for a few changes."""
    asking = draw(askings)
    body: JsonObject = dict(asking.body or {})
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["known", "known", "unknown", "inside", "gone"]))
        if kind == "known" and (keys := asking.known()):
            body[draw(spelled(draw(st.sampled_from(keys))))] = draw(values)
        elif kind == "unknown":
            body[draw(names)] = draw(values)
        elif kind == "inside" and (found := sorted(places(body), key=str)):
            changed = put(body, draw(st.sampled_from(found)), draw(values))
            body = changed if isinstance(changed, dict) else body
        elif body:
            body.pop(draw(st.sampled_from(sorted(body))))
    return asking, body


def asked(asking: Asking, body: JsonObject | None) -> Call | None:
    """The call that a body makes; None when it is refused. Anything but a refusal goes up."""
    try:
        return asking.call(body)
    except Refusal:
        return None


def again(asking: Asking, call: Call) -> Call:
    """What the model server is asked: the forwarded bytes, read like a request."""
    made = apis.emitted(call)
    headers = {name.lower(): value for name, value in made.headers}
    found = apis.recognise(asking.route.method, apis.normal_path(asking.path))
    return apis.asked(found, asking.path, made.content, made.content_type or None, headers)


def strings(value: Json) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for key, inner in value.items():
                yield key
                yield from strings(inner)
        case list():
            for inner in value:
                yield from strings(inner)
        case _:
            return


@pytest.mark.parametrize("asking", ASKINGS, ids=str)
def test_each_route_takes_a_plain_request_and_forwards_what_it_judged(asking: Asking) -> None:
    call = asking.call(asking.body)
    assert call.operation in Operation
    assert again(asking, call) == call


@tried(300)
@given(requests())
def test_every_body_is_a_call_or_refused_and_is_forwarded_as_it_was_judged(request_: tuple[Asking, JsonObject]) -> None:
    asking, body = request_
    call = asked(asking, body)
    if call is not None:
        assert again(asking, call) == call


@tried(200)
@given(askings, values)
def test_a_body_of_any_shape_is_a_call_or_refused(asking: Asking, value: Json) -> None:
    found = apis.recognise(asking.route.method, apis.normal_path(asking.path))
    for content_type in ("application/json", "application/x-www-form-urlencoded", "text/plain", None):
        try:
            apis.asked(found, asking.path, json.dumps(value).encode(), content_type)
        except Refusal:
            continue
        except TypeError:
            pytest.fail(f"{asking}: {value!r}")


# A value, put anywhere, is looked at

MARKED: tuple[Json, ...] = (
    MARK,
    f"x {MARK} y",
    [MARK],
    {"text": MARK},
    [{"type": "text", "text": MARK}],
    {MARK: 1},
    {"a": {"b": [[MARK]]}},
    {"url": MARK},
    [1, MARK],
    {"type": MARK},
    {"role": MARK},
    {"format": {"type": MARK}},
)
marked = st.sampled_from(MARKED)


@st.composite
def marked_requests(draw: st.DrawFn) -> tuple[Asking, JsonObject]:
    """A body with the value in one place."""
    asking = draw(askings)
    body: JsonObject = dict(asking.body or {})
    where = draw(st.sampled_from(["known", "unknown", "inside", "inside"]))
    if where == "known" and (keys := asking.known()):
        key, value = draw(st.sampled_from(keys)), draw(marked)
        within = body.get(key)
        body[key] = {**within, draw(names): value} if isinstance(within, dict) and draw(st.booleans()) else value
    elif where == "unknown" or not body:
        body[draw(names)] = draw(marked)
    else:
        changed = put(body, draw(st.sampled_from(sorted(places(body), key=str))), draw(marked))
        body = changed if isinstance(changed, dict) else body
    return asking, body


def looked_at(call: Call) -> bool:
    """Whether the policy sees the value: in a turn, as the model's name, or as a parameter that a grant must name."""
    unusual = {name: value for name, value in call.parameters.items() if name in call.unusual}
    return any(MARK in text for text in (*(turn.text for turn in call.turns), call.model or "", *strings(unusual)))


def forwarded(call: Call) -> bool:
    return MARK.encode() in apis.emitted(call).content


def missed(asking: Asking, body: JsonObject) -> bool:
    """Whether the value goes out though nobody looked at it."""
    call = asked(asking, body)
    if call is None or not forwarded(call) or looked_at(call):
        return False
    plain = asked(asking, asking.body)
    return not set(call.uninspected) - set(plain.uninspected if plain else ())


@tried(300)
@given(marked_requests())
def test_a_value_anywhere_in_a_body_is_looked_at_or_not_forwarded(request_: tuple[Asking, JsonObject]) -> None:
    asking, body = request_
    assert not missed(asking, body), f"{asking}: {body}"


def _kinds() -> list[Asking]:
    """One route for each kind of body."""
    kinds = {(asking.api.name, asking.encoding, str(asking.known()), str(asking.body)): asking for asking in WITH_BODY}
    return [asking for asking in kinds.values() if asking.encoding != "raw"]


@pytest.mark.parametrize("asking", _kinds(), ids=str)
def test_a_value_under_any_key_that_an_api_knows_is_looked_at_or_not_forwarded(asking: Asking) -> None:
    body = asking.body or {}
    inner = getattr(asking.api, "inner", None)
    at = str(inner.at[0]) if inner is not None else ""
    within = body.get(at)
    below: JsonObject = within if isinstance(within, dict) else {}
    values_: list[Json] = [MARK, [MARK], {"a": {"b": [[MARK]]}}]
    for value in values_:
        for key in asking.known():
            assert not missed(asking, {**body, key: value}), key
            assert inner is None or not missed(asking, {**body, at: {**below, key: value}}), f"{at}.{key}"


@tried(300)
@given(marked_requests())
def test_a_value_that_is_masked_in_the_turns_is_not_forwarded(request_: tuple[Asking, JsonObject]) -> None:
    asking, body = request_
    call = asked(asking, body)
    if call is None:
        return
    texts = {turn.path: turn.text.replace(MARK, WORD) for turn in call.turns if MARK in turn.text}
    if not texts:
        return
    try:
        made = apis.with_texts(call, texts)
    except Refusal:
        return
    # The name of a parameter that nobody knows passes when a grant has the same name, and never else.
    named = any(MARK in name for name in made.unusual)
    assert not forwarded(made) or made.uninspected or named, f"{asking}: {body}"
    assert (made.operation, made.model, made.stream) == (call.operation, call.model, call.stream)
    assert again(asking, made) == made


# A limit that a grant sets is the one that the server reads

FEW = 7


@st.composite
def limited_requests(draw: st.DrawFn) -> tuple[Asking, JsonObject]:
    """A body with numbers under some of its keys, inner ones included."""
    asking = draw(askings)
    body: JsonObject = dict(asking.body or {})
    table = getattr(asking.api, "table", None)
    inner = getattr(asking.api, "inner", None)
    for found in (table, inner):
        if found is None:
            continue
        keys = sorted(key for key, spec in found.fields.items() if spec.name and int in spec.types)
        chosen = draw(st.lists(st.sampled_from(keys), max_size=3)) if keys else []
        numbers_: JsonObject = {key: draw(st.sampled_from([1, 9, 9000, -1])) for key in chosen}
        if found.at and chosen:
            within = body.get(str(found.at[0]))
            body[str(found.at[0])] = {**(within if isinstance(within, dict) else {}), **numbers_}
        else:
            body |= numbers_
    return asking, body


@tried(300)
@given(limited_requests())
def test_a_parameter_that_is_set_is_what_the_server_reads(request_: tuple[Asking, JsonObject]) -> None:
    asking, body = request_
    call = asked(asking, body)
    if call is None:
        return
    api = apis.by_name(call.api)
    for name, value in call.parameters.items():
        if not isinstance(value, int) or isinstance(value, bool):
            continue
        wanted = min(value, FEW) if value >= 0 else FEW
        try:
            made = api.with_parameters(call, {name: wanted})
        except Refusal:
            continue
        assert made.parameters[name] == wanted, f"{asking}: {name} in {body}"
        assert again(asking, made) == made


@pytest.mark.parametrize("asking", WITH_BODY, ids=str)
def test_a_default_is_written_to_where_the_server_reads_it(asking: Asking) -> None:
    call = asking.call(asking.body)
    if call.operation not in (Operation.CHAT, Operation.COMPLETE) or "max_tokens" in call.parameters:
        return
    made = apis.by_name(call.api).with_parameters(call, {"max_tokens": FEW})
    assert made.parameters["max_tokens"] == FEW
    assert "max_tokens" not in again(asking, made).unusual
    assert again(asking, made) == made
