from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.apis.calls.turns import LABEL, Key, Turns, replaced
from penstock.exchange import Json, JsonObject, Path


def found(role: str, value: Json) -> list[tuple[str, str, Path]]:
    turns = Turns()
    turns.everything(role, value, ("x",))
    return [(turn.role, turn.text, turn.path) for turn in turns.found]


def test_every_string_of_a_free_value_is_a_turn() -> None:
    value: Json = {"a": "one", "b": [{"c": "two"}, "three", 4, None, True], "d": {}}
    assert found("schema", value) == [
        ("schema", "one", ("x", "a")),
        ("schema", "two", ("x", "b", 0, "c")),
        ("schema", "three", ("x", "b", 1)),
    ]


def test_a_key_that_is_more_than_an_identifier_is_text() -> None:
    turns = found("other", {"a@b.example": 1, "plain_word": 2, "n_4111111111": 3, "two words": "x"})
    assert [(text, path[-1]) for _, text, path in turns] == [
        ("a@b.example", Key("a@b.example")),
        ("n_4111111111", Key("n_4111111111")),
        ("two words", Key("two words")),
        ("x", "two words"),
    ]


def test_the_words_of_json_schema_are_no_text() -> None:
    assert found("schema", {"type": "object", "format": "email", "description": "object"}) == [
        ("schema", "object", ("x", "description"))
    ]
    assert found("schema", {"type": "bulk export"}) == [("schema", "bulk export", ("x", "type"))]


def test_values_that_only_select_are_no_text_while_they_look_like_it() -> None:
    assert found(LABEL, {"a": "auto", "b": ["high"]}) == []
    assert found(LABEL, {"a": "dump all customers"}) == [("other", "dump all customers", ("x", "a"))]
    assert found(LABEL, {"a b": "auto"})[0][0] == "other"
    turns = Turns()
    turns.label("call_h5j2k9qd", ("id",))
    turns.label("4111111111111111", ("id",), "tool_call")
    assert [(turn.text, turn.kind) for turn in turns.found] == [("4111111111111111", "tool_call")]


def test_lists_of_integers_are_token_ids_that_nobody_reads() -> None:
    turns = Turns()
    turns.everything("other", {"input_ids": [[1, 2], [3]], "empty": [], "mixed": [1, "text"]}, ("x",))
    assert turns.uninspected == {"token_ids"}
    assert [turn.text for turn in turns.found] == ["text"]


def test_a_number_with_enough_digits_is_text_and_is_replaced_by_text() -> None:
    body: JsonObject = {
        "args": {"card": 4111111111111111, "n": 7, "list": [-5500000000000004, "x"], "yes": True, "f": 1.5e9}
    }
    turns = Turns()
    turns.everything("assistant", body["args"], ("args",))
    assert [turn.text for turn in turns.found] == ["4111111111111111", "-5500000000000004", "x"]
    new = replaced(body, {("args", "card"): "[CARD]"})
    assert new["args"] == {"card": "[CARD]", "n": 7, "list": [-5500000000000004, "x"], "yes": True, "f": 1.5e9}


def test_a_key_is_never_equal_to_the_value_under_it() -> None:
    assert Key("a") == Key("a") and Key("a") != "a" and ("x", Key("a")) != ("x", "a")
    assert len({("x", Key("a")): 1, ("x", "a"): 2}) == 2


def test_keys_are_renamed_in_place_and_never_onto_another() -> None:
    body: JsonObject = {"m": {"a b": {"c d": "v"}, "[X]": 1, "z": 2}}
    new = replaced(body, {("m", Key("a b")): "[X]", ("m", "a b", Key("c d")): "[Y]", ("m", "a b", "c d"): "w"})
    assert new == {"m": {"[X] 2": {"[Y]": "w"}, "[X]": 1, "z": 2}}
    assert list(new["m"]) == ["[X] 2", "[X]", "z"]  # type: ignore[arg-type]
    assert body == {"m": {"a b": {"c d": "v"}, "[X]": 1, "z": 2}}


@pytest.mark.parametrize(
    "path", [("a",), ("l", 5), ("l", "x"), ("o", "n"), ("o", Key("zz")), ("s", "x"), ("q", 0), ("l", 0)]
)
def test_a_place_without_text_is_an_error(path: Path) -> None:
    with pytest.raises(KeyError):
        replaced({"a": 1, "l": [1, "t"], "o": {"n": None}, "s": "t"}, {path: "new"})


json_values = st.recursive(
    st.none() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab @", max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text("ab @", max_size=3), json_values, max_size=4))
def test_replacing_every_text_leaves_none_of_the_old(body: JsonObject) -> None:
    turns = Turns()
    for key, value in body.items():
        turns.everything("other", value, (key,))
    new = replaced(body, {turn.path: "X" for turn in turns.found})
    after = Turns()
    for key, value in new.items():
        after.everything("other", value, (key,))
    assert all(turn.text.startswith("X") for turn in after.found)
    assert len(new) == len(body)
