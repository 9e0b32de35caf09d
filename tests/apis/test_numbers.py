from __future__ import annotations

import sys

import orjson
import pytest

from penstock.apis.dialects import OPENAI
from penstock.apis.replies.numbers import NumbersReader, numeric
from penstock.apis.replies.pieces import Reading, UnreadableError
from penstock.exchange import Json, Reply
from tests.masking.replies import reply_mask

VECTOR: list[Json] = [0.25, -1.0, 0.0, 7.5]
BASE64 = "AACAPwAAAAA" * 8


def reader(*numbers: str, spelled: str = "", base64: bool = False) -> NumbersReader:
    return NumbersReader(OPENAI, frozenset(numbers), frozenset(spelled.split()), base64=base64)


def read(document: Json, *numbers: str, spelled: str = "", base64: bool = False, strip: bool = True) -> Reading:
    return reader(*numbers, spelled=spelled, base64=base64).read(document, Reply(), strip=strip)


def texts(reading: Reading) -> list[str]:
    return [piece.text for piece in reading.pieces]


@pytest.mark.parametrize(
    "value",
    [
        [],
        VECTOR,
        [VECTOR, VECTOR],
        [[VECTOR], []],
        [1, 2, 30000],
        [0, 0.5],
        [None, 0.5, 1, True],
        [[None], VECTOR],
        [1e30],
        [1e30, 5],
    ],
)
def test_lists_of_numbers_are_numeric_at_any_depth(value: list[Json]) -> None:
    assert numeric(value)


@pytest.mark.parametrize(
    "value",
    [["a"], [0.5, "a"], [{}], [VECTOR, "a"], [[["a"]]], [4111111111111111], [0.5, 4111111111111111], [None, 10**15]],
)
def test_anything_else_is_not_nor_is_an_integer_with_the_digits_of_a_card(value: list[Json]) -> None:
    assert not numeric(value)


def test_vectors_pass_beside_a_mask_and_other_numbers_are_emptied() -> None:
    document: Json = {"data": [{"embedding": VECTOR, "secret": [1, 2]}]}
    reading = read(document, "embedding")
    assert document == {"data": [{"embedding": VECTOR, "secret": None}]} and reading.edited


def test_vectors_pass_at_the_top_of_a_list() -> None:
    for document in (VECTOR, [VECTOR, VECTOR], [[VECTOR], [VECTOR]]):
        kept = orjson.loads(orjson.dumps(document))
        reading = read(kept, "")
        assert kept == document and not reading.edited and not reading.pieces


def test_texts_beside_vectors_are_text() -> None:
    reading = read({"model": "m", "data": [{"embedding": VECTOR, "note": "a b"}], "embedding": "c d"}, "embedding")
    assert texts(reading) == ["a b", "c d"]


def test_base64_passes_only_where_it_was_asked_for_and_has_its_shape() -> None:
    document: Json = {"data": [{"embedding": BASE64}]}
    assert texts(read(document, "embedding", base64=True)) == []
    assert texts(read(document, "embedding")) == [BASE64]
    assert texts(read({"data": [{"note": BASE64}]}, "embedding", base64=True)) == [BASE64]
    for text in ("alice@example.com", "4111111111111111", BASE64 + "@"):
        assert texts(read({"embedding": text}, "embedding", base64=True)) == [text]


def test_rows_of_numbers_are_read_at_once_and_their_keys_counted() -> None:
    rows: Json = [[{"index": 1, "value": 0.5}, {"index": 2, "value": 1.5}], []]
    reading = read(rows, "")
    assert reading.keys == 4 and not reading.pieces and not reading.edited


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([{"index": 0, "text": "a b"}], ["a b"]),
        ([{"index": 0}, {"index": 1, "text": "a b"}], ["a b"]),
        ([{"index": 0}, "a b"], ["a b"]),
        ([{"odd key": 1}], ["odd key"]),
        ([{"index": 4111111111111111}], ["4111111111111111"]),
    ],
)
def test_rows_with_anything_else_in_them_are_read_one_by_one(rows: Json, found: list[str]) -> None:
    assert texts(read({"results": rows}, "results")) == found


def test_a_list_in_a_row_passes_only_under_a_known_key() -> None:
    document: Json = [{"index": 0, "embedding": VECTOR, "ids": [5, 6]}]
    assert read(document, "", "embedding").edited
    assert document == [{"index": 0, "embedding": VECTOR, "ids": None}]


def test_token_ids_pass_where_they_are_the_answer_and_their_strings_are_emptied_beside_a_mask() -> None:
    document: Json = {"tokens": [1, 2], "token_strs": ["al", "ice"], "logprobs": [1]}
    reading = read(document, "tokens", spelled="token_strs")
    assert document == {"tokens": [1, 2], "token_strs": None, "logprobs": None} and reading.edited
    kept: Json = {"tokens": [{"id": 1, "piece": "al"}, {"id": 2, "piece": [240, 159]}]}
    reading = read(kept, "tokens", spelled="piece")
    assert kept == {"tokens": [{"id": 1, "piece": None}, {"id": 2, "piece": None}]} and reading.keys == 5


def test_without_a_mask_nothing_is_touched_and_spelled_out_text_is_no_text_again() -> None:
    document: Json = {"tokens": [{"id": n, "piece": "a b"} for n in range(12_000)], "token_strs": ["a b"]}
    reading = read(document, "tokens", spelled="piece token_strs", strip=False)
    assert not reading.pieces and not reading.edited and isinstance(document, dict) and document["token_strs"]


def test_the_model_and_the_tokens_read_are_noted() -> None:
    for usage in ({"usage": {"prompt_tokens": 3}}, {"usage": {"input_tokens": 3}}, {"prompt_eval_count": 3}):
        reply = Reply()
        reader().read({"model": "m", **usage}, reply, strip=False)  # type: ignore[dict-item]
        assert (reply.model, reply.prompt_tokens) == ("m", 3)
    reply = Reply()
    reader().read({"usage": "x"}, reply, strip=False)
    assert reply.model is None and reply.prompt_tokens is None


def test_a_bare_text_is_no_reply() -> None:
    with pytest.raises(UnreadableError):
        read("a")


def test_it_never_streams() -> None:
    mask = reply_mask(reader("embedding"))
    assert b"error" in mask.feed(b'data: {"embedding": [1]}\n\n') and mask.stopped is not None


def test_bytes_pass_only_when_the_call_asked_for_them() -> None:
    known = NumbersReader(OPENAI, frozenset(), opaque=True)
    assert known.opaque == {"application/octet-stream"} and not reader().opaque


def test_a_large_reply_is_not_walked_number_by_number() -> None:
    """A vector is one call into C: a thousand times the numbers are not a thousand times the calls of Python."""
    document: Json = {"data": [{"embedding": [0.5] * 4096} for _ in range(64)]}
    count = 0

    def counted(*_: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(counted)
    try:
        read(document, "embedding")
    finally:
        sys.setprofile(None)
    assert count < 5_000
