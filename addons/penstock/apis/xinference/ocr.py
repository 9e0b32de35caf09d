"""Text in images, read by Xinference: a form with an image or a PDF in, what is written on it out."""

from __future__ import annotations

from penstock.apis.api import ReplyReader, Route
from penstock.apis.calls.fields import STRING, Field, Table, parameter
from penstock.apis.calls.media import UPLOAD, Media
from penstock.apis.dialects import OPENAI
from penstock.apis.metadata import read_anything
from penstock.apis.replies.pieces import Reading, Walk
from penstock.apis.replies.reader import Reader
from penstock.exchange import Call, Json, Operation, Reply


class XinferenceOcr(Media):
    """`POST /v1/images/ocr`."""

    name = "xinference.ocr"
    routes = (Route("POST", "/v1/images/ocr", Operation.TRANSCRIBE, bodies=("form",)),)
    table = Table({"model": Field(STRING), "image": UPLOAD, "kwargs": parameter(STRING, "kwargs", ordinary=False)})
    uploads = {"image": "image"}

    def reader(self, call: Call) -> ReplyReader:
        return OcrReader()


class OcrReader(Reader):
    """Whatever document the model makes of a page, most often a string; no structure in it is trusted."""

    dialect = OPENAI
    bare = True

    def __init__(self) -> None:
        self._walk = Walk()

    def read(self, document: Json, reply: Reply, *, strip: bool) -> Reading:
        return read_anything(self._walk, document, strip=strip)
