"""Images: prompts are read, revised prompts masked, and the images themselves named as what nobody reads."""

from __future__ import annotations

import json

import pytest

from penstock.apis.openai.images import OpenAiImageEdits, OpenAiImages
from penstock.apis.replies.pieces import UnknownEventError, UnreadableError
from penstock.errors import Refusal
from penstock.exchange import JsonObject, Operation, Reply
from tests.apis.calls import call, said
from tests.apis.forms import file, forwarded, sent
from tests.apis.recorded import recorded
from tests.masking.replies import event, leaks, reply_mask, streamed

MAKE = "/v1/images/generations"
PNG = file("a.png", "image/png", b"\x89PNG")
BASE64 = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.mark.parametrize("prefix", ["/v1", "", "/v3"])
def test_an_image_is_made_from_a_prompt(prefix: str) -> None:
    made = call(
        f"{prefix}/images/generations", {"model": "sd", "prompt": "a fox", "n": 2, "size": "512x512", "user": "me"}
    )
    assert (made.api, made.operation, made.model, made.uninspected) == (
        "openai.images",
        Operation.IMAGE,
        "sd",
        ("image",),
    )
    assert said(made) == [("user", "a fox"), ("other", "me")]
    assert made.parameters == {"n": 2, "size": "512x512", "user": "me"} and not made.unusual


def test_what_only_selects_is_no_text_unless_it_says_something() -> None:
    made = call(MAKE, {"model": "sd", "prompt": "x", "quality": "high and draw bob", "kwargs": '{"seed": 1}'})
    assert ("other", "high and draw bob") in said(made)
    assert made.unusual == {"kwargs"} and made.turns[-1].form == "json"


def test_images_to_start_from_are_named_and_places_to_fetch_them_from_are_read() -> None:
    made = call(
        MAKE, {"model": "sd", "prompt": "x", "ref_images": [BASE64, "data:image/png;base64,iVBORw0=", "http://h/a"]}
    )
    assert made.uninspected == ("image", "url")
    assert said(made) == [("user", "x"), ("other", "http://h/a")]


@pytest.mark.parametrize("what", ["edits", "variations", "inpainting", "upscale"])
def test_images_are_edited_by_forms(what: str) -> None:
    made = sent(
        f"/v1/images/{what}", {"model": "sd", "prompt": "a fox", "image": PNG, "mask": PNG, "n": "3", "stream": "false"}
    )
    assert (made.api, made.encoding, made.uninspected) == ("openai.images.edits", "form", ("image",))
    assert made.parameters == {"n": 3} and not made.stream
    assert [(turn.role, turn.text) for turn in made.turns if turn.role == "user"] == [("user", "a fox")]
    assert forwarded(made) == {"model": "sd", "prompt": "a fox", "image": PNG, "mask": PNG, "n": "3", "stream": "false"}


def test_several_images_may_be_edited_together() -> None:
    made = sent("/v1/images/edits", {"model": "sd", "prompt": "both", "image[]": [PNG, PNG]})
    assert forwarded(made)["image[]"] == [PNG, PNG]
    assert OpenAiImageEdits().with_body(made, made.body or {}).turns == made.turns


@pytest.mark.parametrize(
    "body",
    [
        {"prompt": "x"},
        {"model": "sd", "prompt": {"a": 1}},
        {"model": "sd", "prompt": "x", "n": "2"},
        {"model": "sd", "prompt": "x", "ref_images": [1]},
        {"model": "sd", "prompt": "x", "ref_images": {"data": "x"}},
        {"model": "sd", "prompt": "x", "Prompt": "y"},
    ],
)
def test_what_is_not_understood_is_refused(body: JsonObject) -> None:
    with pytest.raises(Refusal):
        call(MAKE, body)


def test_a_prompt_that_is_there_twice_is_refused_in_a_form() -> None:
    with pytest.raises(Refusal):
        sent("/v1/images/edits", {"model": "sd", "prompt": ["a", "b"], "image": PNG})


# Replies


def test_the_revised_prompt_is_masked_and_the_image_is_not_touched() -> None:
    found = recorded("openai.images-openai_b64")
    reply = reply_mask(found.reader())
    before, after = json.loads(found.body), json.loads(reply.whole(200, "application/json", found.body))
    assert after["data"][0]["revised_prompt"] == "A letter to [EMAIL]"
    assert [each["b64_json"] for each in after["data"]] == [each["b64_json"] for each in before["data"]]
    assert reply.reply.uninspected == {"image"}
    assert (reply.reply.prompt_tokens, reply.reply.completion_tokens) == (10, 40)


@pytest.mark.parametrize("text", ["4111111111111111", "write to bob@example.com", "data:text/plain,bob@example.com"])
def test_text_in_the_place_of_an_image_is_text(text: str) -> None:
    document = {"created": 1, "model": "sd", "data": [{"b64_json": text}]}
    reply = reply_mask(OpenAiImages().reader(call(MAKE, {"model": "sd", "prompt": "x"})))
    assert leaks(reply.whole(200, "application/json", json.dumps(document).encode())) == []
    assert reply.reply.model == "sd" and not reply.reply.uninspected


def test_a_key_that_stands_twice_in_a_reply_is_noticed() -> None:
    body = b'{"data":[{"revised_prompt":"bob@example.com","revised_prompt":"x"}]}'
    assert (
        leaks(
            reply_mask(OpenAiImages().reader(call(MAKE, {"model": "sd", "prompt": "x"}))).whole(
                200, "application/json", body
            )
        )
        == []
    )


def test_a_stream_of_images_ends_with_the_last() -> None:
    reader = OpenAiImages().reader(call(MAKE, {"model": "sd", "prompt": "x"}))
    reply = reply_mask(reader)
    out = streamed(reply, event({"type": "image_generation.partial_image", "b64_json": BASE64}))
    assert b'"error"' in out and not reply.reply.complete


def test_other_shapes_and_events_are_not_read() -> None:
    reader = OpenAiImages().reader(call(MAKE, {"model": "sd", "prompt": "x"}))
    with pytest.raises(UnreadableError):
        reader.read([], Reply(), strip=True)
    with pytest.raises(UnknownEventError) as unknown:
        reader.read({"type": "image_generation.dream"}, Reply(), strip=True)
    assert unknown.value.kind == "image_generation.dream"
    assert reader.read({"type": "error", "error": {"message": "x"}, "data": None}, Reply(), strip=True).error
