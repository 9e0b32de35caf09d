"""Images and transcripts by KoboldCpp, and the Stable Diffusion web UI's API that Xinference serves too."""

from __future__ import annotations

from typing import Final

from penstock.apis.api import ReplyReader, Route
from penstock.apis.calls.fields import BOOL, INT, LIST, NUMBER, OBJECT, STRING, Field, Table, parameter
from penstock.apis.calls.media import REFERENCE, REFERENCES, SIZES, Media
from penstock.apis.calls.turns import LABEL
from penstock.apis.dialects import OPENAI
from penstock.apis.metadata import Metadata
from penstock.apis.openai.transcript import TranscriptReader
from penstock.apis.replies.media import IMAGES, MediaReader
from penstock.exchange import Call, Operation


class KoboldImages(Media):
    """`POST /sdapi/v1/txt2img` and `/sdapi/v1/img2img`. KoboldCpp has one model, which nobody names."""

    name = "koboldcpp.images"
    routes = (
        Route("POST", "/sdapi/v1/txt2img", Operation.IMAGE),
        Route("POST", "/sdapi/v1/img2img", Operation.IMAGE),
    )
    table = Table(
        {
            **SIZES,
            "model": Field(STRING),
            "init_images": REFERENCES,
            "mask": REFERENCE,
            "denoising_strength": parameter(NUMBER, "denoising_strength"),
            "sampler_name": parameter(STRING, "sampler", role=LABEL),
            "sampler_index": parameter(STRING, "sampler", role=LABEL),
            "scheduler": parameter(STRING, "scheduler", role=LABEL),
            "clip_skip": parameter(INT, "clip_skip"),
            "batch_size": parameter(INT, "n", limit=True),
            "n_iter": parameter(INT, "n", limit=True),
            "send_images": parameter(BOOL, "send_images"),
            "save_images": parameter(BOOL, "save_images", ordinary=False),
            # They choose another model, settings of the server, and code that it runs.
            "override_settings": parameter(OBJECT, "override_settings", ordinary=False, role="other"),
            "script_name": parameter(STRING, "script_name", ordinary=False, role="other"),
            "alwayson_scripts": parameter(OBJECT, "alwayson_scripts", ordinary=False, role="other"),
            "adapter": parameter(OBJECT, "adapter", ordinary=False, role="system"),
        }
    )
    uploads = {"init_images": "image", "mask": "image"}
    answer = "image"
    needs_model = False

    def reader(self, call: Call) -> ReplyReader:
        return MediaReader("image", keys=frozenset({"images", "init_images"}), media=IMAGES)


class KoboldInterrogate(Media):
    """`POST /sdapi/v1/interrogate`: an image in, what is to be seen on it out."""

    name = "koboldcpp.interrogate"
    routes = (Route("POST", "/sdapi/v1/interrogate", Operation.TRANSCRIBE),)
    table = Table({"model": parameter(STRING, "interrogator", role=LABEL), "image": REFERENCE})
    uploads = {"image": "image"}
    model_key = ""
    needs_model = False

    def reader(self, call: Call) -> ReplyReader:
        return MediaReader("image")


class KoboldTranscribe(Media):
    """`POST /api/extra/transcribe`: a recording, as JSON in base64 or as a form."""

    name = "koboldcpp.transcribe"
    routes = (Route("POST", "/api/extra/transcribe", Operation.TRANSCRIBE, bodies=("json", "form")),)
    table = Table(
        {
            "audio_data": REFERENCE,
            "file": REFERENCE,
            "prompt": Field(STRING, role="user"),
            "langcode": parameter(STRING, "language", role=LABEL),
            "language": parameter(STRING, "language", role=LABEL),
            "suppress_non_speech": parameter(BOOL, "suppress_non_speech"),
            "timestamp_granularities": parameter(LIST, "timestamp_granularities", role=LABEL),
        }
    )
    uploads = {"audio_data": "audio", "file": "audio"}
    needs_model = False

    def reader(self, call: Call) -> ReplyReader:
        return TranscriptReader()


KOBOLD_IMAGE_LISTS: Final = Metadata(
    "koboldcpp.image_lists",
    OPENAI,
    tuple(
        Route("GET", f"/sdapi/v1/{what}", Operation.LIST)
        for what in ("sd-models", "options", "samplers", "schedulers", "upscalers", "latent-upscale-modes")
    ),
)
