"""Video by LocalAI: a text, and what it may start from, in; a file or where it lies out."""

from __future__ import annotations

from penstock.apis.api import ReplyReader, Route
from penstock.apis.calls.fields import INT, NUMBER, OBJECT, STRING, Field, Table, parameter
from penstock.apis.calls.media import REFERENCE, SIZES, Media
from penstock.apis.calls.turns import LABEL
from penstock.apis.replies.media import VIDEO, MediaReader
from penstock.exchange import Call, Operation


class LocalAiVideos(Media):
    """`POST /video`."""

    name = "localai.videos"
    routes = (Route("POST", "/video", Operation.IMAGE),)
    table = Table(
        {
            **SIZES,
            "model": Field(STRING),
            "start_image": REFERENCE,
            "end_image": REFERENCE,
            "audio": REFERENCE,
            "input_reference": REFERENCE,
            "num_frames": parameter(INT, "num_frames"),
            "fps": parameter(INT, "fps"),
            "seconds": parameter(STRING, "seconds", role=LABEL),
            "step": parameter(INT, "steps"),
            "cfg_scale": parameter(NUMBER, "guidance"),
            "params": parameter(OBJECT, "params", ordinary=False, role="other"),
        }
    )
    uploads = {"start_image": "image", "end_image": "image", "input_reference": "image", "audio": "audio"}
    answer = "video"

    def reader(self, call: Call) -> ReplyReader:
        return MediaReader("video", keys=frozenset({"b64_json", "url"}), media=VIDEO)
