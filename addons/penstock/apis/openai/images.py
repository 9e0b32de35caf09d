"""OpenAI's images: made from a text, or from images and a text; Xinference's and LocalAI's further ways to do so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from penstock.apis.api import ReplyReader
from penstock.apis.calls.fields import BOOL, INT, STRING, Field, Table, parameter
from penstock.apis.calls.media import REFERENCES, SIZES, UPLOAD, UPLOADS, Media
from penstock.apis.calls.turns import LABEL
from penstock.apis.openai.paths import everywhere
from penstock.apis.replies.media import IMAGES, MediaReader
from penstock.exchange import Call, Operation

_COMMON: Final[Mapping[str, Field]] = {
    **SIZES,
    "model": Field(STRING),
    "background": parameter(STRING, "background", role=LABEL),
    "moderation": parameter(STRING, "moderation", role=LABEL),
    "output_compression": parameter(INT, "output_compression"),
    "output_format": parameter(STRING, "output_format", role=LABEL),
    "partial_images": parameter(INT, "partial_images"),
    "quality": parameter(STRING, "quality", role=LABEL),
    "style": parameter(STRING, "style", role=LABEL),
    "input_fidelity": parameter(STRING, "input_fidelity", role=LABEL),
    "stream": Field(BOOL),
}
# `image` is OpenAI's name, with `[]` for several; Xinference also takes `images`.
_NAMES: Final = ("image", "image[]", "images", "images[]")
_EVENTS: Final = frozenset({"image_generation.partial_image", "image_edit.partial_image"})
_LAST: Final = frozenset({"image_generation.completed", "image_edit.completed"})
# Xinference's own: names of events, and the types in them.
_XINFERENCE: Final = frozenset(
    {"start", "processing", "complete", "image_edit_started", "mask_loaded", "starting_generation", "image_edit_error"}
)


class OpenAiImages(Media):
    """`POST /v1/images/generations` (https://platform.openai.com/docs/api-reference/images/create)."""

    name = "openai.images"
    routes = everywhere("/images/generations", Operation.IMAGE)
    table = Table({**_COMMON, "ref_images": REFERENCES, "file": REFERENCES, "files": REFERENCES})
    uploads = {"ref_images": "image", "file": "image", "files": "image"}
    answer = "image"

    def reader(self, call: Call) -> ReplyReader:
        return image_reader()


class OpenAiImageEdits(Media):
    """Edits, variations, inpainting and upscaling: forms with images."""

    name = "openai.images.edits"
    routes = tuple(
        route
        for path in ("/images/edits", "/images/variations", "/images/inpainting", "/images/upscale")
        for route in everywhere(path, Operation.IMAGE, "form")
    )
    table = Table(
        {
            **_COMMON,
            **dict.fromkeys(_NAMES, UPLOADS),
            "mask": UPLOAD,
            "mask_image": UPLOAD,
            "scale": parameter(INT, "scale"),
        }
    )
    uploads = {**dict.fromkeys(_NAMES, "image"), "mask": "image", "mask_image": "image"}
    answer = "image"

    def reader(self, call: Call) -> ReplyReader:
        return image_reader()


def image_reader() -> MediaReader:
    keys = frozenset({"b64_json", "url"})
    return MediaReader("image", keys=keys, events=_EVENTS | _XINFERENCE, last=_LAST, media=IMAGES)
