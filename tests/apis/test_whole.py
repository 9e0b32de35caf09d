"""What all APIs that are asked with texts and answer whole have in common."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock import apis
from penstock.apis.calls.whole import Whole
from penstock.errors import Refusal
from penstock.exchange import Call, Json, JsonObject
from tests.masking.replies import leaks, reply_mask

WHOLE = [api for api in apis.APIS if isinstance(api, Whole)]
PLANTED = "alice@example.com"

TEXTS = st.just(PLANTED) | st.text(max_size=4)
TREES: st.SearchStrategy[Json] = st.recursive(
    TEXTS | st.integers(-9, 9) | st.booleans() | st.none() | st.floats(-9, 9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["text", "role", "content", "type", "image_url", "odd key", PLANTED]), inner)
    ),
    max_leaves=6,
)


def strings(value: Json) -> list[str]:
    match value:
        case str():
            return [value]
        case list():
            return [text for item in value for text in strings(item)]
        case dict():
            return [text for key, item in value.items() for text in (key, *strings(item))]
        case _:
            return []


def read(api: Whole, body: JsonObject) -> Call | None:
    route = api.routes[0]
    try:
        return api.call(route, route.path.replace("{model}", "m"), body)
    except Refusal:
        return None


@pytest.mark.parametrize("api", WHOLE, ids=lambda api: str(api.name))
def test_no_key_that_can_hold_text_goes_unread(api: Whole) -> None:
    """Those that are not turns are read by the API itself: a name, a duration, objects of parameters."""
    ours = {"model", "keep_alive", "options", "sampling_params"}
    for key, field in api.table.fields.items():
        if field.types & {str, list, dict} and key not in ours:
            assert field.role or key in api.inputs, key


@pytest.mark.parametrize("api", WHOLE, ids=lambda api: str(api.name))
def test_what_is_asked_about_is_in_the_table(api: Whole) -> None:
    assert api.inputs.keys() <= api.table.fields.keys()


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_a_body_is_refused_or_every_text_in_it_is_a_turn(data: st.DataObject) -> None:
    api = data.draw(st.sampled_from(WHOLE))
    keys = st.sampled_from([*sorted(api.table.fields.keys() - {"model"}), "unheard"])
    body = data.draw(st.dictionaries(keys, TREES, min_size=1, max_size=4))
    made = read(api, {"model": "m", **body})
    if made is None:
        return
    planted = sum(text == PLANTED for value in body.values() for text in strings(value))
    found = sum(PLANTED in turn.text for turn in made.turns)
    assert found >= planted, (api.name, body)
    masked = apis.with_texts(made, {turn.path: "[X]" for turn in made.turns if turn.text == PLANTED})
    assert PLANTED not in strings(masked.body)


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_a_reply_is_refused_or_no_text_in_it_comes_through_unmasked(data: st.DataObject) -> None:
    api = data.draw(st.sampled_from(WHOLE))
    names = sorted({*api.numbers, *api.spelled, "id", "object", "data", "text", "document", "tokens", "note"} - {""})
    trees = st.recursive(
        TEXTS | st.integers(-9, 9) | st.floats(-9, 9) | st.none(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(names), inner, max_size=3),
        max_leaves=10,
    )
    document = data.draw(st.lists(trees, max_size=3) | st.dictionaries(st.sampled_from(names), trees, max_size=4))
    body = orjson.dumps(document)
    made = Call(api.name, api.routes[0].operation, "m", body={"encoding_format": "base64"})
    try:
        out = reply_mask(api.reader(made)).whole(200, "application/json", body)
    except Refusal:
        return
    assert leaks(out, (PLANTED,)) == []
    assert reply_mask(api.reader(made), None).whole(200, "application/json", body) == body
