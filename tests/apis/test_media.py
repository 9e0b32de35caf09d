"""The other endpoints of speech, images and video, of KoboldCpp, LocalAI and Xinference."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import apis
from penstock.apis.calls.media import opaque
from penstock.errors import Refusal
from penstock.exchange import JsonObject, Operation
from tests.apis.calls import call, said
from tests.apis.forms import WAV, file, forwarded, sent
from tests.apis.recorded import recorded
from tests.masking.replies import reply_mask

BASE64 = "UklGRiQAAABXQVZF" * 8


def test_a_voice_in_the_path_is_a_parameter_through_every_change() -> None:
    made = call("/v1/text-to-speech/alloy", {"model_id": "tts", "text": "hi bob@example.com"})
    assert (made.api, made.operation, made.model, made.uninspected) == (
        "localai.sounds",
        Operation.SPEAK,
        "tts",
        ("audio",),
    )
    assert made.parameters == {"voice": "alloy"}
    api = apis.by_name(made.api)
    assert api.with_parameters(made, {"language": "en"}).parameters == {"voice": "alloy", "language": "en"}
    masked = apis.with_texts(made, {("text",): "hi [EMAIL]"})
    assert masked.parameters == {"voice": "alloy"} and said(masked) == [("user", "hi [EMAIL]")]
    with pytest.raises(Refusal):
        call("/v1/text-to-speech/%C3%BC", {"model_id": "tts", "text": "hi"})


def test_sounds_are_made_from_texts() -> None:
    made = call(
        "/v1/sound-generation", {"model_id": "music", "text": "rain", "lyrics": "la", "caption": "c", "bpm": 90}
    )
    assert said(made) == [("user", "rain"), ("user", "la"), ("user", "c")]
    assert made.parameters == {"bpm": 90}
    assert apis.by_name(made.api).with_parameters(made, {"bpm": 60}).parameters == {"bpm": 60}


@pytest.mark.parametrize("path", ["/v1/audio/diarization", "/audio/diarization", "/v1/audio/classification"])
def test_speakers_are_told_apart(path: str) -> None:
    made = sent(path, {"file": file(), "model": "pyannote", "num_speakers": "2", "include_text": "true"})
    assert (made.api, made.operation, made.uninspected) == ("localai.diarization", Operation.TRANSCRIBE, ("audio",))
    assert made.parameters == {"num_speakers": 2, "include_text": True}
    assert forwarded(made)["include_text"] == "true"


def test_what_was_heard_of_a_speaker_is_masked() -> None:
    found = recorded("localai.diarization-localai_verbose")
    out = json.loads(reply_mask(found.reader()).whole(200, "application/json", found.body))
    assert "[EMAIL]" in "".join(segment["text"] for segment in out["segments"])
    assert out["speakers"][0]["id"] == "SPEAKER_00"


def test_video_is_made_from_a_prompt_and_what_comes_with_it() -> None:
    made = call(
        "/video", {"model": "wan", "prompt": "a fox", "start_image": BASE64, "audio": "http://h/a.wav", "fps": 8}
    )
    assert (made.api, made.operation, made.uninspected) == (
        "localai.videos",
        Operation.IMAGE,
        ("audio", "image", "url", "video"),
    )
    assert said(made) == [("user", "a fox"), ("other", "http://h/a.wav")]
    reader = apis.by_name("localai.videos").reader(made)
    assert reply_mask(reader).whole(200, "video/mp4", WAV) == WAV


@pytest.mark.parametrize(
    ("path", "files"), [("/image", {"image": file()}), ("/flf", {"first_frame": file(), "last_frame": file()})]
)
def test_xinference_makes_video_from_images(path: str, files: JsonObject) -> None:
    made = sent(f"/v1/video/generations{path}", {"model": "wan", "prompt": "a fox", **files})
    assert (made.api, made.uninspected) == ("xinference.videos", ("image", "video"))
    assert call("/v1/video/generations", {"model": "wan", "prompt": "x"}).uninspected == ("video",)


def test_text_in_an_image_is_read_out() -> None:
    made = sent("/v1/images/ocr", {"model": "got", "image": file("scan.png", "image/png")})
    assert (made.api, made.operation, made.uninspected) == ("xinference.ocr", Operation.TRANSCRIBE, ("image",))
    found = recorded("xinference.ocr-xinference_pages")
    assert b"[EMAIL]" in reply_mask(found.reader()).whole(200, "application/json", found.body)


# KoboldCpp, and the web UI's API


@pytest.mark.parametrize("path", ["/sdapi/v1/txt2img", "/sdapi/v1/img2img"])
def test_a_web_ui_makes_images_without_naming_a_model(path: str) -> None:
    made = call(
        path, {"prompt": "a fox", "negative_prompt": "dogs", "init_images": [BASE64], "steps": 20, "batch_size": 2}
    )
    assert (made.api, made.operation, made.model, made.uninspected) == (
        "koboldcpp.images",
        Operation.IMAGE,
        None,
        ("image",),
    )
    assert said(made) == [("user", "a fox"), ("user", "dogs")]
    assert made.parameters == {"steps": 20, "n": 2}
    assert call(path, {"model": "sd", "prompt": "x"}).model == "sd"


def test_settings_that_choose_another_model_must_be_granted() -> None:
    made = call("/sdapi/v1/txt2img", {"prompt": "x", "override_settings": {"sd_model_checkpoint": "other"}})
    assert made.unusual == {"override_settings"} and ("other", "other") in said(made)


def test_what_the_web_ui_repeats_of_the_prompt_is_masked_in_its_json_too() -> None:
    found = recorded("koboldcpp.images-xinference_txt2img")
    out = json.loads(reply_mask(found.reader()).whole(200, "application/json", found.body))
    assert json.loads(out["info"])["prompt"] == "[EMAIL]"
    assert out["parameters"]["prompt"] == "a letter to [EMAIL]"
    assert out["images"] == json.loads(found.body)["images"]


def test_an_image_is_described() -> None:
    made = call("/sdapi/v1/interrogate", {"image": BASE64, "model": "clip"})
    assert (made.operation, made.model, made.uninspected) == (Operation.TRANSCRIBE, None, ("image",))
    assert made.parameters == {"interrogator": "clip"}


def test_koboldcpp_transcribes_json_and_forms() -> None:
    made = call("/api/extra/transcribe", {"audio_data": f"data:audio/wav;base64,{BASE64}", "prompt": "Bob"})
    assert (made.model, made.uninspected, said(made)) == (None, ("audio",), [("user", "Bob")])
    made = sent("/api/extra/transcribe", {"file": file(), "timestamp_granularities": "word"})
    assert (made.uninspected, made.parameters) == (("audio",), {"timestamp_granularities": ["word"]})


def test_lists_of_the_web_ui_are_lists() -> None:
    assert apis.recognise("GET", "/sdapi/v1/sd-models").route.operation is Operation.LIST


FIELDS = st.sampled_from(
    ["model", "file", "image", "image[]", "prompt", "temperature", "n", "stream", "language", "kwargs", "x", "mask"]
)
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20) | st.just(file())
PLACES = st.sampled_from(
    ["/v1/audio/transcriptions", "/v1/audio/speech", "/v1/images/edits", "/v1/images/ocr", "/api/extra/transcribe"]
)


@given(PLACES, st.dictionaries(FIELDS, VALUES | st.lists(VALUES, min_size=2, max_size=2)))
def test_any_form_is_a_call_that_is_forwarded_as_it_was_judged_or_a_refusal(path: str, body: JsonObject) -> None:
    try:
        made = sent(path, body)
    except Refusal:
        return
    again = sent(path, forwarded(made))
    assert (again.turns, again.parameters, again.uninspected) == (made.turns, made.parameters, made.uninspected)
    assert apis.emitted(again) == apis.emitted(made)


def test_bytes_are_told_from_text() -> None:
    assert opaque(BASE64) and opaque("data:image/png;base64,iVBORw0=") and opaque("data:;base64,")
    assert not opaque("4111111111111111" * 5) and not opaque("short") and not opaque("data:text/plain,hello")
    assert not opaque("no base64, but words, and enough of them to be longer than the shortest bytes")


def test_a_voice_in_the_path_is_the_only_one() -> None:
    with pytest.raises(Refusal):
        call("/v1/text-to-speech/alloy", {"model_id": "tts", "text": "hi", "voice": "other"})
