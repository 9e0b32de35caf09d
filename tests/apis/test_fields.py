from __future__ import annotations

import pytest

from penstock.apis.calls.fields import (
    ANY,
    INT,
    UNLIMITED,
    Keys,
    Table,
    fold,
    largest,
    parameter,
    pointer,
    written,
    wrong,
)
from penstock.apis.ollama import chat as ollama_chat
from penstock.apis.ollama import generate as ollama_generate
from penstock.apis.ollama import parameters as ollama_fields
from penstock.apis.openai import messages as openai_messages
from penstock.apis.openai import parameters as openai_fields
from penstock.errors import Refusal

KNOWN = Keys(("model", "stream", "keep_alive", "_debug_render_only"))


@pytest.mark.parametrize(
    "key",
    ["Model", "MODEL", "\uff4dodel", "\u017ftream", "STREAM", "\u212aeep_alive", "KEEP_ALIVE", "_DEBUG_RENDER_ONLY"],
)
def test_a_known_key_in_another_spelling_is_refused(key: str) -> None:
    with pytest.raises(Refusal) as caught:
        KNOWN.unknown({"model": "x", key: "y"}, ())
    assert "spelling" in caught.value.message or "twice" in caught.value.message


@pytest.mark.parametrize("keys", [("abc", "ABC"), ("stra\u00dfe", "STRASSE"), ("\ufb01n", "fin"), ("k", "\u212a")])
def test_two_unknown_keys_that_differ_in_case_only_are_refused(keys: tuple[str, str]) -> None:
    with pytest.raises(Refusal) as caught:
        KNOWN.unknown(dict.fromkeys(keys, 1), ("options",))
    assert "/options/" in caught.value.message and "twice" in caught.value.message


def test_unknown_keys_are_told_apart_from_known_ones() -> None:
    assert KNOWN.unknown({"model": 1, "other": 2}, ()) == ["other"]
    assert KNOWN.unknown({"model": 1}, ()) == []
    with pytest.raises(Refusal) as caught:
        KNOWN.only({"model": 1, "other": 2}, ("messages", 0))
    assert "/messages/0/other" in caught.value.message
    with pytest.raises(Refusal):
        KNOWN.only([], ("x",))


@pytest.mark.parametrize(
    "table", [openai_fields.CHAT, openai_fields.COMPLETIONS, ollama_fields.CHAT, ollama_fields.GENERATE]
)
def test_a_table_knows_the_place_of_each_of_its_parameters(table: dict[str, object]) -> None:
    made = Table(table)  # type: ignore[arg-type]
    for name, places in made.places.items():
        assert all(made.fields[str(place[-1])].name == name for place in places)
    assert made.ordinary <= made.places.keys()


def test_keys_that_fold_to_one_cannot_be_declared() -> None:
    with pytest.raises(AssertionError):
        Keys(("a", "A"))
    assert ollama_chat.ROLES < openai_messages.ROLES
    assert ollama_generate.OllamaGenerate.name == "ollama.generate"


def test_folding_is_what_go_does_and_more() -> None:
    assert fold("\u017ftream") == "stream" and fold("\u212a") == "k" and fold("\uff21") == "a"
    assert fold(fold("\u1e9e")) == fold("\u1e9e")


def test_several_limits_are_judged_by_the_largest_and_less_than_none_is_no_limit() -> None:
    assert largest(None, 5) == 5 and largest(5, 9) == 9 and largest(9, 5) == 9
    assert largest(5, -1) == UNLIMITED and largest(None, -2) == UNLIMITED


def test_a_limit_only_comes_down_when_it_is_written() -> None:
    assert written(100, 5000, limit=True) == 100
    assert written(100, 7, limit=True) == 7
    assert written(100, -1, limit=True) == 100
    assert written(0.5, 0.1, limit=False) == 0.5
    assert written(100, None, limit=True) == 100


def test_a_pointer_names_the_place_and_not_what_a_caller_hid_in_it() -> None:
    assert pointer(("messages", 0, "a/b~c")) == "/messages/0/a~1b~0c"
    assert pointer(()) == "The body"
    assert pointer(("x" * 65,)) == "/\u2026" and pointer(("a\nb",)) == "/\u2026"
    assert wrong(("n",), "an integer").message == "/n must be an integer."


def test_two_names_of_one_parameter_are_judged_together() -> None:
    """Which of them a server takes, only the server knows: a bound on one alone would be none."""
    table = Table(
        {"top_k": parameter(INT, "top_k"), "runtime_top_k": parameter(INT, "top_k"), "stop": parameter(ANY, "stop")}
        | {"stop_words": parameter(ANY, "stop")}
    )
    assert table.parameters({"top_k": 1, "runtime_top_k": 99}) == {"top_k": [1, 99]}
    assert table.parameters({"top_k": 1, "runtime_top_k": 1}) == {"top_k": 1}
    assert table.parameters({"stop": ["a"], "stop_words": "b"}) == {"stop": ["a", "b"]}
