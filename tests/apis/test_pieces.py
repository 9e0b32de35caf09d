from __future__ import annotations

from typing import Any

import pytest

from penstock.apis.dialects import OPENAI
from penstock.apis.metadata import MetadataReader, read_anything
from penstock.apis.ollama.reply import OllamaReader
from penstock.apis.openai.reply import OpenAiReader, nested
from penstock.apis.replies.pieces import DOCUMENT, Piece, Place, Reading, UnreadableError, Walk, plain_word, rename
from penstock.exchange import Json, JsonObject, Reply


def pieces(document: Json, *, metadata: bool = False) -> list[tuple[str, str, str]]:
    """Channel, text and mode of everything in a document."""
    reading = read_anything(Walk(metadata=metadata), document, strip=True)
    return [(piece.place.channel[1], piece.text, piece.mode) for piece in reading.pieces]


def test_every_string_is_text_but_structure() -> None:
    document: Json = {
        "object": "list",
        "note": "hi",
        "deep": [{"id": "AKIA1", "x": ["y"]}],
        "n": 1,
        "b": True,
        "z": None,
    }
    known = [("note", "hi", "leaf"), ("deep.0.x.0", "y", "leaf")]
    assert pieces(document, metadata=True) == known
    assert pieces(document) == [("object", "list", "unit"), known[0], ("deep.0.id", "AKIA1", "unit"), known[1]]


@pytest.mark.parametrize(
    "value",
    ["a b", "bob@example.com", "4111-1111-1111-1111", "+41 44 668", "4111111111111111", "\u00e4", "x" * 129, "-x"],
)
def test_structure_that_does_not_look_like_it_is_text(value: str) -> None:
    assert pieces({"id": value}, metadata=True) == [("id", value, "unit")]
    reading = OpenAiReader().read({"id": value, "choices": []}, Reply(), strip=True)
    assert [(piece.text, piece.mode) for piece in reading.pieces] == [(value, "unit")]


@pytest.mark.parametrize(
    "value", ["stop", "2026-11-20T23:32:11.123Z", "org/model:7b", "fp_44709d6fcb", "", "b0-unknown", "sha256:abc"]
)
def test_structure_passes_unread(value: str) -> None:
    assert pieces({"id": value}, metadata=True) == []
    assert OpenAiReader().read({"id": value, "choices": []}, Reply(), strip=True).pieces == []


def test_structure_is_remembered_but_not_without_end() -> None:
    walk = Walk()
    assert all(walk.structural(f"id-{number}") for number in range(1000))
    assert walk.structural("id-999") and not walk.structural("a b")


def test_large_numbers_are_text_where_they_mean_nothing_else() -> None:
    assert pieces({"card": 4111111111111111, "created": 1795216120, "total_duration": 10**12, "n": 5}) == [
        ("card", "4111111111111111", "unit")
    ]
    assert MetadataReader(OPENAI).read({"parameter_count": 3212749888}, Reply(), strip=True).pieces == []


def test_keys_that_are_more_than_words_are_text() -> None:
    assert pieces({"a@b.example": {"c d": "x"}}) == [
        ("a@b.example.c d", "x", "leaf"),
        ("a@b.example", "c d", "key"),
        ("a@b.example", "a@b.example", "key"),
    ]
    assert plain_word("finish_reason") and plain_word("$ref")
    assert not any(map(plain_word, ("a b", "", "1a", "a" * 65, "a@b", "card_4111111111111111", "\u00e4")))


def test_what_says_the_same_again_is_emptied_only_beside_a_mask() -> None:
    document: JsonObject = {
        "logprobs": {"tokens": ["x"]},
        "deep": {"token_ids": [1, 2], "vector": [[1], [2.5]], "flags": [True], "none": []},
    }
    reading = read_anything(Walk(), document, strip=True)
    assert document == {"logprobs": None, "deep": {"token_ids": None, "vector": None, "flags": [True], "none": []}}
    assert reading.edited and not reading.pieces
    kept: JsonObject = {"logprobs": {"x": "y"}, "ids": [1, 2]}
    assert not read_anything(Walk(), kept, strip=False).edited and kept["ids"] == [1, 2]
    assert not read_anything(Walk(), {"logprobs": None}, strip=True).edited


def test_the_keys_of_all_objects_are_counted() -> None:
    assert read_anything(Walk(), {"a": {"b": [{"c": 1}]}, "d": {}}, strip=True).keys == 4
    assert read_anything(Walk(), [{"a": 1}, {"b": 2}], strip=True).keys == 2
    assert read_anything(Walk(), None, strip=True).keys == 0


def test_a_bare_value_is_no_document() -> None:
    for value in ("text", 7, True):
        with pytest.raises(UnreadableError):
            read_anything(Walk(), value, strip=True)


def test_a_reply_with_more_places_than_any_is_refused() -> None:
    with pytest.raises(UnreadableError):
        read_anything(Walk(), [str(number) for number in range(10_100)], strip=True)


def test_pieces_are_put_where_they_stood() -> None:
    holder: JsonObject = {"a b": "x", "l": ["y"]}
    items = holder["l"]
    assert isinstance(items, list)
    place = Place((0, "x"), ("x",))
    Piece(holder, "a b", "x", place, "leaf").put("1")
    Piece(items, 0, "y", place, "leaf").put("2")
    Piece(holder, "a b", "a b", place, "key").put("l")
    assert holder == {"l 2": "1", "l": ["2"]}
    assert Piece(items, 0, "y", place, "object").value() == "2" and Piece(holder, "l", "", place, "object").value() == [
        "2"
    ]


def test_a_key_never_takes_the_name_of_another() -> None:
    holder: JsonObject = {"a": 1, "[X]": 2, "[X] 2": 3}
    rename(holder, "a", "[X]")
    assert holder == {"[X] 3": 1, "[X]": 2, "[X] 2": 3} and next(iter(holder)) == "[X] 3"


def test_a_path_becomes_an_object_again() -> None:
    assert nested(("text",), "t") == {"text": "t"}
    assert nested(("delta", "content"), "t") == {"delta": {"content": "t"}}
    assert nested(("delta", "tool_calls", 2, "function", "arguments"), "t") == {
        "delta": {"tool_calls": [{"index": 2, "function": {"arguments": "t"}}]}
    }
    assert nested(("delta", "parts", 3, "text"), "t") == {"delta": {"parts": [{"text": "t"}]}}
    assert nested(("notes", 1), "t") == {"notes": ["t"]}


CHAT_READERS: list[type[OpenAiReader | OllamaReader]] = [OpenAiReader, OllamaReader]


@pytest.mark.parametrize("document", [[], "text", 7, True])
def test_a_reply_must_be_an_object(document: Json) -> None:
    for reader in CHAT_READERS:
        with pytest.raises(UnreadableError):
            reader().read(document, Reply(), strip=True)


@pytest.mark.parametrize(
    "document",
    [
        {"choices": ["x"]},
        {"choices": [{"index": "0"}]},
        {"choices": [{"index": -1}]},
        {"choices": [{"index": True}]},
        {"choices": [{"delta": {"tool_calls": ["x"]}}]},
        {"choices": [{"delta": {"tool_calls": [{"index": "x"}]}}]},
        {"choices": [{"delta": {"tool_calls": [{"index": False}]}}]},
    ],
)
def test_a_choice_of_an_unknown_shape_is_unreadable(document: Json) -> None:
    with pytest.raises(UnreadableError):
        OpenAiReader().read(document, Reply(), strip=True)


def read(document: JsonObject, *, strip: bool = True) -> tuple[Reading, Reply, dict[str, str]]:
    reply = Reply()
    reading = OpenAiReader().read(document, reply, strip=strip)
    return (
        reading,
        reply,
        {f"{piece.place.channel[0]}.{piece.place.channel[1]}": piece.mode for piece in reading.pieces},
    )


def test_a_message_is_read_whole() -> None:
    reading, reply, modes = read(
        {
            "id": "chatcmpl-1",
            "model": "tiny",
            "choices": [
                {
                    "index": 0,
                    "message": {
                        "role": "assistant",
                        "content": "a",
                        "reasoning_content": "b",
                        "reasoning": "c",
                        "refusal": "d",
                        "tool_calls": [
                            {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                            {
                                "id": "a b",
                                "function": {"name": "g", "arguments": {"x": 1}, "extra": 1, "none": None},
                                "other": ["z"],
                            },
                            {"type": "custom", "custom": {"name": "h", "input": "i"}, "function": None},
                        ],
                        "function_call": {"name": "old", "arguments": "{}"},
                        "audio": {
                            "id": "audio_1",
                            "data": "UklGRg==",
                            "transcript": "e",
                            "expires_at": 1795216120,
                            "format": "wav",
                            "x": None,
                        },
                        "annotations": [{"type": "url_citation", "url_citation": {"title": "T"}}],
                        "logprobs": None,
                        "token_ids": [1],
                        "custom_field": "u",
                    },
                    "finish_reason": "tool_calls",
                    "stop_reason": "STOP WORD",
                    "logprobs": {"content": [{"token": "a"}]},
                }
            ],
            "usage": {"prompt_tokens": 3, "completion_tokens": 4},
            "provider": "p",
        }
    )
    assert modes == {
        "0.content": "flow",
        "0.reasoning_content": "flow",
        "0.reasoning": "flow",
        "0.refusal": "flow",
        "0.tool_calls.0.name": "name",
        "0.tool_calls.0.arguments": "flow",
        "0.tool_calls.1.id": "unit",
        "0.tool_calls.1.name": "name",
        "0.tool_calls.1.arguments": "object",
        "0.tool_calls.1.other.0": "leaf",
        "0.tool_calls.2.custom.name": "name",
        "0.tool_calls.2.custom.input": "flow",
        "0.function_call.name": "name",
        "0.function_call.arguments": "flow",
        "0.audio.id": "unit",
        "0.audio.transcript": "flow",
        "0.audio.format": "leaf",
        "0.annotations.0.type": "unit",
        "0.annotations.0.url_citation.title": "leaf",
        "0.custom_field": "leaf",
        "0.stop_reason": "leaf",
        "-1.provider": "leaf",
    }
    assert reading.edited and reading.closes == (0,) and not reading.error
    assert (reply.model, reply.finish, reply.prompt_tokens, reply.completion_tokens) == ("tiny", "tool_calls", 3, 4)
    tools = {piece.place.channel[1] for piece in reading.pieces if piece.place.tool}
    assert tools == {name[2:] for name in modes if "tool_calls" in name or "function_call" in name} - {
        "tool_calls.1.other.0"
    }
    assert {piece.place.form for piece in reading.pieces if piece.place.channel[1].endswith("0.arguments")} == {"json"}


def test_token_counts_come_from_timings_when_there_is_no_usage() -> None:
    _, reply, _ = read({"choices": [], "timings": {"cache_n": 2, "prompt_n": 3, "predicted_n": 4}})
    assert (reply.prompt_tokens, reply.completion_tokens) == (5, 4)
    _, reply, _ = read(
        {"choices": [], "timings": {"cache_n": 2, "prompt_n": 3, "predicted_n": 4}, "usage": {"prompt_tokens": 9}}
    )
    assert (reply.prompt_tokens, reply.completion_tokens) == (9, 4)
    _, reply, _ = read({"choices": [], "usage": ["none"], "timings": {}})
    assert reply.prompt_tokens is None


def test_errors_are_known_in_every_form() -> None:
    for document in ({"error": {"message": "m"}}, {"error": "m"}, {"object": "error", "message": "m"}):
        assert read(document)[0].error  # type: ignore[arg-type]
    assert not read({"error": None, "choices": []})[0].error
    assert OllamaReader().read({"error": "m"}, Reply(), strip=True).error


def test_an_empty_finish_reason_ends_nothing() -> None:
    assert read({"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": ""}]})[0].closes == ()


def test_an_event_like_the_one_before_is_read_the_same_and_any_other_is_not() -> None:
    def event(**more: Json) -> JsonObject:
        return {
            "id": "c-1",
            "model": "m",
            "choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": None}],
            **more,
        }

    reader = OpenAiReader()
    first, again = (reader.read(event(), Reply(), strip=True) for _ in range(2))
    assert [piece.place for piece in first.pieces] == [piece.place for piece in again.pieces]
    assert first.keys == again.keys == 7
    odd = reader.read(event(note="a@b.example"), Reply(), strip=True)
    assert [piece.text for piece in odd.pieces] == ["x", "a@b.example"]
    assert len(reader.read(event(note="a@b.example"), Reply(), strip=True).pieces) == 2
    other = event()
    other["choices"][0]["delta"] = {"hidden": "a@b.example"}  # type: ignore[index, call-overload]
    assert [piece.mode for piece in reader.read(other, Reply(), strip=True).pieces] == ["leaf"]
    stripped = event()
    stripped["choices"][0]["logprobs"] = {"x": 1}  # type: ignore[index, call-overload]
    assert reader.read(stripped, Reply(), strip=True).edited
    assert DOCUMENT < 0


def test_a_message_of_ollama_is_read_whole() -> None:
    reply = Reply()
    reading = OllamaReader().read(
        {
            "model": "llama3.2",
            "created_at": "2026-11-20T23:32:11Z",
            "message": {
                "role": "assistant",
                "content": "a",
                "thinking": None,
                "tool_calls": [
                    {
                        "id": "a b",
                        "type": None,
                        "function": {"index": 0, "name": "f", "arguments": {"x": 1}, "none": None, "more": ["z"]},
                    },
                    {"function": {"name": "", "arguments": "{}"}, "other": [7, "y"]},
                ],
            },
            "tool_calls": "odd",
            "done": True,
            "done_reason": "",
            "context": [1, 2],
        },
        reply,
        strip=True,
    )
    assert {piece.place.channel[1]: piece.mode for piece in reading.pieces} == {
        "content": "flow",
        "tool_calls.0.id": "unit",
        "tool_calls.0.name": "unit",
        "tool_calls.0.arguments": "object",
        "tool_calls.0.more.0": "leaf",
        "tool_calls.1.arguments": "unit",
        "tool_calls.1.other.1": "leaf",
        "tool_calls": "leaf",
    }
    assert reading.done and reading.closes == (0,) and reading.edited and reply.finish is None
    with pytest.raises(UnreadableError):
        OllamaReader().read({"message": {"tool_calls": ["x"]}}, Reply(), strip=True)


def test_an_event_without_a_choice_is_no_pattern_for_the_next() -> None:
    reader = OpenAiReader()
    document: Any
    for document in (
        {"choices": []},
        {"choices": ["x"]},
        {"choices": [{"delta": {"content": "x"}}]},
        {"choices": [{"index": "0"}]},
    ):
        try:
            reader.read(document, Reply(), strip=True)
        except UnreadableError:
            continue
    assert reader.read({"choices": [{"index": 0, "delta": {"content": "x"}}]}, Reply(), strip=True).keys == 4
    with_usage: JsonObject = {"choices": [{"index": 0, "delta": {"content": "x"}}], "usage": {"completion_tokens": 1}}
    assert reader.read(with_usage, Reply(), strip=True).keys == 6
    reply = Reply()
    reader.read({"choices": [], "usage": {"prompt_tokens": "many", "completion_tokens": 2}}, reply, strip=True)
    assert (reply.prompt_tokens, reply.completion_tokens) == (None, 2)


def test_an_event_that_looks_like_a_pattern_but_is_none_is_read_anew() -> None:
    reader = OpenAiReader()
    plain: JsonObject = {"choices": [{"index": 0, "delta": {"content": "x"}}]}
    reader.read(plain, Reply(), strip=True)
    two: JsonObject = {"choices": [{"index": 0, "delta": {"content": "x", "thoughts": "y"}}]}
    assert [piece.mode for piece in reader.read(two, Reply(), strip=True).pieces] == ["flow", "leaf"]
    for delta in (None, {}, {"content": None}, {"content": ["x"]}, {"content": ""}):
        odd: JsonObject = {"choices": [{"index": 0, "delta": delta}]}  # type: ignore[dict-item]
        reading = reader.read(odd, Reply(), strip=True)
        assert all(piece.mode == "leaf" for piece in reading.pieces)
        assert odd == {"choices": [{"index": 0, "delta": delta}]}
    text: JsonObject = {"choices": [{"index": 1, "text": "x"}]}
    first, again = reader.read(text, Reply(), strip=True), reader.read(text, Reply(), strip=True)
    assert first.keys == again.keys == 3 and first.pieces[0].place is again.pieces[0].place
    assert reader.read({"choices": [{"index": 1}]}, Reply(), strip=True).pieces == []
    with pytest.raises(UnreadableError):
        reader.read({"choices": [{"index": [1], "text": "x"}]}, Reply(), strip=True)


def test_keys_of_a_dialects_own_objects_are_texts_when_no_program_would_choose_them() -> None:
    walk, reading = Walk(), Reading()
    plain: JsonObject = {"id": 1, "choices": 2}
    odd: JsonObject = {"id": 1, "bob@example.com": 2}
    walk.keyed(reading, plain, 0)
    walk.keyed(reading, plain, 0)
    assert not reading.pieces
    walk.keyed(reading, odd, 0, ("message",))
    assert [(piece.text, piece.mode, piece.place.path) for piece in reading.pieces] == [
        ("bob@example.com", "key", ("message",))
    ]


def test_a_whole_number_is_text_however_it_is_written() -> None:
    walk, reading = Walk(), Reading()
    document: JsonObject = {"a": 5500005555555559.0, "b": 5500005555555559, "c": 1234567.5, "d": 0.25, "created": 1e9}
    walk.object(reading, document, 0, (), strip=False)
    assert [(piece.key, piece.text) for piece in reading.pieces] == [
        ("a", "5500005555555559"),
        ("b", "5500005555555559"),
    ]


def test_an_event_of_the_gateways_own_has_nothing_of_the_models_that_is_no_structure() -> None:
    walk = Walk()
    last: JsonObject = {"id": "chatcmpl-1", "created": 1795217532, "model": "bob@example.com", "shape": [1, 2]}
    assert walk.head(last, ("id", "created", "model", "shape", "gone")) == {
        "id": "chatcmpl-1",
        "created": 1795217532,
        "shape": [1, 2],
    }
    assert walk.head({"a": {"b": "c"}, "b": ["c"]}, ("a", "b")) == {}
