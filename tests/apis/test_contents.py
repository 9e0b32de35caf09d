from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.apis.calls.contents import contents, media, messages, vectors
from penstock.apis.calls.turns import Key, Turns, replaced
from penstock.errors import Refusal
from penstock.exchange import Json

BLOB = "iVBORw0KGgo" * 8


def read(value: Json) -> Turns:
    turns = Turns()
    contents(turns, value, ("input",))
    return turns


def said(turns: Turns) -> list[tuple[str, str]]:
    return [(turn.role, turn.text) for turn in turns.found]


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ("a", ["a"]),
        (["a", "b"], ["a", "b"]),
        ([["a", "b"], ["c"]], ["a", "b", "c"]),
        ({"text": "a"}, ["a"]),
        ([{"text": "a"}, "b"], ["a", "b"]),
        ({"source_sentence": "a", "sentences": ["b", "c"]}, ["a", "b", "c"]),
        ({"content": [{"type": "text", "text": "a"}]}, ["a"]),
        ({"prompt_string": "a", "n": 3, "x": None}, ["a"]),
        ({"card": 4111111111111111}, ["4111111111111111"]),
        ({"an odd key": "a"}, ["an odd key", "a"]),
        ({"type": "not a label"}, ["not a label"]),
        ([None, True, "a"], ["a"]),
        ([], []),
        ("", []),
    ],
)
def test_every_text_is_a_turn_whatever_shape_it_comes_in(value: Json, texts: list[str]) -> None:
    turns = read(value)
    assert [turn.text for turn in turns.found] == texts and not turns.uninspected


def test_each_turn_says_where_it_stands() -> None:
    turns = read([{"content": [{"type": "text", "text": "a"}]}, {"odd key": "b"}])
    paths = [turn.path for turn in turns.found]
    assert paths == [
        ("input", 0, "content", 0, "text"),
        ("input", 1, Key("odd key")),
        ("input", 1, "odd key"),
    ]
    body = {"input": [{"content": [{"type": "text", "text": "a"}]}, {"odd key": "b"}]}
    masked = replaced(body, dict.fromkeys(paths, "[X]"))  # type: ignore[arg-type]
    assert masked == {"input": [{"content": [{"type": "text", "text": "[X]"}]}, {"[X]": "[X]"}]}


@pytest.mark.parametrize("value", [[1, 2], [[1, 2], [3]], ["a", 1], [1, "a", 2], [{"text": "a"}, [5]], [[1, "x"]]])
def test_token_ids_are_content_that_nobody_reads_even_between_texts(value: Json) -> None:
    assert read(value).uninspected == {"token_ids"}


def test_texts_between_token_ids_are_read() -> None:
    assert said(read([12, "a", 34])) == [("user", "a")]


@pytest.mark.parametrize("value", [7, 1.5, True])
def test_a_number_in_place_of_a_text_is_refused(value: Json) -> None:
    with pytest.raises(Refusal) as caught:
        read(value)
    assert "/input" in caught.value.message


def test_vectors_in_place_of_texts_need_a_grant() -> None:
    assert read([[0.5, 1.0]]).uninspected == {"embeddings"}
    turns = Turns()
    vectors(turns, [[0.5], {"x": "a"}], ("embed_overrides",))
    assert turns.uninspected == {"embeddings"} and said(turns) == [("other", "a")]


def test_a_message_speaks_in_its_own_role_and_an_invented_role_is_text() -> None:
    turns = read([{"role": "system", "content": "a"}, {"role": "emperor", "content": "b"}, {"role": 3, "content": "c"}])
    assert said(turns) == [("system", "a"), ("user", "emperor"), ("user", "b"), ("user", "c")]


@pytest.mark.parametrize(
    ("value", "kinds", "texts"),
    [
        ({"image": f"data:image/png;base64,{BLOB}"}, {"image"}, []),
        ({"image": BLOB}, {"image"}, []),
        ({"image": "https://x.example/i.png"}, {"image", "url"}, ["https://x.example/i.png"]),
        ({"type": "image_url", "image_url": {"url": "data:,x", "detail": "low"}}, {"image"}, ["low"]),
        ({"image_url": {"url": "file:///etc/passwd"}}, {"image", "url"}, ["file:///etc/passwd"]),
        ({"input_audio": {"data": BLOB, "format": "wav"}}, {"audio"}, ["wav"]),
        ({"prompt_string": "a", "multimodal_data": [BLOB]}, {"image", "audio"}, ["a"]),
        ({"video": ["say hello"]}, {"video", "url"}, ["say hello"]),
        ({"image_embeds": BLOB}, {"embeddings"}, []),
        ({"image": None, "text": "a"}, set(), ["a"]),
        ({"images": []}, set(), []),
        ({"image": 5}, {"image"}, []),
        ({"image": {"odd key": 1}}, {"image"}, ["odd key"]),
    ],
)
def test_media_need_a_grant_and_their_addresses_are_text(value: Json, kinds: set[str], texts: list[str]) -> None:
    turns = read(value)
    assert turns.uninspected == kinds and [turn.text for turn in turns.found] == texts


def test_media_at_the_top_are_read_alike() -> None:
    turns = Turns()
    media("audio")(turns, ["http://x/a.wav", {"url": "data:,"}], ("input",))
    assert turns.uninspected == {"audio", "url"} and said(turns) == [("other", "http://x/a.wav")]


def test_conversations_may_come_several_at_once() -> None:
    turns = Turns()
    messages(turns, [[{"role": "user", "content": "a"}], [{"role": "assistant", "content": "b"}]], ("messages",))
    assert said(turns) == [("user", "a"), ("assistant", "b")]
    with pytest.raises(Refusal):
        messages(turns, [{"role": "emperor", "content": "a"}], ("messages",))
    with pytest.raises(Refusal):
        messages(turns, [], ("messages",))


TREES = st.recursive(
    st.text(max_size=5) | st.integers(-5, 5) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60)
@given(TREES)
def test_nothing_that_looks_like_text_escapes(tree: Json) -> None:
    """Whatever the shape, the planted text is a turn."""
    planted = "alice@example.com"
    shapes: list[Json] = [[tree, planted], {"x": tree, "y": planted}, [[planted], {"document": tree}]]
    for value in shapes:
        assert planted in [turn.text for turn in read(value).found]
