"""Video by Xinference: from a text, from an image, or from the first frame and the last."""

from __future__ import annotations

from penstock.apis.api import ReplyReader, Route
from penstock.apis.calls.fields import STRING, Field, Table
from penstock.apis.calls.media import SIZES, UPLOAD, Media
from penstock.apis.replies.media import VIDEO, MediaReader
from penstock.exchange import Call, Operation


class XinferenceVideos(Media):
    """`POST /v1/video/generations`, and the same below it from an image (`/image`) or two frames (`/flf`)."""

    name = "xinference.videos"
    routes = (
        Route("POST", "/v1/video/generations", Operation.IMAGE),
        Route("POST", "/v1/video/generations/image", Operation.IMAGE, bodies=("form",)),
        Route("POST", "/v1/video/generations/flf", Operation.IMAGE, bodies=("form",)),
    )
    table = Table(
        {
            **SIZES,
            "model": Field(STRING),
            "image": UPLOAD,
            "video": UPLOAD,
            "first_frame": UPLOAD,
            "last_frame": UPLOAD,
        }
    )
    uploads = {"image": "image", "video": "video", "first_frame": "image", "last_frame": "image"}
    answer = "video"

    def reader(self, call: Call) -> ReplyReader:
        return MediaReader("video", keys=frozenset({"b64_json", "url"}), media=VIDEO)
