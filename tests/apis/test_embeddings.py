from __future__ import annotations

import base64

import orjson
import pytest

from penstock import apis
from penstock.errors import Refusal
from penstock.exchange import Json, Operation
from tests.apis.calls import call, said
from tests.masking.replies import reply_mask

EMBED = "/v1/embeddings"
IMAGE = "data:image/png;base64,iVBORw0KGgo="


@pytest.mark.parametrize("path", [EMBED, "/embeddings", "/v3/embeddings", "/v3/v1/embeddings", "/api/v0/embeddings"])
def test_texts_are_turns_on_every_path(path: str) -> None:
    made = call(
        path, {"model": "tiny", "input": ["one", "two"], "dimensions": 8, "encoding_format": "float", "user": None}
    )
    assert (made.api, made.operation, made.model) == ("openai.embeddings", Operation.EMBED, "tiny")
    assert [(turn.text, turn.path) for turn in made.turns] == [("one", ("input", 0)), ("two", ("input", 1))]
    assert made.parameters == {"dimensions": 8, "encoding_format": "float"} and not made.unusual and not made.stream


def test_llama_cpps_own_endpoint_reads_the_same() -> None:
    made = call("/embedding", {"content": [{"prompt_string": "a", "multimodal_data": ["data:,"]}, [1, 2]]})
    assert made.api == "llama_cpp.embedding" and made.model is None
    assert said(made) == [("user", "a")] and made.uninspected == ("audio", "image", "token_ids")


@pytest.mark.parametrize("value", [[1, 2, 3], [[1, 2], [3]], ["a", [1]], [0]])
def test_token_ids_need_a_grant(value: Json) -> None:
    assert "token_ids" in call(EMBED, {"model": "tiny", "input": value}).uninspected


def test_a_conversation_is_read_as_in_a_chat() -> None:
    parts: Json = [{"type": "text", "text": "b"}, {"type": "image_url", "image_url": {"url": IMAGE}}]
    body: dict[str, Json] = {
        "model": "tiny",
        "messages": [{"role": "system", "content": "a"}, {"role": "user", "content": parts}],
        "chat_template": "c",
    }
    made = call(EMBED, body)
    assert said(made) == [("system", "a"), ("user", "b"), ("system", "c")]
    assert made.uninspected == ("image",) and made.unusual == {"chat_template"}


def test_messages_may_stand_in_the_input() -> None:
    made = call(
        EMBED, {"model": "tiny", "input": [[{"role": "assistant", "content": "a"}], [{"role": "user", "content": "b"}]]}
    )
    assert said(made) == [("assistant", "a"), ("user", "b")]


@pytest.mark.parametrize("body", [{}, {"input": None}, {"input": 7}, {"prompt": "a"}, {"input": "a", "model": ""}])
def test_what_has_no_input_or_no_sense_is_refused(body: dict[str, Json]) -> None:
    with pytest.raises(Refusal) as caught:
        call(EMBED, {"model": "tiny", **body})
    assert caught.value.code == "invalid_request"


def test_a_key_in_another_spelling_is_refused_and_an_unknown_one_is_unusual() -> None:
    with pytest.raises(Refusal):
        call(EMBED, {"model": "tiny", "input": "a", "Input": "b"})
    made = call(EMBED, {"model": "tiny", "input": "a", "vibe": "b"})
    assert made.unusual == {"vibe"} and said(made) == [("user", "a"), ("other", "b")]


def test_what_changes_the_server_or_hides_text_needs_a_grant() -> None:
    made = call(EMBED, {"input": "a", "lora_path": "/x", "priority": -1, "embed_overrides": [[[0.5]]], "user": "u"})
    assert made.unusual == {"lora", "priority"} and made.uninspected == ("embeddings",) and made.model is None
    assert ("other", "/x") in said(made) and ("other", "u") in said(made)


@pytest.mark.parametrize(("modality", "kind"), [("image", "image"), ("audio", "audio")])
def test_infinitys_modality_makes_the_input_images_or_sounds(modality: str, kind: str) -> None:
    made = call("/embeddings", {"input": [IMAGE, "http://x.example/i"], "modality": modality})
    assert made.uninspected == (kind, "url") and said(made) == [("other", "http://x.example/i")]


def test_any_other_modality_is_text() -> None:
    for modality in ("text", "smell"):
        made = call("/embeddings", {"input": "a", "modality": modality})
        assert said(made) == [("user", "a")] and not made.uninspected


def test_infinitys_older_endpoints_are_media_too() -> None:
    assert call("/embeddings_image", {"input": [IMAGE]}).uninspected == ("image",)
    assert call("/embeddings_audio", {"input": "file:///x"}).uninspected == ("audio", "url")


def test_the_model_may_stand_in_the_path_and_stays_when_texts_are_masked() -> None:
    made = call("/v1/engines/ada%2D2/embeddings".replace("%2D", "-"), {"input": "mail a@b.example"})
    assert made.model == "ada-2"
    masked = apis.with_texts(made, {("input",): "mail [EMAIL]"})
    assert masked.model == "ada-2" and said(masked) == [("user", "mail [EMAIL]")]
    assert call("/v1/engines/ada-2/embeddings", {"input": "a", "model": "ada-2"}).model == "ada-2"
    with pytest.raises(Refusal):
        call("/v1/engines/ada-2/embeddings", {"input": "a", "model": "other"})


def test_vectors_pass_as_they_are_in_every_form() -> None:
    vector = [0.25, -1.5] * 40
    coded = base64.b64encode(bytes(range(256))).decode()
    api = apis.by_name("openai.embeddings")
    for form, value in (("float", vector), ("base64", coded)):
        made = call(EMBED, {"model": "tiny", "input": "a", "encoding_format": form})
        body = orjson.dumps({"object": "list", "data": [{"object": "embedding", "embedding": value, "index": 0}]})
        assert reply_mask(api.reader(made)).whole(200, "application/json", body) == body


def test_vectors_as_bytes_pass_only_for_a_call_that_asked_for_them() -> None:
    api = apis.by_name("openai.embeddings")
    asked = call(EMBED, {"model": "tiny", "input": "a", "encoding_format": "bytes_only"})
    assert asked.uninspected == ("embeddings",)
    mask = reply_mask(api.reader(asked))
    assert mask.whole(200, "application/octet-stream", b"\x00\xff") == b"\x00\xff" and mask.reply.uninspected
    with pytest.raises(Refusal):
        reply_mask(api.reader(call(EMBED, {"input": "a"}))).whole(200, "application/octet-stream", b"\x00\xff")


def test_a_reply_without_sense_is_refused() -> None:
    with pytest.raises(Refusal):
        reply_mask(apis.by_name("openai.embeddings").reader(call(EMBED, {"input": "a"}))).whole(
            200, "application/json", b'"text"'
        )


def test_on_the_shared_path_a_body_is_ours_only_with_our_keys_and_no_others() -> None:
    made = call("/invocations", {"input": "a", "model": "tiny"})
    assert made.api == "openai.embeddings"
    strays: list[dict[str, Json]] = [
        {"messages": []},
        {"prompt": "x"},
        {"inputs": "x"},
        {"content": "x"},
        {"query": "x"},
        {"text_1": "x"},
    ]
    for more in strays:
        with pytest.raises(Refusal):
            call("/invocations", {"input": "a", **more})


def test_a_moderation_reads_texts_and_images() -> None:
    made = call(
        "/v1/moderations",
        {"model": "tiny", "input": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": IMAGE}}]},
    )
    assert (made.operation, made.uninspected) == (Operation.MODERATE, ("image",)) and said(made) == [("user", "a")]
    assert said(call("/moderations", {"input": ["a", "b"]})) == [("user", "a"), ("user", "b")]
