"""infinity's older endpoints for vectors of images and of audio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from penstock.apis.api import Route
from penstock.apis.calls.contents import Input, media
from penstock.apis.calls.fields import Table
from penstock.apis.calls.pooling import SHARED, inputs
from penstock.apis.calls.whole import Whole
from penstock.apis.openai.embeddings import NUMBERS
from penstock.exchange import Operation


class InfinityImages(Whole):
    """`POST /embeddings_image`: addresses of images, or `data:` with images in it."""

    name = "infinity.images"
    routes = (Route("POST", "/embeddings_image", Operation.EMBED),)
    table = Table({**SHARED, **inputs("input")})
    inputs: ClassVar[Mapping[str, Input]] = {"input": media("image")}
    numbers = NUMBERS


class InfinityAudio(InfinityImages):
    """`POST /embeddings_audio`: the same with audio."""

    name = "infinity.audio"
    routes = (Route("POST", "/embeddings_audio", Operation.EMBED),)
    inputs: ClassVar[Mapping[str, Input]] = {"input": media("audio")}
